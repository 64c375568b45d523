/** The flame graph: drawn as far as it is seen. */
import { FONT, fitted, surface } from "./canvas";
import { difference, type PlaceColours, type Palette, palette, shadeOf } from "./colours";
import { choice, el, onNextFrame, section } from "./dom";
import { percent, size } from "./format";
import { type Box, type Direction, FlameTree, wayTo } from "./flame_tree";
import { NONE } from "./model";
import { shortFunction } from "./names";
import { findFrames, matchedStacks } from "./search";
import { sourceLines } from "./source";
import type { Change, State } from "./state";
import { describe } from "./sums";
import { hideTip, showTip, type TipLine } from "./tooltip";

const ROW = 19;
/** Narrower boxes, in pixels, are not drawn. */
const NARROWEST = 0.6;
const TALLEST = 560;

interface Placed {
  box: Box;
  x: number;
  width: number;
}

export class Flame {
  readonly element: HTMLElement;
  private tree: FlameTree;
  private direction: Direction = "down";
  private by: "function" | "lineno" = "function";
  private zoomed: Box;
  /** The box that the keyboard or a click is at. */
  private current: Box;
  private rows: Placed[][] = [];
  private found: Uint8Array | null = null;
  private matchedRows: Uint8Array | null = null;
  private readonly canvas = el("canvas", {
    tabindex: 0,
    role: "application",
    "aria-label": "flame graph: arrow keys go from frame to frame, Enter zooms, Escape zooms out",
    "aria-describedby": "flame-said",
  });
  private readonly scroller: HTMLElement;
  private readonly filler = el("div", { class: "flame-filler" });
  private readonly said = el("p", { class: "said", id: "flame-said", "aria-live": "polite" });
  private readonly matched = el("span", { class: "matched", id: "flame-matched" });
  private readonly reset: HTMLButtonElement;
  private letter = 0;
  private readonly redraw = onNextFrame(() => this.draw());

  constructor(
    private readonly state: State,
    private readonly colours: PlaceColours,
    private readonly select: (frame: number) => void,
  ) {
    this.tree = new FlameTree(state, this.direction, this.by);
    this.zoomed = this.tree.root;
    this.current = this.tree.root;
    this.reset = el("button", { type: "button", click: () => this.zoom(this.tree.root) }, "Zoom out");
    this.scroller = el("div", { class: "flame" }, this.filler, this.canvas);
    this.element = section(
      "flame",
      "Flame graph",
      [
        this.matched,
        this.reset,
        choice<Direction>(
          "Direction",
          [
            ["down", "What is called"],
            ["up", "Who calls"],
          ],
          "down",
          (direction) => this.rebuild(direction, this.by),
        ).element,
        choice<"function" | "lineno">(
          "Merge by",
          [
            ["function", "Functions"],
            ["lineno", "Lines"],
          ],
          "function",
          (by) => this.rebuild(this.direction, by),
        ).element,
      ],
      this.scroller,
      this.said,
    );
    this.listen();
    state.listen((change) => this.changed(change));
    this.findMatches();
  }

  private listen(): void {
    const at = (event: MouseEvent): Box | null => {
      const { left, top } = this.canvas.getBoundingClientRect();
      return this.hit(event.clientX - left, event.clientY - top);
    };
    this.canvas.addEventListener("pointermove", (event) => {
      const box = at(event);
      this.canvas.style.cursor = box ? "pointer" : "default";
      if (box) showTip(event, this.describeBox(box));
      else hideTip();
    });
    this.canvas.addEventListener("pointerleave", hideTip);
    this.canvas.addEventListener("click", (event) => {
      const box = at(event);
      if (box) this.go(box, true);
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.scroller.addEventListener("scroll", this.redraw);
    new ResizeObserver(() => {
      this.place();
      this.redraw();
    }).observe(this.scroller);
  }

  private changed(change: Change): void {
    if (change !== "search") this.rebuild(this.direction, this.by);
    else this.findMatches();
    this.redraw();
  }

  private rebuild(direction: Direction, by: "function" | "lineno"): void {
    const same = direction === this.direction && by === this.by;
    const keys = same ? wayTo(this.zoomed) : [];
    const current = same ? wayTo(this.current) : [];
    this.direction = direction;
    this.by = by;
    this.tree = new FlameTree(this.state, direction, by);
    this.zoomed = this.tree.find(keys);
    this.current = this.tree.find(current);
    this.findMatches();
    this.place();
    this.redraw();
  }

  /** What the search finds, and how much of what is shown that is. */
  private findMatches(): void {
    const { state } = this;
    this.found = state.search === "" ? null : findFrames(state.model, state.search);
    this.matchedRows = null;
    this.matched.textContent = "";
    if (!this.found) return;
    this.matchedRows = new Uint8Array(this.tree.rows.count);
    for (let i = 0; i < this.found.length; i++)
      if (this.found[i]) this.matchedRows[this.tree.rows.ofFrame[i]] = 1;
    const stacks = matchedStacks(state.model, this.found);
    let bytes = 0;
    let count = 0;
    for (let i = 0; i < stacks.length; i++) {
      if (!stacks[i]) continue;
      bytes += state.stacks.size[i];
      count += state.stacks.count[i];
    }
    const part = state.measure === "size" ? bytes : count;
    this.matched.dataset.size = String(bytes);
    this.matched.dataset.count = String(Math.round(count));
    this.matched.textContent = `found: ${percent(part, state.now(state.total))} (${size(bytes)})`;
  }

  zoom(box: Box): void {
    this.zoomed = box;
    this.place();
    this.redraw();
  }

  /** Goes to a box by a click or a key. */
  private go(box: Box, zoom: boolean): void {
    this.current = box;
    if (zoom) this.zoom(box);
    if (box.frame !== NONE) this.select(box.frame);
    this.said.textContent = this.describeBox(box)
      .filter(({ kind }) => kind !== "code" && kind !== "marked")
      .map(({ text }) => text)
      .join(" · ");
    this.show(box);
    this.redraw();
  }

  private show(box: Box): void {
    const top = box.depth * ROW;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + ROW > scrollTop + clientHeight) this.scroller.scrollTop = top + ROW - clientHeight;
  }

  private key(event: KeyboardEvent): void {
    const to = this.next(event.key);
    if (!to) return;
    event.preventDefault();
    this.go(to, event.key === "Enter" || event.key === "Escape");
  }

  /** Where a key leads from the current box. */
  private next(key: string): Box | null {
    const { current } = this;
    const beside = (step: number): Box | null => {
      const all = current.parent ? this.tree.children(current.parent) : [current];
      return all[all.indexOf(current) + step] ?? null;
    };
    switch (key) {
      case "ArrowDown":
        return this.tree.children(current)[0] ?? null;
      case "ArrowUp":
        return current.parent;
      case "ArrowLeft":
        return beside(-1);
      case "ArrowRight":
        return beside(1);
      case "Enter":
        return current;
      case "Home":
      case "Escape":
        return key === "Home" ? this.tree.root : (this.zoomed.parent ?? this.tree.root);
      default:
        return null;
    }
  }

  private describeBox(box: Box): TipLine[] {
    const { model } = this.state;
    if (box.frame === NONE)
      return [{ text: "all that is shown", kind: "title" }, { text: describe(this.state, box.sum) }];
    const lines: TipLine[] = [{ text: model.functionName(box.frame), kind: "title" }];
    const file = model.text(model.frames.file[box.frame]);
    lines.push({ text: this.by === "lineno" ? model.place(box.frame) : file });
    lines.push({ text: describe(this.state, box.sum) });
    if (box.parent?.parent)
      lines.push({
        text: `${percent(box.weight, box.parent.weight)} of the frame ${
          this.direction === "down" ? "that calls it" : "that it calls"
        }`,
        kind: "faint",
      });
    const module = model.frames.module[box.frame];
    if (module) lines.push({ text: model.text(module), kind: "faint" });
    if (this.by === "lineno")
      for (const { lineno, text, isIt } of sourceLines(model, box.frame))
        lines.push({ text: `${String(lineno).padStart(5)}  ${text}`, kind: isIt ? "marked" : "code" });
    return lines;
  }

  private hit(x: number, y: number): Box | null {
    const row = this.rows[Math.floor((y + this.scroller.scrollTop) / ROW)] ?? [];
    return row.find((placed) => x >= placed.x && x < placed.x + placed.width)?.box ?? null;
  }

  /** Finds the boxes that are wide enough. */
  private place(): void {
    const width = this.scroller.clientWidth;
    const rows: Placed[][] = [];
    const { zoomed } = this;
    const scale = zoomed.weight > 0 ? width / zoomed.weight : 0;
    for (let box: Box | null = zoomed; box; box = box.parent)
      rows[box.depth] = [{ box, x: 0, width }];
    let level: Placed[] = rows[zoomed.depth];
    while (level.length > 0) {
      const next: Placed[] = [];
      for (const { box, x } of level) {
        for (const child of this.tree.children(box)) {
          const wide = child.weight * scale;
          // The others are narrower still.
          if (wide < NARROWEST) break;
          next.push({ box: child, x: x + (child.start - box.start) * scale, width: wide });
        }
      }
      if (next.length > 0) rows.push(next);
      level = next;
    }
    this.rows = rows;
    const height = rows.length * ROW;
    this.filler.style.height = `${height}px`;
    this.scroller.style.height = `${Math.min(height, TALLEST) + 2}px`;
    this.reset.disabled = zoomed === this.tree.root;
  }

  draw(): void {
    const high = Math.min(this.scroller.clientHeight, this.rows.length * ROW);
    const drawn = surface(this.canvas, this.scroller.clientWidth, high);
    if (!drawn) return;
    const { context, height } = drawn;
    const colours = palette();
    context.font = FONT;
    context.textBaseline = "middle";
    if (this.letter === 0) this.letter = context.measureText("M").width;
    const top = this.scroller.scrollTop;
    const first = Math.floor(top / ROW);
    const last = Math.min(this.rows.length, Math.ceil((top + height) / ROW));
    for (let row = first; row < last; row++)
      for (const placed of this.rows[row]) this.drawBox(context, colours, placed, row * ROW - top);
  }

  private fill(box: Box, colours: Palette): string {
    const { model } = this.state;
    if (box.frame === NONE) return colours.line;
    if (this.matchedRows?.[box.key]) return colours.match;
    if (model.isDiff)
      return difference(this.state.now(box.sum), this.state.before(box.sum), colours);
    return this.colours.fill(box.frame, shadeOf(box.key), colours);
  }

  private label(box: Box): string {
    const { model } = this.state;
    if (box.frame === NONE)
      return `all: ${size(box.sum.size)}`;
    const name = shortFunction(model.functionName(box.frame));
    const lineno = model.frames.lineno[box.frame];
    return this.by === "lineno" && lineno ? `${name}:${lineno}` : name;
  }

  private drawBox(
    context: CanvasRenderingContext2D,
    colours: Palette,
    { box, x, width }: Placed,
    y: number,
  ): void {
    const gap = width > 5 ? 1 : width > 2 ? 0.4 : 0;
    const isAbove = box.depth < this.zoomed.depth;
    context.globalAlpha = isAbove ? 0.55 : 1;
    context.fillStyle = this.fill(box, colours);
    context.fillRect(x, y, width - gap, ROW - 1);
    const text = width > 26 ? fitted(this.label(box), width - 8, this.letter) : "";
    if (text !== "") {
      context.fillStyle = this.matchedRows?.[box.key] && box.frame !== NONE ? "#fff" : colours.ink;
      context.fillText(text, x + 4, y + ROW / 2);
    }
    context.globalAlpha = 1;
    if (box === this.current && document.activeElement === this.canvas) {
      context.strokeStyle = colours.accent;
      context.lineWidth = 2;
      context.strokeRect(x + 1, y + 1, Math.max(width - gap - 2, 1), ROW - 3);
    }
  }
}
