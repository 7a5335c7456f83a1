// Byte-pair merging: of all neighbours the pair of lowest rank becomes one symbol, the leftmost first, until no pair
// has a rank.

/** Above all symbols, so that two make one exact number; and above all places in a text. */
const SYMBOLS = 2 ** 26;
const PLACES = 2 ** 30;
/** Pairs whose rank is remembered. */
const MOST_PAIRS = 2 ** 18;
const NONE = -1;

/** What JSON.stringify makes of two texts, to their rank. */
export interface Ranks {
  get(pair: string): number | undefined;
}

/** Texts as numbers, and the ranks of their pairs. */
export class Symbols {
  readonly texts: string[] = [];
  readonly #ranks: Ranks;
  readonly #numbers = new Map<string, number>();
  readonly #pairs = new Map<number, number>();
  /** What a pair becomes, by its rank. */
  readonly #merged = new Map<number, number>();

  constructor(ranks: Ranks) {
    this.#ranks = ranks;
  }

  of(text: string): number {
    let symbol = this.#numbers.get(text);
    if (symbol === undefined) {
      symbol = this.texts.push(text) - 1;
      this.#numbers.set(text, symbol);
    }
    return symbol;
  }

  /** Rank of two neighbours, or -1. */
  rank(left: number, right: number): number {
    const pair = left * SYMBOLS + right;
    const known = this.#pairs.get(pair);
    if (known !== undefined) return known;
    const rank = this.#ranks.get(JSON.stringify([this.texts[left], this.texts[right]])) ?? NONE;
    if (this.#pairs.size === MOST_PAIRS) this.#pairs.clear();
    this.#pairs.set(pair, rank);
    return rank;
  }

  merged(rank: number, left: number, right: number): number {
    let symbol = this.#merged.get(rank);
    if (symbol === undefined) {
      symbol = this.of(this.texts[left]! + this.texts[right]!);
      this.#merged.set(rank, symbol);
    }
    return symbol;
  }
}

/** The merging of one word after another. */
export class Merging {
  readonly #symbols: Symbols;
  /** By place in the word: its symbol or -1, the places around it, the rank of it and the one behind it. */
  readonly #held: Int32Array;
  readonly #before: Int32Array;
  readonly #behind: Int32Array;
  readonly #ranks: Int32Array;
  /** Rank and place of pairs, as one number; the lowest first. Those that are no more are passed over. */
  readonly #heap: number[] = [];
  #length = 0;

  /** @param most symbols of a word */
  constructor(symbols: Symbols, most: number) {
    this.#symbols = symbols;
    this.#held = new Int32Array(most);
    this.#before = new Int32Array(most);
    this.#behind = new Int32Array(most);
    this.#ranks = new Int32Array(most);
  }

  start(): void {
    this.#length = 0;
    this.#heap.length = 0;
  }

  add(symbol: number): void {
    const at = this.#length++;
    this.#held[at] = symbol;
    this.#before[at] = at - 1;
    this.#behind[at] = NONE;
    if (at === 0) return;
    this.#behind[at - 1] = at;
    this.#rank(at - 1);
  }

  /** Merges a number of pairs. @returns whether none is left */
  merge(most: number): boolean {
    const [held, behind, ranks] = [this.#held, this.#behind, this.#ranks];
    for (let i = 0; i < most; i++) {
      if (this.#heap.length === 0) return true;
      const lowest = this.#pop();
      const rank = Math.floor(lowest / PLACES);
      const at = lowest % PLACES;
      const right = behind[at]!;
      if (held[at] === NONE || right === NONE || ranks[at] !== rank) continue;
      held[at] = this.#symbols.merged(rank, held[at]!, held[right]!);
      held[right] = NONE;
      behind[at] = behind[right]!;
      if (behind[at] !== NONE) this.#before[behind[at]!] = at;
      this.#rank(at);
      if (this.#before[at] !== NONE) this.#rank(this.#before[at]!);
    }
    return this.#heap.length === 0;
  }

  *result(): Generator<number, void> {
    if (this.#length === 0) return;
    for (let at = 0; at !== NONE; at = this.#behind[at]!) yield this.#held[at]!;
  }

  #rank(at: number): void {
    const right = this.#behind[at]!;
    const rank = right === NONE ? NONE : this.#symbols.rank(this.#held[at]!, this.#held[right]!);
    this.#ranks[at] = rank;
    if (rank !== NONE) this.#push(rank * PLACES + at);
  }

  #push(value: number): void {
    const heap = this.#heap;
    let at = heap.push(value) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= value) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = value;
  }

  #pop(): number {
    const heap = this.#heap;
    const lowest = heap[0]!;
    const last = heap.pop()!;
    const length = heap.length;
    if (length === 0) return lowest;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return lowest;
  }
}
