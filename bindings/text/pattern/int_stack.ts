// A stack of integers. An Array would do, but engines take time for setting its length that grows with the length.

const FIRST_SIZE = 256;

export class IntStack {
  /** Those at `length` and above mean nothing. */
  values = new Int32Array(FIRST_SIZE);
  length = 0;

  /** Makes room for `count` more at the top; the caller fills it. @returns where it begins */
  grow(count: number): number {
    const begin = this.length;
    this.length += count;
    if (this.length > this.values.length) {
      const larger = new Int32Array(2 * this.values.length);
      larger.set(this.values);
      this.values = larger;
    }
    return begin;
  }
}
