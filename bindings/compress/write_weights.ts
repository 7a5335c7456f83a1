// Weights to a safetensors file. One strip of rows is in memory at a time; the scales and tables of one
// tensor are held until all its rows are written, for they follow them in the file.

import { createFile } from '#platform';
import { FormatError } from '../errors.js';
import { PALETTE_ROWS } from '../formats.js';
import { f32ToF16 } from '../model/float16.js';
import type { Progress } from '../model/progress.js';
import { readRows } from '../model/read_rows.js';
import type { Weight } from '../model/weight.js';
import { type CompressedTensor, matrixShape, tensorEntries } from './compressed_tensor.js';
import { packBits, quantizeLinear } from './linear.js';
import { palettize } from './palettize.js';
import type { LinearScheme } from './recipe.js';
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
  const scaleType = await writeParts(writer, tensor, onStrip);
  let bytes = 0;
  for (const stored of tensorEntries(tensor, scaleType)) {
    writer.endTensor(stored);
    bytes += stored.bytes;
  }
  return bytes;
}

/** Writes the bytes of all its tensors. @returns the type of scales and biases */
function writeParts(
  writer: SafetensorsWriter,
  { weight, scheme }: CompressedTensor,
  onStrip: (weights: number) => void,
): Promise<'f16' | 'f32'> {
  if (!scheme) return writeFloats(writer, weight, onStrip);
  if (scheme.type === 'palettize') return writePalette(writer, weight, onStrip);
  return writeLinear(writer, weight, scheme, onStrip);
}

/** Copies a weight that keeps its floats. */
async function writeFloats(
  writer: SafetensorsWriter,
  weight: Weight,
  onStrip: (weights: number) => void,
): Promise<'f16'> {
  const { source, offset, bytes } = weight.values;
  const rowBytes = bytes / matrixShape(weight).n;
  for await (const strip of strips(weight)) {
    const raw = new Uint8Array((strip.end - strip.begin) * rowBytes);
    await source.read(offset + strip.begin * rowBytes, raw);
    await writer.append(raw);
    onStrip(strip.values.length);
  }
  return 'f16';
}

/** Writes q, then scales, then biases. @returns the type that holds all scales and biases */
async function writeLinear(
  writer: SafetensorsWriter,
  weight: Weight,
  scheme: LinearScheme,
  onStrip: (weights: number) => void,
): Promise<'f16' | 'f32'> {
  const scales: Float32Array[] = [];
  const biases: Float32Array[] = [];
  let inHalf = true;
  for await (const { values } of strips(weight)) {
    const strip = quantizeLinear(values, matrixShape(weight).k, scheme);
    await writer.append(packBits(strip.q, scheme.bits));
    scales.push(strip.scales);
    if (strip.biases) biases.push(strip.biases);
    inHalf &&= strip.inHalf;
    onStrip(values.length);
  }
  return writeScales(writer, [...scales, ...biases], inHalf);
}

/** Writes indices, then scales, then tables. @returns the type that holds all scales */
async function writePalette(
  writer: SafetensorsWriter,
  weight: Weight,
  onStrip: (weights: number) => void,
): Promise<'f16' | 'f32'> {
  const scales: Float32Array[] = [];
  const luts: Int8Array[] = [];
  let inHalf = true;
  for await (const { values } of strips(weight)) {
    const strip = palettize(values, matrixShape(weight).k);
    await writer.append(packBits(strip.indices, 4));
    scales.push(strip.scales);
    luts.push(strip.luts);
    inHalf &&= strip.inHalf;
    onStrip(values.length);
  }
  const scaleType = await writeScales(writer, scales, inHalf);
  for (const part of luts) await writer.append(asBytes(part));
  return scaleType;
}

async function writeScales(
  writer: SafetensorsWriter,
  parts: readonly Float32Array[],
  inHalf: boolean,
): Promise<'f16' | 'f32'> {
  for (const part of parts) await writer.append(asBytes(inHalf ? toHalves(part) : part));
  return inHalf ? 'f16' : 'f32';
}

/** The rows of a weight as floats, in strips of whole palette groups, all checked to be finite. */
async function* strips(weight: Weight) {
  const { n, k } = matrixShape(weight);
  const rows = PALETTE_ROWS * Math.max(1, Math.floor(STRIP_WEIGHTS / (PALETTE_ROWS * k)));
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

function toHalves(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, f32ToF16);
}

function asBytes(values: Int8Array | Uint16Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
