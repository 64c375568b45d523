/** The report of a snapshot: reads what is in the page, and shows it. */
import { barLists } from "./bars";
import { Births } from "./births";
import { PlaceColours } from "./colours";
import { readSections } from "./data";
import { Details } from "./details";
import { el } from "./dom";
import { Flame } from "./flame";
import { renderHead } from "./head";
import { leakSections } from "./leaks";
import { pause, watchJobs } from "./jobs";
import { grouping, KEYS } from "./keys";
import { Model, NONE } from "./model";
import { State } from "./state";
import { Table } from "./table";
import { watchTheme } from "./theme";
import { Toolbar } from "./toolbar";
import { Treemap } from "./treemap";

/** Makes the parts one after the other, and lets the browser answer in between. */
async function show(model: Model, app: HTMLElement): Promise<void> {
  for (const { name } of KEYS) {
    if (name !== "type") grouping(model, name);
    await pause();
  }
  const state = new State(model);
  await pause();
  const repaints: (() => void)[] = [];
  const main = el("main", {});
  const head = renderHead(state);
  const toolbar = new Toolbar(state);
  const details = new Details(state);
  const select = (frame: number): void => details.show(frame);
  const makers: (() => HTMLElement[])[] = [
    () => (model.oldest === NONE ? [] : [new Births(state).element]),
    () => [el("div", { class: "cards" }, ...barLists(state).map(({ element }) => element))],
    () => {
      const flame = new Flame(state, new PlaceColours(model, state, false), select);
      repaints.push(() => flame.draw());
      return [flame.element, details.element];
    },
    () => [new Table(state, select).element],
    () => {
      const treemap = new Treemap(state, new PlaceColours(model, state, true));
      repaints.push(() => treemap.draw());
      return [treemap.element];
    },
    () => leakSections(state, select),
  ];
  app.replaceChildren(head, toolbar.element, main);
  for (const make of makers) {
    main.append(...make());
    await pause();
  }
  const repaint = (): void => repaints.forEach((one) => one());
  watchTheme(repaint);
  window.addEventListener("resize", repaint);
}

async function start(): Promise<void> {
  const app = document.getElementById("app");
  const data = document.getElementById("allocsnap-data");
  const message = document.getElementById("message");
  if (!app || !message) return;
  try {
    if (!data) throw new Error("there is no snapshot in it: `snapshot export NAME report.html` makes a report");
    const sections = await readSections(data);
    await pause();
    await show(new Model(sections), app);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    message.textContent = `This report cannot be shown: ${why}`;
  }
  watchJobs((isBusy) => app.setAttribute("aria-busy", String(isBusy)));
}

void start();
