/** The strings of the page. */
import { pause } from "./jobs";

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
export class Strings {
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
