// The exported surface of the fits: how compressed weights are chosen. A module of its own, which only the
// compressor loads. It imports one memory and nothing else, and never allocates; every thread has one.

export { scratch_bytes } from './groups';
export { holds_in_half, round_to_half } from './half';
export { fit_affine } from './linear_affine';
export { fit_symmetric } from './linear_symmetric';
export { pack_bits } from './pack_bits';
export { fit_palettes, palette_scratch_bytes } from './palettes';
export { quantize_core_ml, quantize_mlx } from './quantizers';
export { widen_bf16, widen_f16, widen_f32 } from './widen';
