"""Activations as modules, for `Sequential`: each is the function of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy.typing as npt

from tinyrnn.autograd import functions as F
from tinyrnn.autograd.arguments import FLAG, checked
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.module import Module


class _Activation(Module):
    """A function of each element. Its keyword arguments are kept as attributes."""

    function: Callable[..., Any]

    @checked(inplace=FLAG)
    def __init__(self, *, inplace: bool = False, **options: Any) -> None:
        if inplace:
            raise ValueError(
                f"{type(self).__name__}: inplace is {inplace}; expected False: a Tensor cannot be changed in "
                "place, since the tape still needs the old value"
            )
        self.options = tuple(options)
        for name, value in options.items():
            setattr(self, name, value)
        self(0.0)  # what the function refuses is refused here

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Apply the function to a Tensor or array of any shape."""
        return type(self).function(as_tensor(x), **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        """Return the arguments."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.options)


class ReLU(_Activation):
    """``max(x, 0)``; see `tinyrnn.relu`.

    Parameters
    ----------
    inplace : bool
        False; True is refused, for the tape still needs the old value.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.ReLU()(tr.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    function = F.relu

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(inplace=inplace)


class Sigmoid(_Activation):
    """The logistic function; see `tinyrnn.sigmoid`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.Sigmoid()(tr.tensor([0.0, 2.0]))
    tensor([0.5      , 0.8807...])
    """

    function = F.sigmoid

    def __init__(self) -> None:
        super().__init__()


class Tanh(_Activation):
    """The hyperbolic tangent; see `tinyrnn.tanh`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.Tanh()(tr.tensor([0.0, 0.5]))
    tensor([0.       , 0.4621...])
    """

    function = F.tanh

    def __init__(self) -> None:
        super().__init__()


class ELU(_Activation):
    """``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere; see `tinyrnn.elu`.

    Parameters
    ----------
    alpha : float
        The scale for negative numbers.
    inplace : bool
        False; True is refused, for the tape still needs the old value.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.ELU(alpha=2.0)
    ELU(alpha=2.0)
    >>> tr.nn.ELU()(tr.tensor([-1.0, 2.0]))
    tensor([-0.63212...,  2. ])
    """

    function = F.elu

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace=inplace, alpha=alpha)


class SELU(_Activation):
    """`ELU`, scaled so that mean 0 and variance 1 stay so; see `tinyrnn.selu`.

    Parameters
    ----------
    inplace : bool
        False; True is refused, for the tape still needs the old value.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.SELU()(tr.tensor([-1.0, 2.0]))
    tensor([-1.1113...,  2.1014... ])
    """

    function = F.selu

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(inplace=inplace)


class LeakyReLU(_Activation):
    """``x`` where it is positive, ``negative_slope * x`` elsewhere; see `tinyrnn.leaky_relu`.

    Parameters
    ----------
    negative_slope : float
        The slope for negative numbers.
    inplace : bool
        False; True is refused, for the tape still needs the old value.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.LeakyReLU(0.25)(tr.tensor([-1.0, 2.0]))
    tensor([-0.25,  2.  ])
    """

    function = F.leaky_relu

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace=inplace, negative_slope=negative_slope)


class GELU(_Activation):
    """``x * Φ(x)``, or with ``approximate="tanh"`` nearly so; see `tinyrnn.gelu`.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        By erf, or by a formula with tanh.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.GELU()(tr.tensor([-1.0, 2.0]))
    tensor([-0.1586...,  1.9544... ])
    """

    function = F.gelu

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        super().__init__(approximate=approximate)


class SiLU(_Activation):
    """``x * sigmoid(x)``; see `tinyrnn.silu`.

    Parameters
    ----------
    inplace : bool
        False; True is refused, for the tape still needs the old value.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.SiLU()(tr.tensor([-1.0, 2.0]))
    tensor([-0.2689...,  1.7615...])
    """

    function = F.silu

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(inplace=inplace)


class Mish(_Activation):
    """``x * tanh(softplus(x))``; see `tinyrnn.mish`.

    Parameters
    ----------
    inplace : bool
        False; True is refused, for the tape still needs the old value.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.Mish()(tr.tensor([-1.0, 2.0]))
    tensor([-0.3034...,  1.9439...])
    """

    function = F.mish

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(inplace=inplace)


class Hardtanh(_Activation):
    """``x`` limited to ``[min_val, max_val]``; see `tinyrnn.hardtanh`.

    Parameters
    ----------
    min_val, max_val : float
        The bounds.
    inplace : bool
        False; True is refused, for the tape still needs the old value.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.Hardtanh(-1.0, 0.75)(tr.tensor([-4.0, 0.5, 2.0]))
    tensor([-1.  ,  0.5 ,  0.75])
    """

    function = F.hardtanh

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace=inplace, min_val=min_val, max_val=max_val)


class Hardsigmoid(_Activation):
    """``x / 6 + 1 / 2``, limited to ``[0, 1]``; see `tinyrnn.hardsigmoid`.

    Parameters
    ----------
    inplace : bool
        False; True is refused, for the tape still needs the old value.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.Hardsigmoid()(tr.tensor([-4.0, 0.0, 1.5]))
    tensor([0.  , 0.5 , 0.75])
    """

    function = F.hardsigmoid

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(inplace=inplace)


class Softsign(_Activation):
    """``x / (1 + abs(x))``; see `tinyrnn.softsign`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.Softsign()(tr.tensor([-1.0, 3.0]))
    tensor([-0.5 ,  0.75])
    """

    function = F.softsign

    def __init__(self) -> None:
        super().__init__()


class LogSigmoid(_Activation):
    """``log(sigmoid(x))``; see `tinyrnn.logsigmoid`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.LogSigmoid()(tr.tensor([0.0, 2.0]))
    tensor([-0.6931..., -0.1269... ])
    """

    function = F.logsigmoid

    def __init__(self) -> None:
        super().__init__()
