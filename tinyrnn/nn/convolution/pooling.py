"""Pooling: the largest, or the mean, of each window."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import FLAG, INTEGER, Kind, checked
from tinyrnn.autograd.sliding import Lengths, Windows
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.convolution.sizes import Size, as_images, expect_windows, lengths
from tinyrnn.nn.module import Module

DIVISOR = Kind("an int other than 0", INTEGER.of_type, lambda value: value != 0).or_none()


@checked(ceil_mode=FLAG)
def max_pool1d(
    input: npt.ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest of each window: (..., C, L) to (..., C, L'). Arguments as in `MaxPool1d`.

    Parameters
    ----------
    input : Tensor or array_like, shape (..., C, L)
    kernel_size, stride, padding, dilation, ceil_mode
        As in `tinyrnn.nn.MaxPool1d`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.max_pool1d(tr.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode)


@checked(ceil_mode=FLAG)
def max_pool2d(
    input: npt.ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest of each window: (..., C, H, W) to (..., C, H', W'). Arguments as in `MaxPool2d`.

    Parameters
    ----------
    input : Tensor or array_like, shape (..., C, H, W)
    kernel_size, stride, padding, dilation, ceil_mode
        As in `tinyrnn.nn.MaxPool2d`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.max_pool2d(tr.tensor([[[1.0, 3.0], [2.0, 0.0]]]), 2)
    tensor([[[3.]]])
    """
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode)


@checked(ceil_mode=FLAG, count_include_pad=FLAG)
def avg_pool1d(
    input: npt.ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window: (..., C, L) to (..., C, L'). Arguments as in `AvgPool1d`.

    Parameters
    ----------
    input : Tensor or array_like, shape (..., C, L)
    kernel_size, stride, padding, ceil_mode, count_include_pad
        As in `tinyrnn.nn.AvgPool1d`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.avg_pool1d(tr.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return _avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


@checked(ceil_mode=FLAG, count_include_pad=FLAG, divisor_override=DIVISOR)
def avg_pool2d(
    input: npt.ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window: (..., C, H, W) to (..., C, H', W'). Arguments as in `AvgPool2d`.

    Parameters
    ----------
    input : Tensor or array_like, shape (..., C, H, W)
    kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        As in `tinyrnn.nn.AvgPool2d`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.avg_pool2d(tr.tensor([[[1.0, 3.0], [2.0, 0.0]]]), 2)
    tensor([[[1.5]]])
    """
    return _avg_pool(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def _max_pool(
    where: str,
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> Any:
    x = as_images(where, input, n)
    windows = _windows(where, x.shape[-n:], kernel_size, stride, padding, dilation, ceil_mode)
    return p.unfold(x, windows=windows, fill=-np.inf).max(axis=tuple(range(-2 * n, -n)))


def _avg_pool(
    where: str,
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None = None,
) -> Any:
    x = as_images(where, input, n)
    windows, axes = (
        _windows(where, x.shape[-n:], kernel_size, stride, padding, 1, ceil_mode),
        range(-2 * n, -n),
    )
    total = p.unfold(x, windows=windows).sum(axis=tuple(axes))
    if divisor_override is not None:
        return total / divisor_override
    # What counts: what was given, and the padding asked for; never what fills up the last window.
    counted = np.ones(x.shape[-n:], x.dtype)
    if count_include_pad:
        counted = np.pad(counted, [(low, low) for low, _ in windows.padding], constant_values=1)
        windows = windows._replace(padding=tuple((0, high - low) for low, high in windows.padding))
    return total / p.unfold.forward(counted, windows=windows).sum(axis=tuple(axes))


def _windows(
    where: str, size: tuple[int, ...], kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> Windows:
    """Return the windows over an input of this size; with ``ceil`` more is put behind, for a last one."""
    kernel, stride, padding, dilation = _sizes(where, len(size), kernel, stride, padding, dilation)
    sides = tuple((pad, pad) for pad in padding)
    if ceil:
        sides = tuple(map(_filled_up, size, kernel, stride, padding, dilation))
    windows = Windows(kernel, stride, dilation, sides)
    expect_windows(where, size, windows)
    return windows


def _sizes(
    where: str, n: int, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> tuple[Lengths, Lengths, Lengths, Lengths]:
    """Return kernel, stride, padding and dilation of each axis, where they are sizes that go together."""
    kernel = lengths(where, "kernel_size", kernel, n)
    stride = kernel if stride is None else lengths(where, "stride", stride, n)
    padding = lengths(where, "padding", padding, n, least=0)
    dilation = lengths(where, "dilation", dilation, n)
    if any(2 * pad > k for pad, k in zip(padding, kernel, strict=True)):
        raise ValueError(f"{where}: padding is {padding}; expected at most half of the kernel, {kernel}")
    return kernel, stride, padding, dilation


def _filled_up(size: int, kernel: int, stride: int, padding: int, dilation: int) -> tuple[int, int]:
    """Return what is put before and behind, so that a window that is cut off counts too.

    It must begin before the padding behind, as in PyTorch.
    """
    span = dilation * (kernel - 1) + 1
    number = -((span - size - 2 * padding) // stride) + 1
    number -= (number - 1) * stride >= size + padding
    return padding, max(padding, (number - 1) * stride + span - size - padding)


class _Pool(Module):
    """A pooling with its options."""

    axes: int

    def __init__(self, **options: Any) -> None:
        sizes = [options.get(name, 1) for name in ("kernel_size", "stride", "padding", "dilation")]
        _sizes(type(self).__name__, self.axes, *sizes)
        self.options = options

    def extra_repr(self) -> str:
        """Return the options."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items() if value is not None)


class _MaxPool(_Pool):
    @checked(ceil_mode=FLAG)
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
        )

    def forward(self, input: npt.ArrayLike) -> Tensor:
        """Pool over the last axes."""
        return _max_pool(type(self).__name__, self.axes, input, **self.options)


class _AvgPool(_Pool):
    @checked(ceil_mode=FLAG, count_include_pad=FLAG)
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
            **options,
        )

    def forward(self, input: npt.ArrayLike) -> Tensor:
        """Pool over the last axes."""
        return _avg_pool(type(self).__name__, self.axes, input, **self.options)


class MaxPool1d(_MaxPool):
    """The largest of each window: (..., C, L) to (..., C, L').

    Where several are the largest they share the gradient, as in `tinyrnn.max` (PyTorch: the first has it).

    Parameters
    ----------
    kernel_size, stride, padding, dilation : int
        The stride is the kernel by default. Padding is at most half of the kernel, and never the largest.
    ceil_mode : bool
        Whether a last window that is cut off counts too.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.MaxPool1d(2)(tr.tensor([[1.0, 3.0, 2.0, 0.0, 5.0]]))
    tensor([[3., 2.]])
    >>> tr.nn.MaxPool1d(2, ceil_mode=True)(tr.tensor([[1.0, 3.0, 2.0, 0.0, 5.0]]))
    tensor([[3., 2., 5.]])
    """

    axes = 1


class MaxPool2d(_MaxPool):
    """The largest of each window: (..., C, H, W) to (..., C, H', W').

    Parameters
    ----------
    kernel_size, stride, padding, dilation : int or pair of int
    ceil_mode : bool
        As in `MaxPool1d`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.MaxPool2d(2)(tr.zeros((5, 3, 8, 20, 20))).shape
    (5, 3, 8, 10, 10)
    """

    axes = 2


class AvgPool1d(_AvgPool):
    """The mean of each window: (..., C, L) to (..., C, L').

    Parameters
    ----------
    kernel_size, stride, padding : int
        The stride is the kernel by default. Padding is at most half of the kernel.
    ceil_mode : bool
        Whether a last window that is cut off counts too.
    count_include_pad : bool
        Whether the zeros of the padding count.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.AvgPool1d(2)(tr.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    axes = 1


class AvgPool2d(_AvgPool):
    """The mean of each window: (..., C, H, W) to (..., C, H', W').

    Parameters
    ----------
    kernel_size, stride, padding : int or pair of int
    ceil_mode, count_include_pad : bool
        As in `AvgPool1d`.
    divisor_override : int, optional
        What the sums are divided by, instead of the number of places.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.AvgPool2d(20)(tr.ones((5, 3, 8, 20, 20))).shape
    (5, 3, 8, 1, 1)
    """

    axes = 2

    @checked(divisor_override=DIVISOR)
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(
            kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override=divisor_override
        )
