// Which format each tensor gets. A recipe is one global scheme and overrides by path or kind; the last
// override that matches wins and replaces the whole scheme. The words are Core ML's.

import { OptionError } from '../errors.js';
import { formatName } from '../formats/codecs.js';
import { floatFormat, type WeightFormat } from '../formats/format.js';
import { linearFormat } from '../formats/linear.js';
import { paletteFormat } from '../formats/palette.js';
import { sparseFormat } from '../formats/sparse.js';
import { describe } from '../model/json_fields.js';
import type { Weight } from '../model/weight.js';
import type { Fit, PackedScheme } from './fit/fit.js';
import { FITS } from './fit/fits.js';
import { linearFit } from './fit/linear.js';
import { expectKeys, withActivations } from './fit/options.js';
import { defaultThreshold, parseOutlierThreshold } from './fit/outliers.js';
import { paletteFit } from './fit/palettize.js';
import { type Prune, parsePrune } from './fit/prune.js';
import { parseQuantizer } from './fit/quantizers.js';
import { parseJoint } from './joint.js';

/** Matrices by their place in the model. A tied tensor is `embed`. */
export type TensorKind = 'embed' | 'head' | 'attention' | 'mlp';

/** The tensor keeps its floats, bit for bit. */
export interface NoScheme {
  readonly type: 'none';
}

export type Scheme = NoScheme | PackedScheme;

/** Whether the tensor keeps its floats. */
export function isNone(scheme: Scheme): scheme is NoScheme {
  return scheme.type === 'none';
}

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

/** What the sparse short names prune: every second weight. */
const HALF: Prune = { by: 'sparsity', part: 0.5, block: 1, dim: 0 };

/** The short names of `--scheme`. */
export const SCHEMES: ReadonlyMap<string, Recipe> = new Map([
  ...[8, 6, 5, 4, 3, 2].map((bits) => named(linearFit, linearFormat(bits, true))),
  ...[4, 3, 2, 1].map((bits) => named(linearFit, linearFormat(bits, false))),
  ...[8, 6, 4, 3, 2, 1].map((bits) => named(paletteFit, paletteFormat(bits))),
  halved(linearFit, linearFormat(4, true)),
  halved(paletteFit, paletteFormat(4)),
]);

const KINDS: readonly string[] = ['embed', 'head', 'attention', 'mlp'];

function named(fit: Fit, format: WeightFormat): [name: string, Recipe] {
  const scheme = { type: fit.type, format };
  const global = { ...scheme, ...defaultThreshold(fit, scheme) };
  return [formatName(format), { global, overrides: [] }];
}

function halved(fit: Fit, values: WeightFormat): [name: string, Recipe] {
  const format = sparseFormat(values);
  return [formatName(format), { global: { type: fit.type, format, prune: HALF }, overrides: [] }];
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
  return recipe.overrides.findLast((override) => isMeant(override, path))?.scheme ?? recipe.global;
}

/**
 * @param weights of a model
 * @throws OptionError for an override that matches none of them, or, to compress, vectors only
 */
export function checkOverrides({ overrides }: Recipe, weights: readonly Weight[]): void {
  for (const [i, override] of overrides.entries()) {
    const meant = weights.filter(({ path }) => isMeant(override, path));
    if (meant.some(({ shape }) => shape.length === 2 || isNone(override.scheme))) continue;
    const { match, kind } = override;
    const words = [
      ...(match === undefined ? [] : [`match ${describe(match)}`]),
      ...(kind === undefined ? [] : [`kind ${describe(kind)}`]),
    ];
    const what = meant.length === 0 ? 'no weight of the model' : 'vectors only, which stay floats';
    throw new OptionError(`[recipe] overrides[${i}]: ${words.join(' and ')} matches ${what}`);
  }
}

function isMeant({ kind, match }: Override, path: string): boolean {
  if (kind !== undefined && kind !== tensorKind(path)) return false;
  return match === undefined || matches(match, path);
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
  const { match, kind, schemes, ...scheme } = record(json, where);
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
    scheme:
      schemes === undefined ? parseScheme(scheme, where) : parseSchemes(schemes, scheme, where),
  };
}

function parseScheme(json: unknown, where: string): Scheme {
  if (Array.isArray(json)) return parseJoint(json, parsePacked, where);
  const { type, ...rest } = record(json, where);
  if (type === 'none') {
    expectKeys(rest, [], where);
    return { type: 'none' };
  }
  if (type === 'prune') {
    const { weight_threshold, ...options } = rest;
    // Of the type that the floats have.
    const format = sparseFormat(floatFormat('f16'));
    return {
      type,
      format,
      prune: parsePrune(options, where),
      ...parseThreshold(weight_threshold, where),
    };
  }
  const fit = FITS.get(type as string);
  if (fit) {
    const { activations, fit: word, weight_threshold, outlier_threshold, ...options } = rest;
    const scheme = { type: fit.type, ...fit.parse(options, where) };
    const format = withActivations(scheme.format, activations, where);
    return {
      ...scheme,
      format,
      ...parseQuantizer(word, format, options.dtype, where),
      ...parseThreshold(weight_threshold, where),
      ...parseOutlierThreshold(outlier_threshold, fit, scheme, where),
    };
  }
  const types = [...FITS.keys(), 'prune'].join(', ');
  throw new OptionError(
    `[recipe] ${where}.type: expected ${types} or none, came ${describe(type)}`,
  );
}

function parsePacked(json: unknown, where: string): PackedScheme | null {
  const scheme = parseScheme(json, where);
  return isNone(scheme) ? null : scheme;
}

/** The array that stands in an override, which is an object. */
function parseSchemes(json: unknown, others: Record<string, unknown>, where: string): Scheme {
  expectKeys(others, [], where);
  if (Array.isArray(json)) return parseScheme(json, `${where}.schemes`);
  throw new OptionError(`[recipe] ${where}.schemes: expected an array, came ${describe(json)}`);
}

/** Core ML's `weight_threshold`, but without its default. */
function parseThreshold(value: unknown, where: string): Pick<PackedScheme, 'weightThreshold'> {
  if (value === undefined) return {};
  if (Number.isSafeInteger(value) && (value as number) >= 0) {
    return { weightThreshold: value as number };
  }
  const expected = `expected a whole number of weights, came ${describe(value)}`;
  throw new OptionError(`[recipe] ${where}.weight_threshold: ${expected}`);
}

function record(json: unknown, where: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new OptionError(`[recipe] ${where}: expected an object, came ${describe(json)}`);
  }
  return json as Record<string, unknown>;
}
