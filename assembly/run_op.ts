// From an encoded op to its kernel: reads the op's fields and picks the instance for its number types.

import { add } from './kernels/add';
import { embed_float, embed_linear, embed_lut4 } from './kernels/embed';
import { kv_update } from './kernels/kv_update';
import { matmul_float } from './kernels/matmul_float';
import { matmul_lut4 } from './kernels/matmul_lut4';
import { matmul_q4 } from './kernels/matmul_q4';
import { matmul_q8 } from './kernels/matmul_q8';
import { matvec_lut4 } from './kernels/matvec_lut4';
import { matvec_q4 } from './kernels/matvec_q4';
import { matvec_q4_baseline } from './kernels/matvec_q4_baseline';
import { matvec_q8 } from './kernels/matvec_q8';
import { quantize_rows } from './kernels/quantize_rows';
import { rms_norm } from './kernels/rms_norm';
import { rope } from './kernels/rope';
import { rope_angles } from './kernels/rope_angles';
import { sdpa } from './kernels/sdpa';
import { select_rows } from './kernels/select_rows';
import { silu_mul } from './kernels/silu_mul';
import * as layout from './op_layout';

/** Runs units [begin, end) of one op. scratch: this thread's. */
export function run_op(plan: usize, op: usize, scratch: usize, begin: u32, end: u32): void {
  const out = load<u32>(op, layout.OP_OUT);
  const x = load<u32>(op, layout.OP_X);
  const y = load<u32>(op, layout.OP_Y);
  const weight = load<u32>(op, layout.OP_WEIGHT);
  const k = load<u32>(op, layout.OP_K);
  const headDim = load<u32>(op, layout.OP_HEAD_DIM);
  const rows = load<u32>(plan, layout.PLAN_ROWS);
  switch (load<u32>(op, layout.OP_CODE)) {
    case layout.CODE_EMBED:
      return embed(op, out, rows, weight, k, begin, end);
    case layout.CODE_ROPE_ANGLES:
      return rope_angles(out, rows, weight, headDim, begin, end);
    case layout.CODE_RMS_NORM:
      return rms_norm(out, x, weight, k, load<f32>(op, layout.OP_FLOAT), begin, end);
    case layout.CODE_QUANTIZE_ROWS: {
      const scales = load<u32>(op, layout.OP_SCALES);
      const sums = load<u32>(op, layout.OP_SUMS);
      return quantize_rows(out, scales, sums, x, rows_of(plan, op), k, begin, end);
    }
    case layout.CODE_MATMUL:
      return matmul(plan, op, scratch, begin, end);
    case layout.CODE_ROPE: {
      const interleaved = load<u32>(op, layout.OP_INTERLEAVED);
      return rope(out, x, load<u32>(op, layout.OP_HEADS), headDim, interleaved, begin, end);
    }
    case layout.CODE_KV_UPDATE:
      return update(op, rows, x, y, headDim, begin, end);
    case layout.CODE_SDPA:
      return attend(op, out, x, rows, headDim, scratch, begin, end);
    case layout.CODE_ADD:
      return add(out, x, k, begin, end);
    case layout.CODE_SILU_MUL:
      return silu_mul(out, x, y, k, begin, end);
    case layout.CODE_SELECT_ROWS:
      return select_rows(out, x, load<u32>(plan, layout.PLAN_LOGIT_ROWS), k, begin, end);
    default:
      unreachable();
  }
}

/** Rows the op runs on. */
export function rows_of(plan: usize, op: usize): u32 {
  const onLogitRows = load<u32>(op, layout.OP_ON_LOGIT_ROWS);
  return load<u32>(plan + (onLogitRows ? layout.PLAN_LOGIT_COUNT : layout.PLAN_ROW_COUNT));
}

function embed(
  op: usize,
  out: usize,
  rows: usize,
  weight: usize,
  k: u32,
  begin: u32,
  end: u32,
): void {
  const format = load<u32>(op, layout.OP_FORMAT);
  const dtype = load<u32>(op, layout.OP_DTYPE);
  if (format == layout.FORMAT_FLOAT) {
    if (dtype == layout.DTYPE_F32) embed_float<f32>(out, rows, weight, k, begin, end);
    else if (dtype == layout.DTYPE_F16) embed_float<i16>(out, rows, weight, k, begin, end);
    else embed_float<u16>(out, rows, weight, k, begin, end);
    return;
  }
  if (format == layout.FORMAT_LUT4) return embed_lut4(out, rows, weight, k, begin, end);
  const bits: u32 = format == layout.FORMAT_Q4 ? 4 : 8;
  const hasBias = load<u32>(op, layout.OP_HAS_BIAS);
  if (dtype == layout.DTYPE_F32) embed_linear<f32>(out, rows, weight, k, bits, hasBias, begin, end);
  else if (dtype == layout.DTYPE_F16)
    embed_linear<i16>(out, rows, weight, k, bits, hasBias, begin, end);
  else embed_linear<u16>(out, rows, weight, k, bits, hasBias, begin, end);
}

function matmul(plan: usize, op: usize, scratch: usize, begin: u32, end: u32): void {
  const dtype = load<u32>(op, layout.OP_DTYPE);
  if (load<u32>(op, layout.OP_FORMAT) == layout.FORMAT_FLOAT) {
    if (dtype == layout.DTYPE_F32) float_matmul<f32>(plan, op, begin, end);
    else if (dtype == layout.DTYPE_F16) float_matmul<i16>(plan, op, begin, end);
    else float_matmul<u16>(plan, op, begin, end);
    return;
  }
  if (load<u32>(op, layout.OP_FORMAT) == layout.FORMAT_LUT4) {
    return lut4_matmul(plan, op, scratch, begin, end);
  }
  if (dtype == layout.DTYPE_F32) linear_matmul<f32>(plan, op, scratch, begin, end);
  else if (dtype == layout.DTYPE_F16) linear_matmul<i16>(plan, op, scratch, begin, end);
  else linear_matmul<u16>(plan, op, scratch, begin, end);
}

function float_matmul<T>(plan: usize, op: usize, begin: u32, end: u32): void {
  const out = load<u32>(op, layout.OP_OUT);
  const x = load<u32>(op, layout.OP_X);
  const weight = load<u32>(op, layout.OP_WEIGHT);
  const n = load<u32>(op, layout.OP_N);
  matmul_float<T>(out, x, weight, rows_of(plan, op), n, load<u32>(op, layout.OP_K), begin, end);
}

function linear_matmul<S>(plan: usize, op: usize, scratch: usize, begin: u32, end: u32): void {
  const out = load<u32>(op, layout.OP_OUT);
  const x = load<u32>(op, layout.OP_X);
  const scales = load<u32>(op, layout.OP_SCALES);
  const sums = load<u32>(op, layout.OP_SUMS);
  const weight = load<u32>(op, layout.OP_WEIGHT);
  const n = load<u32>(op, layout.OP_N);
  const blocks = (load<u32>(op, layout.OP_K) + layout.BLOCK - 1) / layout.BLOCK;
  const hasBias = load<u32>(op, layout.OP_HAS_BIAS);
  const m = rows_of(plan, op);
  const isQ8 = load<u32>(op, layout.OP_FORMAT) == layout.FORMAT_Q8;
  if (m == 1) {
    if (isQ8) {
      if (hasBias) matvec_q8<S, S>(out, x, scales, sums, weight, n, blocks, begin, end);
      else matvec_q8<S, void>(out, x, scales, sums, weight, n, blocks, begin, end);
    } else if (ASC_FEATURE_RELAXED_SIMD) {
      if (hasBias) matvec_q4<S, S>(out, x, scales, sums, weight, n, blocks, begin, end);
      else matvec_q4<S, void>(out, x, scales, sums, weight, n, blocks, begin, end);
    } else if (hasBias) {
      matvec_q4_baseline<S, S>(out, x, scales, sums, weight, scratch, n, blocks, begin, end);
    } else {
      matvec_q4_baseline<S, void>(out, x, scales, sums, weight, scratch, n, blocks, begin, end);
    }
  } else if (isQ8) {
    matmul_q8<S>(out, x, scales, sums, weight, scratch, m, n, blocks, hasBias, begin, end);
  } else {
    if (hasBias) matmul_q4<S, S>(out, x, scales, sums, weight, scratch, m, n, blocks, begin, end);
    else matmul_q4<S, void>(out, x, scales, sums, weight, scratch, m, n, blocks, begin, end);
  }
}

function lut4_matmul(plan: usize, op: usize, scratch: usize, begin: u32, end: u32): void {
  const out = load<u32>(op, layout.OP_OUT);
  const x = load<u32>(op, layout.OP_X);
  const scales = load<u32>(op, layout.OP_SCALES);
  const sums = load<u32>(op, layout.OP_SUMS);
  const weight = load<u32>(op, layout.OP_WEIGHT);
  const n = load<u32>(op, layout.OP_N);
  const blocks = (load<u32>(op, layout.OP_K) + layout.BLOCK - 1) / layout.BLOCK;
  const m = rows_of(plan, op);
  if (m == 1) matvec_lut4(out, x, scales, sums, weight, n, blocks, begin, end);
  else matmul_lut4(out, x, scales, sums, weight, scratch, m, n, blocks, begin, end);
}

function update(
  op: usize,
  rows: usize,
  k: usize,
  v: usize,
  headDim: u32,
  begin: u32,
  end: u32,
): void {
  const dtype = load<u32>(op, layout.OP_DTYPE);
  const kvHeads = load<u32>(op, layout.OP_KV_HEADS);
  const offset = load<u32>(op, layout.OP_LAYER_OFFSET);
  if (dtype == layout.DTYPE_F32) kv_update<f32>(rows, k, v, kvHeads, headDim, offset, begin, end);
  else if (dtype == layout.DTYPE_F16)
    kv_update<i16>(rows, k, v, kvHeads, headDim, offset, begin, end);
  else kv_update<i8>(rows, k, v, kvHeads, headDim, offset, begin, end);
}

function attend(
  op: usize,
  out: usize,
  q: usize,
  rows: usize,
  d: u32,
  scratch: usize,
  begin: u32,
  end: u32,
): void {
  const dtype = load<u32>(op, layout.OP_DTYPE);
  const heads = load<u32>(op, layout.OP_HEADS);
  const kvHeads = load<u32>(op, layout.OP_KV_HEADS);
  const scale = load<f32>(op, layout.OP_FLOAT);
  const window = load<u32>(op, layout.OP_WINDOW);
  const offset = load<u32>(op, layout.OP_LAYER_OFFSET);
  if (dtype == layout.DTYPE_F32) {
    sdpa<f32>(out, q, rows, heads, kvHeads, d, scale, window, offset, scratch, begin, end);
  } else if (dtype == layout.DTYPE_F16) {
    sdpa<i16>(out, q, rows, heads, kvHeads, d, scale, window, offset, scratch, begin, end);
  } else {
    sdpa<i8>(out, q, rows, heads, kvHeads, d, scale, window, offset, scratch, begin, end);
  }
}
