/** A canvas that fills an element, sharp on every screen. */

export interface Surface {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
}

/** Sizes a canvas for so many pixels of the page, and clears it. */
export function surface(canvas: HTMLCanvasElement, width: number, height: number): Surface | null {
  const ratio = window.devicePixelRatio || 1;
  const wide = Math.max(1, Math.round(width * ratio));
  const high = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

export const FONT = '11px ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace';

/** As much of a text as fits, or nothing. */
export function fitted(text: string, width: number, letter: number): string {
  const room = Math.floor(width / letter);
  if (room >= text.length) return text;
  return room < 3 ? "" : `${text.slice(0, room - 1)}…`;
}
