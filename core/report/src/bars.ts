/** Short lists of bars, each of which a click shows alone: threads, domains, ages, sizes, classes. */
import { el, section } from "./dom";
import type { Change, Dimension, State, Sum, Sums } from "./state";
import { amount, amounts, describe, measured } from "./sums";
import { whole } from "./totals";

const FIRST = 8;

interface Bar {
  value: number;
  label: string;
  sum: Sum;
}

export class Bars {
  readonly element: HTMLElement;
  private all = false;
  private readonly list = el("ul", { class: "bars" });

  /** `values`: all that there are, in their order; `valueOf`: that of a cell. */
  constructor(
    private readonly state: State,
    private readonly options: {
      title: string;
      dimension: Dimension;
      values: number[];
      label: (value: number) => string;
      valueOf: (cell: number) => number;
      largestFirst: boolean;
      /** The older snapshot does not say it. */
      onlyNow?: boolean;
    },
  ) {
    this.element = section(`bars-${options.dimension}`, options.title, [], this.list);
    this.element.classList.add("bars-card");
    state.listen((change: Change) => {
      if (change !== "search") this.render();
    });
    this.render();
  }

  private bars(): Bar[] {
    const { state, options } = this;
    const places = new Map(options.values.map((value, place) => [value, place]));
    const sums: Sums = state.sumCells(
      options.values.length,
      options.dimension,
      (cell) => places.get(options.valueOf(cell)) ?? 0,
    );
    const bars = options.values
      .map((value, place) => ({ value, label: options.label(value), sum: sums.get(place) }))
      .map((bar) => (options.onlyNow ? { ...bar, sum: { ...bar.sum, oldSize: 0, oldCount: 0, oldVariance: 0 } } : bar))
      .filter(({ sum, value }) => sum.count + sum.oldCount > 0 || state.has(options.dimension, value));
    if (options.largestFirst) bars.sort((a, b) => this.width(b.sum) - this.width(a.sum));
    return bars;
  }

  private width(sum: Sum): number {
    return Math.max(this.state.now(sum), this.state.before(sum));
  }

  private render(): void {
    const { state } = this;
    const { dimension, onlyNow } = this.options;
    const bars = this.bars();
    const most = Math.max(1, ...bars.map(({ sum }) => this.width(sum)));
    const shown = this.all ? bars : bars.slice(0, FIRST);
    const filtered = state.isFiltered(dimension);
    const items = shown.map(({ value, label, sum }) => {
      const bar = el("span", { class: "bar" });
      bar.style.width = `${(100 * this.width(sum)) / most}%`;
      const change = state.now(sum) - state.before(sum);
      const { size, count, oldSize } = whole(sum);
      if (state.model.isDiff && !onlyNow) bar.classList.add(change > 0 ? "grown" : change < 0 ? "shrunk" : "same");
      const chosen = state.has(dimension, value);
      return el(
        "li",
        {},
        el(
          "button",
          {
            type: "button",
            class: filtered && !chosen ? "out" : "",
            title: `${label}: ${onlyNow ? amounts(state, sum) : describe(state, sum)}`,
            "aria-pressed": String(chosen),
            "data-value": value,
            "data-size": size,
            "data-count": count,
            "data-size-diff": size - oldSize,
            click: (event) => {
              const mouse = event as MouseEvent;
              state.toggle(dimension, value, mouse.shiftKey || mouse.ctrlKey || mouse.metaKey);
            },
          },
          bar,
          el("span", { class: "bar-label" }, label),
          el("span", { class: "bar-amount" }, onlyNow ? amount(state, sum) : measured(state, sum)),
        ),
      );
    });
    if (bars.length > FIRST)
      items.push(
        el(
          "li",
          {},
          el(
            "button",
            {
              type: "button",
              class: "more",
              click: () => {
                this.all = !this.all;
                this.render();
              },
            },
            this.all ? "fewer" : `${bars.length - FIRST} more`,
          ),
        ),
      );
    const focused = this.list.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset.value
      : undefined;
    this.list.replaceChildren(...items);
    if (focused !== undefined)
      this.list.querySelector<HTMLElement>(`[data-value="${focused}"]`)?.focus({ preventScroll: true });
  }
}

/** The lists that say something of these snapshots. */
export function barLists(state: State): Bars[] {
  const { model } = state;
  const { cells, groups } = model;
  const distinct = (numbers: Iterable<number>): number[] => [...new Set(numbers)].sort((a, b) => a - b);
  const group = (column: Uint32Array) => (cell: number) => column[cells.group[cell]];
  const lists: Bars[] = [];
  if (model.hasGraph)
    lists.push(
      new Bars(state, {
        title: model.isDiff ? "Reachable or leaked now" : "Reachable or leaked",
        dimension: "reach",
        values: distinct(groups.reach).reverse(),
        onlyNow: model.isDiff,
        label: (value) => ["not looked for", "reachable", "possible leak", "indirectly leaked", "definitely leaked"][value] ?? "",
        valueOf: group(groups.reach),
        largestFirst: false,
      }),
    );
  const ages = distinct(groups.age).sort((a, b) => model.ages[a].from - model.ages[b].from);
  if (ages.some((age) => model.ages[age].below !== 0))
    lists.push(
      new Bars(state, {
        title: "Age before the newest block",
        dimension: "age",
        values: ages,
        label: (value) => model.ages[value].label,
        valueOf: group(groups.age),
        largestFirst: false,
      }),
    );
  lists.push(
    new Bars(state, {
      title: "Block size",
      dimension: "size",
      values: distinct(cells.power),
      label: (value) => model.sizeLabel(value),
      valueOf: (cell) => cells.power[cell],
      largestFirst: false,
    }),
  );
  const threads = distinct(groups.thread);
  if (threads.some((thread) => thread !== 0))
    lists.push(
      new Bars(state, {
        title: "Thread",
        dimension: "thread",
        values: threads,
        label: (value) => model.threadName(value),
        valueOf: group(groups.thread),
        largestFirst: true,
      }),
    );
  const domains = distinct(groups.domain);
  if (domains.length > 1 || domains[0] !== 0)
    lists.push(
      new Bars(state, {
        title: "Domain",
        dimension: "domain",
        values: domains,
        label: (value) => model.domainName(value),
        valueOf: group(groups.domain),
        largestFirst: true,
      }),
    );
  return lists;
}
