// Which format each tensor gets. A recipe is one global scheme and overrides by path or kind; the last
// override that matches wins and replaces the whole scheme. The words are Core ML's.

import { OptionError, UnsupportedError } from '../errors.js';
import { PALETTE_ROWS } from '../formats.js';
import { describe } from '../model/json_fields.js';

/** Matrices by their place in the model. A tied tensor is `embed`. */
export type TensorKind = 'embed' | 'head' | 'attention' | 'mlp';

/** The tensor keeps its floats, bit for bit. */
export interface NoScheme {
  readonly type: 'none';
}

/** w = scale * q + bias per block of 32 along k; symmetric without bias: w = scale * (q - 2^(bits-1)). */
export interface LinearScheme {
  readonly type: 'linear';
  readonly bits: 4 | 8;
  readonly symmetric: boolean;
}

/** w = scale * lut[index]: one table of 16 int8 entries per 16 output channels, one scale per channel. */
export interface PaletteScheme {
  readonly type: 'palettize';
  readonly bits: 4;
}

export type PackedScheme = LinearScheme | PaletteScheme;
export type Scheme = NoScheme | PackedScheme;

export interface Override {
  /** Path pattern; `*` stands for any characters, dots too. */
  readonly match?: string;
  readonly kind?: TensorKind;
  readonly scheme: Scheme;
}

export interface Recipe {
  readonly global: Scheme;
  readonly overrides: readonly Override[];
}

/** The short names of `--scheme`. */
export const SCHEMES: ReadonlyMap<string, Recipe> = new Map([
  ['int8', linearRecipe(8, true)],
  ['int4', linearRecipe(4, true)],
  ['int4-asym', linearRecipe(4, false)],
  ['palettize4', { global: { type: 'palettize', bits: 4 }, overrides: [] }],
]);

const KINDS: readonly string[] = ['embed', 'head', 'attention', 'mlp'];
const KNOWN_TYPES = ['linear', 'palettize', 'prune', 'none'];
const BLOCK_SIZE = 32;

function linearRecipe(bits: 4 | 8, symmetric: boolean): Recipe {
  return { global: { type: 'linear', bits, symmetric }, overrides: [] };
}

/**
 * The recipe of a short name (`int8`, `int4`, `int4-asym`, `palettize4`).
 * @throws OptionError for a name that does not exist
 */
export function schemeRecipe(name: string): Recipe {
  const recipe = SCHEMES.get(name);
  if (recipe) return recipe;
  throw new OptionError(`[scheme] expected ${[...SCHEMES.keys()].join(', ')}, came "${name}"`);
}

/**
 * Checks the JSON form of a recipe: `{ global: {...}, overrides: [{ match?, kind?, ... }] }`.
 * @throws OptionError if it is no recipe, UnsupportedError by name for schemes that cannot be made yet.
 */
export function parseRecipe(json: unknown): Recipe {
  const recipe = record(json, 'recipe');
  for (const key of Object.keys(recipe)) {
    if (key !== 'global' && key !== 'overrides') {
      throw new OptionError(`[recipe] expected global and overrides, came "${key}"`);
    }
  }
  const overrides = recipe.overrides ?? [];
  if (!Array.isArray(overrides)) {
    throw new OptionError(`[recipe] overrides: expected an array, came ${typeof overrides}`);
  }
  return {
    global: recipe.global === undefined ? { type: 'none' } : parseScheme(recipe.global, 'global'),
    overrides: overrides.map((entry, i) => parseOverride(entry, `overrides[${i}]`)),
  };
}

/** The kind of a matrix by its path, null if the path names none of the known places. */
export function tensorKind(path: string): TensorKind | null {
  if (path === 'lm_head') return 'head';
  if (path.endsWith('embed_tokens')) return 'embed';
  if (path.includes('.self_attn.')) return 'attention';
  if (path.includes('.mlp.')) return 'mlp';
  return null;
}

/** The scheme of the tensor at `path`: the last override that matches, else the global one. */
export function schemeFor(recipe: Recipe, path: string): Scheme {
  const kind = tensorKind(path);
  for (let i = recipe.overrides.length - 1; i >= 0; i--) {
    const override = recipe.overrides[i] as Override;
    if (override.kind !== undefined && override.kind !== kind) continue;
    if (override.match !== undefined && !matches(override.match, path)) continue;
    return override.scheme;
  }
  return recipe.global;
}

/** Whether `path` matches `pattern`, in which `*` stands for any characters. Linear in both lengths' product. */
function matches(pattern: string, path: string): boolean {
  const pieces = pattern.split('*');
  const first = pieces[0] as string;
  const last = pieces[pieces.length - 1] as string;
  if (pieces.length === 1) return pattern === path;
  if (!path.startsWith(first) || !path.endsWith(last)) return false;
  if (path.length < first.length + last.length) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = path.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= path.length - last.length;
}

function parseOverride(json: unknown, where: string): Override {
  const { match, kind, ...scheme } = record(json, where);
  if (match === undefined && kind === undefined) {
    throw new OptionError(`[recipe] ${where}: expected match or kind, came neither`);
  }
  if (match !== undefined && typeof match !== 'string') {
    throw new OptionError(`[recipe] ${where}.match: expected a string, came ${typeof match}`);
  }
  if (kind !== undefined && !KINDS.includes(kind as string)) {
    throw new OptionError(
      `[recipe] ${where}.kind: expected ${KINDS.join(', ')}, came ${describe(kind)}`,
    );
  }
  return {
    ...(match === undefined ? {} : { match }),
    ...(kind === undefined ? {} : { kind: kind as TensorKind }),
    scheme: parseScheme(scheme, where),
  };
}

function parseScheme(json: unknown, where: string): Scheme {
  if (Array.isArray(json)) {
    throw new UnsupportedError(`[recipe] ${where}: joint schemes are not supported yet`);
  }
  const { type, ...rest } = record(json, where);
  if (typeof type !== 'string' || !KNOWN_TYPES.includes(type)) {
    throw new OptionError(
      `[recipe] ${where}.type: expected linear, palettize or none, came ${describe(type)}`,
    );
  }
  if (type === 'none') {
    expectOnly(rest, [], where);
    return { type: 'none' };
  }
  if (type === 'palettize') return parsePalette(rest, where);
  if (type !== 'linear') {
    throw new UnsupportedError(`[recipe] ${where}: type "${type}" is not supported yet`);
  }
  return parseLinear(rest, where);
}

function parseLinear(options: Record<string, unknown>, where: string): LinearScheme {
  expectOnly(options, ['dtype', 'granularity', 'block_size', 'mode'], where);
  const dtype = options.dtype ?? 'int8';
  if (typeof dtype !== 'string' || !/^u?int[2-8]$/.test(dtype)) {
    throw new OptionError(
      `[recipe] ${where}.dtype: expected int4 or int8, came ${describe(dtype)}`,
    );
  }
  if (dtype !== 'int4' && dtype !== 'int8') {
    throw new UnsupportedError(`[recipe] ${where}: dtype "${dtype}" is not supported yet`);
  }
  const granularity = options.granularity ?? 'per_block';
  if (granularity !== 'per_block') {
    throw new UnsupportedError(
      `[recipe] ${where}: granularity ${describe(granularity)} is not supported yet, per_block is`,
    );
  }
  const blockSize = options.block_size ?? BLOCK_SIZE;
  if (blockSize !== BLOCK_SIZE) {
    throw new UnsupportedError(
      `[recipe] ${where}: block_size ${describe(blockSize)} is not supported yet, ${BLOCK_SIZE} is`,
    );
  }
  const mode = options.mode ?? 'linear_symmetric';
  if (mode !== 'linear_symmetric' && mode !== 'linear') {
    throw new OptionError(
      `[recipe] ${where}.mode: expected linear_symmetric or linear, came ${describe(mode)}`,
    );
  }
  return { type: 'linear', bits: dtype === 'int4' ? 4 : 8, symmetric: mode === 'linear_symmetric' };
}

/** Core ML's options and defaults, of which one combination is supported. */
function parsePalette(options: Record<string, unknown>, where: string): PaletteScheme {
  const { mode, nbits, granularity, group_size: groupSize, ...rest } = options;
  const { enable_per_channel_scale: scaled, ...others } = rest;
  expectOnly(others, [], where);
  const supported: [string, unknown, unknown][] = [
    ['mode', mode ?? 'kmeans', 'kmeans'],
    ['nbits', nbits, 4],
    ['granularity', granularity ?? 'per_tensor', 'per_grouped_channel'],
    ['group_size', groupSize, PALETTE_ROWS],
    ['enable_per_channel_scale', scaled ?? false, true],
  ];
  for (const [key, came, only] of supported) {
    if (came === only) continue;
    throw new UnsupportedError(
      `[recipe] ${where}: ${key} ${describe(came)} is not supported yet, ${describe(only)} is`,
    );
  }
  return { type: 'palettize', bits: 4 };
}

function expectOnly(options: Record<string, unknown>, names: readonly string[], where: string) {
  for (const key of Object.keys(options)) {
    if (!names.includes(key)) throw new OptionError(`[recipe] ${where}: unknown key "${key}"`);
  }
}

function record(json: unknown, where: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new OptionError(`[recipe] ${where}: expected an object, came ${describe(json)}`);
  }
  return json as Record<string, unknown>;
}
