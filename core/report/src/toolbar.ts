/** The bar that stays in sight: search, what is measured, the filters in force. */
import { choice, el } from "./dom";
import { span } from "./format";
import { grouping } from "./keys";
import { findFrames } from "./search";
import type { Change, Dimension, Measure, State } from "./state";
import { describe } from "./sums";
import { chooseTheme, type Theme } from "./theme";

/** What a value of a filter is called. */
function label(state: State, dimension: Dimension, value: number): string {
  const { model } = state;
  switch (dimension) {
    case "thread":
      return model.threadName(value);
    case "domain":
      return model.domainName(value);
    case "reach":
      return ["no class", "reachable", "possible leak", "indirect leak", "definite leak"][value] ?? "";
    case "type":
      return value === 0 ? "<no vtable>" : model.text(value);
    case "age":
      return `age ${model.ages[value].label}`;
    case "size":
      return `blocks of ${model.sizeLabel(value)}`;
    case "module":
      return model.moduleName(model.frames.module[grouping(model, "module").frame[value]]);
    case "filename":
      return model.text(model.frames.file[grouping(model, "filename").frame[value]]);
    case "function":
      return model.functionName(grouping(model, "function").frame[value]);
    case "lineno":
      return model.place(grouping(model, "lineno").frame[value]);
    default:
      return "";
  }
}

export class Toolbar {
  readonly element: HTMLElement;
  readonly search: HTMLInputElement;
  private readonly chips = el("div", { class: "chips", role: "group", "aria-label": "filters" });
  private readonly only: HTMLButtonElement;

  constructor(private readonly state: State) {
    let waiting = 0;
    this.search = el("input", {
      type: "search",
      id: "search",
      placeholder: "Find functions, files, modules …",
      "aria-label": "Find functions, files, modules",
      "aria-keyshortcuts": "/",
      spellcheck: "false",
      input: () => {
        window.clearTimeout(waiting);
        waiting = window.setTimeout(() => state.setSearch(this.search.value.trim()), 80);
      },
      keydown: (event) => {
        if ((event as KeyboardEvent).key !== "Enter") return;
        window.clearTimeout(waiting);
        state.setSearch(this.search.value.trim());
      },
    });
    this.only = el(
      "button",
      {
        type: "button",
        title: "Show only blocks whose stack goes through what was found",
        click: () => {
          const text = state.search;
          state.setThrough({ frames: findFrames(state.model, text), label: `stacks through “${text}”` });
        },
      },
      "Only these",
    );
    this.element = el(
      "div",
      { class: "toolbar", role: "search" },
      el(
        "div",
        { class: "toolbar-row" },
        this.search,
        this.only,
        choice<Measure>(
          "Measure",
          [
            ["size", "Bytes"],
            ["count", "Blocks"],
          ],
          "size",
          (measure) => state.setMeasure(measure),
        ).element,
        choice<Theme>(
          "Colours",
          [
            ["auto", "Auto"],
            ["light", "Light"],
            ["dark", "Dark"],
          ],
          "auto",
          chooseTheme,
        ).element,
      ),
      this.chips,
    );
    document.addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLInputElement;
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.search.focus();
    });
    state.listen((change: Change) => {
      this.only.disabled = state.search === "";
      if (change === "filter") this.renderChips();
    });
    this.only.disabled = true;
    this.renderChips();
  }

  private chip(text: string, drop: () => void): HTMLElement {
    return el(
      "button",
      { type: "button", class: "chip", title: `${text}: click to take this filter back`, click: drop },
      el("span", {}, text),
      el("span", { class: "cross", "aria-hidden": "true" }, "×"),
    );
  }

  private renderChips(): void {
    const { state } = this;
    const { model } = state;
    const chips: HTMLElement[] = [];
    for (const [dimension, values] of state.filters)
      for (const value of values)
        chips.push(this.chip(label(state, dimension, value), () => state.drop(dimension, value)));
    if (state.times) {
      const [first, last] = state.times;
      const from = model.oldest / 100;
      const text = `born ${span(from + model.stepStart(first))} to ${span(from + model.stepStart(last + 1))}`;
      chips.push(this.chip(text, () => state.drop("time")));
    }
    if (state.through) chips.push(this.chip(state.through.label, () => state.drop("through")));
    this.chips.hidden = chips.length === 0;
    if (chips.length > 0) {
      chips.unshift(el("span", { class: "shown", id: "shown" }, describeShown(state)));
      chips.push(el("button", { type: "button", class: "clear", click: () => state.dropAll() }, "Show all"));
    }
    this.chips.replaceChildren(...chips);
  }
}

function describeShown(state: State): string {
  const { all, total } = state;
  if (state.model.isDiff) return describe(state, total);
  const share = all.size === 0 ? 0 : (100 * total.size) / all.size;
  return `${describe(state, total).replace(/, [^,]*$/, "")}, ${share.toFixed(share < 10 ? 1 : 0)}% of all:`;
}
