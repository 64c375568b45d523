/** The source lines around a frame, where they could be read. */
import { el } from "./dom";
import type { Model } from "./model";

const AROUND = 3;

export interface SourceLine {
  lineno: number;
  text: string;
  isIt: boolean;
}

export function sourceLines(model: Model, frame: number): SourceLine[] {
  const file = model.frames.file[frame];
  const lineno = model.frames.lineno[frame];
  const lines: SourceLine[] = [];
  if (lineno === 0 || model.sourceLine(file, lineno) === undefined) return lines;
  for (let at = lineno - AROUND; at <= lineno + AROUND; at++) {
    const text = model.sourceLine(file, at);
    if (text !== undefined) lines.push({ lineno: at, text, isIt: at === lineno });
  }
  return lines;
}

export function sourceElement(model: Model, frame: number): HTMLElement | null {
  const lines = sourceLines(model, frame);
  if (lines.length === 0) return null;
  return el(
    "pre",
    { class: "source", tabindex: 0, "aria-label": "source lines" },
    ...lines.map(({ lineno, text, isIt }) =>
      el(
        "span",
        { class: isIt ? "source-line it" : "source-line" },
        el("span", { class: "lineno" }, String(lineno)),
        `${text}\n`,
      ),
    ),
  );
}
