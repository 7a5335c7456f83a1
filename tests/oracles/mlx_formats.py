"""mx.quantize and mx.dequantize over rows that a quantizer may meet; and that the formula of MLX's quantizer, as
README.md writes it, is MLX's."""

from pathlib import Path

import mlx.core as mx
import numpy as np

from seeded import digest, matrix, text_of

SEED = 7
K = 128
BITS = (2, 3, 4, 5, 6, 8)
GROUPS = (32, 64, 128)
DTYPES = {"f32": mx.float32, "f16": mx.float16, "bf16": mx.bfloat16}


def goldens(_inputs: Path, _out: Path) -> dict:
    return {
        f"{bits} bits, groups of {group}, {name}": golden(bits, group, name)
        for name in DTYPES
        for bits in BITS
        for group in GROUPS
        # Scales of 16 bits differ in nothing but their rounding.
        if name == "f32" or group == 64 or bits == 4
    }


def golden(bits: int, group: int, name: str) -> dict:
    dtype = DTYPES[name]
    weights = mx.array(matrix(SEED, K)).astype(dtype)
    codes, scales, biases = mx.quantize(weights, group_size=group, bits=bits)
    values = mx.dequantize(codes, scales, biases, group_size=group, bits=bits)
    assert values.dtype == dtype and scales.dtype == dtype
    expected = by_formula(floats(weights), bits, group)
    came = unpack(np.asarray(codes), bits), floats(scales), floats(biases)
    rounded = expected[0], rounded_to(dtype, expected[1]), rounded_to(dtype, expected[2])
    for what, one, other in zip(("codes", "scales", "biases"), came, rounded):
        assert np.array_equal(one, other), f"{what} of {bits} bits, {group}, {name}: not by formula"
    return {
        "bits": bits,
        "group": group,
        "dtype": name,
        "weights": digest(stored(weights)),
        "codes": text_of(np.asarray(codes)),
        "scales": text_of(stored(scales)),
        "biases": text_of(stored(biases)),
        "values": digest(stored(values)),
    }


def by_formula(weights: np.ndarray, bits: int, group: int):
    """Codes [n, k], scales and biases [n, k / group]; every step in float32, whatever the weights' type."""
    n, k = weights.shape
    w = weights.reshape(n, k // group, group)
    low, high = w.min(-1), w.max(-1)
    below = np.abs(low) > np.abs(high)
    scale = np.maximum((high - low) / np.float32(2**bits - 1), np.float32(1e-7))
    scale = np.where(below, scale, -scale)
    edge = np.where(below, low, high)
    steps = np.rint(edge / scale)
    scale = np.where(steps != 0, edge / np.where(steps != 0, steps, 1), scale)
    bias = np.where(steps != 0, edge, np.float32(0))
    codes = np.clip(np.rint((w - bias[..., None]) / scale[..., None]), 0, 2**bits - 1)
    return codes.reshape(n, k).astype(np.uint8), scale, bias


def unpack(codes: np.ndarray, bits: int) -> np.ndarray:
    stream = np.unpackbits(codes.view(np.uint8), axis=1, bitorder="little")
    planes = stream.reshape(codes.shape[0], -1, bits)
    return (planes << np.arange(bits, dtype=np.uint8)).sum(-1, dtype=np.uint8)


def floats(array: mx.array) -> np.ndarray:
    return np.asarray(array.astype(mx.float32))


def rounded_to(dtype: mx.Dtype, values: np.ndarray) -> np.ndarray:
    return floats(mx.array(values).astype(dtype))


def stored(array: mx.array) -> np.ndarray:
    """As a file holds it; numpy has no bfloat16."""
    return np.asarray(array if array.dtype == mx.float32 else array.view(mx.uint16))
