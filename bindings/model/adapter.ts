// A LoRA adapter is a directory much like a model's, without the model.

import { UnsupportedError } from '../errors.js';
import { describe, isJsonObject } from './json_fields.js';

/** Its config, beside which there is no config.json. */
export const ADAPTER_CONFIG = 'adapter_config.json';

/**
 * @param directory for the message
 * @param config text of adapter_config.json, which names the base model
 */
export function adapterRefusal(directory: string, config: string): UnsupportedError {
  const base = baseModel(config);
  const of = base === null ? '' : ` of ${describe(base)}`;
  const next = 'merge it into its base model (merge_and_unload() in PEFT), save that and load it';
  return new UnsupportedError(`[${directory}] is a LoRA adapter${of}, not supported yet; ${next}`);
}

function baseModel(config: string): string | null {
  try {
    const json: unknown = JSON.parse(config);
    const base = isJsonObject(json) ? json.base_model_name_or_path : null;
    return typeof base === 'string' ? base : null;
  } catch {
    // The directory is an adapter's, whatever the file says.
    return null;
  }
}
