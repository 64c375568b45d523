/** What the page shows: the strings, frames, stacks and added-up blocks of the snapshots. */
import type { Sections } from "./data";
import { pause } from "./jobs";

/** No frame, no node, no time. */
export const NONE = 0xffffffff;

/** asnap_reach_class. */
export const REACH = ["unknown", "reachable", "possible", "indirect", "definite"];
/** asnap_named_by. */
const NAMED_BY_LINE = 5;

export interface Range {
  from: number;
  below: number;
  label: string;
}

export interface Named {
  path: string;
  hasLine: boolean;
  namedBy: number;
  size: number;
  count: number;
}

export interface Block {
  stack: number;
  address: string;
  size: number;
  reach: number;
}

export interface Keeper extends Block {
  retainedSize: number;
  retainedCount: number;
}

export interface KeepingLine {
  frame: number;
  size: number;
  count: number;
  retainedSize: number;
  retainedCount: number;
}

export interface Leak {
  size: number;
  count: number;
  blocks: (Block & { parent: number })[];
}

export interface Way {
  root: string;
  blocks: Block[];
}

/** The two snapshots: 0 the one that is shown, 1 the older one that it is compared with. */
export interface Side {
  startTime: number; // milliseconds since 1970; 0: not known
  newest: number; // hundredths of a second since then; NONE: not known
  frameLimit: number;
  samplePeriod: number; // bytes; 0: every block is there
  facts: Map<string, string>;
  notes: string[];
}

const empty = new Uint32Array(0);

/** Of a sample, parts that a block is counted in (ASNAP_REPORT_PARTS). */
const PARTS = 65536;

/** So many strings are compared without letting the browser do something else. */
const SORTED_AT_ONCE = 4096;

/** Two sorted lists as one. */
async function merge(
  left: number[],
  right: number[],
  isAfter: (a: number, b: number) => boolean,
): Promise<number[]> {
  const merged: number[] = [];
  let a = 0;
  let b = 0;
  while (a < left.length && b < right.length) {
    merged.push(isAfter(left[a], right[b]) ? right[b++] : left[a++]);
    if (merged.length % SORTED_AT_ONCE === 0) await pause();
  }
  return merged.concat(left.slice(a), right.slice(b));
}

/** Strings, decoded when they are asked for. */
class Strings {
  private readonly starts: Uint32Array;
  private readonly bytes: Uint8Array;
  private readonly known: (string | undefined)[];
  private readonly decoder = new TextDecoder();

  constructor(lengths: Uint32Array, bytes: Uint8Array) {
    this.starts = new Uint32Array(lengths.length + 1);
    for (let i = 0; i < lengths.length; i++) this.starts[i + 1] = this.starts[i] + lengths[i];
    this.bytes = bytes;
    this.known = new Array<string | undefined>(lengths.length);
  }

  get count(): number {
    return this.known.length;
  }

  /** The text of all strings with ASCII letters in lower case, a character for each byte: to be
   * searched at once. */
  private lowered: string | null = null;

  private static lower(bytes: Uint8Array): string {
    const lower = bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte));
    return new TextDecoder("windows-1252").decode(lower);
  }

  /** A byte is 1 for each string that has this text, whatever the case of its ASCII letters. */
  containing(text: string): Uint8Array {
    const found = new Uint8Array(this.count);
    const wanted = Strings.lower(new TextEncoder().encode(text));
    if (wanted === "") return found.fill(1);
    this.lowered ??= Strings.lower(this.bytes);
    let id = 0;
    for (let at = this.lowered.indexOf(wanted); at >= 0; ) {
      while (this.starts[id + 1] <= at) id++;
      const isWithin = at + wanted.length <= this.starts[id + 1];
      if (isWithin) found[id] = 1;
      at = this.lowered.indexOf(wanted, isWithin ? this.starts[id + 1] : at + 1);
    }
    return found;
  }

  /** The places of strings in the order of their texts, of those in `ids`. It is worked out in
   * slices, as of hundreds of thousands it takes a while. */
  async ranks(ids: Uint32Array): Promise<Uint32Array> {
    let sorted: number[][] = [];
    const distinct = [...new Set(ids)];
    const texts = new Map<number, string>();
    const isAfter = (a: number, b: number): boolean => (texts.get(a) ?? "") > (texts.get(b) ?? "");
    for (let at = 0; at < distinct.length; at += SORTED_AT_ONCE) {
      const some = distinct.slice(at, at + SORTED_AT_ONCE);
      for (const id of some) texts.set(id, this.get(id));
      sorted.push(some.sort((a, b) => (isAfter(a, b) ? 1 : a === b ? 0 : -1)));
      await pause();
    }
    while (sorted.length > 1) {
      const merged: number[][] = [];
      for (let i = 0; i < sorted.length; i += 2)
        merged.push(await merge(sorted[i], sorted[i + 1] ?? [], isAfter));
      sorted = merged;
    }
    const ranks = new Uint32Array(this.count);
    sorted[0]?.forEach((id, place) => (ranks[id] = place));
    return ranks;
  }

  get(id: number): string {
    return (this.known[id] ??= this.decoder.decode(
      this.bytes.subarray(this.starts[id], this.starts[id + 1]),
    ));
  }
}

/** Takes numbers out of a section one after the other. */
class Reader {
  private at = 0;
  constructor(private readonly numbers: Uint32Array) {}
  get more(): boolean {
    return this.at < this.numbers.length;
  }
  number(): number {
    return this.numbers[this.at++];
  }
  wide(): number {
    const low = this.number();
    return low + this.number() * 2 ** 32;
  }
  wideExactly(): bigint {
    const low = BigInt(this.number());
    return low + (BigInt(this.number()) << 32n);
  }
}

export interface Frames {
  count: number;
  function: Uint32Array; // strings; 0: not known
  file: Uint32Array;
  lineno: Uint32Array;
  module: Uint32Array; // 0: not known
  flags: Uint32Array;
}

export interface Nodes {
  count: number;
  parent: Uint32Array; // node 0 is above all stacks
  frame: Uint32Array;
  childStart: Uint32Array; // the children of node i: children[childStart[i]] to [childStart[i + 1]]
  children: Uint32Array;
}

export interface Stacks {
  count: number;
  node: Uint32Array;
  attributed: Uint32Array;
  isCut: Uint32Array;
}

/** Blocks that differ in nothing that the page tells apart but their stack, time and size. */
export interface Groups {
  count: number;
  side: Uint32Array;
  thread: Uint32Array;
  domain: Uint32Array;
  reach: Uint32Array;
  type: Uint32Array; // string; 0: none
  age: Uint32Array;
}

export interface Cells {
  count: number;
  stack: Uint32Array;
  group: Uint32Array;
  step: Uint8Array;
  power: Uint8Array;
  size: Float64Array;
  blocks: Float64Array | Uint32Array; // of a sample what they stand for
  sampled: Uint32Array;
  variance: Float64Array; // of the size; empty where nothing is a sample
}

function childrenOf(parent: Uint32Array): { childStart: Uint32Array; children: Uint32Array } {
  const count = parent.length;
  const childStart = new Uint32Array(count + 1);
  for (let i = 1; i < count; i++) childStart[parent[i] + 1]++;
  for (let i = 0; i < count; i++) childStart[i + 1] += childStart[i];
  const children = new Uint32Array(Math.max(count - 1, 0));
  const next = childStart.slice(0, count);
  for (let i = 1; i < count; i++) children[next[parent[i]]++] = i;
  return { childStart, children };
}

export class Model {
  readonly strings: Strings;
  readonly frames: Frames;
  readonly nodes: Nodes;
  readonly stacks: Stacks;
  readonly groups: Groups;
  readonly cells: Cells;
  readonly sides: Side[];
  readonly ages: Range[];
  readonly sizes: Range[];
  readonly threadLabels = new Map<number, string>();
  readonly domainNames = new Map<number, string>();
  readonly naming: Named[] = [];
  readonly keepers: Keeper[] = [];
  readonly keepingLines: KeepingLine[] = [];
  readonly leak: Leak | null;
  readonly ways: Way[] = [];
  readonly hasTypes: boolean;
  readonly hasGraph: boolean;
  readonly isDiff: boolean;
  /** A snapshot is a sample: sums are estimates. */
  readonly isSample: boolean;
  /** Times of birth: hundredths of a second; there are `steps` equal ones from the oldest on. */
  readonly oldest: number;
  readonly newest: number;
  readonly steps: number;
  private readonly sources = new Map<number, Map<number, string>>();

  constructor(sections: Sections) {
    const section = (tag: string): Uint32Array => {
      const numbers = sections.get(tag) ?? empty;
      return numbers instanceof Uint32Array ? numbers : new Uint32Array(numbers);
    };
    const reader = (tag: string): Reader => new Reader(section(tag));
    const bytes = (tag: string): Uint8Array => (sections.get(tag) ?? empty) as Uint8Array;
    this.strings = new Strings(section("strl"), bytes("strb"));
    const frame = section("frfn");
    this.frames = {
      count: frame.length,
      function: frame,
      file: section("frfi"),
      lineno: section("frli"),
      module: section("frmo"),
      flags: section("frfl"),
    };
    const parent = section("nopa").map((distance, node) => node - distance);
    const ofNode = section("nofr").slice();
    ofNode[0] = NONE;
    this.nodes = { count: parent.length, parent, frame: ofNode, ...childrenOf(parent) };
    const node = section("stno");
    this.stacks = {
      count: node.length,
      node,
      attributed: section("stat").map((distance, stack) => node[stack] - distance),
      isCut: section("stcu"),
    };
    const time = reader("time");
    this.sides = [0, 1].map(() => ({
      startTime: time.wide() / 1e6,
      newest: time.number(),
      frameLimit: time.number(),
      samplePeriod: time.wide(),
      facts: new Map<string, string>(),
      notes: [],
    }));
    this.oldest = time.number();
    this.newest = time.number();
    this.steps = time.number();
    const flags = time.number();
    this.hasTypes = (flags & 1) !== 0;
    this.hasGraph = (flags & 2) !== 0;
    this.isDiff = (flags & 4) !== 0;
    this.isSample = (flags & 8) !== 0;
    this.readFacts(reader("fact"), reader("note"));
    this.ages = this.readRanges(reader("ages"));
    this.sizes = this.readRanges(reader("size"));
    for (const read = reader("thre"); read.more; )
      this.threadLabels.set(read.number(), this.text(read.number()));
    for (const read = reader("doma"); read.more; ) {
      const domain = read.number();
      const name = this.text(read.number());
      if (!this.domainNames.has(domain)) this.domainNames.set(domain, name);
    }
    for (const read = reader("nami"); read.more; ) {
      const path = this.text(read.number());
      const how = read.number();
      this.naming.push({
        path,
        hasLine: (how & 1) !== 0,
        namedBy: how >> 8,
        size: read.wide(),
        count: read.wide(),
      });
    }
    this.groups = this.readGroups(section("grou"));
    this.cells = this.readCells(section);
    this.leak = this.readGraph(reader);
    this.readSources(section("srcs"), new Strings(section("srcl"), bytes("srcb")));
  }

  text(id: number): string {
    return this.strings.get(id);
  }

  /** The source line, where it could be read. */
  sourceLine(file: number, lineno: number): string | undefined {
    return this.sources.get(file)?.get(lineno);
  }

  functionName(frame: number): string {
    return this.text(this.frames.function[frame]) || "<unknown>";
  }

  /** "/src/a.c:12", or the file alone. */
  place(frame: number): string {
    const lineno = this.frames.lineno[frame];
    const file = this.text(this.frames.file[frame]);
    return lineno ? `${file}:${lineno}` : file;
  }

  moduleName(module: number): string {
    return this.text(module) || "<unknown>";
  }

  isInlined(frame: number): boolean {
    return (this.frames.flags[frame] & 1) !== 0;
  }

  threadName(thread: number): string {
    if (thread === 0) return "unknown thread";
    const label = this.threadLabels.get(thread);
    return label ? `thread ${thread} (${label})` : `thread ${thread}`;
  }

  domainName(domain: number): string {
    const name = this.domainNames.get(domain);
    if (domain === 0) return name ? `domain 0 (${name})` : "domain 0 (the C heap)";
    return name ? `domain ${domain} (${name})` : `domain ${domain}`;
  }

  /** What blocks of a power are called; the powers of sizes that no block has are not asked for. */
  sizeLabel(power: number): string {
    const from = power === 0 ? 0 : 2 ** (power - 1);
    return this.sizes.find((range) => range.from === from)?.label ?? "";
  }

  /** Seconds after the oldest block's birth at which a step begins, from 1 on. */
  stepStart(step: number): number {
    return ((this.newest - this.oldest + 1) * (step - 1)) / this.steps / 100;
  }

  /** Bytes of the blocks whose line is known, of those with another name, and of the others. */
  namedBytes(): { lines: number; names: number; nothing: number } {
    const sums = { lines: 0, names: 0, nothing: 0 };
    for (const part of this.naming) {
      if (part.hasLine || part.namedBy >= NAMED_BY_LINE) sums.lines += part.size;
      else if (part.namedBy >= 3) sums.names += part.size;
      else sums.nothing += part.size;
    }
    return sums;
  }

  private readFacts(facts: Reader, notes: Reader): void {
    while (facts.more) {
      const { facts: known } = this.sides[facts.number()];
      const name = this.text(facts.number());
      known.set(name, this.text(facts.number()));
    }
    while (notes.more) {
      const { notes: known } = this.sides[notes.number()];
      known.push(this.text(notes.number()));
    }
  }

  private readRanges(read: Reader): Range[] {
    const ranges: Range[] = [];
    while (read.more)
      ranges.push({ from: read.wide(), below: read.wide(), label: this.text(read.number()) });
    return ranges;
  }

  private readGroups(numbers: Uint32Array): Groups {
    const width = 6;
    const count = numbers.length / width;
    const column = (which: number): Uint32Array => {
      const made = new Uint32Array(count);
      for (let i = 0; i < count; i++) made[i] = numbers[i * width + which];
      return made;
    };
    return {
      count,
      side: column(0),
      thread: column(1),
      domain: column(2),
      reach: column(3),
      type: column(4),
      age: column(5),
    };
  }

  private readCells(section: (tag: string) => Uint32Array): Cells {
    const high = section("cesh");
    const size = new Float64Array(section("cesi"));
    for (let i = 0; i < size.length; i++) size[i] += high[i] * 2 ** 32;
    const stack = section("cest").slice();
    for (let i = 1; i < stack.length; i++) stack[i] += stack[i - 1];
    return {
      count: stack.length,
      stack,
      group: section("cegr"),
      step: new Uint8Array(section("cebi")),
      power: new Uint8Array(section("cepo")),
      size,
      sampled: section("ceco"),
      ...this.readEstimates(section),
    };
  }

  private readEstimates(section: (tag: string) => Uint32Array): Pick<Cells, "blocks" | "variance"> {
    if (!this.isSample) return { blocks: section("ceco"), variance: new Float64Array(0) };
    const high = section("ceph");
    const blocks = Float64Array.from(section("cepl"), (low, cell) => (high[cell] * 2 ** 32 + low) / PARTS);
    const halves = [section("cevl"), section("cevh")];
    const bits = new Uint32Array(2 * blocks.length);
    for (let i = 0; i < bits.length; i++) bits[i] = halves[i & 1][i >> 1];
    return { blocks, variance: new Float64Array(bits.buffer) };
  }

  private readBlock(read: Reader): Block {
    return {
      stack: read.number(),
      address: `0x${read.wideExactly().toString(16)}`,
      size: read.wide(),
      reach: read.number(),
    };
  }

  private readGraph(reader: (tag: string) => Reader): Leak | null {
    for (const read = reader("grke"); read.more; )
      this.keepers.push({
        ...this.readBlock(read),
        retainedSize: read.wide(),
        retainedCount: read.wide(),
      });
    for (const read = reader("grli"); read.more; )
      this.keepingLines.push({
        frame: read.number(),
        size: read.wide(),
        count: read.wide(),
        retainedSize: read.wide(),
        retainedCount: read.wide(),
      });
    for (const read = reader("grwa"); read.more; ) {
      const way: Way = { root: this.text(read.number()), blocks: [] };
      for (let left = read.number(); left > 0; left--) way.blocks.push(this.readBlock(read));
      this.ways.push(way);
    }
    const read = reader("grle");
    if (!read.more) return null;
    const leak: Leak = { size: read.wide(), count: read.wide(), blocks: [] };
    while (read.more) leak.blocks.push({ parent: read.number(), ...this.readBlock(read) });
    return leak;
  }

  private readSources(numbers: Uint32Array, lines: Strings): void {
    for (let i = 0; i + 2 < numbers.length; i += 3) {
      let file = this.sources.get(numbers[i]);
      if (!file) this.sources.set(numbers[i], (file = new Map<number, string>()));
      file.set(numbers[i + 1], lines.get(numbers[i + 2]));
    }
  }
}
