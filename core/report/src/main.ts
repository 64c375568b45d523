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
import { Model, NONE } from "./model";
import { State } from "./state";
import { Table } from "./table";
import { Toolbar } from "./toolbar";
import { Treemap } from "./treemap";

function show(model: Model, app: HTMLElement): void {
  const state = new State(model);
  const colours = new PlaceColours(model, state);
  const details = new Details(state);
  const select = (frame: number): void => details.show(frame);
  const flame = new Flame(state, colours, select);
  const treemap = new Treemap(state, colours);
  const repaint = (): void => {
    flame.redraw();
    treemap.redraw();
  };
  const toolbar = new Toolbar(state, repaint);
  const births = model.oldest === NONE ? null : new Births(state);
  const bars = barLists(state);
  app.replaceChildren(
    renderHead(state),
    toolbar.element,
    el(
      "main",
      {},
      births?.element ?? "",
      el("div", { class: "cards" }, ...bars.map(({ element }) => element)),
      flame.element,
      details.element,
      new Table(state, select).element,
      treemap.element,
      ...leakSections(state, select),
    ),
  );
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  window.addEventListener("resize", repaint);
}

async function start(): Promise<void> {
  const app = document.getElementById("app");
  const data = document.getElementById("allocsnap-data");
  const message = document.getElementById("message");
  if (!app || !message) return;
  try {
    if (!data) throw new Error("there is no snapshot in it: `snapshot export NAME report.html` makes a report");
    show(new Model(await readSections(data)), app);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    message.textContent = `This report cannot be shown: ${why}`;
  }
  app.removeAttribute("aria-busy");
}

void start();
