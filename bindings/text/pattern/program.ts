// A pattern as a list of steps, which matching follows from one place to the next.

import { UnsupportedError } from '../../errors.js';
import type { CharacterSet } from './character_set.js';
import type { PatternNode } from './syntax.js';

/** One code point of set `a`. */
export const SET = 0;
/** The same, before the place: within what looks behind. */
export const SET_BEFORE = 1;
/** As many code points of set `a` as there are, or fewer; loop `b`. */
export const RUN = 2;
/** Goes on at `a`, or if that fails at `b`. */
export const SPLIT = 3;
/** Goes on at `a`. */
export const JUMP = 4;
/** Whether the next steps, as far as END, match here; goes on at `a` if so. */
export const LOOK = 5;
export const LOOK_NOT = 6;
export const END = 7;

const MOST_STEPS = 10_000;

export interface Program {
  readonly codes: readonly number[];
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly sets: readonly CharacterSet[];
  readonly runs: number;
}

/** @throws UnsupportedError if counted repetitions make too many steps */
export function compilePattern(node: PatternNode): Program {
  const compiler = new Compiler();
  compiler.add(node, false);
  compiler.emit(END);
  return compiler;
}

class Compiler implements Program {
  readonly codes: number[] = [];
  readonly a: number[] = [];
  readonly b: number[] = [];
  readonly sets: CharacterSet[] = [];
  runs = 0;

  emit(code: number, a = 0, b = 0): number {
    if (this.codes.length === MOST_STEPS) {
      throw new UnsupportedError(
        `is too large: with repetitions written out more than ${MOST_STEPS} parts`,
      );
    }
    this.a.push(a);
    this.b.push(b);
    return this.codes.push(code) - 1;
  }

  /** @param backward whether it is matched from its end, as what looks behind is */
  add(node: PatternNode, backward: boolean): void {
    switch (node.kind) {
      case 'set':
        this.emit(backward ? SET_BEFORE : SET, this.#index(node.set));
        break;
      case 'sequence':
        for (const part of backward ? [...node.parts].reverse() : node.parts) {
          this.add(part, backward);
        }
        break;
      case 'either':
        this.#either(node.choices, backward);
        break;
      case 'repeat':
        this.#repeat(node, backward);
        break;
      case 'look': {
        const look = this.emit(node.negated ? LOOK_NOT : LOOK);
        this.add(node.body, node.behind);
        this.emit(END);
        this.a[look] = this.codes.length;
      }
    }
  }

  #either(choices: readonly PatternNode[], backward: boolean): void {
    const jumps: number[] = [];
    for (const choice of choices.slice(0, -1)) {
      const split = this.emit(SPLIT, this.codes.length + 1);
      this.add(choice, backward);
      jumps.push(this.emit(JUMP));
      this.b[split] = this.codes.length;
    }
    this.add(choices.at(-1)!, backward);
    for (const jump of jumps) this.a[jump] = this.codes.length;
  }

  #repeat(node: PatternNode & { kind: 'repeat' }, backward: boolean): void {
    const { body, least, most, lazy } = node;
    for (let i = 0; i < least; i++) this.add(body, backward);
    if (most === Number.POSITIVE_INFINITY) {
      if (body.kind === 'set' && !lazy && !backward) {
        this.emit(RUN, this.#index(body.set), this.runs++);
        return;
      }
      const split = this.emit(SPLIT);
      this.add(body, backward);
      this.emit(JUMP, split);
      this.#branch(split, lazy);
      return;
    }
    const splits: number[] = [];
    for (let i = least; i < most; i++) {
      splits.push(this.emit(SPLIT));
      this.add(body, backward);
    }
    for (const split of splits) this.#branch(split, lazy);
  }

  /** From `split` into the body behind it, or to here. */
  #branch(split: number, lazy: boolean): void {
    const [into, past] = [split + 1, this.codes.length];
    [this.a[split], this.b[split]] = lazy ? [past, into] : [into, past];
  }

  #index(set: CharacterSet): number {
    const known = this.sets.indexOf(set);
    return known < 0 ? this.sets.push(set) - 1 : known;
  }
}
