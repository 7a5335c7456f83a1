// The strips of all weights that get codes, in order, some of them being read and fitted while one is written.

import { hardwareThreads } from '#platform';
import { OptionError, SourceError, show } from '../errors.js';
import { ALL } from '../formats/format.js';
import { readBytes } from '../model/read_rows.js';
import { matrixShape, type Weight } from '../model/weight.js';
import type { FittedStrip, PackedScheme } from './fit/fit.js';
import type { FitThreads } from './fit/fit_threads.js';
import { prunedTogether } from './fit/prune.js';
import type { OutputTensor } from './output_tensor.js';
import { readFinite, STRIP_WEIGHTS, stripRows } from './strips.js';

export type Threads = number | 'auto';

const MAX_THREADS = 64;
/** Weights that take one thread about as long as starting others does. */
const LEAST_SHARED = 4_000_000;

/** Rows [begin, begin + rows) of a weight. */
export interface Piece {
  readonly weight: Weight;
  readonly scheme: PackedScheme;
  readonly begin: number;
  readonly rows: number;
}

/** The pieces of weights that get codes. */
export function piecesOf(tensors: readonly OutputTensor[]): Piece[] {
  return tensors.flatMap(({ weight, scheme }) => {
    if (typeof scheme === 'string') return [];
    const { n } = matrixShape(weight);
    const step = stripRows(weight, rowsTogether(scheme, n));
    return Array.from({ length: Math.ceil(n / step) }, (_, i) => {
      const begin = i * step;
      return { weight, scheme, begin, rows: Math.min(step, n - begin) };
    });
  });
}

/**
 * Threads to fit `pieces` with; by default as many as there are processors, if there is enough to do.
 * @throws OptionError unless it is 'auto' or a number of threads
 */
export function threadCount(pieces: readonly Piece[], threads: Threads = 'auto'): number {
  if (threads === 'auto') {
    const weights = pieces.reduce((sum, piece) => sum + weightsOf(piece), 0);
    return weights < LEAST_SHARED ? 1 : Math.min(hardwareThreads(), MAX_THREADS);
  }
  if (Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS) return threads;
  const expected = `expected 'auto' or 1..${MAX_THREADS}`;
  throw new OptionError(`[compress] threads: ${expected}, came ${show(threads)}`);
}

/** Rows that share a table or a scale, or are pruned together, are fitted in one strip. */
function rowsTogether({ format, prune }: PackedScheme, n: number): number {
  const { scale, lut } = format;
  if (scale?.rows === ALL || lut?.rows === ALL) return n;
  return Math.min(n, (lut?.rows ?? 1) * (prune ? prunedTogether(prune) : 1));
}

/**
 * The strips of `pieces`, in order. So many are in memory as keep the threads busy, or one that is as large.
 * @throws what reading throws, FormatError for a value that is not finite
 */
export async function* fitAhead(
  pieces: readonly Piece[],
  threads: FitThreads,
  signal: AbortSignal | undefined,
): AsyncGenerator<FittedStrip, never> {
  const begun: { weights: number; strip: Promise<FittedStrip> }[] = [];
  let held = 0;
  const oldest = async () => {
    const { weights, strip } = begun.shift()!;
    held -= weights;
    return strip;
  };
  for (const piece of pieces) {
    const weights = weightsOf(piece);
    while (begun.length > 0 && held + weights > threads.capacity * STRIP_WEIGHTS) {
      yield await oldest();
    }
    const { codes } = await readBytes(piece.weight, piece.begin, piece.begin + piece.rows, signal);
    const strip = fitPiece(piece, codes!, threads);
    // It is told when its turn comes, if it comes.
    strip.catch(() => {});
    begun.push({ weights, strip });
    held += weights;
  }
  while (begun.length > 0) yield await oldest();
  throw new RangeError('no strip is left');
}

function weightsOf({ weight, rows }: Piece): number {
  return rows * matrixShape(weight).k;
}

async function fitPiece(
  { weight, scheme, begin, rows }: Piece,
  raw: Uint8Array,
  threads: FitThreads,
): Promise<FittedStrip> {
  const { k } = matrixShape(weight);
  const strip = await threads.fit({ raw, dtype: weight.format.float!, rows, k, scheme });
  if (strip) return strip;
  // Reading again tells which value.
  await readFinite(weight, begin, begin + rows);
  throw new SourceError(`[${weight.parts[0].source.name}] changed while it was read`);
}
