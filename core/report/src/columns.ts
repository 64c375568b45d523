/** Frames, stacks and added-up blocks, column by column. */
import type { Section } from "./sections";

/** Of a sample, parts that a block is counted in (ASNAP_REPORT_PARTS). */
const PARTS = 65536;

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

export function childrenOf(parent: Uint32Array): { childStart: Uint32Array; children: Uint32Array } {
  const count = parent.length;
  const childStart = new Uint32Array(count + 1);
  for (let i = 1; i < count; i++) childStart[parent[i] + 1]++;
  for (let i = 0; i < count; i++) childStart[i + 1] += childStart[i];
  const children = new Uint32Array(Math.max(count - 1, 0));
  const next = childStart.slice(0, count);
  for (let i = 1; i < count; i++) children[next[parent[i]]++] = i;
  return { childStart, children };
}

export function readGroups(numbers: Uint32Array): Groups {
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

export function readCells(section: Section, isSample: boolean): Cells {
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
    ...readEstimates(section, isSample),
  };
}

function readEstimates(section: Section, isSample: boolean): Pick<Cells, "blocks" | "variance"> {
  if (!isSample) return { blocks: section("ceco"), variance: new Float64Array(0) };
  const high = section("ceph");
  const blocks = Float64Array.from(section("cepl"), (low, cell) => (high[cell] * 2 ** 32 + low) / PARTS);
  const halves = [section("cevl"), section("cevh")];
  const bits = new Uint32Array(2 * blocks.length);
  for (let i = 0; i < bits.length; i++) bits[i] = halves[i & 1][i >> 1];
  return { blocks, variance: new Float64Array(bits.buffer) };
}
