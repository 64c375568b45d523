/** What the graph says: leaks, and what keeps blocks alive. */
import type { Reader } from "./sections";

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

/** Of a snapshot with its graph. */
export interface Kept {
  keepers: Keeper[];
  keepingLines: KeepingLine[];
  ways: Way[];
  leak: Leak | null;
}

function readBlock(read: Reader): Block {
  return {
    stack: read.number(),
    address: `0x${read.wideExactly().toString(16)}`,
    size: read.wide(),
    reach: read.number(),
  };
}

function readLeak(read: Reader): Leak | null {
  if (!read.more) return null;
  const leak: Leak = { size: read.wide(), count: read.wide(), blocks: [] };
  while (read.more) leak.blocks.push({ parent: read.number(), ...readBlock(read) });
  return leak;
}

/** `text`: of the number of a string. */
export function readKept(reader: (tag: string) => Reader, text: (id: number) => string): Kept {
  const kept: Kept = { keepers: [], keepingLines: [], ways: [], leak: readLeak(reader("grle")) };
  for (const read = reader("grke"); read.more; )
    kept.keepers.push({
      ...readBlock(read),
      retainedSize: read.wide(),
      retainedCount: read.wide(),
    });
  for (const read = reader("grli"); read.more; )
    kept.keepingLines.push({
      frame: read.number(),
      size: read.wide(),
      count: read.wide(),
      retainedSize: read.wide(),
      retainedCount: read.wide(),
    });
  for (const read = reader("grwa"); read.more; ) {
    const way: Way = { root: text(read.number()), blocks: [] };
    for (let left = read.number(); left > 0; left--) way.blocks.push(readBlock(read));
    kept.ways.push(way);
  }
  return kept;
}
