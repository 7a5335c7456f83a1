// What Core ML's constexpr ops mean, as coremltools decompresses them: our codecs, given the same codes, tables and
// scales, decode the same values, rounded once to the type of Core ML's output.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packBits } from '../../bindings/formats/bits.js';
import { codecOf } from '../../bindings/formats/codecs.js';
import { decodeFloats, encodeFloats } from '../../bindings/formats/float_bytes.js';
import {
  ALL,
  type FloatType,
  type LutEntry,
  paddedK,
  type WeightFormat,
  withScaleType,
} from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { encodeEntries } from '../../bindings/formats/lut_entry.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import type { PartBytes } from '../../bindings/formats/parts.js';
import { goldens } from './goldens.js';

type Matrix = readonly (readonly number[])[];

/** One op or several in a row; what an op does not have is absent. */
interface Golden {
  readonly op: string;
  readonly bits: number;
  readonly dtype: 'f16' | 'f32';
  readonly indices: Matrix;
  /** [groups of rows, 1, 2^bits, vector] */
  readonly lut: readonly (readonly (readonly (readonly number[])[])[])[];
  readonly data: Matrix;
  readonly signed: boolean;
  readonly scale?: Matrix;
  readonly offset?: Matrix;
  readonly output: Matrix;
}

interface Ours {
  readonly format: WeightFormat;
  readonly bytes: PartBytes;
}

const SHIFTED = 'blockwise_shift_scale';
const SCALED_PALETTE = 'lut_to_dense, blockwise_shift_scale';
const PALETTES = ['lut_to_dense', SCALED_PALETTE];

/** The weight in a format of ours; null where none holds it. */
function ours(golden: Golden): Ours | null {
  if (golden.op === SHIFTED) return linearOf(golden);
  // Vectors along k are none of ours.
  const isOfRows = golden.output.length === golden.indices?.length * (vectorOf(golden) ?? 0);
  return PALETTES.includes(golden.op) && isOfRows ? paletteOf(golden) : null;
}

/** Values of an entry. */
function vectorOf({ lut }: Golden): number | undefined {
  return lut?.[0]?.[0]?.[0]?.length;
}

function linearOf({ bits, dtype, data, signed, offset, ...golden }: Golden): Ours {
  const scale = golden.scale!;
  const [n, k] = [data.length, data[0]!.length];
  const [rows, groups] = [scale.length, scale[0]!.length];
  const granularity = groups > 1 ? 'per_block' : rows === n ? 'per_channel' : 'per_tensor';
  const symmetric = signed && !offset;
  const lowest = signed ? -(2 ** (bits - 1)) : 0;
  const biases = scale.map((row, i) =>
    row.map((one, group) => one * (lowest - (offset?.[i]?.[group] ?? 0))),
  );
  return {
    format: withScaleType(linearFormat(bits, symmetric, k / groups, granularity), dtype),
    bytes: {
      codes: streamOf(data, bits, lowest),
      scales: encodeFloats(scale.flat(), dtype),
      ...(!symmetric && { biases: encodeFloats(biases.flat(), dtype) }),
    },
  };
}

function paletteOf(golden: Golden): Ours {
  const { bits, dtype, indices, lut, scale, output } = golden;
  const n = output.length;
  const rows = lut.length === 1 ? ALL : n / lut.length;
  const entries = lut.flat(3);
  const entry: LutEntry = scale && entries.every(Number.isInteger) ? 'i8' : dtype;
  const options = { rows, entry, dim: vectorOf(golden)!, perChannel: scale?.length === n };
  return {
    format: withScaleType(paletteFormat(bits, options), dtype),
    bytes: {
      codes: streamOf(indices, bits, 0),
      ...(scale && { scales: encodeFloats(scale.flat(), dtype) }),
      lut: encodeEntries(entries, entry),
    },
  };
}

/** The bit stream of codes that count from `lowest`. */
function streamOf(codes: Matrix, bits: number, lowest: number): Uint8Array {
  const padding = new Array(paddedK(codes[0]!.length) - codes[0]!.length).fill(lowest);
  const padded = codes.flatMap((row) => [...row, ...padding]);
  return packBits(
    Uint8Array.from(padded, (code) => code - lowest),
    bits,
  );
}

function rounded(values: Float64Array, type: FloatType): number[] {
  return [...decodeFloats(encodeFloats(values, type), type)];
}

const counts = new Map<string, number>();
for (const [name, golden] of goldens<Golden>('core_ml')) {
  const known = ours(golden);
  counts.set(known ? golden.op : 'none', (counts.get(known ? golden.op : 'none') ?? 0) + 1);
  if (!known) {
    process.stdout.write(`not tested: ${name}: no format of ours has it\n`);
    continue;
  }
  test(name, () => {
    const { output } = golden;
    const { format, bytes } = known;
    const values = codecOf(format).decode(format, bytes, 0, output.length, output[0]!.length);
    assert.equal(rounded(values, golden.dtype), output.flat());
  });
}

test('there are cases for every op', () => {
  assert.ok(counts.get(SHIFTED)! >= 30, `${counts.get(SHIFTED)}`);
  assert.ok(counts.get(SCALED_PALETTE)! >= 40, `${counts.get(SCALED_PALETTE)}`);
});

test.run();
