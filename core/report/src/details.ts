/** The frame that was chosen last: its whole names, its source, and what can be shown alone. */
import { el, section } from "./dom";
import { grouping } from "./keys";
import { sourceElement } from "./source";
import type { Change, State } from "./state";
import { describe } from "./sums";

const ONLY = [
  ["lineno", "Only this line"],
  ["function", "Only this function"],
  ["filename", "Only this file"],
  ["module", "Only this module"],
] as const;

export class Details {
  readonly element: HTMLElement;
  private frame: number | null = null;
  private readonly body = el("div", { class: "details" });

  constructor(private readonly state: State) {
    this.element = section("details", "Chosen frame", [], this.body);
    this.element.hidden = true;
    state.listen((change: Change) => {
      if (change === "filter") this.render();
    });
  }

  show(frame: number): void {
    this.frame = frame;
    this.element.hidden = false;
    this.render();
  }

  private render(): void {
    const { frame, state } = this;
    if (frame === null) return;
    const { model } = state;
    const row = grouping(model, "lineno").ofFrame[frame];
    const held = state.sumRows("lineno", false).get(row);
    const through = state.sumThrough("lineno", row);
    const buttons = ONLY.map(([key, text]) => {
      const value = grouping(model, key).ofFrame[frame];
      return el(
        "button",
        {
          type: "button",
          "aria-pressed": String(state.has(key, value)),
          click: () => state.toggle(key, value, false),
        },
        text,
      );
    });
    const onlyThrough = el(
      "button",
      {
        type: "button",
        click: () => {
          const { ofFrame } = grouping(model, "function");
          const frames = Uint8Array.from(ofFrame, (of) => (of === ofFrame[frame] ? 1 : 0));
          state.setThrough({ frames, label: `stacks through ${model.functionName(frame)}` });
        },
      },
      "Only stacks through this function",
    );
    const module = model.frames.module[frame];
    this.body.replaceChildren(
      el(
        "div",
        { class: "names" },
        el("div", { class: "function" }, model.functionName(frame), model.isInlined(frame) ? " (inlined)" : ""),
        el("div", {}, model.place(frame)),
        el("div", { class: "faint" }, model.moduleName(module)),
        el("div", {}, `attributed to this line: ${describe(state, held)}`),
        el("div", {}, `in stacks through this line: ${describe(state, through)}`),
        el("div", { class: "only" }, ...buttons, onlyThrough),
      ),
      sourceElement(model, frame) ?? el("p", { class: "faint" }, "Its source is not in this report."),
    );
  }
}
