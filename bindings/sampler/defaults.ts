// How a model's authors want it sampled: generation_config.json.

import { JsonFields, parseJsonObject } from '../model/json_fields.js';
import { RANGES, type Range } from './ranges.js';
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
  const read = (key: string, { holds, expected }: Range) => {
    const value = fields.get(key);
    if (value === undefined || holds(value)) return value as number | undefined;
    throw fields.wrong(key, expected);
  };
  return {
    temperature: read('temperature', RANGES.temperature),
    topK: read('top_k', RANGES.topK),
    topP: read('top_p', RANGES.topP),
    minP: read('min_p', RANGES.minP),
    repetitionPenalty: read('repetition_penalty', RANGES.repetitionPenalty),
  };
}
