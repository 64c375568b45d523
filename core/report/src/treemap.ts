/** The treemap: modules, in them files, functions, lines. The area of each is what it holds. */
import { hierarchy, type HierarchyRectangularNode, treemap, treemapSquarify } from "d3-hierarchy";
import { FONT, fitted, surface } from "./canvas";
import { difference, type PlaceColours, palette, shadeOf } from "./colours";
import { el, onNextFrame, section } from "./dom";
import { baseName } from "./format";
import { grouping } from "./keys";
import { NONE } from "./model";
import { shortFunction } from "./names";
import type { Change, Dimension, State, Sum } from "./state";
import { describe, measured } from "./sums";
import { addSum, noSum } from "./totals";
import { hideTip, showTip } from "./tooltip";

/** So many lines are drawn by themselves, the largest; the others of a module as one. */
const MOST = 1500;
const HEAD = 15;

type Level = "all" | "module" | "filename" | "function" | "lineno" | "others";
const LEVELS = ["module", "filename", "function", "lineno"] as const;

interface Part {
  level: Level;
  name: string;
  whole: string;
  frame: number; // one that is in it
  row: number; // of the key that the level is; -1: none
  sum: Sum;
  weight: number; // of a line; others have what is in them
  children: Map<number, Part>;
}

type Node = HierarchyRectangularNode<Part>;

export class Treemap {
  readonly element: HTMLElement;
  private way: number[] = []; // rows from the root to what is zoomed
  private root: Part;
  private shown: Node | null = null;
  private nodes: Node[] = [];
  private current = -1; // among `nodes`, of the keyboard
  private readonly canvas = el("canvas", {
    tabindex: 0,
    role: "application",
    "aria-label":
      "treemap of modules, files, functions and lines: arrow keys go from part to part, Enter opens one, Escape goes back, F shows it alone",
    "aria-describedby": "treemap-said",
  });
  private readonly crumbs = el("nav", { class: "crumbs", "aria-label": "where the treemap is" });
  private readonly said = el("p", { class: "said", id: "treemap-said", "aria-live": "polite" });
  private readonly box: HTMLElement;
  private letter = 0;
  private readonly redraw = onNextFrame(() => this.draw());

  constructor(
    private readonly state: State,
    private readonly colours: PlaceColours,
  ) {
    this.root = this.build();
    this.box = el("div", { class: "treemap" }, this.canvas);
    this.element = section("treemap", "Modules, files, functions, lines", [this.crumbs], this.box, this.said);
    this.listen();
    state.listen((change: Change) => {
      if (change === "search") return;
      this.root = this.build();
      this.redraw();
    });
    new ResizeObserver(this.redraw).observe(this.box);
  }

  // ---- the parts ----

  private part(level: Level, name: string, whole: string, frame: number, row: number): Part {
    return { level, name, whole, frame, row, sum: noSum(), weight: 0, children: new Map() };
  }

  private partFor(parent: Part, level: (typeof LEVELS)[number], frame: number): Part {
    const { model } = this.state;
    const row = grouping(model, level).ofFrame[frame];
    let part = parent.children.get(row);
    if (!part) {
      const { frames } = model;
      const file = model.text(frames.file[frame]);
      const module = model.moduleName(frames.module[frame]);
      const names = {
        module: [baseName(module), module],
        filename: [baseName(file), file],
        function: [shortFunction(model.functionName(frame)), model.functionName(frame)],
        lineno: [baseName(model.place(frame)), model.place(frame)],
      }[level];
      part = this.part(level, names[0], names[1], frame, row);
      parent.children.set(row, part);
    }
    return part;
  }

  private build(): Part {
    const { model } = this.state;
    const root = this.part("all", "all", "all", 0, -1);
    const rows = grouping(model, "frame");
    const sums = this.state.sumRows("frame", false);
    const places = Array.from(rows.frame, (_, place) => place).filter((place) => sums.has(place));
    const weight = Float64Array.from(rows.frame, (_, place) => this.state.weight(sums, place));
    places.sort((a, b) => weight[b] - weight[a]);
    places.forEach((place, order) => {
      const frame = rows.frame[place];
      if (frame === NONE) return;
      const sum = sums.get(place);
      let part = root;
      addSum(part.sum, sum);
      for (const level of LEVELS) {
        if (order >= MOST && level === "filename") {
          part = part.children.get(-1) ?? this.others(part);
          addSum(part.sum, sum);
          break;
        }
        part = this.partFor(part, level, frame);
        addSum(part.sum, sum);
      }
      part.weight += weight[place];
    });
    return root;
  }

  private others(module: Part): Part {
    const part = this.part("others", "smaller ones", `smaller ones of ${module.whole}`, module.frame, -1);
    module.children.set(-1, part);
    return part;
  }

  private zoomedPart(): Part {
    let part = this.root;
    for (const [depth, row] of this.way.entries()) {
      const next = part.children.get(row);
      if (!next) {
        this.way.length = depth;
        break;
      }
      part = next;
    }
    return part;
  }

  // ---- what is done with it ----

  private listen(): void {
    const at = (event: MouseEvent): number => {
      const { left, top } = this.canvas.getBoundingClientRect();
      return this.hit(event.clientX - left, event.clientY - top);
    };
    this.canvas.addEventListener("pointermove", (event) => {
      const place = at(event);
      this.canvas.style.cursor = place >= 0 ? "pointer" : "default";
      if (place >= 0) showTip(event, this.describePart(this.nodes[place]));
      else hideTip();
    });
    this.canvas.addEventListener("pointerleave", hideTip);
    this.canvas.addEventListener("click", (event) => {
      const place = at(event);
      if (place >= 0) this.open(this.nodes[place], event.shiftKey || event.ctrlKey || event.metaKey);
    });
    this.canvas.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const node = this.nodes[this.current] as Node | undefined;
      if (step) {
        this.current = Math.max(0, Math.min(this.nodes.length - 1, this.current + step));
        const now = this.nodes[this.current] as Node | undefined;
        if (now) this.said.textContent = this.describePart(now).map(({ text }) => text).join(" · ");
      } else if (event.key === "Enter" && node) this.open(node, false);
      else if (event.key.toLowerCase() === "f" && node) this.filter(node.data, false);
      else if (event.key === "Escape") this.goTo(this.way.slice(0, -1));
      else return;
      event.preventDefault();
      this.redraw();
    });
  }

  private describePart(node: Node): { text: string; kind?: "title" | "faint" }[] {
    const way = node
      .ancestors()
      .slice(1, -1)
      .reverse()
      .map(({ data }) => data.name)
      .join(" › ");
    const lines: { text: string; kind?: "title" | "faint" }[] = [
      { text: node.data.whole, kind: "title" },
      { text: describe(this.state, node.data.sum) },
    ];
    if (way) lines.push({ text: way, kind: "faint" });
    return lines;
  }

  private rowsTo(node: Node): number[] {
    const rows = node
      .ancestors()
      .slice(0, -1)
      .reverse()
      .map(({ data }) => data.row);
    return [...this.way, ...rows];
  }

  /** A line is shown alone by a click; other parts are opened. */
  private open(node: Node, filter: boolean): void {
    hideTip();
    if (filter || node.data.level === "lineno") this.filter(node.data, false);
    else if (node.data.level !== "others") this.goTo(this.rowsTo(node));
  }

  private filter(part: Part, more: boolean): void {
    if (part.level !== "all" && part.level !== "others") this.state.toggle(part.level as Dimension, part.row, more);
  }

  private goTo(way: number[]): void {
    this.way = way;
    this.current = -1;
    this.redraw();
  }

  private renderCrumbs(): void {
    const crumbs: HTMLElement[] = [];
    let part = this.root;
    const add = (to: Part, way: number[]): void => {
      const last = way.length === this.way.length;
      crumbs.push(
        el(
          "button",
          {
            type: "button",
            title: to.whole,
            "aria-current": last ? "true" : "false",
            click: () => this.goTo(way),
          },
          to.level === "all" ? "All modules" : to.name,
        ),
      );
    };
    add(part, []);
    for (const [depth, row] of this.way.entries()) {
      const next = part.children.get(row);
      if (!next) break;
      part = next;
      add(part, this.way.slice(0, depth + 1));
    }
    this.crumbs.replaceChildren(...crumbs);
  }

  // ---- drawing ----

  private hit(x: number, y: number): number {
    // Deeper parts come later.
    for (let i = this.nodes.length - 1; i >= 0; i--) {
      const { x0, x1, y0, y1 } = this.nodes[i];
      if (x >= x0 && x < x1 && y >= y0 && y < y1) return i;
    }
    return -1;
  }

  private layout(width: number, height: number): void {
    const made = hierarchy<Part>(this.zoomedPart(), (part) =>
      part.children.size > 0 ? [...part.children.values()] : null,
    )
      .sum((part) => part.weight)
      .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
    this.shown = treemap<Part>()
      .tile(treemapSquarify)
      .size([width, height])
      .paddingInner(1)
      .paddingTop((node) => (node.depth > 0 && node.height > 0 && node.x1 - node.x0 > 30 ? HEAD : 0))
      .round(true)(made);
    this.nodes = this.shown
      .descendants()
      .filter((node) => node.depth > 0 && node.x1 - node.x0 >= 1 && node.y1 - node.y0 >= 1);
  }

  draw(): void {
    const width = this.box.clientWidth;
    const height = width < 600 ? 360 : 420;
    const drawn = surface(this.canvas, width, height);
    if (!drawn) return;
    this.layout(width, height);
    this.renderCrumbs();
    const { context } = drawn;
    const colours = palette();
    context.font = FONT;
    context.textBaseline = "middle";
    if (this.letter === 0) this.letter = context.measureText("M").width;
    this.nodes.forEach((node, place) => {
      const { x0, x1, y0, y1, data } = node;
      const inside = node.height > 0;
      context.fillStyle = this.state.model.isDiff
        ? difference(this.state.now(data.sum), this.state.before(data.sum), colours)
        : this.colours.fill(data.frame, shadeOf(data.row + node.depth), colours);
      context.fillRect(x0, y0, x1 - x0, y1 - y0);
      if (inside) {
        context.fillStyle = colours.dark ? "rgb(0 0 0 / 22%)" : "rgb(255 255 255 / 34%)";
        context.fillRect(x0, y0, x1 - x0, y1 - y0);
      }
      this.drawLabel(context, node, inside, colours.ink);
      if (place === this.current && document.activeElement === this.canvas) {
        context.strokeStyle = colours.accent;
        context.lineWidth = 2;
        context.strokeRect(x0 + 1, y0 + 1, x1 - x0 - 2, y1 - y0 - 2);
      }
    });
  }

  private drawLabel(context: CanvasRenderingContext2D, node: Node, inside: boolean, ink: string): void {
    const { x0, x1, y0, y1, data } = node;
    if (y1 - y0 < 12 || x1 - x0 < 26) return;
    const text = fitted(data.name, x1 - x0 - 6, this.letter);
    context.fillStyle = ink;
    if (text !== "") context.fillText(text, x0 + 3, y0 + (inside ? HEAD / 2 : 9));
    if (inside || y1 - y0 < 28) return;
    context.globalAlpha = 0.7;
    const amount = fitted(measured(this.state, data.sum), x1 - x0 - 6, this.letter);
    if (amount !== "") context.fillText(amount, x0 + 3, y0 + 23);
    context.globalAlpha = 1;
  }
}
