// What rendering a chat template may take. The template comes with a model, so it may be hostile.

import { FormatError } from '../errors.js';

/** Above what 5000 messages of 3,000,000 characters together take: 3,000,000 steps, 20 evaluations deep. */
export const TEMPLATE_LIMITS = {
  /** Characters of the template. */
  templateLength: 2 ** 18,
  /** Blanks in a row in the template: the lexer's time grows with their square. */
  blanksInARow: 1000,
  /** Evaluations that lie within each other. */
  depth: 200,
  /** A step is an evaluation, or work of that length, such as writing eight characters. */
  steps: 5_000_000,
  /** Characters of any text that is made on the way. */
  textLength: 2 ** 23,
  /** Where a clock runs; steps are enough where it stands still while code runs. */
  milliseconds: 10_000,
} as const;

export type TemplateLimits = { readonly [K in keyof typeof TEMPLATE_LIMITS]: number };

/** Steps between two looks at the clock. */
const STEPS_PER_LOOK = 5000;

/** Counts down for one rendering. Every method throws FormatError when a limit is passed. */
export class TemplateBudget {
  readonly #limits: TemplateLimits;
  readonly #started = performance.now();
  #steps = 0;
  #nextLook = STEPS_PER_LOOK;
  #depth = 0;

  constructor(limits: TemplateLimits) {
    this.#limits = limits;
  }

  checkTemplate(template: string): void {
    check(template.length, this.#limits.templateLength, 'characters');
    for (const [blanks] of template.matchAll(/\s+/g)) {
      check(blanks.length, this.#limits.blanksInARow, 'blanks in a row');
    }
  }

  /** An evaluation begins; `leave` when it has ended. */
  enter(): void {
    check(++this.#depth, this.#limits.depth, 'evaluations within each other');
    this.spend(1);
  }

  leave(): void {
    this.#depth--;
  }

  spend(steps: number): void {
    this.#steps += steps;
    check(this.#steps, this.#limits.steps, 'steps');
    if (this.#steps < this.#nextLook) return;
    this.#nextLook = this.#steps + STEPS_PER_LOOK;
    check(performance.now() - this.#started, this.#limits.milliseconds, 'milliseconds');
  }

  /** A text of `length` characters is made, or is about to be. */
  checkText(length: number): void {
    check(length, this.#limits.textLength, 'characters in a text');
  }
}

function check(count: number, most: number, what: string): void {
  // Written so that NaN is too much.
  if (count <= most) return;
  throw new FormatError(
    `[chat template] expected at most ${most} ${what}, came ${Math.ceil(count)}`,
  );
}
