// Weights to a safetensors file. One strip of rows is in memory at a time; the scales and tables of one
// tensor are held until all its rows are written, for they follow them in the file.

import { createFile } from '#platform';
import { SourceError } from '../errors.js';
import { codecOf } from '../formats/codecs.js';
import { encodeFloats } from '../formats/float_bytes.js';
import { ALL, type FloatType, type WeightFormat } from '../formats/format.js';
import type { Progress } from '../model/progress.js';
import { readBytes } from '../model/read_rows.js';
import { matrixShape, type Weight, weightCount } from '../model/weight.js';
import type { FittedStrip, PackedScheme } from './fit/fit.js';
import { FitCore } from './fit/fit_core.js';
import { fitStrip } from './fit/fit_strip.js';
import { type OutputTensor, tensorEntries } from './output_tensor.js';
import { roundFloats } from './round_floats.js';
import { SafetensorsWriter } from './safetensors_writer.js';
import { readFinite, stripRows, strips } from './strips.js';

export interface WrittenWeights {
  /** Bytes of the safetensors file. */
  readonly fileBytes: number;
  readonly parameters: number;
  /** Stored bits, scales, biases and tables included, over all parameters. */
  readonly bitsPerWeight: number;
  /** Weights that became floats of a type which does not hold their values exactly. */
  readonly rounded: number;
}

interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Told after every strip: its weights, and how many of them were rounded. */
type OnStrip = (weights: number, rounded: number) => void;

/** Writes all tensors to a new file at `path`. @throws what reading, writing and `signal` throw */
export async function writeWeights(
  tensors: readonly OutputTensor[],
  path: string,
  metadata: Readonly<Record<string, string>>,
  stage: Progress['stage'],
  { signal, onProgress }: WriteOptions,
): Promise<WrittenWeights> {
  const total = tensors.reduce((sum, { weight }) => sum + weightCount(weight), 0);
  let done = 0;
  let rounded = 0;
  let storedBytes = 0;
  const core = await FitCore.load();
  const sink = await createFile(path);
  try {
    const atMost = tensors.flatMap((tensor) => tensorEntries(tensor, 'f32'));
    const writer = await SafetensorsWriter.begin(sink, atMost, metadata);
    for (const tensor of tensors) {
      const onStrip: OnStrip = (weights, ofThem) => {
        signal?.throwIfAborted();
        done += weights;
        rounded += ofThem;
        onProgress?.({ stage, done, total });
      };
      storedBytes += await writeTensor(writer, tensor, core, onStrip);
    }
    const fileBytes = await writer.finish();
    return { fileBytes, parameters: total, bitsPerWeight: (storedBytes * 8) / total, rounded };
  } finally {
    await sink.close();
  }
}

/** Writes one weight. @returns bytes it takes */
async function writeTensor(
  writer: SafetensorsWriter,
  tensor: OutputTensor,
  core: FitCore,
  onStrip: OnStrip,
): Promise<number> {
  const { weight, scheme } = tensor;
  const scaleType =
    typeof scheme === 'string'
      ? await writeFloats(writer, weight, scheme, onStrip)
      : await writePacked(writer, weight, scheme, core, onStrip);
  let bytes = 0;
  for (const stored of tensorEntries(tensor, scaleType)) {
    writer.endTensor(stored);
    bytes += stored.bytes;
  }
  return bytes;
}

/** Writes floats of a type; those that have it already, bit for bit. @returns the type */
async function writeFloats(
  writer: SafetensorsWriter,
  weight: Weight,
  type: FloatType,
  onStrip: OnStrip,
): Promise<FloatType> {
  for await (const { begin, values } of strips(weight, 1)) {
    const { bytes, rounded } = roundFloats(weight, begin, values, type);
    await writer.append(bytes);
    onStrip(values.length, rounded);
  }
  return type;
}

/** Writes the codes, then what else the format has, part by part. @returns the type of scales and biases */
async function writePacked(
  writer: SafetensorsWriter,
  weight: Weight,
  scheme: PackedScheme,
  core: FitCore,
  onStrip: OnStrip,
): Promise<FloatType> {
  const { format } = scheme;
  const { n, k } = matrixShape(weight);
  const held: Omit<FittedStrip, 'codes'>[] = [];
  const step = stripRows(weight, rowsTogether(format, n));
  for (let begin = 0; begin < n; begin += step) {
    const rows = Math.min(step, n - begin);
    const { codes: raw } = await readBytes(weight, begin, begin + rows);
    const job = { raw: raw!, dtype: weight.format.float!, rows, k, scheme };
    const strip = fitStrip(core, job) ?? (await refuse(weight, begin, begin + rows));
    const { codes, ...rest } = strip;
    await writer.append(codes);
    held.push(rest);
    onStrip(rows * k, 0);
  }
  const scaleType = held.every(({ inHalf }) => inHalf) ? 'f16' : 'f32';
  for (const { role } of codecOf(format).parts(format, n, k)) {
    if (role === 'codes') continue;
    for (const strip of held) await writer.append(storedBytes(strip[role]!, scaleType));
  }
  return scaleType;
}

/** Tells which value of rows [begin, end) is not finite: reading them again does. */
async function refuse(weight: Weight, begin: number, end: number): Promise<never> {
  await readFinite(weight, begin, end);
  throw new SourceError(`[${weight.parts[0].source.name}] changed while it was read`);
}

/** Rows that share a table or a scale are fitted in one strip. */
function rowsTogether({ scale, lut }: WeightFormat, n: number): number {
  if (scale?.rows === ALL || lut?.rows === ALL) return n;
  return lut?.rows ?? 1;
}

function storedBytes(values: Int8Array | Float32Array, type: FloatType): Uint8Array {
  if (values instanceof Float32Array) return encodeFloats(values, type);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
