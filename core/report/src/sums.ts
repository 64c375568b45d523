/** Sums in words. */
import { blocks, grouped, percent, signed, size } from "./format";
import type { State, Sum } from "./state";
import { whole } from "./totals";

/** " ±6%" of what is estimated; nothing where that is as good as counted. */
export function error(bytes: number, variance: number): string {
  const share = bytes === 0 ? 0 : Math.sqrt(variance) / bytes;
  return share < 0.0005 ? "" : ` ±${percent(share, 1)}`;
}

/** " ±10.0 KiB", of a difference. */
export function differenceError(sum: Sum): string {
  const bytes = Math.sqrt(sum.variance + sum.oldVariance);
  return bytes < 1 ? "" : ` ±${size(Math.round(bytes))}`;
}

/** "4.1 MiB ±6%". */
export function estimated(sum: Sum): string {
  return size(sum.size) + error(sum.size, sum.variance);
}

/** "2,103 blocks"; of a sample "2,103 blocks (12 sampled)". */
function counted(state: State, sum: Sum): string {
  const sampled = state.model.sides[0].samplePeriod ? ` (${grouped(sum.sampled)} sampled)` : "";
  return blocks(sum.count) + sampled;
}

/** "4.1 MiB in 2,103 blocks", of the snapshot alone. */
export function amounts(state: State, sum: Sum): string {
  return `${estimated(sum)} in ${counted(state, sum)}`;
}

/** "4.1 MiB in 2,103 blocks (12% of what is shown)", or how it differs. */
export function describe(state: State, given: Sum): string {
  const sum = whole(given);
  if (state.model.isDiff)
    return `${size(sum.size - sum.oldSize, true)}${differenceError(sum)} and ${signed(
      sum.count - sum.oldCount,
    )} blocks: ${amounts(state, sum)}, before ${size(sum.oldSize)}${error(
      sum.oldSize,
      sum.oldVariance,
    )} in ${blocks(sum.oldCount)}`;
  const share = percent(state.now(sum), state.now(state.total));
  return `${amounts(state, sum)}, ${share} of what is shown`;
}

/** Bytes or blocks, of the snapshot alone. */
export function amount(state: State, sum: Sum): string {
  const value = state.now(whole(sum));
  return state.measure === "size" ? size(value) : grouped(value);
}

/** What bars say: bytes or blocks, or the change of them. */
export function measured(state: State, given: Sum): string {
  if (!state.model.isDiff) return amount(state, given);
  const sum = whole(given);
  const change = state.now(sum) - state.before(sum);
  return state.measure === "size" ? size(change, true) : signed(change);
}
