/** Reading the sections of numbers one after the other. */

/** The numbers of the section of a name; none where it is not there. */
export type Section = (tag: string) => Uint32Array;

/** Takes numbers out of a section one after the other. */
export class Reader {
  private at = 0;
  constructor(private readonly numbers: Uint32Array) {}
  get more(): boolean {
    return this.at < this.numbers.length;
  }
  number(): number {
    return this.numbers[this.at++];
  }
  wide(): number {
    const low = this.number();
    return low + this.number() * 2 ** 32;
  }
  wideExactly(): bigint {
    const low = BigInt(this.number());
    return low + (BigInt(this.number()) << 32n);
  }
}
