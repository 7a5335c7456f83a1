// Weights to a safetensors file. A few strips of rows are in memory at a time; the scales and tables of one
// tensor are held until all its rows are written, for they follow them in the file.

import type { FileSink } from '#platform';
import { OptionError } from '../errors.js';
import { codecOf } from '../formats/codecs.js';
import { type FloatType, floatFormat, type WeightFormat } from '../formats/format.js';
import type { Progress } from '../model/progress.js';
import { matrixShape, type Weight, weightCount } from '../model/weight.js';
import { untilAborted } from '../platform/until_aborted.js';
import type { FittedStrip, PackedScheme } from './fit/fit.js';
import { FitThreads } from './fit/fit_threads.js';
import { stripPart, type ValueRole } from './fit/strip_parts.js';
import { fitAhead, piecesOf, type Threads, threadCount } from './fit_ahead.js';
import { OutlierParts } from './outlier_parts.js';
import { longestFormat, type OutputTensor, storedFormat, tensorEntries } from './output_tensor.js';
import { resolvePrunes } from './resolve_prunes.js';
import { roundFloats } from './round_floats.js';
import { SafetensorsWriter } from './safetensors_writer.js';
import { SparseParts } from './sparse_parts.js';
import { strips } from './strips.js';

export interface WrittenWeights {
  /** Bytes of the safetensors file. */
  readonly fileBytes: number;
  readonly parameters: number;
  /** Stored bits, scales, biases and tables included, over all parameters. */
  readonly bitsPerWeight: number;
  /** Weights that became floats of a type which does not hold their values exactly. */
  readonly rounded: number;
}

export interface WriteOptions {
  readonly threads?: Threads | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Told after every strip: its weights, and how many of them were rounded. */
type OnStrip = (weights: number, rounded: number) => void;

/** The next one of all tensors that get codes, in their order. */
type NextStrip = () => Promise<FittedStrip>;

/** Writes all tensors to a new file. @throws what reading, writing and `signal` throw */
export async function writeWeights(
  unresolved: readonly OutputTensor[],
  sink: FileSink,
  metadata: Readonly<Record<string, string>>,
  stage: Progress['stage'],
  options: WriteOptions,
): Promise<WrittenWeights> {
  const { signal } = options;
  const tensors = await resolvePrunes(unresolved, signal);
  const pieces = piecesOf(tensors);
  const threads = await FitThreads.start(threadCount(pieces, options.threads), pieces.length);
  try {
    const fitted = fitAhead(pieces, threads, signal);
    const next = async () => (await fitted.next()).value;
    return await writeTensors(tensors, next, sink, metadata, stage, options);
  } finally {
    await threads.end();
  }
}

/** @param next is waited for until `signal`: a strip may take long, and its thread is ended then */
export async function writeTensors(
  tensors: readonly OutputTensor[],
  next: NextStrip,
  sink: FileSink,
  metadata: Readonly<Record<string, string>>,
  stage: Progress['stage'],
  { signal, onProgress }: WriteOptions,
): Promise<WrittenWeights> {
  const total = tensors.reduce((sum, { weight }) => sum + weightCount(weight), 0);
  let done = 0;
  let rounded = 0;
  let storedBytes = 0;
  const onStrip: OnStrip = (weights, ofThem) => {
    signal?.throwIfAborted();
    done += weights;
    rounded += ofThem;
    onProgress?.({ stage, done, total });
  };
  const atMost = tensors.flatMap((tensor) => tensorEntries(tensor, longestFormat(tensor)));
  const writer = await SafetensorsWriter.begin(sink, atMost, metadata);
  const nextStrip = () => untilAborted(next(), signal);
  for (const tensor of tensors) {
    storedBytes += await writeTensor(writer, tensor, nextStrip, onStrip);
  }
  const fileBytes = await writer.finish();
  return { fileBytes, parameters: total, bitsPerWeight: (storedBytes * 8) / total, rounded };
}

/** Writes one weight. @returns bytes it takes */
async function writeTensor(
  writer: SafetensorsWriter,
  tensor: OutputTensor,
  nextStrip: NextStrip,
  onStrip: OnStrip,
): Promise<number> {
  const { weight, scheme } = tensor;
  const format =
    typeof scheme === 'string'
      ? await writeFloats(writer, weight, scheme, onStrip)
      : await writePacked(writer, weight, scheme, nextStrip, onStrip);
  let bytes = 0;
  for (const stored of tensorEntries(tensor, format)) {
    writer.endTensor(stored);
    bytes += stored.bytes;
  }
  return bytes;
}

/** Writes floats of a type; those that have it already, bit for bit. @returns their format */
async function writeFloats(
  writer: SafetensorsWriter,
  weight: Weight,
  type: FloatType,
  onStrip: OnStrip,
): Promise<WeightFormat> {
  for await (const { begin, values } of strips(weight, 1)) {
    const { bytes, rounded } = roundFloats(weight, begin, values, type);
    await writer.append(bytes);
    onStrip(values.length, rounded);
  }
  return floatFormat(type);
}

/** Writes the codes, then what else the format has, part by part. @returns the format as it is stored */
async function writePacked(
  writer: SafetensorsWriter,
  weight: Weight,
  scheme: PackedScheme,
  nextStrip: NextStrip,
  onStrip: OnStrip,
): Promise<WeightFormat> {
  const { format } = scheme;
  const { n, k } = matrixShape(weight);
  const held: Omit<FittedStrip, 'codes'>[] = [];
  const outliers = new OutlierParts(k);
  const sparse = new SparseParts(format);
  for (const { begin, rows } of piecesOf([{ weight, scheme }])) {
    const { codes, refused, outliers: ofStrip, ...rest } = await nextStrip();
    if (refused !== undefined) throw new OptionError(`[compress] ${weight.path}: ${refused}`);
    await writer.append(rest.counts ? sparse.add(codes, rest.counts) : codes);
    held.push(rest);
    if (ofStrip) outliers.add(begin, ofStrip);
    onStrip(rows * k, 0);
  }
  await writer.append(sparse.end());
  const inHalf = held.every((strip) => strip.inHalf);
  const stored = storedFormat({ weight, scheme }, inHalf, outliers.count, sparse.count);
  for (const { role } of codecOf(format).parts(format, n, k)) {
    if (role === 'codes') continue;
    if (role === 'starts') await writer.append(sparse.starts());
    else if (role === 'mask') for (const strip of held) await writer.append(strip.mask!);
    else for (const strip of held) await writer.append(stripPart(strip, role as ValueRole, stored));
  }
  for (const part of outliers.parts()) await writer.append(part);
  return stored;
}
