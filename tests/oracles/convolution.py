"""Convolution, window by window and place by place, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.sliding import Windows


def unfold(x: Any, windows: Windows, fill: float = 0.0) -> Any:
    """(..., *kernel, *number): of each place in the window, what stands there in each window."""
    kernel, stride, dilation, padding, _ = windows
    n = len(kernel)
    x = np.pad(x, [(0, 0)] * (x.ndim - n) + list(padding), constant_values=fill)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    number = [(m - span) // s + 1 for m, span, s in zip(x.shape[-n:], spans, stride, strict=True)]
    found = np.empty((*x.shape[:-n], *kernel, *number), x.dtype)
    for place in np.ndindex(*kernel):
        for at in np.ndindex(*number):
            source = [i * s + j * d for i, s, j, d in zip(at, stride, place, dilation, strict=True)]
            found[(..., *place, *at)] = x[(..., *source)]
    return found


def conv(x: Any, w: Any, windows: Windows) -> Any:
    """(..., out_channels, *number)."""
    kernel, groups = windows.kernel, windows.groups
    n = len(kernel)
    seen = unfold(x, windows)
    out, each = w.shape[:2]
    y = np.zeros((*x.shape[: -n - 1], out, *seen.shape[-n:]), x.dtype)
    channel = (slice(None),) * n
    for o in range(out):
        for c in range(each):
            source = o // (out // groups) * each + c
            for place in np.ndindex(*kernel):
                y[(..., o, *channel)] += w[(o, c, *place)] * seen[(..., source, *place, *channel)]
    return y
