/** Numbers as people read them, as allocsnap's commands write them. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** As C's "%.0f": of two numbers that are equally near, the even one. */
function whole(value: number): string {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest === 0.5) return String(below % 2 === 0 ? below : below + 1);
  return value.toFixed(0);
}

/** A size as tracemalloc writes it: "10239 B", "10.0 KiB"; with its sign where `sign`. */
export function size(bytes: number, sign = false): string {
  const before = bytes < 0 ? "-" : sign ? "+" : "";
  let value = Math.abs(bytes);
  for (const unit of UNITS) {
    if (value < 100 && unit !== "B") return `${before}${value.toFixed(1)} ${unit}`;
    if (value < 10 * 1024 || unit === "TiB") return `${before}${whole(value)} ${unit}`;
    value /= 1024;
  }
  return "";
}

/** A number, rounded, with its digits in groups: "1,234,567". */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A whole number that has its sign. */
export function signed(value: number): string {
  return (value > 0 ? "+" : value < 0 ? "-" : "") + grouped(Math.abs(value));
}

export function percent(part: number, whole_: number): string {
  if (whole_ === 0 || part === 0) return "0%";
  const share = (100 * part) / whole_;
  if (Math.abs(share) < 0.1) return share < 0 ? "-<0.1%" : "<0.1%";
  return `${share.toFixed(Math.abs(share) < 10 ? 1 : 0)}%`;
}

export function blocks(count: number): string {
  return count === 1 ? "1 block" : `${grouped(count)} blocks`;
}

/** A span of seconds: "40 ms", "2.5 s", "3 min 20 s", "2 h 5 min". */
export function span(seconds: number): string {
  if (seconds > 0 && seconds < 1) return `${Number((1000 * seconds).toPrecision(3))} ms`;
  if (seconds < 10) return `${Number(seconds.toFixed(2))} s`;
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  const rounded = Math.round(seconds);
  if (rounded < 3600) return `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
  if (rounded < 86400) return `${Math.floor(rounded / 3600)} h ${Math.floor((rounded % 3600) / 60)} min`;
  return `${Math.floor(rounded / 86400)} d ${Math.floor((rounded % 86400) / 3600)} h`;
}

/** A moment, of milliseconds since 1970, in UTC. */
export function moment(milliseconds: number): string {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return "";
  return date.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");
}

/** The end of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}

/** A path of at most `length` characters, shortened in its middle. */
export function middle(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = Math.max(Math.floor(length / 2), length - 1 - Math.floor(length / 3));
  return `${text.slice(0, length - 1 - end)}…${text.slice(text.length - end)}`;
}
