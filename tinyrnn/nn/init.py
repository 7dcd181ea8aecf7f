"""Initialisers: PyTorch's, in place on a parameter, or on an array such as one gate's rows.

Each returns what it was given. `xavier_*` is of Glorot and Bengio (2010), `kaiming_*` of He et al. (2015),
`orthogonal_` of Saxe et al. (2014), and the scaled identity for ReLU recurrences of Le, Jaitly and Hinton
(2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np

from tinyrnn.autograd.arguments import FILLED, NUMBER, RNG, checked, number, one_of
from tinyrnn.autograd.changes import mark_changed
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "eye_",
    "identity_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

T = TypeVar("T", Tensor, np.ndarray[Any, Any])
Rng = np.random.Generator | int | None
Mode = Literal["fan_in", "fan_out"]


_GAINS: dict[str, Callable[[float], float]] = {  # by the slope of leaky_relu
    "linear": lambda slope: 1.0,
    "sigmoid": lambda slope: 1.0,
    "tanh": lambda slope: 5 / 3,
    "relu": lambda slope: math.sqrt(2),
    "leaky_relu": lambda slope: math.sqrt(2 / (1 + slope**2)),
}
_KAIMING = {
    "tensor": FILLED,
    "a": NUMBER,
    "mode": one_of("fan_in", "fan_out"),
    "nonlinearity": one_of(*_GAINS),
    "rng": RNG,
}


def _fill(tensor: T, values: Any) -> T:
    array = tensor.data if isinstance(tensor, Tensor) else tensor
    mark_changed(array, "an initialiser", tensor.name if isinstance(tensor, Tensor) else "")
    array[...] = values
    return tensor


@checked(tensor=FILLED, a=NUMBER, b=NUMBER, rng=RNG)
def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, rng: Rng = None) -> T:
    """Fill with numbers from U(a, b).

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.
    a, b : float
        The bounds.
    rng : Generator or int, optional
        Where the numbers come from; the library's generator by default.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> p = tr.nn.init.uniform_(tr.zeros((2, 3)), -0.1, 0.1, rng=0)
    >>> bool((abs(p.numpy()) <= 0.1).all())
    True
    """
    if b < a:
        raise ValueError(f"uniform_: a = {a} and b = {b}; expected a <= b")
    return _fill(tensor, generator(rng).uniform(a, b, tensor.shape))


@checked(tensor=FILLED, mean=NUMBER, std=number(), rng=RNG)
def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, rng: Rng = None) -> T:
    """Fill with numbers from N(mean, std²).

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.
    mean, std : float
    rng : Generator or int, optional
        Where the numbers come from; the library's generator by default.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> p = tr.nn.init.normal_(tr.zeros(1000), std=0.1, rng=0)
    >>> round(float(p.numpy().std()), 2)
    0.1
    """
    return _fill(tensor, generator(rng).normal(mean, std, tensor.shape))


@checked(tensor=FILLED, value=NUMBER)
def constant_(tensor: T, value: float) -> T:
    """Fill with one number.

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.
    value : float

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.init.constant_(tr.zeros(3), 0.5)
    tensor([0.5, 0.5, 0.5])
    """
    return _fill(tensor, value)


@checked(tensor=FILLED)
def zeros_(tensor: T) -> T:
    """Fill with zeros.

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.init.zeros_(tr.ones(3))
    tensor([0., 0., 0.])
    """
    return _fill(tensor, 0.0)


@checked(tensor=FILLED)
def ones_(tensor: T) -> T:
    """Fill with ones.

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.init.ones_(tr.zeros(3))
    tensor([1., 1., 1.])
    """
    return _fill(tensor, 1.0)


@checked(tensor=FILLED)
def eye_(tensor: T) -> T:
    """Fill a matrix with ones on the diagonal and zeros elsewhere.

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.init.eye_(tr.ones((2, 3)))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    return identity_(tensor)


@checked(tensor=FILLED, scale=NUMBER)
def identity_(tensor: T, scale: float = 1.0) -> T:
    """Fill a matrix with ``scale`` on the diagonal and zeros elsewhere.

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.
    scale : float

    Examples
    --------
    >>> import tinyrnn as tr
    >>> rnn = tr.nn.RNN(3, 2, nonlinearity="relu")
    >>> tr.nn.init.identity_(rnn.weight_hh_l0, 0.9).numpy()
    array([[0.9, 0. ],
           [0. , 0.9]], dtype=float32)
    """
    rows, columns = _matrix("identity_", tensor, exactly=True)
    return _fill(tensor, scale * np.eye(rows, columns))


@checked(nonlinearity=one_of(*_GAINS), param=NUMBER.or_none())
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor on the standard deviation that keeps a signal's variance through a nonlinearity.

    Parameters
    ----------
    nonlinearity : {"linear", "sigmoid", "tanh", "relu", "leaky_relu"}
    param : float, optional
        The slope of ``leaky_relu`` below zero, 0.01 by default.

    Examples
    --------
    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    return _GAINS[nonlinearity](0.01 if param is None else param)


def _matrix(where: str, tensor: Any, exactly: bool = False) -> tuple[int, int]:
    """Return rows and columns, further axes counted to the columns."""
    shape = tensor.shape
    if len(shape) < 2 or (exactly and len(shape) > 2):
        raise ValueError(
            f"{where}: the tensor has shape {shape}; expected {'' if exactly else 'at least '}two axes"
        )
    return shape[0], math.prod(shape[1:])


def _fans(where: str, tensor: Any) -> tuple[int, int]:
    """Return fan in and fan out of a weight of shape (out, in, ...)."""
    _matrix(where, tensor)
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


@checked(tensor=FILLED, gain=NUMBER, rng=RNG)
def xavier_uniform_(tensor: T, gain: float = 1.0, rng: Rng = None) -> T:
    """Fill from U(-a, a) with ``a = gain * sqrt(6 / (fan_in + fan_out))``.

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.
    gain : float
        Of the function that follows, see `calculate_gain`.
    rng : Generator or int, optional
        Where the numbers come from; the library's generator by default.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> p = tr.nn.init.xavier_uniform_(tr.zeros((40, 20)), rng=0)
    >>> round(float(abs(p.numpy()).max()), 2)  # at most sqrt(6 / 60)
    0.32
    """
    a = gain * math.sqrt(6 / sum(_fans("xavier_uniform_", tensor)))
    return uniform_(tensor, -a, a, rng)


@checked(tensor=FILLED, gain=NUMBER, rng=RNG)
def xavier_normal_(tensor: T, gain: float = 1.0, rng: Rng = None) -> T:
    """Fill from N(0, std²) with ``std = gain * sqrt(2 / (fan_in + fan_out))``.

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.
    gain : float
        Of the function that follows, see `calculate_gain`.
    rng : Generator or int, optional
        Where the numbers come from; the library's generator by default.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> p = tr.nn.init.xavier_normal_(tr.zeros((40, 60)), rng=0)
    >>> round(float(p.numpy().std()), 2)  # sqrt(2 / 100)
    0.14
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_fans("xavier_normal_", tensor))), rng)


def _kaiming_std(where: str, tensor: Any, a: float, mode: Mode, nonlinearity: str) -> float:
    fan_in, fan_out = _fans(where, tensor)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan_in if mode == "fan_in" else fan_out)


@checked(**_KAIMING)
def kaiming_uniform_(
    tensor: T, a: float = 0.0, mode: Mode = "fan_in", nonlinearity: str = "leaky_relu", rng: Rng = None
) -> T:
    """Fill from U(-b, b) with ``b = gain * sqrt(3 / fan)``; ``a`` is the slope of ``leaky_relu``.

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.
    a : float
        The slope of ``leaky_relu`` below 0.
    mode : {"fan_in", "fan_out"}
        Whether values keep their size on the way forward, or gradients on the way back.
    nonlinearity : str
        What follows, see `calculate_gain`.
    rng : Generator or int, optional
        Where the numbers come from; the library's generator by default.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> p = tr.nn.init.kaiming_uniform_(tr.zeros((40, 50)), nonlinearity="relu", rng=0)
    >>> round(float(abs(p.numpy()).max()), 2)  # at most sqrt(6 / 50)
    0.35
    """
    bound = math.sqrt(3) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng)


@checked(**_KAIMING)
def kaiming_normal_(
    tensor: T, a: float = 0.0, mode: Mode = "fan_in", nonlinearity: str = "leaky_relu", rng: Rng = None
) -> T:
    """Fill from N(0, std²) with ``std = gain / sqrt(fan)``; ``a`` is the slope of ``leaky_relu``.

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.
    a : float
        The slope of ``leaky_relu`` below 0.
    mode : {"fan_in", "fan_out"}
        Whether values keep their size on the way forward, or gradients on the way back.
    nonlinearity : str
        What follows, see `calculate_gain`.
    rng : Generator or int, optional
        Where the numbers come from; the library's generator by default.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> p = tr.nn.init.kaiming_normal_(tr.zeros((40, 50)), nonlinearity="relu", rng=0)
    >>> round(float(p.numpy().std()), 2)  # sqrt(2 / 50)
    0.2
    """
    return normal_(tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), rng)


@checked(tensor=FILLED, gain=NUMBER, rng=RNG)
def orthogonal_(tensor: T, gain: float = 1.0, rng: Rng = None) -> T:
    """Fill with ``gain`` times a random matrix whose rows (or columns, if there are fewer) are orthonormal.

    A recurrent weight stacks its gates, (gates * H, H); give it gate by gate where each is to be orthogonal.

    Parameters
    ----------
    tensor : Parameter, Tensor or ndarray
        What is filled, in place.
    gain : float
    rng : Generator or int, optional
        Where the numbers come from; the library's generator by default.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> gru = tr.nn.GRU(3, 4)
    >>> for gate in np.split(gru.weight_hh_l0.numpy(), 3):
    ...     gate = tr.nn.init.orthogonal_(gate)
    >>> W = gru.weight_hh_l0.numpy()[:4]
    >>> bool(np.allclose(W @ W.T, np.eye(4), atol=1e-6))
    True
    """
    rows, columns = _matrix("orthogonal_", tensor)
    flat = generator(rng).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(flat)
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # makes the distribution uniform (Mezzadri 2007)
    return _fill(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def __dir__() -> list[str]:
    return sorted(__all__)
