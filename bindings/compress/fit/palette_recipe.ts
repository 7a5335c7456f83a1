// Palettes in the words of a recipe: Core ML's options and defaults.

import { ALL, type LutEntry } from '../../formats/format.js';
import { entryBits, entryOf } from '../../formats/lut_entry.js';
import {
  CLUSTER_DIMS,
  MAX_TABLE_ROWS,
  PALETTE_BITS,
  PALETTE_BLOCKS,
  PALETTE_GRANULARITIES,
  paletteFormat,
} from '../../formats/palette.js';
import { parseCustom } from './custom_recipe.js';
import type { PackedScheme } from './fit.js';
import { expectKeys, type Wrong, wrongIn } from './options.js';

const KEYS = [
  'mode',
  'nbits',
  'granularity',
  'group_size',
  'cluster_dim',
  'lut',
  'lut_dtype',
  'enable_per_channel_scale',
  'block_size',
];
const MODES = ['kmeans', 'uniform', 'unique', 'custom'];
const LUT_DTYPES = ['int8', 'float16', 'float32'];
/** Core ML's. */
const DEFAULT_GROUP = 32;

type Options = Readonly<Record<string, unknown>>;

export function parsePalette(options: Options, where: string): Omit<PackedScheme, 'type'> {
  expectKeys(options, KEYS, where);
  const wrong = wrongIn(options, where);
  const { nbits, mode = 'kmeans', enable_per_channel_scale: perChannel = false } = options;
  if (!MODES.includes(mode as string)) throw wrong('mode', MODES.join(', '));
  const bits = PALETTE_BITS.find((width) => width === nbits);
  if (bits === undefined) throw wrong('nbits', PALETTE_BITS.join(', '));
  if (typeof perChannel !== 'boolean') throw wrong('enable_per_channel_scale', 'true or false');
  const dim = parseDim(options, mode as string, wrong);
  const rows = parseRows(options, dim, wrong);
  const asked = parseEntry(options, wrong);
  if (mode === 'custom') {
    if (rows !== ALL)
      throw wrong('granularity', 'per_tensor with mode custom, which has one table');
    const block = parseBlock(options, perChannel, wrong);
    const { entry, table } = parseCustom(options, bits, asked, wrong);
    if (typeof options.lut === 'string' && !perChannel && block === ALL) {
      throw wrong('lut', 'numbers, or block_size or enable_per_channel_scale beside a name');
    }
    const format = paletteFormat(bits, { rows, perChannel, block, entry });
    return { format, tables: { mode, table } };
  }
  for (const key of ['lut', 'block_size']) {
    if (options[key] !== undefined) throw wrong(key, `nothing with mode ${mode}`);
  }
  const entry = asked ?? usualEntry(mode as string, dim);
  if (mode === 'unique' && entryBits(entry ?? 'i7') > 0) {
    throw wrong('lut_dtype', 'float16 or float32 with mode unique, which is exact');
  }
  const format = paletteFormat(bits, { rows, perChannel, dim, ...(entry && { entry }) });
  return mode === 'kmeans'
    ? { format }
    : { format, tables: { mode: mode as 'uniform' | 'unique' } };
}

/** Undefined: as the bits have it. */
function usualEntry(mode: string, dim: number): LutEntry | undefined {
  if (mode === 'unique') return 'f32';
  return dim > 1 ? 'i8' : undefined;
}

function parseEntry({ lut_dtype: word }: Options, wrong: Wrong): LutEntry | undefined {
  if (word === undefined) return undefined;
  if (!LUT_DTYPES.includes(word as string)) throw wrong('lut_dtype', LUT_DTYPES.join(', '));
  return entryOf(word as string);
}

function parseDim({ cluster_dim: came = 1 }: Options, mode: string, wrong: Wrong): number {
  const dim = CLUSTER_DIMS.find((one) => one === came);
  if (dim === undefined) throw wrong('cluster_dim', CLUSTER_DIMS.join(', '));
  if (dim > 1 && mode !== 'kmeans') throw wrong('cluster_dim', `1 with mode ${mode}`);
  return dim;
}

function parseRows(options: Options, dim: number, wrong: Wrong): number {
  const { granularity = 'per_tensor', group_size: came } = options;
  if (granularity === 'per_tensor') {
    if (came === undefined) return ALL;
    throw wrong('group_size', `nothing with granularity ${granularity}`);
  }
  if (granularity !== 'per_grouped_channel') {
    throw wrong('granularity', PALETTE_GRANULARITIES.join(' or '));
  }
  const rows = came ?? DEFAULT_GROUP;
  if (!Number.isInteger(rows) || (rows as number) < 1 || (rows as number) > MAX_TABLE_ROWS) {
    throw wrong('group_size', `an integer from 1 to ${MAX_TABLE_ROWS}`);
  }
  if ((rows as number) % dim !== 0) throw wrong('group_size', `a multiple of cluster_dim ${dim}`);
  return rows as number;
}

function parseBlock(options: Options, perChannel: boolean, wrong: Wrong): number {
  const { block_size: block } = options;
  if (block === undefined) return ALL;
  if (perChannel) throw wrong('block_size', 'nothing with enable_per_channel_scale');
  if (!PALETTE_BLOCKS.includes(block as number))
    throw wrong('block_size', PALETTE_BLOCKS.join(', '));
  return block as number;
}
