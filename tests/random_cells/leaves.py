"""Drawing what a cell is given: arrays of every dtype, of ordinary and of extreme values."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np

from .cell import Leaf

FLOATS = ("float64", "float64", "float64", "float32", "float32", "float16")
OTHERS = (
    "float16", "float32", "float64", "bool", "bool", "uint8", "uint8", "int8", "int16", "uint16", "int32",
    "uint32", "int64", "uint64",
)  # fmt: skip
EXTREMES = {
    "float16": ("6e4", "-6e4", "1e-7", "1e3", "0.0", "1.0", "-1.0", "np.inf"),
    "float32": ("1e8", "3e38", "-3e38", "1e-38", "1e30", "0.0", "1.0", "-1e8", "np.inf"),
    "float64": ("1e17", "1e300", "-1e300", "1e-300", "1e154", "0.0", "1.0", "-1e8", "np.inf"),
}


class Draw:
    """Random choices, all from one generator."""

    def __init__(self, seed: Any) -> None:
        self.rng = np.random.default_rng(seed)

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def below(self, n: int) -> int:
        return int(self.rng.integers(n))

    def of(self, things: Any) -> Any:
        return things[self.below(len(things))]


class Leaves:
    """Draws the leaves of one cell, whose usual dtype is ``base``."""

    def __init__(self, draw: Draw, base: str, extreme: bool) -> None:
        self.draw, self.base, self.extreme = draw, base, extreme
        self.other = draw.of(OTHERS)  # most leaves of another dtype have the same

    def extremes(self, dtype: str) -> str:
        """All of them, or two that are finite: where there are many, most results are not numbers."""
        known = EXTREMES[dtype]
        chosen = known if self.draw.chance(0.4) else [self.draw.of(known[:-1]) for _ in range(2)]
        return f"[{', '.join(chosen)}]"

    def leaf(self, name: str, shape: tuple[int, ...], mixed: float, **more: Any) -> Leaf:
        """Draw a leaf; ``mixed`` is how likely it has another dtype than the cell."""
        draw = self.draw
        dtype = self.base
        if draw.chance(mixed):
            dtype = self.other if draw.chance(0.6) else draw.of(OTHERS)
        seed = draw.below(1000)
        rng = f"np.random.default_rng({seed})"
        if dtype.startswith("float"):
            if self.extreme and draw.chance(0.6):
                values = f"{rng}.choice({self.extremes(dtype)}, {{shape}}).astype({{dtype}})"
            elif draw.chance(0.1):
                values = f"np.full({{shape}}, {draw.of(('0.0', '1.0', '0.5', '-1.0'))}, {{dtype}})"
            else:
                values = f"{rng}.normal(size={{shape}}).astype({{dtype}})"
        elif dtype == "bool":
            values = f"{rng}.integers(0, 2, {{shape}}).astype({{dtype}})"
        else:
            info = np.iinfo(dtype)
            low, high = draw.of(((0, 1), (0, 2), (-3, 3), (int(info.max) // 3, int(info.max)), (1, 200)))
            low, high = max(low, int(info.min)), min(high, int(info.max))
            values = f"{rng}.integers({low}, {high}, {{shape}}, {{dtype}}, endpoint=True)"
        more["grad"] = dtype.startswith("float") and not more.get("plain") and more.get("grad", False)
        return Leaf(name, values, shape, dtype, **more)


def twin(leaf: Leaf, i: int, draw: Draw) -> Leaf:
    """Another leaf of the same form, with values of its own."""
    values = re.sub(r"default_rng\(\d+\)", f"default_rng({draw.below(1000)})", leaf.values)
    grad = leaf.dtype.startswith("float") and draw.chance(0.6)
    return dataclasses.replace(leaf, name=f"c{i}", values=values, grad=grad)


def batched(leaf: Leaf, batch: int) -> Leaf:
    shape = (batch, *leaf.shape[1:]) if leaf.shape else (batch,)
    return dataclasses.replace(leaf, shape=shape)
