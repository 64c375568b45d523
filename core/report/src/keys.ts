/** What blocks are grouped by: the keys of `snapshot stats` that the page has tables for. */
import type { Model } from "./model";

export type KeyName = "lineno" | "function" | "filename" | "module" | "type";

export interface Key {
  name: KeyName;
  noun: string;
  plural: string;
}

export const KEYS: Key[] = [
  { name: "lineno", noun: "line", plural: "Lines" },
  { name: "function", noun: "function", plural: "Functions" },
  { name: "filename", noun: "file", plural: "Files" },
  { name: "module", noun: "module", plural: "Modules" },
  { name: "type", noun: "type", plural: "Types" },
];

/** The rows of one key: which row each frame belongs to, and a frame of each row. */
export interface Grouping {
  count: number;
  ofFrame: Uint32Array;
  frame: Uint32Array;
}

/** Numbers pairs or triples of numbers in the order in which they come. */
function number(count: number, columns: ((frame: number) => number)[]): Grouping {
  const ofFrame = new Uint32Array(count);
  const frame: number[] = [];
  let capacity = 64;
  while (capacity < count * 2) capacity *= 2;
  const slots = new Int32Array(capacity).fill(-1);
  for (let i = 0; i < count; i++) {
    let hash = 0;
    for (const column of columns) {
      hash = Math.imul(hash ^ column(i), 0x9e3779b1);
      hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
      hash ^= hash >>> 13;
    }
    let slot = hash & (capacity - 1);
    for (;;) {
      const known = slots[slot];
      if (known < 0) {
        slots[slot] = frame.length;
        ofFrame[i] = frame.length;
        frame.push(i);
        break;
      }
      const other = frame[known];
      if (columns.every((column) => column(other) === column(i))) {
        ofFrame[i] = known;
        break;
      }
      slot = (slot + 1) & (capacity - 1);
    }
  }
  return { count: frame.length, ofFrame, frame: Uint32Array.from(frame) };
}

const groupings = new WeakMap<Model, Map<string, Grouping>>();

/** The rows by a key of frames: as of tracemalloc's frames, a line is a file and a number, and where
 * there is no number the function tells places apart. */
export function grouping(model: Model, key: Exclude<KeyName, "type"> | "frame"): Grouping {
  let known = groupings.get(model);
  if (!known) groupings.set(model, (known = new Map<string, Grouping>()));
  let made = known.get(key);
  if (!made) {
    const { frames } = model;
    const file = (i: number): number => frames.file[i];
    const fn = (i: number): number => frames.function[i];
    const columns = {
      lineno: [file, (i: number) => frames.lineno[i], (i: number) => (frames.lineno[i] ? 0 : fn(i))],
      function: [fn, file],
      filename: [file],
      module: [(i: number) => frames.module[i]],
      frame: [file, fn, (i: number) => frames.lineno[i], (i: number) => frames.module[i]],
    }[key];
    made = number(frames.count, columns);
    known.set(key, made);
  }
  return made;
}
