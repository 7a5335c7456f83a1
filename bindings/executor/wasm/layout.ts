// Where everything lies in the core's memory, computed before anything is loaded:
//
//   | core's constants | plan, ops | rows | rope frequencies | scratch per thread | activations | weights | KV ...
//
// Loading stages file bytes in the activations, which nothing uses before the first step.

import {
  BLOCK,
  FLOAT_TILE_BYTES,
  OP_BYTES,
  PANEL,
  PLAN_BYTES,
  ROW_BYTES,
  SPARSE_BYTES,
} from '../../../assembly/op_layout.js';
import { CapacityError } from '../../errors.js';
import { takesFloats } from '../../formats/format.js';
import type { Weight } from '../../model/weight.js';
import type { Op, Plan } from '../../plan/ops.js';
import { type KvType, type MemoryNeed, PAGE_SIZE } from '../executor.js';
import { placeBuffers } from './arena.js';
import { STRIP_ROWS, stripBytes } from './pack.js';
import { weightBytes } from './packing.js';

/** The core's constants end before this address (asconfig.json: memoryBase 1024). */
const FIRST_ADDRESS = 4096;
const WASM_PAGE = 65536;
const MEMORY_LIMIT = 65536 * WASM_PAGE;
/** Bytes of file that are read and not packed yet while loading, at most. */
const STAGING_BYTES = 1 << 20;
/** Weights that are loaded at a time, each through its part of the staging area. */
export const LANES = 2;

/** Rows of a step: enough for a matmul to reuse each unpacked weight, few enough for the cache. */
export const ROWS_PER_STEP = 64;
export const LOGIT_ROWS_PER_STEP = 8;

/** Addresses of an int8 copy of a matmul's input: q, scales and sums (kernels/quantize_rows.ts). */
export interface QuantizedRows {
  readonly q: number;
  readonly scales: number;
  readonly sums: number;
}

export interface Layout {
  readonly plan: number;
  readonly rows: number;
  readonly logitRows: number;
  readonly frequencies: number;
  readonly threads: number;
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly buffers: ReadonlyMap<string, number>;
  readonly quantized: QuantizedRows;
  readonly staging: number;
  readonly stagingBytes: number;
  readonly weights: ReadonlyMap<string, number>;
  /** First byte after the weights: KV pages begin here. */
  readonly end: number;
  readonly weightBytes: number;
  readonly kvPageBytes: number;
  readonly kvLayerBytes: number;
  readonly tableBytes: number;
}

export function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Ops as the core runs them: at most one quantize_rows before each matmul. */
export function maxOps(ops: readonly Op[]): number {
  return ops.length + ops.filter((op) => op.kind === 'matmul').length;
}

export function layOut(
  plan: Plan,
  weights: ReadonlyMap<string, Weight>,
  threads: number,
  kvType: KvType,
): Layout {
  const ops = plan.segments.flatMap((segment) => segment.ops);
  let at = FIRST_ADDRESS;
  const take = (bytes: number): number => {
    const address = at;
    at += align(bytes);
    return address;
  };

  const planAt = take(PLAN_BYTES + maxOps(ops) * OP_BYTES);
  const rows = take(ROWS_PER_STEP * ROW_BYTES);
  const logitRows = take(LOGIT_ROWS_PER_STEP * 4);
  const frequencies = take((plan.headDim / 2) * 8);
  const attention = sdpaScratchBytes(plan.headDim, plan.numHeads / plan.numKvHeads);
  const paddedWidth = align(widestInput(ops, weights));
  // matmul_*: a tile, and of every row the sums of a panel; matvec_q4_baseline: a row of x as i16; sdpa.
  const tiled = Math.max(FLOAT_TILE_BYTES, SPARSE_BYTES) + ROWS_PER_STEP * PANEL * 4;
  const scratchBytes = align(Math.max(tiled, paddedWidth * 2, attention));
  const scratch = take(threads * scratchBytes);

  const staging = at;
  const arena = placeBuffers(ops, plan.buffers, ROWS_PER_STEP, LOGIT_ROWS_PER_STEP);
  const buffers = new Map([...arena.offsets].map(([name, offset]) => [name, staging + offset]));
  take(arena.bytes);
  const blocks = (paddedWidth / BLOCK) * ROWS_PER_STEP;
  const quantized = { q: take(blocks * BLOCK), scales: take(blocks * 4), sums: take(blocks * 4) };
  at = Math.max(at, staging + stagingNeed(weights));
  const stagingBytes = at - staging;

  const places = new Map<string, number>();
  const firstWeight = at;
  for (const [path, weight] of weights) places.set(path, take(weightBytes(weight)));
  const kvLayerBytes = layerBytes(plan, kvType);
  return {
    plan: planAt,
    rows,
    logitRows,
    frequencies,
    threads,
    scratch,
    scratchBytes,
    buffers,
    quantized,
    staging,
    stagingBytes,
    weights: places,
    end: at,
    weightBytes: at - firstWeight,
    kvPageBytes: align(kvLayerBytes * plan.numLayers),
    kvLayerBytes,
    tableBytes: align(pagesOf(plan.contextLength) * 4),
  };
}

/** Scratch of sdpa: weights, K and V of a tile, and the state of each head (kernels/sdpa.ts). */
export function sdpaScratchBytes(headDim: number, gqaFactor: number): number {
  const state = 32 + 4 * headDim;
  return 2 * PAGE_SIZE * headDim * 4 + gqaFactor * (PAGE_SIZE * 4 + state);
}

/** Bytes of one layer of a KV page: K and V, and for int8 their scales (kernels/kv_page.ts). */
function layerBytes(plan: Plan, type: KvType): number {
  const values = 2 * plan.numKvHeads * plan.headDim * PAGE_SIZE;
  if (type === 'int8') return values + 2 * plan.numKvHeads * PAGE_SIZE * 4;
  return values * (type === 'f16' ? 2 : 4);
}

export function pagesOf(positions: number): number {
  return Math.ceil(positions / PAGE_SIZE);
}

/** Widest input of a matmul that takes int8. */
function widestInput(ops: readonly Op[], weights: ReadonlyMap<string, Weight>): number {
  let widest = 0;
  for (const op of ops) {
    const weight = op.kind === 'matmul' ? weights.get(op.weight) : undefined;
    if (weight && !takesFloats(weight.format)) widest = Math.max(widest, weight.shape[1] ?? 0);
  }
  return widest;
}

function stagingNeed(weights: ReadonlyMap<string, Weight>): number {
  let need = STAGING_BYTES;
  for (const weight of weights.values())
    need = Math.max(need, LANES * stripBytes(weight, STRIP_ROWS));
  return LANES * align(need / LANES);
}

/** What `inspect` prints and loading takes. */
export function memoryNeed(layout: Layout, plan: Plan): MemoryNeed {
  const pages = pagesOf(plan.contextLength);
  return {
    weights: layout.weightBytes,
    arena: layout.end - layout.weightBytes,
    kvCache: pages * layout.kvPageBytes + layout.tableBytes,
  };
}

/** Initial and maximum size of the memory, in wasm pages, and the address where the KV cache must end. */
export function memoryPages(
  layout: Layout,
  plan: Plan,
  kvCacheBytes: number | undefined,
): { initial: number; maximum: number; kvLimit: number } {
  const initial = Math.ceil(layout.end / WASM_PAGE);
  const room = MEMORY_LIMIT - layout.end;
  const onePage = layout.kvPageBytes + layout.tableBytes;
  const least = kvCacheBytes ?? onePage;
  if (least > room) {
    throw new CapacityError(
      `[memory] weights and arena take ${layout.end} bytes and the KV cache ${least}; ` +
        `one wasm memory holds ${MEMORY_LIMIT}`,
    );
  }
  const wanted = kvCacheBytes ?? Math.min(room, 2 * memoryNeed(layout, plan).kvCache);
  const kvLimit = layout.end + wanted;
  return { initial, maximum: Math.ceil(kvLimit / WASM_PAGE), kvLimit };
}
