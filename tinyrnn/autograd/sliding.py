"""Windows that slide over the last axes: copied out, added back, and multiplied by kernels (convolution)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.primitive import Shape

Lengths = tuple[int, ...]  # a number for each axis over which the windows slide

_CHUNK = 1 << 22  # bytes of windows at a time: they take many times the memory of what they are cut from


class Windows(NamedTuple):
    """How windows lie over the last axes.

    Attributes
    ----------
    kernel, stride, dilation : tuple of int
        The places in a window; from one window to the next; from one place to the next.
    padding : tuple of (int, int)
        How much is put before and behind each axis.
    groups : int
        Of a convolution: in how many parts the channels go through, each with kernels of its own.
    """

    kernel: Lengths
    stride: Lengths
    dilation: Lengths
    padding: tuple[tuple[int, int], ...]
    groups: int = 1

    def size(self, shape: Shape) -> Shape:
        """Return the lengths of the axes over which the windows slide."""
        return shape[len(shape) - len(self.kernel) :]

    def padded(self, shape: Shape) -> Shape:
        """Return a shape with the padding."""
        lead = shape[: len(shape) - len(self.kernel)]
        sides = zip(self.size(shape), self.padding, strict=True)
        return lead + tuple(low + n + high for n, (low, high) in sides)

    def inside(self, size: Lengths) -> Any:
        """Return the index of what is not padding."""
        return (..., *(slice(low, low + n) for n, (low, _) in zip(size, self.padding, strict=True)))

    def number(self, shape: Shape) -> Lengths:
        """Return how many windows there are along each axis; 0 where a window does not fit."""
        axes = zip(self.size(self.padded(shape)), self.kernel, self.stride, self.dilation, strict=True)
        return tuple(max((n - d * (k - 1) - 1) // s + 1, 0) for n, k, s, d in axes)

    def places(self, number: Lengths) -> Iterator[tuple[Any, Any]]:
        """Yield, for each place in a window, its index among windows, and that of what it meets in x."""
        whole = (slice(None),) * len(number)
        for place in itertools.product(*map(range, self.kernel)) if math.prod(number) else ():
            axes = zip(place, self.stride, self.dilation, number, strict=True)
            yield (
                (..., *place, *whole),
                (..., *(slice(i * d, i * d + (m - 1) * s + 1, s) for i, s, d, m in axes)),
            )


# --- windows copied out, and added back ---------------------------------------------------------------------
def unfolded_shape(x: Shape, windows: Windows, **_: Any) -> Shape:
    """Return (..., *kernel, *number)."""
    return x[: len(x) - len(windows.kernel)] + windows.kernel + windows.number(x)


def folded_shape(x: Shape, windows: Windows, size: Lengths) -> Shape:
    """Return (..., *size)."""
    return x[: len(x) - 2 * len(size)] + size


def unfold(x: Any, windows: Windows, fill: float = 0.0, out: Any = None) -> Any:
    """Copy out windows: for each place in the window, what stands there in each window.

    The windows are the last axes, so that long runs of memory are copied, and a product with a kernel is
    one matrix product.
    """
    if out is None:
        out = np.empty(unfolded_shape(x.shape, windows), x.dtype)
    if any(map(any, windows.padding)):
        padded = np.full(windows.padded(x.shape), fill, x.dtype)
        padded[windows.inside(windows.size(x.shape))] = x
        x = padded
    for place, source in windows.places(windows.size(out.shape)):
        out[place] = x[source]
    return out


def fold(x: Any, windows: Windows, size: Lengths) -> Any:
    """Add windows back to where `unfold` takes them from; what falls on the padding is dropped."""
    total = np.zeros(windows.padded(folded_shape(x.shape, windows, size)), x.dtype)
    for place, source in windows.places(windows.size(x.shape)):
        total[source] += x[place]
    return total[windows.inside(size)]


# --- convolution: y = w * x is linear in x and in w, so that three products of two of them belong together --
def conv_shape(x: Shape, w: Shape, windows: Windows) -> Shape:
    """Return (..., out_channels, *number)."""
    number = windows.number(x)
    return (*x[: len(x) - len(number) - 1], w[0], *number)


def conv_transpose_shape(y: Shape, w: Shape, windows: Windows, size: Lengths) -> Shape:
    """Return (..., in_channels, *size)."""
    return (*y[: len(y) - len(size) - 1], w[1] * windows.groups, *size)


def conv_weight_shape(x: Shape, y: Shape, windows: Windows, keep: int) -> Shape:
    """Return (..., out_channels, in_channels / groups, *kernel), with the first ``keep`` axes."""
    channels = -len(windows.kernel) - 1
    return (*x[:keep], y[channels], x[channels] // windows.groups, *windows.kernel)


def conv(x: Any, w: Any, windows: Windows) -> Any:
    """Multiply windows of x (..., in_channels, *size) by kernels w (out_channels, in / groups, *kernel)."""
    shape = conv_shape(x.shape, w.shape, windows)
    rows, kernels = _rows(x, windows), _by_group(w, windows)
    y = np.empty((len(rows), *kernels.shape[:2], math.prod(windows.size(shape))), np.result_type(x, w))
    for part, matrices in _unfolded(rows, windows):
        np.matmul(kernels, matrices, y[part])
    return y.reshape(shape)


def conv_transpose(y: Any, w: Any, windows: Windows, size: Lengths) -> Any:
    """Return the gradient of ``<y, conv(x, w)>`` by x, which has this size."""
    shape = conv_transpose_shape(y.shape, w.shape, windows, size)
    rows, kernels = _by_group(_rows(y, windows), windows, 1), _by_group(w, windows).swapaxes(1, 2)
    x = np.empty((len(rows), w.shape[1] * windows.groups, *size), np.result_type(y, w))
    for part, place in _chunks(x, windows):
        np.matmul(kernels, rows[part], _as_matrices(place, windows))
        x[part] = fold(place, windows, size)
    return x.reshape(shape)


def conv_weight(x: Any, y: Any, windows: Windows, keep: int) -> Any:
    """Return the gradient of ``<y, conv(x, w)>`` by w: summed over all but the first ``keep`` axes."""
    shape = conv_weight_shape(x.shape, y.shape, windows, keep)
    if keep:
        w = np.empty(shape, np.result_type(x, y))
        for i in np.ndindex(shape[:keep]):
            w[i] = conv_weight(x[i], y[i], windows, 0)
        return w
    rows = _by_group(_rows(y, windows), windows, 1)
    total = np.zeros((*rows.shape[1:3], math.prod(shape[1:])), np.result_type(x, y))
    for part, matrices in _unfolded(_rows(x, windows), windows):
        total += (rows[part] @ matrices.swapaxes(-1, -2)).sum(0)
    return total.reshape(shape)


def _rows(x: Any, windows: Windows) -> Any:
    """Return (..., channels, *size) with the axes before the channels as one."""
    lead = x.ndim - len(windows.kernel) - 1
    return x.reshape(math.prod(x.shape[:lead]), *x.shape[lead:])


def _by_group(x: Any, windows: Windows, axis: int = 0) -> Any:
    """Part the channels, at an axis, in groups; what follows them becomes one axis."""
    lead, channels, rest = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    return x.reshape(*lead, windows.groups, channels // windows.groups, math.prod(rest))


def _as_matrices(place: Any, windows: Windows) -> Any:
    """Return (rows, channels, *kernel, *number) as (rows, groups, channels * kernel, number)."""
    n = len(windows.kernel)
    places = place.shape[1] // windows.groups * math.prod(windows.kernel)
    return place.reshape(len(place), windows.groups, places, math.prod(place.shape[-n:]))


def _unfolded(rows: Any, windows: Windows) -> Iterator[tuple[slice, Any]]:
    """Yield the windows of some rows at a time, as matrices."""
    for part, place in _chunks(rows, windows):
        yield part, _as_matrices(unfold(rows[part], windows, out=place), windows)


def _chunks(rows: Any, windows: Windows) -> Iterator[tuple[slice, Any]]:
    """Yield which rows are next, and a place for their windows, used again and again."""
    shape = unfolded_shape(rows.shape[1:], windows)
    most = max(_CHUNK // max(math.prod(shape) * rows.itemsize, 1), 1)
    place = np.empty((min(most, len(rows)), *shape), rows.dtype)
    for low in range(0, len(rows), most):
        part = slice(low, min(low + most, len(rows)))
        yield part, place[: part.stop - low]
