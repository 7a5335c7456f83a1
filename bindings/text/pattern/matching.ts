// Matching one text by backtracking, in time that grows with the text's length: what once failed at a place fails
// there always, so nothing is tried twice. What a pattern matches is what RegExp says.

import { FormatError } from '../../errors.js';
import { IntStack } from './int_stack.js';
import { END, JUMP, LOOK, LOOK_NOT, type Program, RUN, SET, SET_BEFORE, SPLIT } from './program.js';

/** Steps before failures are remembered, at the start and for each character that is done: most texts take fewer. */
const FREE_STEPS = 256;
const FREE_STEPS_PER_CHARACTER = 32;
/**
 * Steps that a text may take. The most that the pattern of a published tokenizer was seen to take is 34 a character,
 * on digits with two spaces between them; this is three times that.
 */
const MOST_STEPS = 1_000_000;
const MOST_STEPS_PER_CHARACTER = 100;
/** Failures are kept as bits, in blocks of 2^15 places for one step; all blocks take at most 128 MB. */
const BLOCK_BITS = 15;
const MOST_BLOCKS = 2 ** 15;
/** Numbers of a frame: step, place, where its run begins or -1, length of the trail, the last place of its run. */
const FRAME = 5;
const MOST_FRAME_NUMBERS = 2 ** 24;

export class Matching {
  readonly #program: Program;
  readonly #text: string;
  #steps = 0;
  readonly #mostSteps: number;
  #remembersFrom = 0;
  /** Ways not taken yet. */
  readonly #frames = new IntStack();
  /** Splits that were entered, by block; those of the way that is being followed are in the trail. */
  readonly #entered = new Map<number, Uint32Array>();
  readonly #trail = new IntStack();
  /** The latest stretch [first, last] of places at which a run is known to fail. */
  readonly #failedFirst: number[];
  readonly #failedLast: number[];

  constructor(program: Program, text: string) {
    this.#program = program;
    this.#text = text;
    this.#mostSteps = MOST_STEPS + MOST_STEPS_PER_CHARACTER * text.length;
    this.#failedFirst = new Array(program.runs).fill(-1);
    this.#failedLast = new Array(program.runs).fill(-1);
  }

  /**
   * Where the match ends that begins at `start`, or -1. Starts must ascend and lie behind earlier matches.
   * @throws FormatError if it takes too long
   */
  endAt(start: number): number {
    this.#remembersFrom = FREE_STEPS + FREE_STEPS_PER_CHARACTER * start;
    return this.#follow(0, start);
  }

  /** Follows the program from a step to its END. @returns where that is, or -1 */
  #follow(from: number, start: number): number {
    const { codes, a, b, sets } = this.#program;
    const text = this.#text;
    const frames = this.#frames;
    const base = frames.length;
    const trailBase = this.#trail.length;
    let step = from;
    let at = start;
    for (;;) {
      if (++this.#steps > this.#mostSteps) throw this.#tooLong();
      let fits = true;
      switch (codes[step]) {
        case SET: {
          const set = sets[a[step]!]!;
          const point = codePointAt(text, at);
          fits = set.only >= 0 ? point === set.only : point >= 0 && set.has(point);
          if (fits) at += point > 0xffff ? 2 : 1;
          step++;
          break;
        }
        case SET_BEFORE: {
          const before = placeBefore(text, at);
          fits = before >= 0 && sets[a[step]!]!.has(codePointAt(text, before));
          if (fits) at = before;
          step++;
          break;
        }
        case RUN: {
          const first = at;
          at = this.#runEnd(step, first);
          fits = at >= 0;
          if (at > first) this.#push(step, at, first);
          step++;
          break;
        }
        case SPLIT:
          fits = this.#steps <= this.#remembersFrom || this.#enter(step, at);
          if (fits) this.#push(b[step]!, at, -1);
          step = a[step]!;
          break;
        case JUMP:
          step = a[step]!;
          break;
        case LOOK:
        case LOOK_NOT:
          fits = this.#follow(step + 1, at) >= 0 === (codes[step] === LOOK);
          step = a[step]!;
          break;
        case END:
          frames.length = base;
          this.#leaveTrail(trailBase);
          return at;
      }
      while (!fits) {
        if (frames.length === base) return -1;
        const frame = frames.length - FRAME;
        const { values } = frames;
        this.#trail.length = values[frame + 3]!;
        step = values[frame]!;
        at = values[frame + 1]!;
        const first = values[frame + 2]!;
        fits = first < 0 || at > first;
        if (first >= 0 && fits) {
          // A run with one code point less.
          at = placeBefore(text, at);
          values[frame + 1] = at;
          step++;
          continue;
        }
        if (first >= 0) this.#runFailed(b[step]!, first, values[frame + 4]!);
        frames.length = frame;
      }
    }
  }

  /** The last place at which to go on behind a run that begins at `first`; -1 if all are known to fail. */
  #runEnd(step: number, first: number): number {
    const { a, b, sets } = this.#program;
    const text = this.#text;
    const set = sets[a[step]!]!;
    const failedFirst = this.#failedFirst[b[step]!]!;
    const failedLast = this.#failedLast[b[step]!]!;
    let at = first;
    let before = -1;
    let count = 0;
    for (let point = codePointAt(text, at); ; point = codePointAt(text, at)) {
      if (at >= failedFirst && at <= failedLast) {
        at = before;
        break;
      }
      if (point < 0 || !set.has(point)) break;
      before = at;
      at += point > 0xffff ? 2 : 1;
      count++;
    }
    this.#steps += count >> 3;
    return at;
  }

  #runFailed(run: number, first: number, last: number): void {
    const next = last + (codePointAt(this.#text, last) > 0xffff ? 2 : 1);
    if (next !== this.#failedFirst[run]) this.#failedLast[run] = last;
    this.#failedFirst[run] = first;
  }

  #push(step: number, at: number, first: number): void {
    if (this.#frames.length >= MOST_FRAME_NUMBERS) throw this.#tooLong();
    const frame = this.#frames.grow(FRAME);
    const { values } = this.#frames;
    values[frame] = step;
    values[frame + 1] = at;
    values[frame + 2] = first;
    values[frame + 3] = this.#trail.length;
    values[frame + 4] = at;
  }

  /** Notes that a split is followed at a place. @returns false if it failed there before */
  #enter(step: number, at: number): boolean {
    const key = step * 2 ** BLOCK_BITS + (at >> BLOCK_BITS);
    let block = this.#entered.get(key);
    if (block === undefined) {
      if (this.#entered.size === MOST_BLOCKS) throw this.#tooLong();
      block = new Uint32Array(2 ** (BLOCK_BITS - 5));
      this.#entered.set(key, block);
    }
    const word = (at >> 5) & (block.length - 1);
    const bit = 1 << (at & 31);
    if ((block[word]! & bit) !== 0) return false;
    block[word]! |= bit;
    const top = this.#trail.grow(2);
    this.#trail.values[top] = key;
    this.#trail.values[top + 1] = at;
    return true;
  }

  /** Forgets the splits of a way that led to an end: they did not fail. */
  #leaveTrail(length: number): void {
    const trail = this.#trail;
    while (trail.length > length) {
      trail.length -= 2;
      const at = trail.values[trail.length + 1]!;
      const block = this.#entered.get(trail.values[trail.length]!)!;
      block[(at >> 5) & (block.length - 1)]! &= ~(1 << (at & 31));
    }
  }

  #tooLong(): FormatError {
    return new FormatError(
      `takes more than ${this.#steps} steps for a text of ${this.#text.length} characters`,
    );
  }
}

/** -1 at the end. */
function codePointAt(text: string, at: number): number {
  if (at >= text.length) return -1;
  const unit = text.charCodeAt(at);
  // Only the first half of a pair needs a second look.
  return (unit & 0xfc00) === 0xd800 ? text.codePointAt(at)! : unit;
}

/** Where the code point begins that ends at `at`, or -1. */
function placeBefore(text: string, at: number): number {
  const isPair =
    (text.charCodeAt(at - 1) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 2) & 0xfc00) === 0xd800;
  return at - (isPair ? 2 : 1);
}
