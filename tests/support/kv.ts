// KV pages in the layout that kernels/kv_page.ts describes, written from that description alone.

import type { KvType } from '../../bindings/executor/executor.js';
import { fromFloat16, toFloat16 } from './floats.js';

const POSITIONS = 32;
export const KV_BYTES: Readonly<Record<KvType, number>> = { f32: 4, f16: 2, int8: 1 };

export interface KvShape {
  readonly type: KvType;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Bytes of one layer of a page. */
export function layerBytes({ type, kvHeads, headDim }: KvShape): number {
  const scales = type === 'int8' ? kvHeads * POSITIONS * 4 : 0;
  return 2 * (kvHeads * headDim * POSITIONS * KV_BYTES[type] + scales);
}

/**
 * Writes k and v [kvHeads, headDim] of one position into a layer (`slot` = position % 32) and returns what
 * they then mean.
 */
export function writeKv(
  layer: Uint8Array,
  shape: KvShape,
  slot: number,
  k: Float32Array,
  v: Float32Array,
): { readonly k: Float64Array; readonly v: Float64Array } {
  const { type, kvHeads, headDim } = shape;
  const view = new DataView(layer.buffer, layer.byteOffset, layer.byteLength);
  const bytes = KV_BYTES[type];
  const vBase = kvHeads * headDim * POSITIONS * bytes;
  const scaleBase = 2 * vBase;
  const write = (from: Float32Array, isV: boolean) => {
    const out = new Float64Array(from.length);
    for (let head = 0; head < kvHeads; head++) {
      const values = from.subarray(head * headDim, (head + 1) * headDim);
      const scale = Math.fround(values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) / 127);
      for (const [d, value] of values.entries()) {
        const inHead = isV ? slot * headDim + d : d * POSITIONS + slot;
        const at = (isV ? vBase : 0) + (head * headDim * POSITIONS + inHead) * bytes;
        out[head * headDim + d] = store(view, at, type, value, scale);
      }
      const scaleAt = scaleBase + ((isV ? kvHeads : 0) + head) * POSITIONS * 4 + slot * 4;
      if (type === 'int8') view.setFloat32(scaleAt, scale, true);
    }
    return out;
  };
  return { k: write(k, false), v: write(v, true) };
}

function store(view: DataView, at: number, type: KvType, value: number, scale: number): number {
  if (type === 'f32') {
    view.setFloat32(at, value, true);
    return value;
  }
  if (type === 'f16') {
    view.setUint16(at, toFloat16(value), true);
    return fromFloat16(toFloat16(value));
  }
  const exact = scale === 0 ? 0 : Math.fround(value / scale);
  const q = Math.abs(exact % 1) === 0.5 ? 2 * Math.round(exact / 2) : Math.round(exact);
  view.setInt8(at, q);
  return q * scale;
}
