/** Which frames a search finds: those whose function, file with line, or module has the text. */
import type { Model } from "./model";

/** A frame's byte is 1 where it is found. */
export function findFrames(model: Model, text: string): Uint8Array {
  const { frames, strings } = model;
  const found = new Uint8Array(frames.count);
  const has = strings.containing(text);
  const line = /^(.*):(\d+)$/.exec(text);
  const files = line ? strings.containing(line[1]) : has;
  for (let i = 0; i < frames.count; i++)
    if (
      has[frames.function[i]] ||
      has[frames.file[i]] ||
      has[frames.module[i]] ||
      (line && files[frames.file[i]] && String(frames.lineno[i]).startsWith(line[2]))
    )
      found[i] = 1;
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
