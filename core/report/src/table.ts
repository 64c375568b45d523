/** The table of lines, functions, files, modules or types: only the rows in sight are in the page. */
import { choice, el, onNextFrame, section } from "./dom";
import { baseName, blocks, grouped, percent, signed, size } from "./format";
import { wait } from "./jobs";
import { grouping, KEYS, type KeyName } from "./keys";
import { shortFunction } from "./names";
import { findFrames } from "./search";
import { sourceLines } from "./source";
import type { Change, State, Sum, Sums } from "./state";
import { describe, differenceError, error, estimated } from "./sums";
import { noSum, whole } from "./totals";
import { hideTip, showTip, type TipLine } from "./tooltip";

const ROW = 30;
const MARGIN = 8; // rows beyond those in sight
const PRINTED = 60;

type Column = "sizeDiff" | "size" | "countDiff" | "count" | "average" | "sampled" | "name";

/** What a row is called: its name, what is said beside it, and all of it. */
interface Label {
  name: string;
  beside: string;
  whole: string;
}

const average = (sum: Sum): number => (sum.count === 0 ? 0 : sum.size / sum.count);

export class Table {
  readonly element: HTMLElement;
  private key: KeyName = "lineno";
  private cumulative = false;
  private sort: { column: Column; down: boolean };
  private filter = "";
  private rows = new Uint32Array(0); // places among the sums, in order
  private sums: Sums;
  private types: number[] = [];
  private readonly body = el("tbody");
  private readonly head = el("tr");
  private readonly scroller: HTMLElement;
  private readonly foot = el("p", { class: "foot", id: "table-sum", "aria-live": "polite" });
  private readonly cumulativeBox: HTMLInputElement;
  private readonly render = onNextFrame(() => this.renderRows());

  constructor(
    private readonly state: State,
    private readonly select: (frame: number) => void,
  ) {
    this.sort = { column: state.model.isDiff ? "sizeDiff" : "size", down: true };
    this.sums = state.sumRows("lineno", false);
    this.cumulativeBox = el("input", {
      type: "checkbox",
      id: "table-cumulative",
      change: () => {
        this.cumulative = this.cumulativeBox.checked;
        this.fill();
      },
    });
    const keys = KEYS.filter(({ name }) => name !== "type" || state.model.hasTypes);
    const filter = el("input", {
      type: "search",
      id: "table-filter",
      placeholder: "Rows that contain …",
      "aria-label": "Rows that contain",
      spellcheck: "false",
      input: () => {
        this.filter = filter.value;
        this.fill();
      },
    });
    this.scroller = el(
      "div",
      { class: "table-scroll", tabindex: 0, role: "region", "aria-label": "rows", scroll: this.render },
      el("table", { class: state.model.isDiff ? "diff" : "" }, el("thead", {}, this.head), this.body),
    );
    this.element = section(
      "table",
      "What holds the memory",
      [
        choice<KeyName>(
          "Rows are",
          keys.map(({ name, plural }) => [name, plural]),
          "lineno",
          (key) => {
            this.key = key;
            this.cumulativeBox.disabled = key === "type";
            this.fill();
          },
        ).element,
        el(
          "label",
          { class: "check", title: "Count a block for each frame of its stack that is in the row" },
          this.cumulativeBox,
          "cumulative",
        ),
        filter,
      ],
      this.scroller,
      this.foot,
    );
    state.listen((change: Change) => {
      if (change === "filter") this.fill();
    });
    new ResizeObserver(this.render).observe(this.scroller);
    window.addEventListener("beforeprint", () => this.renderRows(PRINTED));
    window.addEventListener("afterprint", () => this.renderRows());
    this.fill();
  }

  private get columns(): [Column, string][] {
    const columns: [Column, string][] = this.state.model.isDiff
      ? [
          ["sizeDiff", "Change"],
          ["size", "Size"],
          ["countDiff", "Blocks ±"],
          ["count", "Blocks"],
        ]
      : [
          ["size", "Size"],
          ["count", "Blocks"],
          ["average", "Average"],
        ];
    if (this.state.model.sides[0].samplePeriod) columns.push(["sampled", "Sampled"]);
    const noun = KEYS.find(({ name }) => name === this.key)?.noun ?? "";
    return [...columns, ["name", noun[0].toUpperCase() + noun.slice(1)]];
  }

  // ---- rows ----

  private sumTypes(): Sums {
    const { groups, cells } = this.state.model;
    const places = new Map<number, number>();
    for (const type of groups.type) if (type && !places.has(type)) places.set(type, places.size);
    this.types = [...places.keys()];
    const ofGroup = Int32Array.from(groups.type, (type) => places.get(type) ?? -1);
    return this.state.sumCells(places.size + 65, null, (cell) => {
      const type = ofGroup[cells.group[cell]];
      return type >= 0 ? type : places.size + cells.power[cell];
    });
  }

  private frameOf(index: number): number | null {
    return this.key === "type" ? null : grouping(this.state.model, this.key).frame[index];
  }

  private label(index: number): Label {
    const { model } = this.state;
    const frame = this.frameOf(index);
    if (frame === null || this.key === "type") {
      const name =
        index < this.types.length
          ? model.text(this.types[index])
          : `<no vtable>, ${model.sizeLabel(index - this.types.length)}`;
      return { name, beside: "", whole: name };
    }
    const file = model.text(model.frames.file[frame]);
    const fn = model.functionName(frame);
    switch (this.key) {
      case "function":
        return { name: shortFunction(fn), beside: file, whole: `${fn} in ${file}` };
      case "filename":
        return { name: baseName(file), beside: file, whole: file };
      case "module": {
        const module = model.moduleName(model.frames.module[frame]);
        return { name: baseName(module), beside: module, whole: module };
      }
      case "lineno": {
        const place = model.place(frame);
        if (model.frames.function[frame] === 0) return { name: baseName(place), beside: file, whole: place };
        if (model.frames.lineno[frame] === 0)
          return { name: shortFunction(fn), beside: file, whole: `${fn} in ${file}` };
        return {
          name: baseName(place),
          beside: `${shortFunction(fn)} · ${file}`,
          whole: `${place} in ${fn}`,
        };
      }
    }
  }

  private passes(): (index: number) => boolean {
    if (this.filter === "") return () => true;
    if (this.key === "type") {
      const wanted = this.filter.toLowerCase();
      return (index) => this.label(index).whole.toLowerCase().includes(wanted);
    }
    const found = findFrames(this.state.model, this.filter);
    const { frame } = grouping(this.state.model, this.key);
    return (index) => found[frame[index]] === 1;
  }

  /** Finds the rows anew. */
  private fill(): void {
    const { key, state } = this;
    this.sums = key === "type" ? this.sumTypes() : state.sumRows(key, this.cumulative);
    const passes = this.passes();
    const rows: number[] = [];
    for (let index = 0; index < this.sums.length; index++)
      if (this.sums.has(index) && passes(index)) rows.push(index);
    this.rows = Uint32Array.from(rows);
    this.scroller.scrollTop = 0;
    this.renderFoot();
    this.order();
  }

  /** Orders the rows and shows them. */
  private order(): void {
    const { column } = this.sort;
    this.renderHead();
    if (column !== "name") {
      this.orderBy(this.values(column));
      return;
    }
    const { rows } = this;
    const asked = this.nameOrder();
    void asked.then((order) => {
      // Meanwhile others may have been wanted.
      if (rows === this.rows && this.sort.column === "name") this.orderBy(order);
    });
    wait(asked);
  }

  private orderBy(value: Float64Array): void {
    const sign = this.sort.down ? -1 : 1;
    const { size: sizes, count } = this.sums;
    this.rows.sort(
      (a, b) => sign * (value[a] - value[b]) || sizes[b] - sizes[a] || count[b] - count[a] || a - b,
    );
    this.renderRows();
  }

  private values(column: Exclude<Column, "name">): Float64Array {
    const { size: sizes, count, oldSize, oldCount } = this.sums;
    switch (column) {
      case "size":
        return sizes;
      case "count":
        return count;
      case "average":
        return sizes.map((bytes, row) => (count[row] === 0 ? 0 : bytes / count[row]));
      case "sampled":
        return this.sums.sampled;
      // Commands put what has changed most first, whichever way.
      case "sizeDiff":
        return sizes.map((bytes, row) => Math.abs(bytes - oldSize[row]));
      case "countDiff":
        return count.map((blocks_, row) => Math.abs(blocks_ - oldCount[row]));
    }
  }

  private readonly ranked = new Map<Uint32Array, Promise<Uint32Array>>();

  private ranks(column: Uint32Array): Promise<Uint32Array> {
    let known = this.ranked.get(column);
    if (!known) this.ranked.set(column, (known = this.state.model.strings.ranks(column)));
    return known;
  }

  /** The places of the rows in the order of their names; of equal ones, of what stands beside. */
  private async nameOrder(): Promise<Float64Array> {
    const { model } = this.state;
    const { frames } = model;
    const order = new Float64Array(this.sums.length);
    if (this.key === "type") {
      const names = Array.from(order, (_, index) => this.label(index).whole);
      const places = names.map((_, index) => index);
      places.sort((a, b) => (names[a] < names[b] ? -1 : names[a] > names[b] ? 1 : 0));
      places.forEach((index, place) => (order[index] = place));
      return order;
    }
    const { frame } = grouping(model, this.key);
    const ranks = await this.ranks(this.key === "module" ? frames.module : frames.file);
    const functions = this.key === "function" ? await this.ranks(frames.function) : ranks;
    for (let row = 0; row < order.length; row++) {
      const one = frame[row];
      const file = ranks[this.key === "module" ? frames.module[one] : frames.file[one]];
      const beside = { lineno: frames.lineno[one], function: file, filename: 0, module: 0 }[this.key];
      order[row] = (this.key === "function" ? functions[frames.function[one]] : file) * 2 ** 26 + beside;
    }
    return order;
  }

  // ---- what is in the page ----

  private renderHead(): void {
    this.head.replaceChildren(
      ...this.columns.map(([column, title]) => {
        const sorted = this.sort.column === column;
        return el(
          "th",
          {
            scope: "col",
            class: column,
            "aria-sort": sorted ? (this.sort.down ? "descending" : "ascending") : "none",
          },
          el(
            "button",
            {
              type: "button",
              click: () => {
                this.sort = { column, down: sorted ? !this.sort.down : column !== "name" };
                this.order();
              },
            },
            title,
          ),
        );
      }),
    );
  }

  private renderFoot(): void {
    const { state } = this;
    const total = noSum();
    for (const row of this.rows) this.sums.addTo(total, row);
    const sum = whole(total);
    const rows = this.rows.length === 1 ? "1 row" : `${grouped(this.rows.length)} rows`;
    this.foot.dataset.rows = String(this.rows.length);
    this.foot.dataset.size = String(sum.size);
    this.foot.dataset.count = String(sum.count);
    this.foot.dataset.sizeDiff = String(sum.size - sum.oldSize);
    this.foot.dataset.countDiff = String(sum.count - sum.oldCount);
    // By each frame of its stack a block is in several rows.
    this.foot.textContent =
      this.cumulative && this.key !== "type"
        ? `${rows}; a block counts in each row that its stack goes through. All that is shown: ${describe(state, state.total)}`
        : `${rows}: ${describe(state, sum)}`;
  }

  private renderRows(printed = 0): void {
    const { clientHeight, scrollTop } = this.scroller;
    const first = printed ? 0 : Math.max(0, Math.floor(scrollTop / ROW) - MARGIN);
    const count = printed || Math.ceil(clientHeight / ROW) + 2 * MARGIN;
    const last = Math.min(this.rows.length, first + count);
    const spacer = (rows: number): HTMLElement | null => {
      if (rows === 0 || printed) return null;
      const row = el("tr", { class: "spacer", "aria-hidden": "true" }, el("td", { colspan: this.columns.length }));
      row.style.height = `${rows * ROW}px`;
      return row;
    };
    const shown: Node[] = [];
    const before = spacer(first);
    if (before) shown.push(before);
    for (let place = first; place < last; place++) shown.push(this.renderRow(this.rows[place], place));
    const after = spacer(this.rows.length - last);
    if (after) shown.push(after);
    const focused = this.body.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset.index
      : undefined;
    this.body.replaceChildren(...shown);
    if (focused !== undefined)
      this.body.querySelector<HTMLElement>(`tr[data-index="${focused}"]`)?.focus({ preventScroll: true });
  }

  private cell(column: Column, sum: Sum, label: Label): HTMLElement {
    const number = (text: string, exact: string, value: number): HTMLElement =>
      el("td", { class: `number ${column}`, title: exact, "data-value": value }, text);
    const sizeDiff = sum.size - sum.oldSize;
    const countDiff = sum.count - sum.oldCount;
    switch (column) {
      case "sizeDiff": {
        const text = size(sizeDiff, true) + differenceError(sum);
        const cell = number(text, `${signed(sizeDiff)} B${differenceError(sum)}`, sizeDiff);
        cell.classList.add(sizeDiff > 0 ? "grown" : sizeDiff < 0 ? "shrunk" : "same");
        return cell;
      }
      case "size":
        return number(estimated(sum), `${grouped(sum.size)} B${error(sum.size, sum.variance)}`, sum.size);
      case "countDiff":
        return number(signed(countDiff), `${signed(countDiff)} blocks`, countDiff);
      case "count":
        return number(grouped(sum.count), blocks(sum.count), sum.count);
      case "sampled":
        return number(grouped(sum.sampled), `${blocks(sum.sampled)} of the sample`, sum.sampled);
      case "average":
        return number(size(Math.round(average(sum))), `${average(sum).toFixed(1)} B`, average(sum));
      case "name": {
        const bar = el("span", { class: "bar" });
        const { state } = this;
        const whole = Math.max(state.now(state.total), state.before(state.total));
        const part = Math.max(state.now(sum), state.before(sum));
        bar.style.width = `${whole === 0 ? 0 : Math.min(100, (100 * part) / whole)}%`;
        return el(
          "td",
          { class: "name", title: label.whole },
          bar,
          el("b", {}, label.name),
          label.beside ? el("span", { class: "beside" }, label.beside) : null,
        );
      }
    }
  }

  private isChosen(index: number): boolean {
    const { state } = this;
    if (this.key !== "type") return state.has(this.key, index);
    if (index < this.types.length) return state.has("type", this.types[index]);
    return state.has("type", 0) && state.has("size", index - this.types.length);
  }

  private choose(index: number, more: boolean): void {
    const { state } = this;
    const frame = this.frameOf(index);
    if (frame !== null) this.select(frame);
    hideTip();
    if (this.key !== "type") state.toggle(this.key, index, more);
    else if (index < this.types.length) state.toggle("type", this.types[index], more);
    else {
      const chosen = this.isChosen(index);
      const power = index - this.types.length;
      if (state.has("type", 0) === chosen) state.toggle("type", 0, more);
      if (state.has("size", power) === chosen) state.toggle("size", power, more);
    }
  }

  private tip(index: number, sum: Sum, label: Label): TipLine[] {
    const lines: TipLine[] = [{ text: label.whole, kind: "title" }, { text: describe(this.state, sum) }];
    lines.push({ text: `${percent(this.state.now(sum), this.state.now(this.state.all))} of all`, kind: "faint" });
    const frame = this.frameOf(index);
    if (frame !== null && this.key === "lineno")
      for (const { lineno, text, isIt } of sourceLines(this.state.model, frame))
        lines.push({ text: `${String(lineno).padStart(5)}  ${text}`, kind: isIt ? "marked" : "code" });
    return lines;
  }

  private renderRow(index: number, place: number): HTMLElement {
    const label = this.label(index);
    const sum = whole(this.sums.get(index));
    const move = (event: KeyboardEvent, element: HTMLElement): void => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Enter" || event.key === " ") this.choose(index, event.shiftKey || event.ctrlKey);
      else if (step) {
        const next = step > 0 ? element.nextElementSibling : element.previousElementSibling;
        if (next instanceof HTMLElement) next.focus();
      } else return;
      event.preventDefault();
    };
    const element: HTMLElement = el(
      "tr",
      {
        tabindex: 0,
        "data-index": index,
        "aria-rowindex": place + 2,
        "aria-selected": String(this.isChosen(index)),
        click: (event) => {
          const mouse = event as MouseEvent;
          this.choose(index, mouse.shiftKey || mouse.ctrlKey || mouse.metaKey);
        },
        keydown: (event) => move(event as KeyboardEvent, element),
        pointermove: (event) => showTip(event as PointerEvent, this.tip(index, sum, label)),
        pointerleave: hideTip,
      },
      ...this.columns.map(([column]) => this.cell(column, sum, label)),
    );
    return element;
  }
}
