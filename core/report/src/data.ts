/** Reads what the page holds: base64, compressed, sections of numbers (docs/report.md). */

import { pause } from "./jobs";

export type Numbers = Uint8Array | Uint16Array | Uint32Array;
export type Sections = Map<string, Numbers>;

/** Characters that are decoded without letting the browser do something else. A line has 65536
 * and its end. */
const SLICE = (65536 + 1) * 16;

/** Newer browsers have it. */
interface FromBase64 {
  fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const { fromBase64 } = Uint8Array as FromBase64;
  if (fromBase64) return fromBase64.call(Uint8Array, text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The text's bytes, a slice at a time. */
async function feed(text: string, writer: WritableStreamDefaultWriter<BufferSource>): Promise<void> {
  for (let at = 0; at < text.length; at += SLICE) {
    await writer.write(decodeBase64(text.slice(at, at + SLICE)));
    await pause();
  }
  await writer.close();
}

async function inflate(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new DecompressionStream("deflate");
  const writer = stream.writable.getWriter();
  const fed = feed(text, writer);
  // What is waited for next is the reading, which fails then too.
  fed.catch((error: unknown) => writer.abort(error).catch(() => undefined));
  const reader = stream.readable.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
  }
  await fed;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

const ALIGNMENT = 8;
const HEAD = 16;

function divide(bytes: Uint8Array<ArrayBuffer>): Sections {
  const view = new DataView(bytes.buffer);
  const letters = (at: number, count: number): string =>
    String.fromCharCode(...bytes.subarray(at, at + count));
  if (bytes.length < HEAD || letters(0, 8) !== "ASNAPREP" || view.getUint32(8, true) !== 1)
    throw new Error("its data is of another version");
  const sections: Sections = new Map();
  for (let at = HEAD; at < bytes.length; ) {
    const tag = letters(at, 4);
    const width = view.getUint32(at + 4, true);
    const count = view.getUint32(at + 8, true);
    at += HEAD;
    const kind = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[width];
    if (!kind) throw new Error("its data is damaged");
    sections.set(tag, new kind(bytes.buffer, at, count));
    at += Math.ceil((count * width) / ALIGNMENT) * ALIGNMENT;
  }
  return sections;
}

/** The sections in an element of the page; its text is dropped. */
export async function readSections(element: Element): Promise<Sections> {
  const text = (element.textContent ?? "").trim();
  element.textContent = "";
  return divide(await inflate(text));
}
