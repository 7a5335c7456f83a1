// THE list of kernel benchmarks: every kernel at the shapes of real models.

import * as layout from '../assembly/op_layout.js';
import { packedBytes } from '../bindings/executor/wasm/packing.js';
import { formatName } from '../bindings/formats/codecs.js';
import { floatFormat, type WeightFormat, withOutliers } from '../bindings/formats/format.js';
import type { Outliers } from '../bindings/formats/outliers.js';
import { PACKED_FORMATS } from '../tests/support/formats.js';
import { type Fields, floatBits } from './one_op.js';
import { MODEL_SHAPES, type ModelShape } from './shapes.js';
import { benchHeader, halfThere } from './sparse_header.js';

/** Addresses of the regions that a case may use; all hold plausible numbers. */
export interface Regions {
  readonly out: number;
  readonly x: number;
  readonly y: number;
  readonly scales: number;
  readonly sums: number;
  readonly frequencies: number;
  /** Weights or KV pages: large, and walked through from call to call. */
  readonly weights: number;
  readonly pages: number;
}

export interface KernelCase {
  readonly kernel: string;
  readonly model: string;
  readonly shape: string;
  readonly fields: Fields;
  /** Of the packed matrix at OP_WEIGHT (PACKED_* to value), if the op has one. */
  readonly header?: ReadonlyMap<number, number>;
  readonly positions: readonly number[];
  /** Of that matrix, if it has any. */
  readonly outliers?: Outliers | undefined;
  /** Bytes of weights, or else of everything read and written. */
  readonly bytes: number;
  /** Multiplications and additions, 0 where bytes are the measure. */
  readonly operations: number;
  /** Bytes of one copy of the weights; 0: the op has none and runs from the cache. */
  readonly weightBytes: number;
}

const PREFILL_ROWS = 64;
const CONTEXT = 1024;

/** Formats with kernels of their own are called by these; others by the format. */
const KERNEL_NAMES: Readonly<Record<string, string>> = {
  int4: 'q4',
  int8: 'q8',
  palettize4: 'lut4',
};
const WEIGHTS: readonly { readonly name: string; readonly format: WeightFormat }[] = [
  floatFormat('f32'),
  floatFormat('f16'),
  ...PACKED_FORMATS,
].map((format) => {
  const name = formatName(format);
  return { name: KERNEL_NAMES[name] ?? name, format };
});

const KV_TYPES = [
  { name: 'f32', dtype: layout.DTYPE_F32, bytes: 4 },
  { name: 'f16', dtype: layout.DTYPE_F16, bytes: 2 },
  { name: 'int8', dtype: layout.DTYPE_INT8, bytes: 1 },
];

export function kernelCases(at: Regions): KernelCase[] {
  return MODEL_SHAPES.flatMap((shape) => [
    ...matmuls(shape, at),
    ...attention(shape, at),
    ...rowOps(shape, at),
  ]);
}

/** The widest matmul of a layer, n = intermediate, k = hidden. */
function matmuls(shape: ModelShape, at: Regions): KernelCase[] {
  const [n, k] = [shape.intermediate, shape.hidden];
  return WEIGHTS.flatMap(({ name, format: some }) =>
    [1, PREFILL_ROWS].map((m): KernelCase => {
      const outliers = some.outliers && spreadOutliers(n, k);
      const format = withOutliers(some, outliers?.values.length ?? 0);
      const weightBytes = packedBytes(halfThere(format, n, k), n, k) - layout.PACKED_BYTES;
      return {
        kernel: `${m === 1 ? 'matvec' : 'matmul'}_${name}`,
        model: shape.name,
        shape: `m ${m}  n ${n}  k ${k}`,
        fields: {
          [layout.OP_CODE]: layout.CODE_MATMUL,
          [layout.OP_OUT]: at.out,
          [layout.OP_X]: at.x,
          [layout.OP_SCALES]: at.scales,
          [layout.OP_SUMS]: at.sums,
          [layout.OP_WEIGHT]: at.weights,
          [layout.OP_N]: n,
          [layout.OP_K]: k,
        },
        header: benchHeader(format, n, k),
        outliers,
        positions: rowsFrom(0, m),
        bytes: weightBytes,
        operations: m === 1 ? 0 : 2 * m * n * k,
        weightBytes,
      };
    }),
  );
}

function attention(shape: ModelShape, at: Regions): KernelCase[] {
  const { heads, kvHeads, headDim } = shape;
  const common = { model: shape.name, operations: 0, weightBytes: 0 };
  return KV_TYPES.flatMap(({ name, dtype, bytes }): KernelCase[] => [
    {
      ...common,
      kernel: `sdpa_${name}`,
      shape: `context ${CONTEXT}  heads ${heads}/${kvHeads} x ${headDim}`,
      fields: {
        [layout.OP_CODE]: layout.CODE_SDPA,
        [layout.OP_OUT]: at.out,
        [layout.OP_X]: at.x,
        [layout.OP_DTYPE]: dtype,
        [layout.OP_HEADS]: heads,
        [layout.OP_KV_HEADS]: kvHeads,
        [layout.OP_HEAD_DIM]: headDim,
        [layout.OP_FLOAT]: floatBits(1 / Math.sqrt(headDim)),
      },
      positions: [CONTEXT - 1],
      bytes: 2 * CONTEXT * kvHeads * headDim * bytes,
    },
    {
      ...common,
      kernel: `kv_update_${name}`,
      shape: `rows ${PREFILL_ROWS}  kvHeads ${kvHeads} x ${headDim}`,
      fields: {
        [layout.OP_CODE]: layout.CODE_KV_UPDATE,
        [layout.OP_X]: at.x,
        [layout.OP_Y]: at.y,
        [layout.OP_DTYPE]: dtype,
        [layout.OP_KV_HEADS]: kvHeads,
        [layout.OP_HEAD_DIM]: headDim,
      },
      positions: rowsFrom(0, PREFILL_ROWS),
      bytes: 2 * PREFILL_ROWS * kvHeads * headDim * (4 + bytes),
    },
  ]);
}

/** Ops on rows of floats, at prefill's row count so that one call is long enough to time. */
function rowOps(shape: ModelShape, at: Regions): KernelCase[] {
  const { hidden, intermediate, heads, headDim, vocab } = shape;
  const rows = PREFILL_ROWS;
  const one = (kernel: string, width: number, floats: number, fields: Fields): KernelCase => ({
    kernel,
    model: shape.name,
    shape: `rows ${rows} x ${width}`,
    fields: { [layout.OP_OUT]: at.out, [layout.OP_X]: at.x, [layout.OP_K]: width, ...fields },
    positions: rowsFrom(0, rows),
    bytes: rows * width * floats * 4,
    operations: 0,
    weightBytes: 0,
  });
  return [
    one('rms_norm', hidden, 2, {
      [layout.OP_CODE]: layout.CODE_RMS_NORM,
      [layout.OP_WEIGHT]: at.weights,
      [layout.OP_FLOAT]: floatBits(1e-5),
    }),
    one('quantize_rows', hidden, 1.25, {
      [layout.OP_CODE]: layout.CODE_QUANTIZE_ROWS,
      [layout.OP_SCALES]: at.scales,
      [layout.OP_SUMS]: at.sums,
    }),
    one('add', hidden, 3, { [layout.OP_CODE]: layout.CODE_ADD }),
    one('silu_mul', intermediate, 3, {
      [layout.OP_CODE]: layout.CODE_SILU_MUL,
      [layout.OP_Y]: at.y,
    }),
    one('rope', heads * headDim, 2, {
      [layout.OP_CODE]: layout.CODE_ROPE,
      [layout.OP_OUT]: at.x,
      [layout.OP_X]: at.y,
      [layout.OP_HEADS]: heads,
      [layout.OP_HEAD_DIM]: headDim,
    }),
    one('rope_angles', headDim, 1, {
      [layout.OP_CODE]: layout.CODE_ROPE_ANGLES,
      [layout.OP_WEIGHT]: at.frequencies,
      [layout.OP_HEAD_DIM]: headDim,
    }),
    ...WEIGHTS.filter(({ format }) => !format.float && !format.outliers).map(
      ({ name, format }) => ({
        ...one(`embed_${name}`, hidden, 1, {
          [layout.OP_CODE]: layout.CODE_EMBED,
          [layout.OP_WEIGHT]: at.weights,
        }),
        header: benchHeader(format, vocab, hidden),
      }),
    ),
    one('select_rows', hidden, 2, { [layout.OP_CODE]: layout.CODE_SELECT_ROWS }),
    { ...one('softmax', vocab, 2, {}), shape: `n ${vocab}`, bytes: vocab * 8, positions: [0] },
  ];
}

/** One in two thousand weights, about what models have. */
function spreadOutliers(n: number, k: number): Outliers {
  const places = Array.from({ length: Math.floor((n * k) / 2000) }, (_, i) => i * 2000);
  return {
    rows: places.map((place) => Math.floor(place / k)),
    columns: places.map((place) => place % k),
    values: places.map(() => 1),
  };
}

function rowsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
