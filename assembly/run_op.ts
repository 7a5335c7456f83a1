// From an encoded op to its kernel: reads the op's fields and picks the instance for its number types.

import { add } from './kernels/add';
import { kv_update } from './kernels/kv_update';
import { quantize_rows } from './kernels/quantize_rows';
import { rms_norm } from './kernels/rms_norm';
import { rope } from './kernels/rope';
import { rope_angles } from './kernels/rope_angles';
import { sdpa } from './kernels/sdpa';
import { select_rows } from './kernels/select_rows';
import { silu_mul } from './kernels/silu_mul';
import * as layout from './op_layout';
import { run_embed, run_matmul } from './run_matmul';

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
      return run_embed(op, weight, rows, begin, end);
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
      return run_matmul(op, weight, scratch, rows_of(plan, op), begin, end);
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
