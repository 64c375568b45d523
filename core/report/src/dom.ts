/** Making elements. Text from outside comes in as text nodes only. */

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | ((event: Event) => void) | undefined>;

function apply(element: Element, attributes: Attributes, children: Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child) element.append(child);
}

export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  apply(element, attributes, children);
  return element;
}

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  apply(element, attributes, children);
  return element;
}

/** A part of the page with a heading, which has `controls` beside it. */
export function section(
  id: string,
  title: string,
  controls: Child[],
  ...children: Child[]
): HTMLElement {
  const heading = el("h2", { id: `${id}-title` }, title);
  return el(
    "section",
    { class: "card", id, "aria-labelledby": `${id}-title` },
    el("div", { class: "card-head" }, heading, el("div", { class: "controls" }, ...controls)),
    ...children,
  );
}

export interface Choice<Value extends string> {
  element: HTMLElement;
  set(value: Value): void;
}

/** A few buttons of which one is pressed. */
export function choice<Value extends string>(
  label: string,
  options: [Value, string][],
  chosen: Value,
  choose: (value: Value) => void,
): Choice<Value> {
  const buttons = new Map<Value, HTMLButtonElement>();
  const set = (value: Value): void => {
    for (const [name, button] of buttons) button.setAttribute("aria-pressed", String(name === value));
  };
  for (const [value, text] of options)
    buttons.set(
      value,
      el(
        "button",
        {
          type: "button",
          "data-value": value,
          click: () => {
            set(value);
            choose(value);
          },
        },
        text,
      ),
    );
  set(chosen);
  return {
    element: el("div", { class: "choice", role: "group", "aria-label": label }, ...buttons.values()),
    set,
  };
}

/** Calls `draw` once before the next frame, however often it was asked for. */
export function onNextFrame(draw: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}
