/** With the graph: what keeps most alive, and the largest leak. */
import { el, section } from "./dom";
import { baseName, blocks, grouped, size } from "./format";
import { grouping } from "./keys";
import type { Block } from "./kept";
import { NONE, REACH } from "./model";
import { shortFunction } from "./names";
import type { State } from "./state";

const OF_ALL = "Of all blocks, whatever is filtered above: what the program could not get at without them.";

type Select = (frame: number) => void;

const cell = (bytes: number): HTMLElement =>
  el("td", { class: "number", "data-value": bytes, title: `${grouped(bytes)} B` }, size(bytes));

/** The line that a block is attributed to, as a button that shows it alone. */
function lineButton(state: State, frame: number, select: Select): HTMLElement {
  const { model } = state;
  if (frame === NONE) return el("span", {}, "<unknown>");
  const row = grouping(model, "lineno").ofFrame[frame];
  return el(
    "button",
    {
      type: "button",
      class: "line",
      title: `${model.place(frame)} in ${model.functionName(frame)}`,
      click: (event) => {
        select(frame);
        state.toggle("lineno", row, (event as MouseEvent).shiftKey);
      },
    },
    el("b", {}, baseName(model.place(frame))),
    ` ${shortFunction(model.functionName(frame))}`,
  );
}

function headed(titles: string[], rows: HTMLElement[]): HTMLElement {
  return el(
    "div",
    { class: "plain-scroll" },
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...titles.map((title) => el("th", { scope: "col" }, title)))),
      el("tbody", {}, ...rows),
    ),
  );
}

function keepingLines(state: State, select: Select): HTMLElement {
  const rows = state.model.kept.keepingLines.map((line) =>
    el(
      "tr",
      {},
      cell(line.retainedSize),
      el("td", { class: "number" }, grouped(line.retainedCount)),
      cell(line.size),
      el("td", { class: "name" }, lineButton(state, line.frame, select)),
    ),
  );
  return section(
    "retained-lines",
    "Lines that keep most alive",
    [],
    el("p", { class: "faint" }, OF_ALL),
    headed(["Keeps alive", "Blocks", "Itself", "Line"], rows),
  );
}

function keepers(state: State, select: Select): HTMLElement {
  const rows = state.model.kept.keepers.map((block) =>
    el(
      "tr",
      {},
      cell(block.retainedSize),
      el("td", { class: "number" }, grouped(block.retainedCount)),
      cell(block.size),
      el("td", { class: "address" }, block.address),
      el("td", { class: "name" }, lineButton(state, state.attributedFrame(block.stack), select)),
    ),
  );
  return section(
    "retained-blocks",
    "Blocks that keep most alive",
    [],
    el("p", { class: "faint" }, OF_ALL),
    headed(["Keeps alive", "Blocks", "Itself", "Address", "Allocated at"], rows),
  );
}

function blockLine(state: State, block: Block, select: Select): HTMLElement {
  return el(
    "span",
    { class: `reach-${REACH[block.reach] ?? ""}` },
    lineButton(state, state.attributedFrame(block.stack), select),
    el("span", { class: "faint" }, ` ${size(block.size)} at ${block.address}`),
  );
}

function largestLeak(state: State, select: Select): HTMLElement | null {
  const { leak } = state.model.kept;
  if (!leak) return null;
  const lists = leak.blocks.map(() => el("ul", {}));
  const items = leak.blocks.map((block, place) => {
    const item = el("li", {}, blockLine(state, block, select));
    if (leak.blocks.some(({ parent }) => parent === place)) item.append(lists[place]);
    return item;
  });
  const top = el("ul", { class: "leak-tree" });
  leak.blocks.forEach(({ parent }, place) => (parent === NONE ? top : lists[parent]).append(items[place]));
  const left = leak.count - leak.blocks.length;
  return section(
    "largest-leak",
    `The largest leak: ${size(leak.size)} in ${blocks(leak.count)}`,
    [],
    el("p", { class: "faint" }, "Nothing leads to the first block any more; the others are reached only through it."),
    top,
    left > 0 ? el("p", { class: "faint" }, `… and ${blocks(left)} more`) : null,
  );
}

function ways(state: State, select: Select): HTMLElement | null {
  const { model } = state;
  if (model.kept.ways.length === 0) return null;
  const items = model.kept.ways.map(({ root, blocks: on }) =>
    el(
      "li",
      {},
      el("div", { class: "root" }, root),
      el("ol", {}, ...on.map((block) => el("li", {}, blockLine(state, block, select)))),
    ),
  );
  return section("ways", "What holds the blocks that keep most alive", [], el("ul", { class: "ways" }, ...items));
}

/** The parts of the page that there are only with the graph. */
export function leakSections(state: State, select: Select): HTMLElement[] {
  const { model } = state;
  if (!model.hasGraph) return [];
  return [
    largestLeak(state, select),
    model.kept.keepingLines.length > 0 ? keepingLines(state, select) : null,
    model.kept.keepers.length > 0 ? keepers(state, select) : null,
    ways(state, select),
  ].filter((part): part is HTMLElement => part !== null);
}
