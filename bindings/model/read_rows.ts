// Stored weights as float64 values: the equations of formats.ts, element by element.

import { OptionError } from '../errors.js';
import {
  FLOAT_BYTES,
  type FloatType,
  GROUP_SIZE,
  type LinearFormat,
  LUT_ENTRIES,
  lutCount,
  PALETTE_ROWS,
  type PaletteFormat,
  paddedK,
} from '../formats.js';
import { bf16ToF32, f16ToF32 } from './float16.js';
import type { Part, Weight } from './weight.js';

/**
 * Rows [begin, end) of a weight [n, k], dequantized: [end - begin, k]. A vector [n] is n rows of
 * one. Reads only the bytes of those rows.
 * @throws OptionError for rows outside the weight
 */
export async function readRows(
  weight: Weight,
  begin: number,
  end: number,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const [n = 0, k = 1] = weight.shape;
  if (!(begin >= 0 && begin <= end && end <= n)) {
    throw new OptionError(`[${weight.path}] rows ${begin} to ${end} wanted, it has ${n}`);
  }
  const { format } = weight;
  if (format.kind === 'linear') return readLinear(weight, format, begin, end, signal);
  if (format.kind === 'palette') return readPalette(weight, format, begin, end, signal);
  return readFloats(weight.values, format.dtype, begin * k, end * k, signal);
}

async function readLinear(
  weight: Weight,
  format: LinearFormat,
  begin: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const { path, values, scales, biases } = weight;
  const k = weight.shape[1];
  if (k === undefined || !scales || (!biases && !format.symmetric)) {
    throw new OptionError(`[${path}] linear weights need k, scales, and biases unless symmetric`);
  }
  const { bits, scaleType } = format;
  const groups = paddedK(k) / GROUP_SIZE;
  const stride = (paddedK(k) * bits) / 8;
  const packed = await readBytes(values, begin * stride, end * stride, signal);
  const scale = await readFloats(scales, scaleType, begin * groups, end * groups, signal);
  const bias = biases
    ? await readFloats(biases, scaleType, begin * groups, end * groups, signal)
    : scale.map((one) => -(2 ** (bits - 1)) * one);
  const out = new Float64Array((end - begin) * k);
  for (let row = 0; row < end - begin; row++) {
    for (let i = 0; i < k; i++) {
      const at = row * stride + ((i * bits) >> 3);
      const q = bits === 8 ? packed[at]! : nibble(packed[at]!, i);
      const group = row * groups + Math.floor(i / GROUP_SIZE);
      out[row * k + i] = scale[group]! * q + bias[group]!;
    }
  }
  return out;
}

async function readPalette(
  weight: Weight,
  format: PaletteFormat,
  begin: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const { path, values, scales, lut } = weight;
  const k = weight.shape[1];
  if (k === undefined || !scales || !lut) {
    throw new OptionError(`[${path}] palettes need k, scales and a lut`);
  }
  const stride = paddedK(k) / 2;
  const firstLut = Math.floor(begin / PALETTE_ROWS);
  const packed = await readBytes(values, begin * stride, end * stride, signal);
  const scale = await readFloats(scales, format.scaleType, begin, end, signal);
  const luts = new Int8Array(
    (await readBytes(lut, firstLut * LUT_ENTRIES, lutCount(end) * LUT_ENTRIES, signal)).buffer,
  );
  const out = new Float64Array((end - begin) * k);
  for (let row = 0; row < end - begin; row++) {
    const table = (Math.floor((begin + row) / PALETTE_ROWS) - firstLut) * LUT_ENTRIES;
    for (let i = 0; i < k; i++) {
      const index = nibble(packed[row * stride + (i >> 1)]!, i);
      out[row * k + i] = scale[row]! * luts[table + index]!;
    }
  }
  return out;
}

/** Element i of a 4-bit stream whose byte i / 2 is `byte`. */
function nibble(byte: number, i: number): number {
  return (byte >> (4 * (i & 1))) & 15;
}

/** Elements [begin, end) of a part of floats. */
async function readFloats(
  part: Part,
  dtype: FloatType,
  begin: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const size = FLOAT_BYTES[dtype];
  const bytes = await readBytes(part, begin * size, end * size, signal);
  if (dtype === 'f32') return Float64Array.from(new Float32Array(bytes.buffer));
  const decode = dtype === 'f16' ? f16ToF32 : bf16ToF32;
  const halves = new Uint16Array(bytes.buffer);
  const out = new Float64Array(halves.length);
  for (let i = 0; i < out.length; i++) out[i] = decode(halves[i]!);
  return out;
}

async function readBytes(
  { source, offset }: Part,
  begin: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - begin);
  await source.read(offset + begin, bytes, signal);
  return bytes;
}
