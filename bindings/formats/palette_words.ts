// Palettes in words: Core ML's, as config.json and recipes have them, and the names that `inspect` prints.

import { FLOATS_NAME, parseActivations } from './activations.js';
import type { FieldReader } from './codec.js';
import { expectOneOf, expectOnlyKeys } from './expect.js';
import { ALL, type ScaleFormat, type WeightFormat } from './format.js';
import { entryOf, entryType, LUT_ENTRIES } from './lut_entry.js';
import {
  CLUSTER_DIMS,
  DEFAULT_ROWS,
  MAX_TABLE_ROWS,
  PALETTE_BITS,
  PALETTE_BLOCKS,
  PALETTE_GRANULARITIES,
  paletteFormat,
} from './palette.js';

const KEYS = [
  'type',
  'bits',
  'granularity',
  'group_size',
  'cluster_dim',
  'lut_dtype',
  'enable_per_channel_scale',
  'block_size',
  'activations',
  'in_features',
];
export function paletteName({ bits, lut, scale, activations }: WeightFormat): string {
  const { rows, entry, dim } = lut!;
  const group = rows === DEFAULT_ROWS ? '' : `-g${rows}`;
  const tables = rows === ALL ? '-tensor' : group;
  const vectors = dim === 1 ? '' : `-dim${dim}`;
  const isUsual = entry === (bits === 8 ? 'i8' : 'i7');
  const entries = isUsual ? '' : `-${entryType(entry).word}`;
  const floats = activations ? FLOATS_NAME : '';
  return `palettize${bits}${tables}${vectors}${entries}${scalesName(scale)}${floats}`;
}

function scalesName(scale: ScaleFormat | undefined): string {
  if (scale?.rows !== 1) return '-unscaled';
  return scale.k === ALL ? '' : `-b${scale.k}`;
}

export function paletteToJson({ bits, lut, scale, activations }: WeightFormat) {
  const { rows, entry, dim } = lut!;
  const granularity = rows === ALL ? 'per_tensor' : 'per_grouped_channel';
  return {
    bits,
    granularity,
    ...(rows !== ALL && { group_size: rows }),
    ...(dim > 1 && { cluster_dim: dim }),
    ...(entry !== 'i7' && { lut_dtype: entryType(entry).word }),
    enable_per_channel_scale: scale?.rows === 1 && scale.k === ALL,
    ...(scale && scale.k !== ALL && { block_size: scale.k }),
    ...(activations && { activations }),
  };
}

export function paletteFromJson(fields: FieldReader): WeightFormat {
  expectOnlyKeys(fields, KEYS, 'palettes');
  const bits = fields.integer('bits', 1, 16);
  expectOneOf(fields, 'bits', bits, PALETTE_BITS);
  const perChannel = fields.boolean('enable_per_channel_scale', false);
  const word = fields.string('lut_dtype', entryType('i7').word);
  expectOneOf(
    fields,
    'lut_dtype',
    word,
    LUT_ENTRIES.map((type) => type.word),
  );
  const dim = fields.integer('cluster_dim', 1, Number.MAX_SAFE_INTEGER, 1);
  expectOneOf(fields, 'cluster_dim', dim, CLUSTER_DIMS);
  const options = { perChannel, entry: entryOf(word)!, dim, rows: parseRows(fields, dim) };
  const format = paletteFormat(bits, { ...options, ...parseBlock(fields, perChannel) });
  return parseActivations(fields, format);
}

function parseRows(fields: FieldReader, dim: number): number {
  const granularity = fields.string('granularity');
  expectOneOf<string>(fields, 'granularity', granularity, PALETTE_GRANULARITIES);
  if (granularity === 'per_tensor') {
    if (fields.has('group_size')) throw fields.wrong('group_size', `nothing, ${granularity}`);
    return ALL;
  }
  const rows = fields.integer('group_size', 1, MAX_TABLE_ROWS);
  if (rows % dim !== 0) throw fields.wrong('group_size', `a multiple of cluster_dim ${dim}`);
  return rows;
}

function parseBlock(fields: FieldReader, perChannel: boolean): { block?: number } {
  if (!fields.has('block_size')) return {};
  if (perChannel) throw fields.wrong('block_size', 'nothing with enable_per_channel_scale');
  const block = fields.integer('block_size', 1, Number.MAX_SAFE_INTEGER);
  expectOneOf(fields, 'block_size', block, PALETTE_BLOCKS);
  return { block };
}
