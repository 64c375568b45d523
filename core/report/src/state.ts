/** What is shown of the blocks: filters, and the sums of what they let through. */
import { grouping, type Grouping } from "./keys";
import { later } from "./jobs";
import { type Model, NONE } from "./model";
import { noSum, type Sum, Sums } from "./totals";

export type { Sum, Sums } from "./totals";

/** What one click filters by. Each is a bit, so that a chart can show what its own filter leaves
 * out. */
export const DIMENSIONS = [
  "thread",
  "domain",
  "reach",
  "type",
  "age",
  "size",
  "time",
  "module",
  "filename",
  "function",
  "lineno",
  "through",
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

const FRAME_KEYS = ["module", "filename", "function", "lineno"] as const;

export type Measure = "size" | "count";

/** Frames that a filter of stacks goes by, and what it is called. */
export interface Through {
  frames: Uint8Array;
  label: string;
}

export class State {
  readonly filters = new Map<Dimension, Set<number>>();
  /** The first and the last step of time that are let through. */
  times: [number, number] | null = null;
  through: Through | null = null;
  measure: Measure = "size";
  search = "";
  /** Sums of what the filters let through, by stack. */
  stacks: Sums;
  total: Sum = noSum();
  readonly all: Sum;
  private fails: Uint16Array;
  private readonly listeners: ((what: Change) => void)[] = [];
  private frameKeys: Record<(typeof FRAME_KEYS)[number], Grouping>;

  constructor(readonly model: Model) {
    this.fails = new Uint16Array(model.cells.count);
    this.stacks = new Sums(model.stacks.count, model);
    this.frameKeys = Object.fromEntries(
      FRAME_KEYS.map((key) => [key, grouping(model, key)]),
    ) as typeof this.frameKeys;
    this.compute();
    this.all = this.total;
  }

  /** Calls back after each change. */
  listen(listener: (what: Change) => void): void {
    this.listeners.push(listener);
  }

  private tell(what: Change): void {
    this.listeners.forEach((listener, place) => later(`${place} ${what}`, () => listener(what)));
  }

  /** The row of a key that a stack's blocks are attributed to. */
  private rowOf(key: (typeof FRAME_KEYS)[number], stack: number): number {
    return this.frameKeys[key].ofFrame[this.attributedFrame(stack)];
  }

  attributedFrame(stack: number): number {
    return this.model.nodes.frame[this.model.stacks.attributed[stack]];
  }

  has(dimension: Dimension, value: number): boolean {
    return this.filters.get(dimension)?.has(value) ?? false;
  }

  isFiltered(dimension?: Dimension): boolean {
    if (dimension === "time") return this.times !== null;
    if (dimension === "through") return this.through !== null;
    if (dimension) return this.filters.has(dimension);
    return this.filters.size > 0 || this.times !== null || this.through !== null;
  }

  /** A click on a value: it alone, or nothing of the kind where it was alone; `more`: besides the
   * others. */
  toggle(dimension: Dimension, value: number, more: boolean): void {
    const values = this.filters.get(dimension) ?? new Set<number>();
    const was = values.has(value);
    const alone = was && values.size === 1;
    if (!more) values.clear();
    if (more ? was : alone) values.delete(value);
    else values.add(value);
    if (values.size === 0) this.filters.delete(dimension);
    else this.filters.set(dimension, values);
    this.refilter();
  }

  setTimes(times: [number, number] | null): void {
    this.times = times;
    this.refilter();
  }

  setThrough(through: Through | null): void {
    this.through = through;
    this.refilter();
  }

  drop(dimension: Dimension, value?: number): void {
    if (dimension === "time") this.times = null;
    if (dimension === "through") this.through = null;
    const values = this.filters.get(dimension);
    if (values && value !== undefined) values.delete(value);
    if (!values?.size || value === undefined) this.filters.delete(dimension);
    this.refilter();
  }

  dropAll(): void {
    this.filters.clear();
    this.times = null;
    this.through = null;
    this.refilter();
  }

  setMeasure(measure: Measure): void {
    this.measure = measure;
    this.tell("measure");
  }

  setSearch(search: string): void {
    this.search = search;
    this.tell("search");
  }

  private refilter(): void {
    this.compute();
    this.tell("filter");
  }

  /** What bars and areas are as wide as: of a difference, what is larger of before and after. */
  weight(sums: Sums, index: number): number {
    const now = this.measure === "size" ? sums.size[index] : sums.count[index];
    if (!this.model.isDiff) return now;
    return Math.max(now, this.measure === "size" ? sums.oldSize[index] : sums.oldCount[index]);
  }

  now(sum: Sum): number {
    return this.measure === "size" ? sum.size : sum.count;
  }

  before(sum: Sum): number {
    return this.measure === "size" ? sum.oldSize : sum.oldCount;
  }

  private bit(dimension: Dimension): number {
    return 1 << DIMENSIONS.indexOf(dimension);
  }

  /** The bits of the dimensions that a value of each group, stack, step and power fails. */
  private failing(): {
    group: Uint16Array;
    stack: Uint16Array;
    step: Uint16Array;
    power: Uint16Array;
  } {
    const { groups, stacks, nodes, steps } = this.model;
    const found = {
      group: new Uint16Array(groups.count),
      stack: new Uint16Array(stacks.count),
      step: new Uint16Array(steps + 1),
      power: new Uint16Array(65),
    };
    const mark = (bits: Uint16Array, dimension: Dimension, value: (i: number) => number): void => {
      const values = this.filters.get(dimension);
      if (!values) return;
      const bit = this.bit(dimension);
      for (let i = 0; i < bits.length; i++) if (!values.has(value(i))) bits[i] |= bit;
    };
    mark(found.group, "thread", (i) => groups.thread[i]);
    mark(found.group, "domain", (i) => groups.domain[i]);
    mark(found.group, "reach", (i) => groups.reach[i]);
    mark(found.group, "type", (i) => groups.type[i]);
    mark(found.group, "age", (i) => groups.age[i]);
    mark(found.power, "size", (i) => i);
    for (const key of FRAME_KEYS) mark(found.stack, key, (i) => this.rowOf(key, i));
    if (this.times) {
      const [first, last] = this.times;
      for (let i = 0; i <= steps; i++) if (i < first || i > last) found.step[i] |= this.bit("time");
    }
    if (this.through) {
      const { frames } = this.through;
      const passes = new Uint8Array(nodes.count);
      for (let i = 1; i < nodes.count; i++) passes[i] = passes[nodes.parent[i]] | frames[nodes.frame[i]];
      for (let i = 0; i < stacks.count; i++)
        if (!passes[stacks.node[i]]) found.stack[i] |= this.bit("through");
    }
    return found;
  }

  private compute(): void {
    const { cells, groups } = this.model;
    const fails = this.failing();
    const sums = new Sums(this.model.stacks.count, this.model);
    for (let i = 0; i < cells.count; i++) {
      const group = cells.group[i];
      const stack = cells.stack[i];
      const bits =
        fails.group[group] | fails.stack[stack] | fails.step[cells.step[i]] | fails.power[cells.power[i]];
      this.fails[i] = bits;
      if (bits === 0) sums.addBlocks(stack, cells, i, groups.side[group] !== 0);
    }
    const total = noSum();
    for (let i = 0; i < sums.length; i++) sums.addTo(total, i);
    this.stacks = sums;
    this.total = total;
  }

  /** Sums by a value of each cell, of the cells that all filters but that of `dimension` let
   * through. */
  sumCells(count: number, dimension: Dimension | null, value: (cell: number) => number): Sums {
    const { cells, groups } = this.model;
    const others = dimension ? 0xffff & ~this.bit(dimension) : 0xffff;
    const sums = new Sums(count, this.model);
    for (let i = 0; i < cells.count; i++) {
      if ((this.fails[i] & others) !== 0) continue;
      sums.addBlocks(value(i), cells, i, groups.side[cells.group[i]] !== 0);
    }
    return sums;
  }

  /** Sums of a key's rows, of what is shown; `cumulative`: a block counts for each frame of its
   * stack that is in the row. */
  sumRows(key: (typeof FRAME_KEYS)[number] | "frame", cumulative: boolean): Sums {
    const { nodes, stacks } = this.model;
    const rows = grouping(this.model, key);
    const sums = new Sums(rows.count, this.model);
    if (cumulative) {
      const below = this.sumNodes();
      for (let i = 1; i < nodes.count; i++)
        if (below.has(i)) sums.add(rows.ofFrame[nodes.frame[i]], below, i);
      return sums;
    }
    for (let i = 0; i < stacks.count; i++) {
      const frame = this.attributedFrame(i);
      if (frame !== NONE && this.stacks.has(i)) sums.add(rows.ofFrame[frame], this.stacks, i);
    }
    return sums;
  }

  /** The sum of the stacks, of what is shown, that go through a row of a key: each once. */
  sumThrough(key: (typeof FRAME_KEYS)[number], row: number): Sum {
    const { nodes, stacks } = this.model;
    const { ofFrame } = grouping(this.model, key);
    const passes = new Uint8Array(nodes.count);
    const sums = new Sums(1, this.model);
    for (let i = 1; i < nodes.count; i++)
      passes[i] = passes[nodes.parent[i]] | (ofFrame[nodes.frame[i]] === row ? 1 : 0);
    for (let i = 0; i < stacks.count; i++) if (passes[stacks.node[i]]) sums.add(0, this.stacks, i);
    return sums.get(0);
  }

  private nodeSums: { of: Sums; sums: Sums } | null = null;

  /** Sums of all stacks through each node, of what is shown. */
  sumNodes(): Sums {
    if (this.nodeSums?.of === this.stacks) return this.nodeSums.sums;
    const { nodes, stacks } = this.model;
    const sums = new Sums(nodes.count, this.model);
    for (let i = 0; i < stacks.count; i++) sums.add(stacks.node[i], this.stacks, i);
    // A node comes after its parent.
    for (let i = nodes.count - 1; i > 0; i--) sums.add(nodes.parent[i], sums, i);
    this.nodeSums = { of: this.stacks, sums };
    return sums;
  }
}

export type Change = "filter" | "measure" | "search";
