/** What is said of the thing under the pointer. */
import { el } from "./dom";

const tip = el("div", { class: "tip", role: "tooltip", hidden: true });

export interface TipLine {
  text: string;
  kind?: "title" | "faint" | "code" | "marked";
}

export function showTip(event: { clientX: number; clientY: number }, lines: TipLine[]): void {
  if (!tip.isConnected) document.body.append(tip);
  tip.replaceChildren(...lines.map(({ text, kind }) => el("div", { class: kind ?? "plain" }, text)));
  tip.hidden = false;
  const margin = 12;
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(event.clientX + margin, window.innerWidth - width - margin);
  const below = event.clientY + margin + height < window.innerHeight;
  const top = below ? event.clientY + margin : Math.max(margin, event.clientY - height - margin);
  tip.style.left = `${Math.max(margin, left)}px`;
  tip.style.top = `${top}px`;
}

export function hideTip(): void {
  tip.hidden = true;
}
