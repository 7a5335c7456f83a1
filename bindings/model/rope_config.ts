// The rope of a config: `rope_theta` and `rope_scaling`, or both in one as `rope_parameters`.

import { FormatError, UnsupportedError } from '../errors.js';
import type { JsonFields } from './json_fields.js';

/** Stretching of the rope frequencies beyond the trained context (config key `rope_scaling`). */
export type RopeScaling =
  | { readonly type: 'linear'; readonly factor: number }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalContext: number;
    };

export interface RopeSpec {
  readonly theta: number;
  /** halves: pairs (i, i + d/2); interleaved: pairs (2i, 2i + 1). */
  readonly style: 'halves' | 'interleaved';
  readonly scaling: RopeScaling | null;
}

/** Hugging Face's value where a Llama config has none. */
const DEFAULT_THETA = 10000;
/** Below it, later pairs of a head would turn faster than the first, to infinity. */
const MIN_THETA = 1;
const MAX_THETA = 1e12;
/** Scaling stretches the context. */
const MIN_FACTOR = 1;
const MAX_FACTOR = 1e4;

/**
 * @param maxContext most positions a config may name
 * @throws UnsupportedError for a kind of scaling other than linear and llama3, FormatError for a value out of
 *   range and for keys that contradict each other
 */
export function parseRope(fields: JsonFields, maxContext: number): RopeSpec {
  const parameters = fields.object('rope_parameters');
  for (const one of [fields, parameters]) checkPartial(one);
  const theta = (from: JsonFields | null) =>
    from?.has('rope_theta') ? from.number('rope_theta', MIN_THETA, MAX_THETA) : undefined;
  const scaling = (from: JsonFields | null) => (from ? parseScaling(from, maxContext) : undefined);
  const old = fields.object('rope_scaling');
  return {
    theta: agreed(theta(fields), theta(parameters), fields.at('rope_theta')) ?? DEFAULT_THETA,
    style: 'halves',
    scaling: agreed(scaling(old), scaling(parameters), fields.at('rope_scaling')) ?? null,
  };
}

/** The one value of an old key and of `rope_parameters`; undefined: not there. */
function agreed<T>(old: T | undefined, parameter: T | undefined, where: string): T | undefined {
  if (old === undefined) return parameter;
  const [came, expected] = [old, parameter].map((value) => JSON.stringify(value));
  if (parameter === undefined || came === expected) return old;
  throw new FormatError(`${where}: expected ${expected} as in rope_parameters, came ${came}`);
}

function parseScaling(fields: JsonFields, maxContext: number): RopeScaling | null {
  const key = fields.has('rope_type') ? 'rope_type' : 'type';
  // rope_parameters always stands, also for a plain rope that does not say so.
  if (!fields.has(key) && !fields.has('factor')) return null;
  const type = fields.string(key);
  if (type === 'default') return null;
  if (type === 'linear') return { type, factor: fields.number('factor', MIN_FACTOR, MAX_FACTOR) };
  if (type !== 'llama3') {
    throw new UnsupportedError(
      `${fields.at(key)}: ${type} is not supported, only linear and llama3`,
    );
  }
  const lowFreqFactor = fields.positive('low_freq_factor', MAX_FACTOR);
  const highFreqFactor = fields.positive('high_freq_factor', MAX_FACTOR);
  if (highFreqFactor <= lowFreqFactor) {
    const expected = `expected more than low_freq_factor ${lowFreqFactor}`;
    throw new FormatError(`${fields.at('high_freq_factor')}: ${expected}, came ${highFreqFactor}`);
  }
  return {
    type,
    factor: fields.number('factor', MIN_FACTOR, MAX_FACTOR),
    lowFreqFactor,
    highFreqFactor,
    originalContext: fields.integer('original_max_position_embeddings', 1, maxContext),
  };
}

/** Rope over a part of each head is another model. */
function checkPartial(fields: JsonFields | null): void {
  const part = fields?.get('partial_rotary_factor');
  if (!fields || part === undefined || part === 1) return;
  throw new UnsupportedError(
    `${fields.at('partial_rotary_factor')}: ${part} is not supported, only 1`,
  );
}
