/** Which frames a search finds: those whose function, file with line, or module has the text. */
import type { Model } from "./model";

/** The strings in lower case, made once: of a few hundred thousand it takes a while. */
const lowered = new WeakMap<Model, string[]>();

function lower(model: Model, id: number): string {
  let known = lowered.get(model);
  if (!known) lowered.set(model, (known = new Array<string>(model.strings.count)));
  return (known[id] ??= model.text(id).toLowerCase());
}

/** A frame's byte is 1 where it is found. */
export function findFrames(model: Model, text: string): Uint8Array {
  const { frames, strings } = model;
  const wanted = text.toLowerCase();
  const found = new Uint8Array(frames.count);
  // 0: not looked at; 1: has it; 2: has it not.
  const known = new Uint8Array(strings.count);
  const has = (id: number): boolean => {
    if (known[id] === 0) known[id] = lower(model, id).includes(wanted) ? 1 : 2;
    return known[id] === 1;
  };
  const line = /:(\d+)$/.exec(wanted);
  const file = line ? wanted.slice(0, -line[0].length) : "";
  for (let i = 0; i < frames.count; i++) {
    const hit =
      has(frames.function[i]) ||
      has(frames.file[i]) ||
      has(frames.module[i]) ||
      (line !== null &&
        String(frames.lineno[i]).startsWith(line[1]) &&
        lower(model, frames.file[i]).endsWith(file));
    if (hit) found[i] = 1;
  }
  return found;
}

/** Stacks with a frame that is found. */
export function matchedStacks(model: Model, found: Uint8Array): Uint8Array {
  const { nodes, stacks } = model;
  const through = new Uint8Array(nodes.count);
  for (let i = 1; i < nodes.count; i++)
    through[i] = through[nodes.parent[i]] | found[nodes.frame[i]];
  const matched = new Uint8Array(stacks.count);
  for (let i = 0; i < stacks.count; i++) matched[i] = through[stacks.node[i]];
  return matched;
}
