/** Colours of what is drawn on canvases; the page's own are in style.css. */
import { grouping } from "./keys";
import type { Model } from "./model";
import type { State } from "./state";

export interface Palette {
  dark: boolean;
  ink: string;
  faint: string;
  line: string;
  ground: string;
  accent: string;
  match: string;
}

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string): string => style.getPropertyValue(name).trim();
  return {
    dark: get("--scheme") === "dark",
    ink: get("--ink"),
    faint: get("--faint"),
    line: get("--line"),
    ground: get("--card"),
    accent: get("--accent"),
    match: get("--match"),
  };
}

/** Far from each other, beginning with those that the largest get. */
const HUES = [32, 205, 150, 268, 345, 55, 180, 228, 95, 310];
/** Where one module has more than this share, files are told apart in place of modules. */
const MOST = 0.6;

/** A colour for each module; `finer`: for each file, where most is of one module. */
export class PlaceColours {
  private readonly hues = new Map<number, number>();
  private readonly column: Uint32Array;

  constructor(model: Model, state: State, finer: boolean) {
    const { frames } = model;
    let largest = this.rank(model, state, "module");
    const whole = largest.reduce((sum, { weight }) => sum + weight, 0);
    this.column = frames.module;
    if (finer && largest.length > 0 && largest[0].weight > MOST * whole) {
      largest = this.rank(model, state, "filename");
      this.column = frames.file;
    }
    largest.forEach(({ frame }, place) => this.hues.set(this.column[frame], HUES[place % HUES.length]));
  }

  /** A frame of each row, the largest first. */
  private rank(model: Model, state: State, key: "module" | "filename"): { frame: number; weight: number }[] {
    const sums = state.sumRows(key, false);
    return [...grouping(model, key).frame]
      .map((frame, row) => ({ frame, weight: state.weight(sums, row) }))
      .sort((a, b) => b.weight - a.weight);
  }

  /** `shade`: from 0 to 1, to tell neighbours apart. */
  fill(frame: number, shade: number, colours: Palette): string {
    const place = this.column[frame];
    const hue = this.hues.get(place);
    if (place === 0 || hue === undefined) return colours.dark ? "hsl(220 6% 34%)" : "hsl(220 8% 82%)";
    return colours.dark
      ? `hsl(${hue} ${38 + 8 * shade}% ${33 + 7 * shade}%)`
      : `hsl(${hue} ${68 + 14 * shade}% ${73 + 9 * shade}%)`;
  }
}

/** Of a difference: red where there is more than before, blue where there is less. */
export function difference(now: number, before: number, colours: Palette): string {
  const most = Math.max(now, before);
  const change = most === 0 ? 0 : (now - before) / most;
  const strength = Math.sqrt(Math.abs(change));
  if (change === 0) return colours.dark ? "hsl(220 6% 30%)" : "hsl(220 10% 90%)";
  const hue = change > 0 ? 4 : 212;
  return colours.dark
    ? `hsl(${hue} ${20 + 45 * strength}% ${28 + 14 * strength}%)`
    : `hsl(${hue} ${40 + 40 * strength}% ${90 - 22 * strength}%)`;
}

/** A number from 0 to 1 that is always the same for the same number. */
export function shadeOf(number: number): number {
  return (Math.imul(number + 1, 0x9e3779b1) >>> 24) / 255;
}
