/** What the page shows: the strings, frames, stacks and added-up blocks of the snapshots. */
import { type Cells, childrenOf, type Frames, type Groups, type Nodes, readCells, readGroups, type Stacks } from "./columns";
import type { Sections } from "./data";
import { type Kept, readKept } from "./kept";
import { Reader, type Section } from "./sections";
import { Strings } from "./strings";

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
  readonly kept: Kept;
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
    const section: Section = (tag) => {
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
    this.groups = readGroups(section("grou"));
    this.cells = readCells(section, this.isSample);
    this.kept = readKept(reader, (id) => this.text(id));
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

  private readSources(numbers: Uint32Array, lines: Strings): void {
    for (let i = 0; i + 2 < numbers.length; i += 3) {
      let file = this.sources.get(numbers[i]);
      if (!file) this.sources.set(numbers[i], (file = new Map<number, string>()));
      file.set(numbers[i + 1], lines.get(numbers[i + 2]));
    }
  }
}
