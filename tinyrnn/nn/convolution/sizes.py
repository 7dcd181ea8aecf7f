"""Sizes of windows: numbers that stand for all axes, padding in its several forms, checked by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.sliding import Lengths, Windows
from tinyrnn.nn.inputs import as_floating

Size = int | Sequence[int]  # of each axis, or one for all
AXES = {1: "L", 2: "H, W"}


def lengths(where: str, name: str, value: Any, n: int, least: int = 1) -> Lengths:
    """Return a whole number for each of ``n`` axes.

    Raises
    ------
    ValueError
        Where there are not ``n`` of them, or one is less than ``least``.
    """
    numbers = tuple(value) if isinstance(value, (tuple, list)) else (value,) * n
    whole = all(isinstance(m, (int, np.integer)) and not isinstance(m, bool) for m in numbers)
    if len(numbers) != n or not whole or min(numbers) < least:
        raise ValueError(
            f"{where}: {name} is {value!r}; expected a number >= {least}" + f", or {n} of them" * (n > 1)
        )
    return tuple(int(m) for m in numbers)


def conv_windows(
    where: str, kernel: Lengths, stride: Any, padding: Any, dilation: Any, groups: int
) -> Windows:
    """Return the windows of a convolution; its padding is a number, one for each axis, "same" or "valid".

    Raises
    ------
    ValueError
        Where a number does not fit, or "same" comes with a stride.
    """
    n = len(kernel)
    stride, dilation = lengths(where, "stride", stride, n), lengths(where, "dilation", dilation, n)
    if padding == "same":
        if max(stride) > 1:
            raise ValueError(f"{where}: padding is 'same' and stride is {stride}; expected a stride of 1")
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return Windows(kernel, stride, dilation, tuple((t // 2, t - t // 2) for t in total), groups)
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f"{where}: padding is {padding!r}; expected numbers, 'same' or 'valid'")
    sides = lengths(where, "padding", 0 if padding == "valid" else padding, n, least=0)
    return Windows(kernel, stride, dilation, tuple((p, p) for p in sides), groups)


def as_images(where: str, value: Any, n: int, channels: int | None = None) -> Any:
    """Return an input of shape (..., channels, *axes); any number of axes may stand before.

    Raises
    ------
    ValueError, TypeError
    """
    x = as_floating(where, "input", value)
    if len(x.shape) < n + 1 or channels not in (None, x.shape[-n - 1]):
        words = "channels" if channels is None else "in_channels"
        raise ValueError(
            f"{where}: input has shape {x.shape}; expected (..., {words}, {AXES[n]})"
            + ("" if channels is None else f", with {words} = {channels}")
        )
    return x


def expect_windows(where: str, shape: tuple[int, ...], windows: Windows) -> None:
    """Raise where not even one window fits.

    Raises
    ------
    ValueError
    """
    if 0 in windows.number(shape):
        spans = tuple(d * (k - 1) + 1 for k, d in zip(windows.kernel, windows.dilation, strict=True))
        padded = windows.size(windows.padded(shape))
        raise ValueError(
            f"{where}: a window takes {spans}; expected an input that is as large, got {padded}, its padding "
            "included"
        )
