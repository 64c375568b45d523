/** Names as they are shown where there is little room. */

const KEPT = "(anonymous namespace)";

/** A function without template arguments and parameters: "Cache::put" of
 * "Cache<int>::put(int, char const*)". */
export function shortFunction(name: string): string {
  // What an operator's brackets belong to is not told here.
  if (name.includes("operator") || !/[<(]/.test(name)) return name;
  let short = "";
  let depth = 0;
  for (let i = 0; i < name.length; i++) {
    if (depth === 0 && name.startsWith(KEPT, i)) {
      short += KEPT;
      i += KEPT.length - 1;
      continue;
    }
    const sign = name[i];
    if (sign === "<" || sign === "(") depth++;
    else if ((sign === ">" || sign === ")") && depth > 0) depth--;
    else if (depth === 0) short += sign;
  }
  short = short.trim().replace(/ const$/, "");
  return depth === 0 && short !== "" ? short : name;
}
