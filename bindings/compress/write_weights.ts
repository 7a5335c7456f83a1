// Weights to a safetensors file. One strip of rows is in memory at a time; the scales and tables of one
// tensor are held until all its rows are written, for they follow them in the file.

import { createFile } from '#platform';
import { FormatError } from '../errors.js';
import { packBits } from '../formats/bits.js';
import { codecOf } from '../formats/codecs.js';
import { encodeFloats } from '../formats/float_bytes.js';
import { ALL, type FloatType, type WeightFormat } from '../formats/format.js';
import type { Progress } from '../model/progress.js';
import { readRows } from '../model/read_rows.js';
import { matrixShape, type Weight } from '../model/weight.js';
import { type CompressedTensor, tensorEntries } from './compressed_tensor.js';
import type { FittedStrip, PackedScheme } from './fit/fit.js';
import { FITS } from './fit/fits.js';
import { SafetensorsWriter } from './safetensors_writer.js';

/** Floats of a strip: 4 MiB. */
const STRIP_WEIGHTS = 1 << 20;

export interface WrittenWeights {
  /** Bytes of the safetensors file. */
  readonly fileBytes: number;
  readonly parameters: number;
  /** Stored bits, scales, biases and tables included, over all parameters. */
  readonly bitsPerWeight: number;
}

/** Writes all tensors to a new file at `path`. @throws what reading, writing and `signal` throw */
export async function writeWeights(
  tensors: readonly CompressedTensor[],
  path: string,
  metadata: Readonly<Record<string, string>>,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void },
): Promise<WrittenWeights> {
  const { signal, onProgress } = options;
  const total = tensors.reduce((sum, { weight }) => sum + weightCount(weight), 0);
  let done = 0;
  let storedBytes = 0;
  const sink = await createFile(path);
  try {
    const atMost = tensors.flatMap((tensor) => tensorEntries(tensor, 'f32'));
    const writer = await SafetensorsWriter.begin(sink, atMost, metadata);
    for (const tensor of tensors) {
      const onStrip = (weights: number) => {
        signal?.throwIfAborted();
        done += weights;
        onProgress?.({ stage: 'compress', done, total });
      };
      storedBytes += await writeTensor(writer, tensor, onStrip);
    }
    const fileBytes = await writer.finish();
    return { fileBytes, parameters: total, bitsPerWeight: (storedBytes * 8) / total };
  } finally {
    await sink.close();
  }
}

/** Writes one weight. @returns bytes it takes */
async function writeTensor(
  writer: SafetensorsWriter,
  tensor: CompressedTensor,
  onStrip: (weights: number) => void,
): Promise<number> {
  const { weight, scheme } = tensor;
  const scaleType = scheme
    ? await writePacked(writer, weight, scheme, onStrip)
    : await writeFloats(writer, weight, onStrip);
  let bytes = 0;
  for (const stored of tensorEntries(tensor, scaleType)) {
    writer.endTensor(stored);
    bytes += stored.bytes;
  }
  return bytes;
}

/** Copies a weight that keeps its floats. @returns a type of scales, of which it has none */
async function writeFloats(
  writer: SafetensorsWriter,
  weight: Weight,
  onStrip: (weights: number) => void,
): Promise<FloatType> {
  const [{ source, offset, bytes }] = weight.parts;
  const rowBytes = bytes / matrixShape(weight).n;
  for await (const strip of strips(weight, 1)) {
    const raw = new Uint8Array((strip.end - strip.begin) * rowBytes);
    await source.read(offset + strip.begin * rowBytes, raw);
    await writer.append(raw);
    onStrip(strip.values.length);
  }
  return 'f16';
}

/** Writes the codes, then what else the format has, part by part. @returns the type of scales and biases */
async function writePacked(
  writer: SafetensorsWriter,
  weight: Weight,
  { type, format }: PackedScheme,
  onStrip: (weights: number) => void,
): Promise<FloatType> {
  const fit = FITS.get(type)!;
  const { n, k } = matrixShape(weight);
  const held: Omit<FittedStrip, 'codes'>[] = [];
  for await (const { values } of strips(weight, rowsTogether(format, n))) {
    const { codes, ...rest } = fit.run(values, k, format);
    await writer.append(packBits(codes, format.bits));
    held.push(rest);
    onStrip(values.length);
  }
  const scaleType = held.every(({ inHalf }) => inHalf) ? 'f16' : 'f32';
  for (const { role } of codecOf(format).parts(format, n, k)) {
    if (role === 'codes') continue;
    for (const strip of held) await writer.append(storedBytes(strip[role]!, scaleType));
  }
  return scaleType;
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

/** The rows of a weight as floats, in strips of a multiple of `together` rows, all checked to be finite. */
async function* strips(weight: Weight, together: number) {
  const { n, k } = matrixShape(weight);
  const rows = together * Math.max(1, Math.floor(STRIP_WEIGHTS / (together * k)));
  for (let begin = 0; begin < n; begin += rows) {
    const end = Math.min(begin + rows, n);
    const values = await readRows(weight, begin, end);
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) {
        const index = begin * k + i;
        const at = weight.shape.length === 2 ? `${Math.floor(index / k)}, ${index % k}` : index;
        throw new FormatError(
          `[compress] ${weight.path}.weight[${at}]: expected a finite number, came ${values[i]}`,
        );
      }
    }
    yield { begin, end, values };
  }
}

function weightCount(weight: Weight): number {
  return weight.shape.reduce((product, size) => product * size, 1);
}
