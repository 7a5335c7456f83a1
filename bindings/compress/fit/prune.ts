// Which weights become zero, in Core ML's words: those of no more than a magnitude, which is given or such that a part
// of the tensor goes; whole blocks by their norm; or n of every m.

import { OptionError } from '../../errors.js';
import { describe } from '../../model/json_fields.js';
import { expectKeys } from './options.js';

/** 0: along output channels. 1: along k. */
type Dim = 0 | 1;

export type Prune =
  | { readonly by: 'threshold'; readonly threshold: number }
  | {
      readonly by: 'sparsity';
      readonly part: number;
      readonly block: number;
      readonly dim: Dim;
      /** Largest magnitude that goes, of `magnitudes`, once it was looked for; below 0: none does. */
      readonly most?: number;
    }
  | { readonly by: 'ratio'; readonly n: number; readonly m: number; readonly dim: Dim };

/** coremltools' default. */
const DEFAULT_THRESHOLD = 1e-12;
const MODES = ['threshold', 'magnitude'];
const MAGNITUDE_KEYS = ['mode', 'target_sparsity', 'block_size', 'n_m_ratio', 'dim'];
/** Most weights of a block, or of every m. */
const MOST = 1 << 16;

/**
 * @param where for messages: `global`, `overrides[2][0]`
 * @throws OptionError for unknown keys and values, and for both or neither of target_sparsity and n_m_ratio
 */
export function parsePrune(options: Readonly<Record<string, unknown>>, where: string): Prune {
  const wrong = (key: string, expected: string) =>
    new OptionError(
      `[recipe] ${where}.${key}: expected ${expected}, came ${describe(options[key])}`,
    );
  const { mode, threshold = DEFAULT_THRESHOLD } = options;
  if (!MODES.includes(mode as string)) throw wrong('mode', MODES.join(' or '));
  if (mode === 'threshold') {
    expectKeys(options, ['mode', 'threshold'], where);
    if (Number.isFinite(threshold) && (threshold as number) >= 0) {
      return { by: 'threshold', threshold: threshold as number };
    }
    throw wrong('threshold', 'a number, 0 or more');
  }
  expectKeys(options, MAGNITUDE_KEYS, where);
  const { target_sparsity: part, block_size: block, n_m_ratio: ratio } = options;
  if ((part === undefined) === (ratio === undefined)) {
    const came = part === undefined ? 'neither' : 'both';
    throw new OptionError(
      `[recipe] ${where}: expected either target_sparsity or n_m_ratio, came ${came}`,
    );
  }
  // coremltools' defaults.
  const dim = options.dim ?? (ratio === undefined ? 0 : 1);
  if (dim !== 0 && dim !== 1) throw wrong('dim', '0 or 1');
  if (ratio !== undefined) {
    if (block !== undefined) throw wrong('block_size', 'nothing beside n_m_ratio');
    const [n, m] = Array.isArray(ratio) && ratio.length === 2 ? ratio : [];
    if (isCount(n) && isCount(m) && n <= m) return { by: 'ratio', n, m, dim };
    throw wrong('n_m_ratio', `[n, m], n of every m being zeroed, 1 to ${MOST} each`);
  }
  if (typeof part !== 'number' || !(part >= 0 && part <= 1)) {
    throw wrong('target_sparsity', 'a number from 0 to 1');
  }
  if (block === undefined && options.dim !== undefined)
    throw wrong('dim', 'nothing without blocks');
  if (block !== undefined && (!isCount(block) || block < 2)) {
    throw wrong('block_size', `an integer from 2 to ${MOST}`);
  }
  return { by: 'sparsity', part, block: block ?? 1, dim };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST;
}

/** Weights together of which some are chosen, along which dimension; 1: each by itself. */
function unitOf(prune: Prune): { size: number; dim: Dim } {
  if (prune.by === 'threshold') return { size: 1, dim: 0 };
  return { size: prune.by === 'ratio' ? prune.m : prune.block, dim: prune.dim };
}

/** Rows that have to be in one strip. */
export function prunedTogether(prune: Prune): number {
  const { size, dim } = unitOf(prune);
  return dim === 0 ? size : 1;
}

/** @throws OptionError where less than two blocks, or groups of m, fit a weight [n, k] */
export function checkPrunes(prune: Prune, path: string, n: number, k: number): void {
  const { size, dim } = unitOf(prune);
  const channels = dim === 0 ? n : k;
  if (size === 1 || size <= channels / 2) return;
  const name = prune.by === 'ratio' ? 'm of n_m_ratio' : 'block_size';
  const most = `at most half of ${channels} ${dim === 0 ? 'rows' : 'weights of a row'}`;
  throw new OptionError(`[compress] ${path}: ${name} is ${size}, expected ${most}`);
}

/**
 * The magnitudes that `target_sparsity` goes by: of weights, or of blocks as often as they have weights; null where
 * weights are chosen without a look at the others.
 * @param w [rows, k], whole blocks along dimension 0
 */
export function magnitudes(prune: Prune, w: Float64Array, k: number): Float32Array | null {
  if (prune.by !== 'sparsity') return null;
  if (prune.block === 1) return Float32Array.from(w, Math.abs);
  const out = new Float32Array(w.length);
  forUnits(prune, w.length / k, k, (places) => {
    let squares = 0;
    for (const at of places) squares += w[at]! * w[at]!;
    for (const at of places) out[at] = Math.sqrt(squares);
  });
  return out;
}

/**
 * Zeroes weights in place.
 * @param w [rows, k], whole blocks along dimension 0
 */
export function pruneRows(prune: Prune, w: Float64Array, k: number): void {
  if (prune.by === 'ratio') {
    forUnits(prune, w.length / k, k, (places) => zeroLeast(w, places, prune.n, prune.m));
    return;
  }
  const limit = prune.by === 'threshold' ? prune.threshold : prune.most!;
  const sizes = magnitudes(prune, w, k) ?? w;
  for (let i = 0; i < w.length; i++) if (Math.abs(sizes[i]!) <= limit) w[i] = 0;
}

/** A last group of fewer than m counts as filled up with zeros, which go first. */
function zeroLeast(w: Float64Array, places: readonly number[], n: number, m: number): void {
  const count = n - (m - places.length);
  if (count <= 0) return;
  const ascending = [...places].sort((a, b) => Math.abs(w[a]!) - Math.abs(w[b]!) || a - b);
  for (const at of ascending.slice(0, count)) w[at] = 0;
}

/** Calls with the places of the weights of every block, or of every m. */
function forUnits(
  prune: Prune,
  rows: number,
  k: number,
  call: (places: readonly number[]) => void,
): void {
  const { size, dim } = unitOf(prune);
  const [across, along, step, stride] = dim === 0 ? [k, rows, k, 1] : [rows, k, 1, k];
  for (let line = 0; line < across; line++) {
    for (let begin = 0; begin < along; begin += size) {
      const count = Math.min(size, along - begin);
      call(Array.from({ length: count }, (_, i) => line * stride + (begin + i) * step));
    }
  }
}

/** The most weights of [n, k] that are left: of a threshold, all may be. */
export function mostLeft(prune: Prune, n: number, k: number): number {
  if (prune.by === 'threshold' || (prune.by === 'sparsity' && prune.part === 0)) return n * k;
  if (prune.by === 'sparsity') return n * k - 1 - Math.floor((n * k - 1) * prune.part);
  const [lines, along] = prune.dim === 0 ? [k, n] : [n, k];
  const rest = along % prune.m;
  return (
    lines * (Math.floor(along / prune.m) * (prune.m - prune.n) + Math.min(rest, prune.m - prune.n))
  );
}
