"""How coremltools chooses: the linear quantizer's codes, scales and zero points, palettes of the modes uniform and
unique, and what pruning leaves. Weights are drawn from a seed; results are nested lists."""

from pathlib import Path

import numpy as np
from coremltools.optimize import _utils
from coremltools.optimize.coreml._quantization_passes import palettize_weights, prune_weights

from seeded import ROWS, TestRandom, matrix, normals

# Of matrix(SEED, K).
SEED = 31
K = 32
LINEAR_ROWS = ("normal", "equal", "positive only", "negative only", "one outlier", "far from zero")
BLOCKS = {"tensor": [0, 0], "channel": [1, 0], "block of 16": [1, 16]}
# normals(TestRandom(PRUNE_SEED), PRUNE_SHAPE, 1)
PRUNE_SEED = 32
PRUNE_SHAPE = (6, 16)


def goldens(_inputs: Path, _out: Path) -> dict:
    return linear() | palettes() | pruned()


def linear() -> dict:
    names = list(ROWS)
    weights = matrix(SEED, K)[[names.index(name) for name in LINEAR_ROWS]]
    cases = {}
    for bits, signed in ((8, True), (4, True), (8, False), (6, False), (4, False), (3, False), (2, False)):
        for mode in ("LINEAR_SYMMETRIC", "LINEAR"):
            for what, sizes in BLOCKS.items():
                # Its integer types are int4, int8, and unsigned ones of every width.
                data, scale, zero = _utils.compute_qparams(weights, bits, signed, mode, np.int8, sizes)
                name = f"{mode.lower()}, {'' if signed else 'u'}int{bits}, a scale for each {what}"
                cases[name] = {
                    "low_high": _utils.get_quant_range(bits, signed, mode),
                    "data": data.tolist(),
                    "scale": scale.tolist(),
                    "zero_point": None if zero is None else zero.tolist(),
                }
    return cases


def palettes() -> dict:
    weights = normals(TestRandom(PRUNE_SEED), PRUNE_SHAPE, 1.0)
    few = np.round(weights)
    cases = {}
    for groups, size in ((1, 0), (3, 2)):
        for bits in (2, 4):
            found = palettize_weights.blockwise_compress(weights, "UNIFORM", bits, [size, 0])
            cases[f"uniform, {bits} bits, {groups} tables"] = palette(found)
        found = palettize_weights.blockwise_compress(few, "UNIQUE", None, [size, 0])
        cases[f"unique, weights rounded to integers, {groups} tables"] = palette(found)
    return cases


def palette(found) -> dict:
    return {"indices": found.indices.tolist(), "lut": found.lut[:, 0, :, 0].tolist()}


def pruned() -> dict:
    """Where zeros stand afterwards: the mask of what is left."""
    weights = normals(TestRandom(PRUNE_SEED), PRUNE_SHAPE, 1.0)
    found = {
        "threshold 0.5": prune_weights.compress_by_threshold(weights, 0.5, 0.0),
        "sparsity 0.5": prune_weights.compress_by_magnitude(weights, 0.5),
        "sparsity 0.75": prune_weights.compress_by_magnitude(weights, 0.75),
        "sparsity 0.5 in blocks of 2 along axis 0": prune_weights.compress_by_magnitude(weights, 0.5, 2, 0),
        "sparsity 0.5 in blocks of 4 along axis 1": prune_weights.compress_by_magnitude(weights, 0.5, 4, 1),
        "2 of 4 become zero along axis 1": prune_weights.compress_by_nm_sparsity(weights, (2, 4), 1),
        "3 of 5 become zero along axis 1": prune_weights.compress_by_nm_sparsity(weights, (3, 5), 1),
        "1 of 2 become zero along axis 0": prune_weights.compress_by_nm_sparsity(weights, (1, 2), 0),
    }
    return {f"pruned: {name}": {"mask": mask_of(params)} for name, params in found.items()}


def mask_of(params) -> list:
    return _utils.ios16_sparse_params_to_ios18(params).mask.tolist()
