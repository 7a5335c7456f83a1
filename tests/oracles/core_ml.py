"""What Core ML's iOS 18 constexpr ops make of their inputs: coremltools' own decompression, which runs in numpy.

A case is the op, or the chain of ops, with its inputs and its output; arrays are nested lists, types are named where
the output depends on them.
"""

from pathlib import Path

import numpy as np
from coremltools.converters.mil.mil.ops.defs.iOS18.compression import (
    constexpr_blockwise_shift_scale as shift_scale,
    constexpr_lut_to_dense as lut_to_dense,
    constexpr_lut_to_sparse as lut_to_sparse,
    constexpr_sparse_blockwise_shift_scale as sparse_shift_scale,
    constexpr_sparse_to_dense as sparse_to_dense,
)

from seeded import TestRandom

N = 8
K = 4
FLOATS = {"f16": np.float16, "f32": np.float32}


def goldens(_inputs: Path, _out: Path) -> dict:
    return documented() | palettes() | vectors() | linear() | sparse()


def case(op: str, output, **inputs) -> dict:
    """@param inputs None is left out"""
    given = {name: listed(value) for name, value in inputs.items() if value is not None}
    return {"op": op, **given, "output": listed(output)}


def listed(value):
    if isinstance(value, tuple):
        return [listed(one) for one in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def whole(random: TestRandom, shape: tuple[int, ...], low: int, high: int) -> np.ndarray:
    """Integers in [low, high]."""
    count = int(np.prod(shape))
    drawn = [low + random.below(high - low + 1) for _ in range(count)]
    return np.array(drawn, dtype=np.int16).reshape(shape)


def scales(random: TestRandom, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Of few digits: their products with offsets are exact."""
    return (whole(random, shape, -300, 300) / 1024).astype(FLOATS[dtype])


def documented() -> dict:
    """The examples in the definitions of the ops."""
    indices = np.array([2, 3, 3, 0, 1, 0, 3, 0, 2, 1, 0, 3], np.uint8).reshape(6, 2)
    lut = np.array([1, 5, 9, 13, 2, 10, 18, 26], np.float16).reshape(2, 1, 4, 1)
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]], np.uint8)
    data = np.array([10, 11, 3, 4, 5, 6, 7, 8, 9], np.int8)
    scale = np.array([[0.1, 0.2, 0.3, 0.4]], np.float32)
    offset = np.array([[1, 2, 3, 4]], np.int8)
    wide = np.array([1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0], np.uint8)
    wide = wide.reshape(4, 6)
    ones = np.array([0, 1, 1, 0, 1, 1, 0, 0, 1], np.uint8)
    pair = np.array([2, 3], np.float16).reshape(1, 1, 2, 1)
    vectors = np.array([2, 2, 3, 3], np.float16).reshape(1, 1, 2, 2)
    sparse = {"mask": mask, "nonzero": data, "scale": scale, "offset": offset, "dtype": "f32"}
    chosen = {"mask": wide, "nonzero": ones, "dtype": "f16"}
    return {
        "documented: two groups of 2 bits": case(
            "lut_to_dense",
            lut_to_dense.decompress(indices, lut, None),
            bits=2, indices=indices, lut=lut, dtype="f16",
        ),
        "documented: sparse shift and scale, (mask, values)": case(
            "sparse_blockwise_shift_scale",
            sparse_shift_scale.decompress(mask, data, scale, offset),
            **sparse,
        ),
        "documented: lut to sparse, (mask, values)": case(
            "lut_to_sparse", lut_to_sparse.decompress(wide, ones, pair, None), **chosen, lut=pair
        ),
        "documented: vectors to sparse, (mask, values)": case(
            "lut_to_sparse",
            lut_to_sparse.decompress(wide, ones, vectors, 0),
            **chosen, lut=vectors, vector_axis=0,
        ),
    }


def palettes() -> dict:
    """Tables for groups of rows or for all; floats, or integers whose scale comes behind them."""
    random = TestRandom(21)
    cases = {}
    for bits in (1, 2, 3, 4, 6, 8):
        for groups in (1, 2) if bits < 8 else (1,):
            indices = whole(random, (N, K), 0, 2**bits - 1).astype(np.uint8)
            shape = (groups, 1, 2**bits, 1)
            name = f"{bits} bits, {groups} tables"
            given = {"bits": bits, "indices": indices}
            floats = scales(random, shape, "f16")
            cases[f"{name} of f16"] = case(
                "lut_to_dense", lut_to_dense.decompress(indices, floats, None),
                **given, lut=floats, dtype="f16",
            )
            integers = whole(random, shape, -128, 127).astype(np.int8)
            for what, rows in (("channel", N), ("table", groups)):
                # Tables of 256 entries are long.
                for dtype in FLOATS if bits < 8 else ("f32",):
                    scale = scales(random, (rows, 1), dtype)
                    dense = lut_to_dense.decompress(indices, integers, None)
                    cases[f"{name} of int8, a {dtype} scale for each {what}"] = case(
                        "lut_to_dense, blockwise_shift_scale",
                        shift_scale.decompress(dense, scale, None),
                        **given, lut=integers, scale=scale, dtype=dtype,
                    )
            scale = scales(random, (N, 1), "f16")
            dense = lut_to_dense.decompress(indices, floats, None)
            cases[f"{name} of f16, a scale for each channel"] = case(
                "lut_to_dense, blockwise_shift_scale", shift_scale.decompress(dense, scale, None),
                **given, lut=floats, scale=scale, dtype="f16",
            )
    return cases


def vectors() -> dict:
    random = TestRandom(22)
    cases = {}
    for bits, size, axis, groups in (
        (2, 2, 0, 1), (4, 2, 0, 2), (3, 4, 0, 1), (6, 4, 0, 2), (2, 2, 1, 1), (4, 4, 1, 2),
    ):
        shape = (N // size, K) if axis == 0 else (N, K // size)
        indices = whole(random, shape, 0, 2**bits - 1).astype(np.uint8)
        lut = scales(random, (groups, 1, 2**bits, size), "f16")
        cases[f"vectors of {size} on axis {axis}, {bits} bits, {groups} tables"] = case(
            "lut_to_dense", lut_to_dense.decompress(indices, lut, axis),
            bits=bits, indices=indices, lut=lut, vector_axis=axis, dtype="f16",
        )
    return cases


def linear() -> dict:
    random = TestRandom(23)
    cases = {}
    for bits, signed in ((4, True), (4, False), (8, True), (8, False)):
        low = -(2 ** (bits - 1)) if signed else 0
        high = low + 2**bits - 1
        kind = np.int8 if signed else np.uint8
        for what, shape in (("tensor", (1, 1)), ("channel", (N, 1)), ("block of 2", (N, K // 2))):
            for offset in (None, kind, np.float32):
                for dtype in FLOATS if offset is None else ("f32",):
                    data = whole(random, (N, K), low, high).astype(kind)
                    scale = scales(random, shape, dtype)
                    zero = None if offset is None else whole(random, shape, low, high).astype(offset)
                    type_ = f"{'' if signed else 'u'}int{bits}"
                    with_ = "" if offset is None else f", an offset of {offset.__name__}"
                    cases[f"{type_}, a {dtype} scale for each {what}{with_}"] = case(
                        "blockwise_shift_scale", shift_scale.decompress(data, scale, zero),
                        bits=bits, signed=signed, data=data, scale=scale, offset=zero, dtype=dtype,
                    )
    return cases


def sparse() -> dict:
    random = TestRandom(24)
    mask = whole(random, (N, K), 0, 1).astype(np.uint8)
    count = int(mask.sum())
    floats = scales(random, (count,), "f16")
    codes = whole(random, (count,), -8, 7).astype(np.int8)
    scale = scales(random, (N, K // 2), "f32")
    offset = whole(random, (N, K // 2), -8, 7).astype(np.int8)
    indices = whole(random, (count,), 0, 15).astype(np.uint8)
    lut = scales(random, (2, 1, 16, 1), "f16")
    half = whole(random, (N // 2, K), 0, 1).astype(np.uint8)
    few = whole(random, (int(half.sum()),), 0, 3).astype(np.uint8)
    pairs = scales(random, (1, 1, 4, 2), "f16")

    def dense(parts):
        return sparse_to_dense.decompress(parts[1], parts[0])

    scaled = {"bits": 4, "signed": True, "mask": mask, "nonzero": codes, "scale": scale, "dtype": "f32"}
    chain = "sparse_blockwise_shift_scale, sparse_to_dense"
    return {
        "sparse floats": case(
            "sparse_to_dense", sparse_to_dense.decompress(floats, mask),
            mask=mask, nonzero=floats, dtype="f16",
        ),
        "sparse int4, a scale for each block of 2": case(
            chain, dense(sparse_shift_scale.decompress(mask, codes, scale, None)), **scaled
        ),
        "sparse int4, with offsets": case(
            chain, dense(sparse_shift_scale.decompress(mask, codes, scale, offset)),
            **scaled, offset=offset,
        ),
        "sparse 4-bit palette, 2 tables": case(
            "lut_to_sparse, sparse_to_dense", dense(lut_to_sparse.decompress(mask, indices, lut, None)),
            bits=4, mask=mask, nonzero=indices, lut=lut, dtype="f16",
        ),
        "sparse vectors of 2 on axis 0": case(
            "lut_to_sparse, sparse_to_dense", dense(lut_to_sparse.decompress(half, few, pairs, 0)),
            bits=2, mask=half, nonzero=few, lut=pairs, vector_axis=0, dtype="f16",
        ),
    }
