"""`unrolled` and `graph`: the pictures, from a Tensor to a `Drawing`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tinyrnn.draw.captions import add_captions
from tinyrnn.draw.dot import dot_of
from tinyrnn.draw.drawing import Drawing
from tinyrnn.draw.fold import columns_of
from tinyrnn.draw.levels import LEVELS, view_of
from tinyrnn.draw.place import place
from tinyrnn.draw.style import theme_of
from tinyrnn.draw.unroll import Unrolled, unroll

__all__ = ["unrolled"]


def unrolled(outputs: Any, level: str = "cell", *, expand: Collection[int] = (), weights: str = "alias",
             values: str = "summary", gradients: bool = True, theme: str = "light", max_nodes: int = 400, windows: Any = None,
             engine=None, timeout=30.0) -> Drawing:
    g = unroll(outputs)
    cols = columns_of(g, expand)
    v = view_of(g, level, cols, frozenset(expand), weights)
    add_captions(v, g, values, gradients)
    lay = place(v)
    return Drawing(dot_of(v, lay, theme_of(theme)), engine=engine, timeout=timeout)
