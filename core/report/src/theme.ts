/** Light or dark: as the system has it, or as it was chosen; on paper it is light. */

export type Theme = "auto" | "light" | "dark";

const system = window.matchMedia("(prefers-color-scheme: dark)");
let chosen: Theme = "auto";
let isPrinting = false;
let changed: () => void = () => undefined;

function apply(): void {
  const theme = chosen === "auto" ? (system.matches ? "dark" : "light") : chosen;
  document.documentElement.dataset.theme = isPrinting ? "light" : theme;
  changed();
}

apply();

export function chooseTheme(theme: Theme): void {
  chosen = theme;
  apply();
}

/** `draw` is called after each change, and draws at once: there are no frames while pages are made. */
export function watchTheme(draw: () => void): void {
  changed = draw;
  system.addEventListener("change", apply);
  const print = (is: boolean) => (): void => {
    isPrinting = is;
    apply();
  };
  window.addEventListener("beforeprint", print(true));
  window.addEventListener("afterprint", print(false));
}
