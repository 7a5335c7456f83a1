"""Seeded inputs, the same numbers as tests/support/random.ts and tests/oracles/matrices.ts draw."""

import base64
import hashlib
import json

import numpy as np

MASK = 0xFFFFFFFF


class TestRandom:
    """splitmix32"""

    def __init__(self, seed: int):
        self.state = seed & MASK

    def uint32(self) -> int:
        self.state = (self.state + 0x9E3779B9) & MASK
        z = self.state
        z = ((z ^ (z >> 16)) * 0x21F0AAAD) & MASK
        z = ((z ^ (z >> 15)) * 0x735A2D97) & MASK
        return z ^ (z >> 15)

    def below(self, limit: int) -> int:
        return int(self.uint32() / 2**32 * limit)

    def normal(self) -> float:
        total = -6.0
        for _ in range(12):
            total += self.uint32() / 2**32
        return total


# What a quantizer may meet: of each kind one row.
ROWS = {
    "normal": lambda x, i, at: x,
    "zeros": lambda x, i, at: 0.0,
    "equal": lambda x, i, at: 0.75,
    "equal negative": lambda x, i, at: -0.3,
    "positive only": lambda x, i, at: abs(x) + 0.5,
    "negative only": lambda x, i, at: -abs(x) - 0.5,
    "one outlier": lambda x, i, at: -100.0 if i == at else x * 0.01,
    "far from zero": lambda x, i, at: 50 + x,
    "as far up as down": lambda x, i, at: (-2.0, 2.0, x / 4)[min(i % 32, 2)],
    "tiny": lambda x, i, at: x * 1e-9,
    "whole numbers": lambda x, i, at: float(i % 5 - 2),
    "almost all zero": lambda x, i, at: 1.5 if i == at else 0.0,
}


def matrix(seed: int, k: int) -> np.ndarray:
    """A row of every kind, float32 [kinds, k]."""
    random = TestRandom(seed)
    rows = []
    for value in ROWS.values():
        at = random.below(k)
        rows.append([value(random.normal(), i, at) for i in range(k)])
    return np.array(rows, dtype=np.float64).astype(np.float32)


def normals(random: TestRandom, shape: tuple[int, ...], scale: float) -> np.ndarray:
    count = int(np.prod(shape))
    values = [random.normal() * scale for _ in range(count)]
    return np.array(values, dtype=np.float64).astype(np.float32).reshape(shape)


def text_of(array: np.ndarray) -> str:
    """The little-endian bytes in base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def digest(array: np.ndarray) -> str:
    """SHA-256 of the little-endian bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def json_digest(value) -> str:
    """SHA-256 of what JSON.stringify makes of it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
