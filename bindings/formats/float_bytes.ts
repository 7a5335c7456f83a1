// Floats to bytes and back.

import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from './float16.js';
import { FLOAT_BYTES, type FloatType } from './format.js';

/** The values of little-endian floats. */
export function decodeFloats(bytes: Uint8Array, type: FloatType): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float64Array(bytes.byteLength / FLOAT_BYTES[type]);
  for (let i = 0; i < out.length; i++) {
    if (type === 'f32') out[i] = view.getFloat32(4 * i, true);
    else out[i] = (type === 'f16' ? f16ToF32 : bf16ToF32)(view.getUint16(2 * i, true));
  }
  return out;
}

/** Values rounded to the nearest float of `type`, little-endian. */
export function encodeFloats(values: ArrayLike<number>, type: FloatType): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(values.length * FLOAT_BYTES[type]);
  const view = new DataView(out.buffer);
  for (let i = 0; i < values.length; i++) {
    if (type === 'f32') view.setFloat32(4 * i, values[i]!, true);
    else view.setUint16(2 * i, (type === 'f16' ? f32ToF16 : f32ToBf16)(values[i]!), true);
  }
  return out;
}
