/** The boxes of a flame graph, made where they are wide enough to be seen: stacks merged by
 * function or by line, from the oldest frame down, or from the frame that holds the blocks up. */
import { grouping } from "./keys";
import { NONE } from "./model";
import type { State, Sum, Sums } from "./state";
import { noSum } from "./totals";

export interface Box {
  key: number; // row of the grouping; -1: all
  frame: number; // one of those in it; NONE: all
  depth: number;
  start: number; // where it begins, and how wide it is, in the measure
  weight: number;
  sum: Sum;
  parent: Box | null;
  /** Nodes of the tree; of the inverse graph a node for each of `stacks`. */
  nodes: number[];
  stacks: number[];
  children: Box[] | null; // the widest first
}

export type Direction = "down" | "up";

export class FlameTree {
  readonly root: Box;
  readonly rows: { count: number; ofFrame: Uint32Array; frame: Uint32Array };
  private readonly stackWeight: Float64Array;
  private readonly nodeWeight: Float64Array;
  private readonly nodeSums: Sums;
  /** Of each row: the box that is being made of it, in the pass of that number. */
  private readonly boxOf: Int32Array;
  private readonly passOf: Int32Array;
  private pass = 0;

  constructor(
    private readonly state: State,
    readonly direction: Direction,
    by: "function" | "lineno",
  ) {
    const { model } = state;
    const { nodes, stacks } = model;
    this.rows = grouping(model, by);
    this.boxOf = new Int32Array(this.rows.count);
    this.passOf = new Int32Array(this.rows.count);
    this.stackWeight = new Float64Array(stacks.count);
    this.nodeWeight = new Float64Array(nodes.count);
    for (let i = 0; i < stacks.count; i++) {
      this.stackWeight[i] = state.weight(state.stacks, i);
      this.nodeWeight[stacks.node[i]] += this.stackWeight[i];
    }
    for (let i = nodes.count - 1; i > 0; i--) this.nodeWeight[nodes.parent[i]] += this.nodeWeight[i];
    this.nodeSums = state.sumNodes();
    this.root = this.box(-1, NONE, null);
    this.root.weight = this.nodeWeight[0];
    this.root.sum = state.total;
    if (direction === "down") this.root.nodes.push(0);
    else
      for (let i = 0; i < stacks.count; i++) {
        if (this.stackWeight[i] === 0) continue;
        this.root.stacks.push(i);
        this.root.nodes.push(NONE);
      }
  }

  private box(key: number, frame: number, parent: Box | null): Box {
    return {
      key,
      frame,
      depth: parent ? parent.depth + 1 : 0,
      start: 0,
      weight: 0,
      sum: noSum(),
      parent,
      nodes: [],
      stacks: [],
      children: null,
    };
  }

  /** The box of a frame's row among those that are being made. */
  private boxFor(frame: number, parent: Box, made: Box[]): Box {
    const key = this.rows.ofFrame[frame];
    if (this.passOf[key] !== this.pass) {
      this.passOf[key] = this.pass;
      this.boxOf[key] = made.length;
      made.push(this.box(key, frame, parent));
    }
    return made[this.boxOf[key]];
  }

  private add(box: Box, weight: number, sums: Sums, at: number): void {
    box.weight += weight;
    sums.addTo(box.sum, at);
  }

  private below(parent: Box): Box[] {
    const { nodes } = this.state.model;
    const made: Box[] = [];
    for (const node of parent.nodes) {
      const end = nodes.childStart[node + 1];
      for (let i = nodes.childStart[node]; i < end; i++) {
        const child = nodes.children[i];
        const weight = this.nodeWeight[child];
        if (weight === 0) continue;
        const box = this.boxFor(nodes.frame[child], parent, made);
        box.nodes.push(child);
        this.add(box, weight, this.nodeSums, child);
      }
    }
    return made;
  }

  private above(parent: Box): Box[] {
    const { nodes, stacks } = this.state.model;
    const made: Box[] = [];
    for (let i = 0; i < parent.stacks.length; i++) {
      const stack = parent.stacks[i];
      const before = parent.nodes[i];
      const node = before === NONE ? stacks.attributed[stack] : nodes.parent[before];
      if (node === 0) continue;
      const box = this.boxFor(nodes.frame[node], parent, made);
      box.stacks.push(stack);
      box.nodes.push(node);
      this.add(box, this.stackWeight[stack], this.state.stacks, stack);
    }
    return made;
  }

  children(box: Box): Box[] {
    if (box.children) return box.children;
    this.pass++;
    const made = this.direction === "down" ? this.below(box) : this.above(box);
    made.sort((a, b) => b.weight - a.weight || a.key - b.key);
    let start = box.start;
    for (const child of made) {
      child.start = start;
      start += child.weight;
    }
    box.children = made;
    return made;
  }

  /** The box at the end of a way of keys from the root, or the last one that is there. */
  find(keys: number[]): Box {
    let box = this.root;
    for (const key of keys) {
      const next = this.children(box).find((child) => child.key === key);
      if (!next) break;
      box = next;
    }
    return box;
  }
}

/** The keys from the root to a box. */
export function wayTo(box: Box): number[] {
  const keys: number[] = [];
  for (let at: Box | null = box; at?.parent; at = at.parent) keys.unshift(at.key);
  return keys;
}
