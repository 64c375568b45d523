/** Sums in words. */
import { blocks, percent, signed, size } from "./format";
import type { State, Sum } from "./state";

/** "4.1 MiB in 2,103 blocks (12% of what is shown)", or how it differs. */
export function describe(state: State, sum: Sum): string {
  if (state.model.isDiff)
    return `${size(sum.size - sum.oldSize, true)} and ${signed(sum.count - sum.oldCount)} blocks: ${size(
      sum.size,
    )} in ${blocks(sum.count)}, before ${size(sum.oldSize)} in ${blocks(sum.oldCount)}`;
  const share = percent(state.now(sum), state.now(state.total));
  return `${size(sum.size)} in ${blocks(sum.count)}, ${share} of what is shown`;
}

/** What bars say: bytes or blocks, or the change of them. */
export function measured(state: State, sum: Sum): string {
  const change = state.model.isDiff;
  const value = change ? state.now(sum) - state.before(sum) : state.now(sum);
  if (state.measure === "size") return size(value, change);
  return change ? signed(value) : value.toLocaleString("en-US");
}
