/** The head: what the snapshot is of, what it holds, what is missing from it. */
import { el } from "./dom";
import { baseName, blocks, grouped, moment, percent, signed, size } from "./format";
import { NONE } from "./model";
import type { Side } from "./model";
import type { State } from "./state";
import { differenceError, error } from "./sums";
import { whole } from "./totals";

function tile(label: string, value: string, more: string, exact = ""): HTMLElement {
  return el(
    "div",
    { class: "tile", title: exact },
    el("div", { class: "tile-label" }, label),
    el("div", { class: "tile-value" }, value),
    el("div", { class: "tile-more" }, more),
  );
}

const IN_THE_HEADING = ["peak"];

function facts(side: Side): HTMLElement[] {
  const items = [...side.facts]
    .filter(([name]) => !IN_THE_HEADING.includes(name))
    .map(([name, value]) => el("span", { class: "fact" }, el("span", { class: "faint" }, `${name} `), value));
  if (!side.facts.has("time") && side.startTime && side.newest !== NONE)
    items.push(
      el(
        "span",
        { class: "fact" },
        el("span", { class: "faint" }, "newest block "),
        moment(side.startTime + side.newest * 10),
      ),
    );
  return items;
}

export function renderHead(state: State): HTMLElement {
  const { model } = state;
  const all = whole(state.all);
  const [side, old] = model.sides;
  const path = side.facts.get("program") ?? "Heap";
  const program = baseName(path);
  const named = model.namedBytes();
  document.title = `${program}: ${model.isDiff ? "what has changed in" : "what holds"} the memory`;
  const tiles: HTMLElement[] = [];
  if (model.isDiff) {
    const change = tile(
      "Change",
      size(all.size - all.oldSize, true) + differenceError(all),
      `${signed(all.count - all.oldCount)} blocks`,
      `${signed(all.size - all.oldSize)} B`,
    );
    change.classList.add(all.size > all.oldSize ? "grown" : "shrunk");
    tiles.push(change, tile("Before", size(all.oldSize) + error(all.oldSize, all.oldVariance), blocks(all.oldCount), `${grouped(all.oldSize)} B`));
  }
  const sampled = side.samplePeriod ? `, ${grouped(all.sampled)} sampled` : "";
  const now = tile(
    model.isDiff ? "Now" : "Live heap",
    size(all.size) + error(all.size, all.variance),
    blocks(all.count) + sampled,
    `${grouped(all.size)} B`,
  );
  now.id = "total";
  now.dataset.size = String(all.size);
  now.dataset.count = String(all.count);
  now.dataset.sampled = String(all.sampled);
  tiles.push(now);
  const peak = Number(side.facts.get("peak") ?? 0);
  if (peak > 0)
    tiles.push(tile("Peak", size(peak), `now ${percent(all.size, peak)} of it`, `${grouped(peak)} B`));
  if (!model.isDiff && all.count > 0)
    tiles.push(tile("Average block", size(Math.round(all.size / all.count)), `${grouped(model.stacks.count)} stacks`));
  tiles.push(
    tile(
      "Named to the line",
      percent(named.lines, all.size),
      named.nothing > 0
        ? `${percent(named.nothing, all.size)} has no name`
        : named.names > 0
          ? `${percent(named.names, all.size)} by function only`
          : "of the bytes",
    ),
  );
  const isEstimate = model.isSample;
  const notes = [...side.notes, ...old.notes.filter((note) => !side.notes.includes(note))];
  return el(
    "header",
    { class: "head" },
    el(
      "div",
      { class: "title" },
      el("h1", { title: path }, program),
      el("p", { class: "facts" }, ...facts(side)),
      model.isDiff ? el("p", { class: "facts" }, el("span", { class: "fact" }, "compared with"), ...facts(old)) : null,
    ),
    el("div", { class: "tiles" }, ...tiles),
    notes.length === 0
      ? null
      : el(
          "div",
          { class: "notes", role: "note" },
          el("b", {}, isEstimate ? "Estimated" : "Incomplete"),
          el("ul", {}, ...notes.map((note) => el("li", {}, note))),
        ),
  );
}
