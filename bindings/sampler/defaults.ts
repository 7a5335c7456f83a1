// How a model's authors want it sampled: generation_config.json.

import { JsonFields, parseJsonObject } from '../model/json_fields.js';
import type { SamplerOptions } from './sampler.js';

const FILE = 'generation_config.json';

/**
 * Sampling options of a generation_config.json; those it does not name keep `Sampler`'s defaults.
 * `do_sample: false` means temperature 0, whatever else it says.
 * @throws FormatError for a value of the wrong type or out of range
 */
export function samplerDefaults(generationConfig: string | null): SamplerOptions {
  if (generationConfig === null) return {};
  const fields = new JsonFields(parseJsonObject(generationConfig, FILE), FILE);
  if (!fields.boolean('do_sample', true)) return { temperature: 0 };
  const number = (key: string, least: number, most: number) => {
    const value = fields.get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= least && value <= most) return value;
    throw fields.wrong(key, `a number from ${least} to ${most}`);
  };
  return {
    temperature: number('temperature', 0, Number.MAX_VALUE),
    topK: fields.has('top_k') ? fields.integer('top_k', 0, Number.MAX_SAFE_INTEGER) : undefined,
    topP: fields.has('top_p') ? fields.positive('top_p', 1) : undefined,
    minP: number('min_p', 0, 1),
    repetitionPenalty: fields.has('repetition_penalty')
      ? fields.positive('repetition_penalty', Number.MAX_VALUE)
      : undefined,
  };
}
