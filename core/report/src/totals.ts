/** Sums of blocks. Of samples they are estimates, with the square of their standard error. */

/** Bytes and blocks, of the snapshot and of the older one. */
export interface Sum {
  size: number;
  count: number; // of a sample it may have a fraction
  oldSize: number;
  oldCount: number;
  sampled: number; // blocks of the snapshot that are in the sample
  variance: number; // of the size
  oldVariance: number;
}

export const noSum = (): Sum => ({
  size: 0,
  count: 0,
  oldSize: 0,
  oldCount: 0,
  sampled: 0,
  variance: 0,
  oldVariance: 0,
});

export function addSum(sum: Sum, more: Sum): void {
  sum.size += more.size;
  sum.count += more.count;
  sum.oldSize += more.oldSize;
  sum.oldCount += more.oldCount;
  sum.sampled += more.sampled;
  sum.variance += more.variance;
  sum.oldVariance += more.oldVariance;
}

/** The sum with whole blocks, as commands print it. */
export function whole(sum: Sum): Sum {
  return { ...sum, count: Math.round(sum.count), oldCount: Math.round(sum.oldCount) };
}

/** What there is of a snapshot beside bytes and blocks. */
export interface Kind {
  isDiff: boolean;
  isSample: boolean;
}

/** What is added to sums. */
export interface Amounts {
  size: Float64Array;
  blocks: Float64Array | Uint32Array;
  sampled: Uint32Array;
  variance: Float64Array; // empty where nothing is a sample
}

const none = new Float64Array(0);

/** Sums of many things. */
export class Sums {
  readonly size: Float64Array;
  readonly count: Float64Array;
  readonly oldSize: Float64Array;
  readonly oldCount: Float64Array;
  readonly sampled: Float64Array;
  private readonly variance: Float64Array;
  private readonly oldVariance: Float64Array;

  constructor(
    readonly length: number,
    { isDiff, isSample }: Kind,
  ) {
    const column = (isWanted: boolean): Float64Array => (isWanted ? new Float64Array(length) : none);
    this.size = column(true);
    this.count = column(true);
    this.oldSize = column(isDiff);
    this.oldCount = column(isDiff);
    this.sampled = column(isSample);
    this.variance = column(isSample);
    this.oldVariance = column(isSample && isDiff);
  }

  get(index: number): Sum {
    return {
      size: this.size[index],
      count: this.count[index],
      oldSize: this.oldSize[index] ?? 0,
      oldCount: this.oldCount[index] ?? 0,
      sampled: this.sampled[index] ?? 0,
      variance: this.variance[index] ?? 0,
      oldVariance: this.oldVariance[index] ?? 0,
    };
  }

  /** Whether any block is in it. */
  has(index: number): boolean {
    return this.count[index] > 0 || (this.oldCount[index] ?? 0) > 0;
  }

  add(index: number, from: Sums, at: number): void {
    this.size[index] += from.size[at];
    this.count[index] += from.count[at];
    if (this.sampled.length > 0) {
      this.sampled[index] += from.sampled[at];
      this.variance[index] += from.variance[at];
    }
    if (this.oldSize.length === 0) return;
    this.oldSize[index] += from.oldSize[at];
    this.oldCount[index] += from.oldCount[at];
    if (this.oldVariance.length > 0) this.oldVariance[index] += from.oldVariance[at];
  }

  /** Adds blocks, of the older snapshot where `old`. */
  addBlocks(index: number, from: Amounts, at: number, old: boolean): void {
    if (old) {
      this.oldSize[index] += from.size[at];
      this.oldCount[index] += from.blocks[at];
      if (this.oldVariance.length > 0) this.oldVariance[index] += from.variance[at];
      return;
    }
    this.size[index] += from.size[at];
    this.count[index] += from.blocks[at];
    if (this.sampled.length > 0) {
      this.sampled[index] += from.sampled[at];
      this.variance[index] += from.variance[at];
    }
  }

  addTo(sum: Sum, at: number): void {
    sum.size += this.size[at];
    sum.count += this.count[at];
    if (this.sampled.length > 0) {
      sum.sampled += this.sampled[at];
      sum.variance += this.variance[at];
    }
    if (this.oldSize.length === 0) return;
    sum.oldSize += this.oldSize[at];
    sum.oldCount += this.oldCount[at];
    if (this.oldVariance.length > 0) sum.oldVariance += this.oldVariance[at];
  }
}
