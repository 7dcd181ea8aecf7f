"""Convolutions, with PyTorch's names, shapes, keys and first values."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import COUNT, FLAG, FLOATING, RNG, checked, one_of
from tinyrnn.autograd.functions import take
from tinyrnn.autograd.primitive import Value
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.sliding import Windows
from tinyrnn.autograd.state import get_default_dtype
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.convolution.sizes import Size, as_images, conv_windows, expect_windows, lengths
from tinyrnn.nn.inputs import as_input, expect_shape
from tinyrnn.nn.module import Module
from tinyrnn.nn.parameter import Parameter

# PyTorch's padding modes by numpy.pad's names.
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
_PAD: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@checked(groups=COUNT)
def conv1d(
    input: npt.ArrayLike,
    weight: npt.ArrayLike,
    bias: npt.ArrayLike | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution over one axis (as in PyTorch a correlation: the kernel is not mirrored).

    Parameters
    ----------
    input : Tensor or array_like, shape (..., in_channels, L)
        Any number of axes may stand before the channels: (T, B, C, L) is all steps at once.
    weight : Tensor, shape (out_channels, in_channels / groups, kernel)
    bias : Tensor, shape (out_channels,), optional
    stride, padding, dilation, groups
        As in `tinyrnn.nn.Conv1d`.

    Returns
    -------
    Tensor, shape (..., out_channels, (L + 2 padding - dilation (kernel - 1) - 1) // stride + 1)

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.conv1d(tr.tensor([[1.0, 2.0, 4.0, 8.0]]), tr.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2., 4.]])
    """
    return _checked("conv1d", input, weight, bias, stride, padding, dilation, groups, 1)


@checked(groups=COUNT)
def conv2d(
    input: npt.ArrayLike,
    weight: npt.ArrayLike,
    bias: npt.ArrayLike | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution over two axes (as in PyTorch a correlation: the kernel is not mirrored).

    Parameters
    ----------
    input : Tensor or array_like, shape (..., in_channels, H, W)
        Any number of axes may stand before the channels: (T, B, C, H, W) is all steps at once.
    weight : Tensor, shape (out_channels, in_channels / groups, kernel[0], kernel[1])
    bias : Tensor, shape (out_channels,), optional
    stride, padding, dilation, groups
        As in `tinyrnn.nn.Conv2d`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.conv2d(tr.ones((1, 4, 5)), tr.ones((1, 1, 3, 3)))
    tensor([[[9., 9., 9.],
             [9., 9., 9.]]])
    """
    return _checked("conv2d", input, weight, bias, stride, padding, dilation, groups, 2)


def _checked(
    where: str,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    n: int,
) -> Any:
    """Check what the functions are given, and convolve."""
    if isinstance(weight, Value):  # plain arrays are cast to the dtype of what is learnt
        input = as_input(where, "input", input, weight.dtype)
    input = as_images(where, input, n)
    weight = as_input(where, "weight", weight, input.dtype)
    if len(weight.shape) != n + 2 or 0 in weight.shape:
        raise ValueError(
            f"{where}: weight has shape {weight.shape}; expected {n + 2} axes, "
            "(out_channels, in_channels / groups, *kernel)"
        )
    out_channels, each, *kernel = weight.shape
    check_groups(where, each * groups, out_channels, groups)
    as_images(where, input, n, each * groups)
    if bias is not None:
        bias = as_input(where, "bias", bias, input.dtype)
        expect_shape(where, "bias", bias.shape, (out_channels,), "out_channels,")
    windows = conv_windows(where, tuple(kernel), stride, padding, dilation, groups)
    return _convolved(where, input, weight, bias, windows)


def _convolved(where: str, input: Any, weight: Any, bias: Any, windows: Windows) -> Any:
    """Convolve what was checked."""
    expect_windows(where, input.shape, windows)
    y = p.conv(input, weight, windows=windows)
    return y if bias is None else y + bias.reshape((-1, *(1,) * len(windows.kernel)))


def _padded(where: str, x: Any, windows: Windows, mode: str) -> Any:
    """Put copies of what is inside around it."""
    for axis, (low, high) in enumerate(windows.padding, start=-len(windows.padding)):
        size, sides = x.shape[axis], max(low, high)
        if sides > (size - 1 if mode == "reflect" else size) and mode != "replicate":
            raise ValueError(
                f"{where}: with padding_mode={mode!r}, {sides} cannot be put around an axis of length {size}"
            )
        x = take(x, np.pad(np.arange(size), (low, high), _PAD[mode]), axis=axis)
    return x


def check_groups(where: str, in_channels: int, out_channels: int, groups: int) -> None:
    """Raise where the channels cannot be parted into equal groups.

    Raises
    ------
    ValueError
    """
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            f"{where}: groups is {groups}; expected a divisor of in_channels = {in_channels} and of "
            f"out_channels = {out_channels}"
        )


class _Conv(Module):
    """What Conv1d and Conv2d share."""

    axes: int

    @checked(
        in_channels=COUNT,
        out_channels=COUNT,
        groups=COUNT,
        bias=FLAG,
        padding_mode=one_of("zeros", *_PAD),
        rng=RNG,
        dtype=FLOATING,
    )
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        *,
        rng: np.random.Generator | int | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        where, n = type(self).__name__, self.axes
        check_groups(where, in_channels, out_channels, groups)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = lengths(where, "kernel_size", kernel_size, n)
        self.windows = conv_windows(where, self.kernel_size, stride, padding, dilation, groups)
        self.stride, self.dilation = self.windows.stride, self.windows.dilation
        self.padding = padding
        self.groups = groups
        self.padding_mode = padding_mode
        dtype = get_default_dtype() if dtype is None else np.dtype(dtype)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        rng, bound = generator(rng), 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = Parameter(rng.uniform(-bound, bound, shape), dtype=dtype)
        self.bias = Parameter(rng.uniform(-bound, bound, out_channels), dtype=dtype) if bias else None

    def forward(self, input: npt.ArrayLike) -> Tensor:
        """Map ``(..., in_channels, *axes)`` to ``(..., out_channels, *windows)``."""
        where = type(self).__name__
        x = as_images(where, as_input(where, "input", input, self.weight.dtype), self.axes, self.in_channels)
        windows = self.windows
        if self.padding_mode != "zeros":
            x = _padded(where, x, windows, self.padding_mode)
            windows = windows._replace(padding=((0, 0),) * self.axes)
        return _convolved(where, x, self.weight, self.bias, windows)

    def extra_repr(self) -> str:
        """Return the sizes, and what differs from the defaults."""
        ones = (1,) * self.axes
        options = {
            "padding": (self.padding, 0),
            "dilation": (self.dilation, ones),
            "groups": (self.groups, 1),
            "bias": (self.bias is not None, True),
            "padding_mode": (self.padding_mode, "zeros"),
        }
        sizes = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        )
        return sizes + "".join(
            f", {name}={value!r}" for name, (value, usual) in options.items() if value != usual
        )


class Conv1d(_Conv):
    """Convolution over one axis: (..., in_channels, L) to (..., out_channels, L').

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int
        The size of a window, from one window to the next, and from one of its places to the next.
    padding : int, "same" or "valid"
        How much is put before and behind; "same" keeps the length.
    groups : int
        Part the channels in so many groups, each with kernels of its own.
    bias : bool
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What is put there.
    rng : Generator or int, optional
        Where the first values come from: U(-1/√n, 1/√n) with n = in_channels / groups * kernel_size, as in
        PyTorch.
    dtype : dtype_like, optional

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, kernel_size)
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.Conv1d(4, 6, 3, stride=2, padding=1)(tr.zeros((7, 2, 4, 10))).shape
    (7, 2, 6, 5)
    """

    axes = 1


class Conv2d(_Conv):
    """Convolution over two axes: (..., in_channels, H, W) to (..., out_channels, H', W').

    Any number of axes may stand before the channels, so that frames (T, B, C, H, W) go through at once.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int or pair of int
        The size of a window, from one window to the next, and from one of its places to the next.
    padding : int, pair of int, "same" or "valid"
        How much is put around; "same" keeps the size.
    groups, bias, padding_mode, rng, dtype
        As in `Conv1d`.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, kernel_size[0], kernel_size[1])
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> import tinyrnn as tr
    >>> conv = tr.nn.Conv2d(1, 8, 3, padding="same")
    >>> conv(tr.zeros((5, 2, 1, 20, 20))).shape
    (5, 2, 8, 20, 20)
    """

    axes = 2
