/** When the live blocks were asked for, those of the largest lines in colours of their own. */
import { scaleLinear } from "d3-scale";
import { area, curveStepAfter, line, stack } from "d3-shape";
import { choice, el, onNextFrame, section, svg } from "./dom";
import { baseName, grouped, moment, percent, size, span } from "./format";
import { grouping } from "./keys";
import { shortFunction } from "./names";
import { NONE } from "./model";
import type { Change, Measure, State, Sums } from "./state";
import { hideTip, showTip, type TipLine } from "./tooltip";

const SERIES = 6;
const HEIGHT = 170;
const LEFT = 62;
const BOTTOM = 22;
const TOP = 8;

type Mode = "each" | "summed";

/** A few round amounts up to the largest: of bytes in units of 1024. */
function amounts(most: number, measure: Measure): number[] {
  const unit = measure === "size" ? 1024 ** Math.max(0, Math.floor(Math.log2(most) / 10)) : 1;
  return scaleLinear()
    .domain([0, most / unit])
    .ticks(3)
    .map((tick) => tick * unit)
    .filter((tick) => tick === Math.round(tick));
}

export class Births {
  readonly element: HTMLElement;
  private mode: Mode = "each";
  private sums: Sums;
  private names: { row: number; label: string; whole: string }[] = [];
  private dragged: [number, number] | null = null;
  private cursor = 1;
  private readonly chart: SVGSVGElement;
  private readonly legend = el("ul", { class: "legend" });
  private readonly box: HTMLElement;
  private readonly said = el("p", { class: "said", "aria-live": "polite", id: "births-said" });
  readonly redraw = onNextFrame(() => this.draw());

  constructor(private readonly state: State) {
    this.chart = svg("svg", {
      class: "births",
      tabindex: 0,
      role: "application",
      "aria-label":
        "live blocks by when they were allocated: arrow keys move along, with Shift they choose a span, Enter shows it alone, Escape shows all times",
      "aria-describedby": "births-said",
    });
    this.box = el("div", { class: "chart" }, this.chart);
    this.sums = this.sum();
    this.element = section(
      "births",
      "When what is still alive was allocated",
      [
        choice<Mode>(
          "Chart",
          [
            ["each", "In each step"],
            ["summed", "Summed up"],
          ],
          "each",
          (mode) => {
            this.mode = mode;
            this.redraw();
          },
        ).element,
      ],
      this.box,
      this.legend,
      this.said,
    );
    this.listen();
    state.listen((change: Change) => {
      if (change === "search") return;
      this.sums = this.sum();
      this.redraw();
    });
    new ResizeObserver(this.redraw).observe(this.box);
  }

  /** Sums by step of time and series; the last series has all other lines. */
  private sum(): Sums {
    const { model } = this.state;
    const rows = grouping(model, "lineno");
    const totals = this.state.sumCells(rows.count + 1, "time", (cell) =>
      this.rowOf(rows.ofFrame, cell, rows.count),
    );
    const largest = Array.from({ length: rows.count }, (_, row) => row)
      .filter((row) => totals.has(row))
      .sort((a, b) => this.state.weight(totals, b) - this.state.weight(totals, a))
      .slice(0, SERIES);
    this.names = largest.map((row) => {
      const frame = rows.frame[row];
      return {
        row,
        label: `${baseName(model.place(frame))} ${shortFunction(model.functionName(frame))}`,
        whole: `${model.place(frame)} in ${model.functionName(frame)}`,
      };
    });
    const series = new Uint8Array(rows.count + 1).fill(SERIES);
    largest.forEach((row, place) => (series[row] = place));
    return this.state.sumCells(
      (model.steps + 1) * (SERIES + 1),
      "time",
      (cell) =>
        model.cells.step[cell] * (SERIES + 1) + series[this.rowOf(rows.ofFrame, cell, rows.count)],
    );
  }

  private rowOf(ofFrame: Uint32Array, cell: number, none: number): number {
    const frame = this.state.attributedFrame(this.state.model.cells.stack[cell]);
    return frame === NONE ? none : ofFrame[frame];
  }

  private value(step: number, series: number, old = false): number {
    const at = step * (SERIES + 1) + series;
    const { measure } = this.state;
    if (old) return (measure === "size" ? this.sums.oldSize[at] : this.sums.oldCount[at]) ?? 0;
    return measure === "size" ? this.sums.size[at] : this.sums.count[at];
  }

  /** A row for each step from 1 on, and one more that ends the last. */
  private table(old: boolean): number[][] {
    const rows: number[][] = [];
    const summed = new Array<number>(SERIES + 1).fill(0);
    for (let step = 1; step <= this.state.model.steps; step++) {
      const row = summed.map((before, series) => {
        const here = this.value(step, series, old);
        if (this.mode === "each") return here;
        return (summed[series] = before + here);
      });
      rows.push(row);
    }
    rows.push(rows[rows.length - 1] ?? summed);
    return rows;
  }

  // ---- choosing a span of time ----

  private stepAt(event: MouseEvent): number {
    const { left, width } = this.chart.getBoundingClientRect();
    const share = (event.clientX - left - LEFT) / (width - LEFT - 8);
    const { steps } = this.state.model;
    return Math.max(1, Math.min(steps, 1 + Math.floor(share * steps)));
  }

  private listen(): void {
    const { chart, state } = this;
    chart.addEventListener("pointerdown", (event) => {
      const step = this.stepAt(event);
      this.dragged = [step, step];
      chart.setPointerCapture(event.pointerId);
      this.redraw();
    });
    chart.addEventListener("pointermove", (event) => {
      const step = this.stepAt(event);
      if (this.dragged) {
        this.dragged[1] = step;
        this.redraw();
      }
      showTip(event, this.describeStep(step));
    });
    chart.addEventListener("pointerleave", hideTip);
    chart.addEventListener("pointerup", () => {
      if (this.dragged) this.choose(...this.dragged);
      this.dragged = null;
    });
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step) {
        const from = event.shiftKey ? (this.dragged?.[0] ?? this.cursor) : null;
        this.cursor = Math.max(1, Math.min(state.model.steps, this.cursor + step));
        this.dragged = [from ?? this.cursor, this.cursor];
        this.said.textContent = this.describeStep(this.cursor).map(({ text }) => text).join(" · ");
        this.redraw();
      } else if (event.key === "Enter") {
        this.choose(...(this.dragged ?? [this.cursor, this.cursor]));
        this.dragged = null;
      } else if (event.key === "Escape") {
        this.dragged = null;
        state.setTimes(null);
      } else return;
      event.preventDefault();
    });
  }

  /** The span alone, or all times where it was that already. */
  private choose(one: number, other: number): void {
    const first = Math.min(one, other);
    const last = Math.max(one, other);
    const { times } = this.state;
    const same = times?.[0] === first && times[1] === last;
    this.state.setTimes(same ? null : [first, last]);
  }

  private describeStep(step: number): TipLine[] {
    const { model } = this.state;
    const seconds = model.oldest / 100 + model.stepStart(step);
    const lines: TipLine[] = [{ text: `${span(seconds)} after tracing began`, kind: "title" }];
    const { startTime } = model.sides[0];
    if (startTime) lines.push({ text: moment(startTime + seconds * 1000), kind: "faint" });
    const values = Array.from({ length: SERIES + 1 }, (_, series) => this.value(step, series));
    const total = values.reduce((sum, value) => sum + value, 0);
    lines.push({ text: `${this.amount(total)}, ${percent(total, this.state.now(this.state.total))} of what is shown` });
    values.forEach((value, series) => {
      if (value > 0 && series < this.names.length)
        lines.push({ text: `${this.amount(value)}  ${this.names[series].label}`, kind: "code" });
    });
    return lines;
  }

  private amount(value: number): string {
    return this.state.measure === "size" ? size(value) : grouped(value);
  }

  // ---- drawing ----

  private axes(width: number, x: (step: number) => number, y: (value: number) => number, most: number): SVGElement[] {
    const { model } = this.state;
    const made: SVGElement[] = [];
    const start = model.oldest / 100;
    const length = (model.newest - model.oldest + 1) / 100;
    const times = scaleLinear().domain([start, start + length]);
    for (const tick of times.ticks(Math.max(2, Math.min(8, Math.floor(width / 110))))) {
      const at = x(1 + ((tick - start) / length) * model.steps);
      made.push(
        svg("line", { class: "tick", x1: at, x2: at, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 4 }),
        svg("text", { class: "label", x: at, y: HEIGHT - 6, "text-anchor": "middle" }, span(tick)),
      );
    }
    for (const tick of amounts(most, this.state.measure)) {
      made.push(
        svg("line", { class: "grid", x1: LEFT, x2: width - 8, y1: y(tick), y2: y(tick) }),
        svg("text", { class: "label", x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, this.amount(tick)),
      );
    }
    return made;
  }

  private draw(): void {
    const { model, times } = this.state;
    const width = Math.max(this.box.clientWidth, 120);
    this.chart.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.chart.setAttribute("height", String(HEIGHT));
    const rows = this.table(false);
    const before = model.isDiff ? this.table(true) : [];
    const total = (row: number[]): number => row.reduce((sum, value) => sum + value, 0);
    const most = Math.max(1, ...rows.map(total), ...before.map(total));
    const xs = scaleLinear().domain([1, model.steps + 1]).range([LEFT, width - 8]);
    const ys = scaleLinear().domain([0, most]).range([HEIGHT - BOTTOM, TOP]);
    const x = (step: number): number => xs(step);
    const y = (value: number): number => ys(value);
    const layers = stack<number[], number>()
      .keys(Array.from({ length: SERIES + 1 }, (_, series) => SERIES - series))
      .value((row, series) => row[series])(rows);
    const shape = area<[number, number]>()
      .x((_, place) => x(place + 1))
      .y0((layer) => y(layer[0]))
      .y1((layer) => y(layer[1]))
      .curve(curveStepAfter);
    const parts: SVGElement[] = this.axes(width, x, y, most);
    for (const layer of layers)
      parts.push(svg("path", { class: `series s${layer.key}`, d: shape(layer as unknown as [number, number][]) ?? "" }));
    if (before.length > 0) {
      const outline = line<number[]>()
        .x((_, place) => x(place + 1))
        .y((row) => y(total(row)))
        .curve(curveStepAfter);
      parts.push(svg("path", { class: "before", d: outline(before) ?? "" }));
    }
    const chosen = this.dragged ?? times;
    if (chosen) {
      const first = Math.max(1, Math.min(...chosen));
      const last = Math.max(...chosen);
      parts.push(
        svg("rect", { class: "chosen", x: x(first), y: TOP, width: Math.max(1, x(last + 1) - x(first)), height: HEIGHT - BOTTOM - TOP }),
      );
    }
    this.chart.replaceChildren(...parts);
    this.keepInside(width);
    this.renderLegend();
  }

  /** Has the times at the ends of the axis whole: they are written to the middle of their tick. */
  private keepInside(width: number): void {
    for (const label of this.chart.querySelectorAll<SVGTextElement>("text[text-anchor=middle]")) {
      const { x, width: length } = label.getBBox();
      const beyond = x + length - width;
      if (beyond > 0) label.setAttribute("x", String(Number(label.getAttribute("x")) - beyond));
    }
  }

  private renderLegend(): void {
    const { state } = this;
    const items = this.names.map(({ row, label, whole }, series) =>
      el(
        "li",
        {},
        el(
          "button",
          {
            type: "button",
            title: whole,
            "aria-pressed": String(state.has("lineno", row)),
            click: (event) => state.toggle("lineno", row, (event as MouseEvent).shiftKey),
          },
          el("span", { class: `swatch s${series}` }),
          label,
        ),
      ),
    );
    let others = 0;
    for (let step = 0; step <= state.model.steps; step++) others += this.value(step, SERIES);
    if (others > 0) items.push(el("li", {}, el("span", { class: `swatch s${SERIES}` }), "all other lines"));
    if (state.model.isDiff) items.push(el("li", {}, el("span", { class: "swatch dashed" }), "before, in all"));
    const unknown = Array.from({ length: SERIES + 1 }, (_, series) => this.value(0, series));
    const sum = unknown.reduce((all, value) => all + value, 0);
    if (sum > 0) items.push(el("li", { class: "faint" }, `at an unknown time: ${this.amount(sum)}`));
    this.legend.replaceChildren(...items);
  }
}
