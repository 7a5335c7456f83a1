// A subject is something that reads what strangers wrote: it makes a valid input, spoils it in named ways, and
// runs it. A case is one such input; its seed and its number say all about it.

import { TestRandom } from '../support/random.js';
import type { Verdict } from './verdict.js';

/** One way to spoil an input, in place. */
export interface Damage<T> {
  readonly name: string;
  apply(input: T, random: TestRandom): void;
}

export interface SubjectSpec<T> {
  readonly kind: string;
  /** How often it is drawn, against the others. */
  readonly share: number;
  readonly damages: readonly Damage<T>[];
  make(random: TestRandom): T;
  /** @param spoiled whether any damage was done: what was not must be accepted, if `run` says so */
  run(input: T, random: TestRandom, spoiled: boolean): Promise<Verdict>;
  /** The input for a report. */
  show(input: T): string;
}

/** One input, made and spoiled. */
export interface Trial {
  run(): Promise<Verdict>;
  show(): string;
}

export interface Subject {
  readonly kind: string;
  readonly share: number;
  readonly damages: readonly string[];
  prepare(one: Case): Trial;
}

export interface Case {
  readonly kind: string;
  readonly makeSeed: number;
  readonly runSeed: number;
  /** Each has a seed of its own, so that leaving one out changes no other. */
  readonly damages: readonly { readonly index: number; readonly seed: number }[];
}

/** Damages of a case: mostly one, as the second is rarely reached. */
const DAMAGE_COUNTS = [0, 1, 1, 1, 1, 1, 2, 2, 3, 4];

/** A subject whose type of input nobody else needs to know. */
export function subject<T>(spec: SubjectSpec<T>): Subject {
  return {
    kind: spec.kind,
    share: spec.share,
    damages: spec.damages.map(({ name }) => name),
    prepare({ makeSeed, runSeed, damages }) {
      const input = spec.make(new TestRandom(makeSeed));
      for (const { index, seed } of damages) {
        spec.damages[index]!.apply(input, new TestRandom(seed));
      }
      const spoiled = damages.length > 0;
      return {
        run: () => spec.run(input, new TestRandom(runSeed), spoiled),
        show: () => spec.show(input),
      };
    },
  };
}

/** Case `number` of the run with that seed. */
export function drawCase(subjects: readonly Subject[], seed: number, number: number): Case {
  const random = new TestRandom(new TestRandom(seed).uint32() ^ Math.imul(number, 0x9e3779b1));
  const { kind, damages } = pick(random, subjects.flatMap(timesShare));
  const count = damages.length === 0 ? 0 : pick(random, DAMAGE_COUNTS);
  return {
    kind,
    makeSeed: random.uint32(),
    runSeed: random.uint32(),
    damages: Array.from({ length: count }, () => ({
      index: random.below(damages.length),
      seed: random.uint32(),
    })),
  };
}

function timesShare(one: Subject): Subject[] {
  return new Array<Subject>(one.share).fill(one);
}

export function pick<T>(random: TestRandom, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!;
}

/** True once in `times`. */
export function oneIn(random: TestRandom, times: number): boolean {
  return random.below(times) === 0;
}

/** A generator that draws the same each time it is asked for: for edits that are applied more than once. */
export function repeatable(random: TestRandom): () => TestRandom {
  const seed = random.uint32();
  return () => new TestRandom(seed);
}
