// What config.json says about compressed weights. Two writers are understood:
//
//   "quantization": { "group_size": 32, "bits": 4, "mode": "affine", "<path>": { ... } | false }      MLX
//   "quantization_config": { "quant_method": "halfbyte", "version": 1, "tensors": { "<path>":
//     { "type": "linear", "bits": 4, "group_size": 32, "symmetric": true, "in_features": k } |
//     { "type": "palettize", "bits": 4, "granularity": "per_grouped_channel", "group_size": 16,
//       "enable_per_channel_scale": true, "in_features": k } } }                                      ours
//
// MLX repeats its object as `quantization_config`, without a quant_method; both must mean the same.

import { FormatError, UnsupportedError } from '../errors.js';
import { GROUP_SIZE, PALETTE_ROWS } from '../formats.js';
import { describe, JsonFields, type JsonObject } from './json_fields.js';

const METHOD = 'halfbyte';
const VERSION = 1;
/** As for the widths of a config. */
const MAX_FEATURES = 1 << 20;

const PALETTE_KEYS: readonly string[] = [
  'type',
  'bits',
  'granularity',
  'group_size',
  'enable_per_channel_scale',
  'in_features',
];

/** How one packed weight is meant to be read. */
export type PackedMeaning = LinearMeaning | PaletteMeaning;

export interface PaletteMeaning {
  readonly kind: 'palette';
  readonly bits: 4;
  readonly inFeatures: number;
}

export interface LinearMeaning {
  readonly kind: 'linear';
  readonly bits: 4 | 8;
  readonly symmetric: boolean;
  /** k, where the metadata has it; rows are padded to whole groups. */
  readonly inFeatures: number | null;
}

export interface Quantization {
  /** For messages: the config key that says so. */
  readonly key: string;
  /** What the weight at `path` must be: null if it must be floats. */
  meaning(path: string): PackedMeaning | null;
  /** Paths that must be packed; empty where the metadata names none. */
  readonly paths: readonly string[];
}

/** MLX's affine is always linear. */
interface MlxQuantization extends Quantization {
  meaning(path: string): LinearMeaning | null;
  /** Modules that it says something of. */
  readonly named: readonly string[];
}

/**
 * Reads the quantization keys of config.json; null if there are none.
 * @throws UnsupportedError for other methods and schemes, by name; FormatError for fields that are
 *   wrong
 */
export function parseQuantization(config: JsonObject, name: string): Quantization | null {
  const fields = new JsonFields(config, name);
  const mlx = fields.object('quantization');
  const common = fields.object('quantization_config');
  if (common?.has('quant_method')) {
    const method = common.string('quant_method');
    if (method !== METHOD) {
      throw new UnsupportedError(
        `${common.at('quant_method')}: ${method} is not supported, only ${METHOD} and MLX's affine`,
      );
    }
    if (mlx) {
      const both = `expected one of quantization and quantization_config, came both`;
      throw new FormatError(`[${name}] ${both}`);
    }
    return parseOurs(common);
  }
  const repeated = common && parseMlx(common, 'quantization_config');
  if (!mlx) return repeated;
  const parsed = parseMlx(mlx, 'quantization');
  if (repeated) checkSame(parsed, repeated, name);
  return parsed;
}

/** Compares what is said of every module that one of the two names, and of all others. */
function checkSame(expected: MlxQuantization, came: MlxQuantization, name: string): void {
  const text = (meaning: LinearMeaning | null) => (meaning ? `${meaning.bits} bits` : 'floats');
  for (const path of ['', ...expected.named, ...came.named]) {
    const [first, second] = [expected, came].map((one) => text(one.meaning(path)));
    if (first === second) continue;
    throw new FormatError(
      `[${name}] quantization_config: expected ${first} for ${path || 'all weights'} as in ` +
        `quantization, came ${second}`,
    );
  }
}

function parseOurs(fields: JsonFields): Quantization {
  const version = fields.integer('version', 1, Number.MAX_SAFE_INTEGER);
  if (version !== VERSION) {
    const reads = `this halfbyte reads version ${VERSION}`;
    throw new UnsupportedError(`${fields.at('version')}: ${version}, ${reads}`);
  }
  const tensors = fields.object('tensors');
  if (!tensors) throw fields.wrong('tensors', 'an object');
  const meanings = new Map<string, PackedMeaning>();
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

function parseTensor(tensor: JsonFields): PackedMeaning {
  const type = tensor.string('type');
  const inFeatures = tensor.integer('in_features', 1, MAX_FEATURES);
  if (type === 'palettize') {
    for (const key of tensor.keys()) {
      if (PALETTE_KEYS.includes(key)) continue;
      throw new UnsupportedError(`${tensor.at(key)}: not understood, palettes have no such option`);
    }
    expectOnly(tensor, 'bits', tensor.integer('bits', 1, 16), 4);
    expectOnly(tensor, 'granularity', tensor.string('granularity'), 'per_grouped_channel');
    const groupSize = tensor.integer('group_size', 1, MAX_FEATURES);
    expectOnly(tensor, 'group_size', groupSize, PALETTE_ROWS);
    const scaled = tensor.boolean('enable_per_channel_scale', false);
    expectOnly(tensor, 'enable_per_channel_scale', scaled, true);
    return { kind: 'palette', bits: 4, inFeatures };
  }
  if (type !== 'linear') {
    const only = 'only linear and palettize';
    throw new UnsupportedError(`${tensor.at('type')}: ${type} is not supported, ${only}`);
  }
  if (!tensor.has('symmetric')) throw tensor.wrong('symmetric', 'true or false');
  const symmetric = tensor.boolean('symmetric', false);
  return { kind: 'linear', bits: parseBits(tensor), symmetric, inFeatures };
}

function expectOnly<T>(fields: JsonFields, key: string, came: T, only: T): void {
  if (came === only) return;
  throw new UnsupportedError(`${fields.at(key)}: ${came} is not supported, only ${only}`);
}

/** Modules may have an object of their own, or `false`; whether another is packed, its scales tell. */
function parseMlx(fields: JsonFields, key: string): MlxQuantization {
  const rest: LinearMeaning = {
    kind: 'linear',
    bits: parseBits(fields),
    symmetric: false,
    inFeatures: null,
  };
  const meanings = new Map<string, LinearMeaning | null>();
  for (const path of fields.keys()) {
    const value = fields.get(path);
    if (['group_size', 'bits', 'mode'].includes(path) || value === undefined) continue;
    if (value === false) {
      meanings.set(path, null);
      continue;
    }
    const module = typeof value === 'object' ? fields.object(path) : null;
    if (!module) {
      throw new UnsupportedError(`${fields.at(path)}: ${describe(value)} is not understood`);
    }
    meanings.set(path, { ...rest, bits: parseBits(module) });
  }
  return {
    key,
    meaning: (path) => (meanings.has(path) ? meanings.get(path)! : rest),
    named: [...meanings.keys()],
    paths: [...meanings].flatMap(([path, meaning]) => (meaning ? [path] : [])),
  };
}

/** `bits`, beside the only group size and mode that are supported. */
function parseBits(fields: JsonFields): 4 | 8 {
  expectOnly(fields, 'group_size', fields.integer('group_size', 1, MAX_FEATURES), GROUP_SIZE);
  expectOnly(fields, 'mode', fields.string('mode', 'affine'), 'affine');
  const bits = fields.integer('bits', 1, 16);
  if (bits !== 4 && bits !== 8) {
    throw new UnsupportedError(`${fields.at('bits')}: ${bits} is not supported, only 4 and 8`);
  }
  return bits;
}
