"""`check_grads`: hold the gradients of any function against central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import COUNT, FUNCTION, RNG, checked, number
from tinyrnn.autograd.gradient import grad
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.state import enable_grad
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.tree import flatten

__all__ = ["check_grads"]

Many = Callable[[list[Tensor]], list[Tensor]]  # a function from leaves to leaves


@checked(f=FUNCTION, order=COUNT, eps=number(), rtol=number(), atol=number(), rng=RNG)
def check_grads(
    f: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    eps: float = 1e-6,
    rtol: float = 1e-6,
    atol: float = 1e-7,
    rng: np.random.Generator | int | None = 0,
) -> None:
    """Check the gradients of a function against central differences, along random directions, in float64.

    For outputs ``y = f(x)``, a random ``v`` and a random direction ``u`` for each input, the engine's
    ``<∂<v, y>/∂x, u>`` is compared with ``(<v, f(x + eps u)> - <v, f(x - eps u)>) / (2 eps)``. One number for
    each input finds what a comparison of all its elements would, at the price of two evaluations. Order 2
    does the same to the gradient, ``x -> ∂<v, f(x)>/∂x``, and so on.

    Parameters
    ----------
    f : callable
        From Tensors to Tensors, or to a structure of them. It must give the same result each time.
    *inputs : array_like or Tensor, or tuples, lists and dicts of them
        Where to check. They are copied to float64; ``f`` gets Tensors.
    order : int
        Check derivatives up to this order.
    eps : float
        The step, in units of the inputs. A smaller one bends less and rounds more.
    rtol, atol : float
        The two numbers may differ by ``atol + rtol * (the larger magnitude)``.
    rng : Generator or int, optional
        Where ``v`` and ``u`` come from; the same seed gives the same check.

    Raises
    ------
    AssertionError
        Where a gradient is wrong or not finite, or ``f`` has changed an input. It names the argument, both
        numbers and the tolerance.
    TypeError
        Where an input is not floating, and so has no gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.testing.check_grads(lambda x, w: tr.tanh(x @ w), np.ones((2, 3)), np.ones((3, 4)), order=2)

    ``detach`` hides a factor from the engine, but not from central differences:

    >>> tr.testing.check_grads(lambda x: x * x.detach(), [1.0, 2.0])
    Traceback (most recent call last):
        ...
    AssertionError: check_grads: argument 0, order 1: the engine gives ... and central differences give ...
    """
    leaves, tree = flatten(tuple(_arrays(inputs)))
    paths = ["argument " + path.replace("[", "", 1).replace("]", "", 1) for path in tree.paths()]
    points = [_point(leaf, path) for leaf, path in zip(leaves, paths, strict=True)]

    def many(xs: list[Tensor]) -> list[Tensor]:
        ys, _ = flatten(f(*tree.unflatten(xs)))
        return [y if isinstance(y, Tensor) else Tensor(np.asarray(y)) for y in ys]

    with enable_grad():
        _check(many, points, paths, 1, order, eps, (rtol, atol), generator(rng))


def _arrays(inputs: tuple[Any, ...]) -> list[Any]:
    """Read an input that is a list of plain numbers as an array; other lists are structures."""

    def is_array(x: Any) -> bool:
        return isinstance(x, (int, float)) or (isinstance(x, list) and all(is_array(item) for item in x))

    return [np.asarray(x) if is_array(x) else x for x in inputs]


def _point(leaf: Any, path: str) -> np.ndarray[Any, Any]:
    array = leaf.data if isinstance(leaf, Tensor) else np.asarray(leaf)
    if array.dtype.kind != "f":
        raise TypeError(
            f"check_grads: {path} has dtype {array.dtype}, which has no gradient; expected a floating dtype"
        )
    return np.array(array, np.float64)


def _check(
    f: Many,
    points: list[np.ndarray[Any, Any]],
    paths: list[str],
    order: int,
    highest: int,
    eps: float,
    tolerance: tuple[float, float],
    rng: np.random.Generator,
) -> None:
    def leaves(at: list[np.ndarray[Any, Any]]) -> list[Tensor]:
        xs = [Tensor(point.copy()) for point in at]
        for x in xs:
            x.requires_grad = True
        return xs

    xs = leaves(points)
    ys = f(xs)
    for x, point, path in zip(xs, points, paths, strict=True):
        if not np.array_equal(x.data, point, equal_nan=True):
            raise AssertionError(
                f"check_grads: {path} was changed by the function, which must leave its inputs alone"
            )
    vs = [rng.standard_normal(y.shape) for y in ys]

    def projected(at: list[np.ndarray[Any, Any]]) -> float:
        return float(sum(np.sum(v * y.data) for v, y in zip(vs, f(leaves(at)), strict=True)))

    def gradients(xs: list[Tensor]) -> list[Tensor]:
        """Return the gradients of <v, f(x)>, which the next order differentiates; 0 where x is not used."""
        used = [(y, Tensor(v)) for y, v in zip(f(xs), vs, strict=True) if y.requires_grad]
        if not used:
            return [x * 0.0 for x in xs]
        outputs, given = zip(*used, strict=True)
        found = grad(list(outputs), xs, list(given), create_graph=True, allow_unused=True)
        return [x * 0.0 if g is None else g for x, g in zip(xs, found, strict=True)]

    rtol, atol = tolerance
    for i, (g, path) in enumerate(zip(gradients(xs), paths, strict=True)):
        if g.shape != points[i].shape:
            raise AssertionError(
                f"check_grads: {path}: the gradient has shape {g.shape}; expected {points[i].shape}"
            )
        u = rng.standard_normal(points[i].shape)
        by_engine = float(np.sum(g.data * u))
        above = projected([point + eps * u if j == i else point for j, point in enumerate(points)])
        below = projected([point - eps * u if j == i else point for j, point in enumerate(points)])
        by_differences = (above - below) / (2 * eps)
        allowed = atol + rtol * max(abs(by_engine), abs(by_differences))
        if not abs(by_engine - by_differences) <= allowed:  # written so that NaN fails
            raise AssertionError(
                f"check_grads: {path}, order {order}: the engine gives {by_engine!r} and central differences "
                f"give {by_differences!r} along a random direction; they differ by "
                f"{abs(by_engine - by_differences):.3g}, and may by {allowed:.3g} "
                f"(rtol={rtol:g}, atol={atol:g}, eps={eps:g})"
            )
    if order < highest:
        _check(gradients, points, paths, order + 1, highest, eps, tolerance, rng)


def __dir__() -> list[str]:
    return __all__
