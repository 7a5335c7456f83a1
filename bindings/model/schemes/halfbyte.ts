// Our own metadata, which names every packed tensor:
//
//   "quantization_config": { "quant_method": "halfbyte", "version": 1, "tensors": { "<path>":
//     { "type": "linear", "bits": 4, "group_size": 32, "symmetric": true, "in_features": k } |
//     { "type": "palettize", "bits": 4, "granularity": "per_grouped_channel", "group_size": 16,
//       "enable_per_channel_scale": true, "in_features": k } } }
//
// What a type's fields mean, its codec says (formats/).

import { UnsupportedError } from '../../errors.js';
import { codecOf, PACKED_CODECS } from '../../formats/codecs.js';
import type { WeightFormat } from '../../formats/format.js';
import type { JsonFields } from '../json_fields.js';
import type { Meaning, Quantization } from './quantization.js';

export const METHOD = 'halfbyte';
const VERSION = 1;
/** As for the widths of a config. */
const MAX_FEATURES = 1 << 20;

export function parseHalfbyte(fields: JsonFields): Quantization {
  const version = fields.integer('version', 1, Number.MAX_SAFE_INTEGER);
  if (version !== VERSION) {
    const reads = `this halfbyte reads version ${VERSION}`;
    throw new UnsupportedError(`${fields.at('version')}: ${version}, ${reads}`);
  }
  const tensors = fields.object('tensors');
  if (!tensors) throw fields.wrong('tensors', 'an object');
  const meanings = new Map<string, Meaning>();
  for (const path of tensors.keys()) {
    const tensor = tensors.object(path);
    if (!tensor) throw tensors.wrong(path, 'an object');
    meanings.set(path, parseTensor(tensor));
  }
  return {
    key: 'quantization_config.tensors',
    meaning: (path) => meanings.get(path) ?? null,
    paths: [...meanings.keys()],
  };
}

function parseTensor(tensor: JsonFields): Meaning {
  const type = tensor.string('type');
  const inFeatures = tensor.integer('in_features', 1, MAX_FEATURES);
  const codec = PACKED_CODECS.get(type);
  if (codec) return { format: codec.parse(tensor), inFeatures };
  const only = `only ${[...PACKED_CODECS.keys()].join(' and ')}`;
  throw new UnsupportedError(`${tensor.at('type')}: ${type} is not supported, ${only}`);
}

/** The keys of config.json for packed weights; the reverse of `parseHalfbyte`. */
export function halfbyteKeys(
  packed: Iterable<{ readonly path: string; readonly k: number; readonly format: WeightFormat }>,
): Record<string, unknown> {
  const tensors: Record<string, unknown> = {};
  for (const { path, k, format } of packed) {
    const codec = codecOf(format);
    tensors[path] = { type: codec.type, ...codec.toJson(format), in_features: k };
  }
  return { quantization_config: { quant_method: METHOD, version: VERSION, tensors } };
}
