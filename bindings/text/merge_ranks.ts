// The ranks of a tokenizer's merges, in a table of their places in the text of tokenizer.json.

/** A pair that may be written in several ways, or has white space that counts. */
const AWKWARD = /[\\ ]/;
/** Slots that are looked at for one pair. Random pairs take less; a file made to collide gets no further. */
const MOST_PROBES = 64;
const BACKSLASH = 92;
const QUOTE = 34;
const SPACE = 32;

/** The rank of a pair, as the library asks for it: `get('["a","b"]')`. Pairs stay where they are in the text. */
export class MergeRanks {
  readonly #text: string;
  /** Entry i lies in [starts[i], starts[i + 1] - 1). */
  readonly #starts: Int32Array;
  readonly #isJoined: boolean;
  /** Ranks plus 1 by hash, in the next free slot where two have the same; 0: free. */
  readonly #slots: Int32Array;
  /** Ranks of awkward pairs, and of those that found no slot. */
  readonly #others = new Map<string, number>();

  constructor(text: string, starts: Int32Array, isJoined: boolean) {
    this.#text = text;
    this.#starts = starts;
    this.#isJoined = isJoined;
    const count = starts.length - 1;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * count + 1)));
    this.#index(text, starts, this.#slots);
  }

  get(pair: string): number | undefined {
    if (AWKWARD.test(pair)) return this.#others.get(pair);
    const key = this.#isJoined ? joinedPair(pair) : pair;
    const mask = this.#slots.length - 1;
    const first = hash(key, 0, key.length, this.#isJoined);
    for (let probe = 0; probe < MOST_PROBES; probe++) {
      const rank = this.#slots[(first + probe) & mask]! - 1;
      if (rank < 0) break;
      if (this.#isWritten(rank, key)) return rank;
    }
    return this.#others.get(pair);
  }

  #index(text: string, starts: Int32Array, slots: Int32Array): void {
    const mask = slots.length - 1;
    const isJoined = this.#isJoined;
    // Backwards: of two equal pairs the later one counts, so it must be found first.
    for (let rank = starts.length - 2; rank >= 0; rank--) {
      const first = hash(text, starts[rank]!, starts[rank + 1]! - 1, isJoined);
      let probe = first < 0 ? MOST_PROBES : 0;
      while (probe < MOST_PROBES && slots[(first + probe) & mask] !== 0) probe++;
      if (probe < MOST_PROBES) slots[(first + probe) & mask] = rank + 1;
      else this.#keep(rank);
    }
  }

  #keep(rank: number): void {
    const entry = JSON.parse(this.#text.slice(this.#starts[rank], this.#starts[rank + 1]! - 1));
    const key = JSON.stringify(this.#isJoined ? entry.split(' ', 2) : entry);
    if (!this.#others.has(key)) this.#others.set(key, rank);
  }

  /** Whether an entry is this key, but for white space around its parts. */
  #isWritten(rank: number, key: string): boolean {
    const text = this.#text;
    let at = this.#starts[rank]!;
    if (this.#isJoined) return text.startsWith(key, text.indexOf('"', at));
    for (let i = 0; i < key.length; i++, at++) {
      while (text.charCodeAt(at) <= SPACE) at++;
      if (text.charCodeAt(at) !== key.charCodeAt(i)) return false;
    }
    return true;
  }
}

/** `["a","b"]` as `"a b"`. */
function joinedPair(pair: string): string {
  const end = pair.indexOf('"', 2);
  return `${pair.slice(1, end)} ${pair.slice(end + 3, -1)}`;
}

/**
 * Of characters [begin, end), white space left out: that between the parts of an entry does not count. -1 for an
 * awkward pair. A joined one has white space between its tokens only.
 */
function hash(text: string, begin: number, end: number, isJoined: boolean): number {
  let code = 0;
  let inToken = false;
  for (let i = begin; i < end; i++) {
    const character = text.charCodeAt(i);
    if (character === BACKSLASH) return -1;
    if (character === QUOTE) inToken = !inToken;
    if (character > SPACE) code = Math.imul(code ^ character, 0x01000193);
    else if (inToken && !isJoined) return -1;
  }
  return (code ^ (code >>> 15)) >>> 1;
}
