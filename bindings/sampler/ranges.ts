// What each option of sampling may be: asked for options of callers and for generation_config.json alike.
//
// Within these, finite logits give finite probabilities, whatever their size: the core divides by the temperature
// in float32, where both it and its inverse must stay normal; a bias is below half a step of the largest float32,
// so no sum overflows; and where a penalty overflows, `penalizeRepetition` stops at the largest float32.

export interface Range {
  /** For messages. */
  readonly expected: string;
  holds(value: unknown): boolean;
}

const MIN_TEMPERATURE = 1e-6;
const MAX_TEMPERATURE = 1e6;
const MIN_PENALTY = 1e-3;
const MAX_PENALTY = 1e3;
const MAX_BIAS = 1e30;

export const RANGES = {
  temperature: {
    expected: `0, or a number from ${MIN_TEMPERATURE} to ${MAX_TEMPERATURE}`,
    holds: (value) => value === 0 || within(value, MIN_TEMPERATURE, MAX_TEMPERATURE),
  },
  topK: {
    expected: 'an integer, 0 or more',
    holds: isNatural,
  },
  topP: {
    expected: 'a number in (0, 1]',
    holds: (value) => within(value, Number.MIN_VALUE, 1),
  },
  minP: {
    expected: 'a number in [0, 1]',
    holds: (value) => within(value, 0, 1),
  },
  repetitionPenalty: {
    expected: `a number from ${MIN_PENALTY} to ${MAX_PENALTY}`,
    holds: (value) => within(value, MIN_PENALTY, MAX_PENALTY),
  },
  seed: {
    expected: 'an integer from 0 to 2^53 - 1',
    holds: isNatural,
  },
} as const satisfies Readonly<Record<string, Range>>;

/** Of one token's entry in `logitBias`. */
export const BIAS_RANGE: Range = {
  expected: `a number from -${MAX_BIAS} to ${MAX_BIAS}, or -Infinity`,
  holds: (value) => value === Number.NEGATIVE_INFINITY || within(value, -MAX_BIAS, MAX_BIAS),
};

/** Also of a token id. */
export function isNatural(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function within(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}
