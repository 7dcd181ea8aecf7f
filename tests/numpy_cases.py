"""A table of NumPy's functions with the operands on which each is tried.

A case is a function of a namespace and arrays. With ``numpy`` and arrays it is the reference; with
``tinyrnn``, or ``numpy`` itself, and Tensors it is what is tested.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Shapes = tuple[tuple[int, ...], ...]


@dataclass
class Case:
    """A call, and the shapes of its operands, each of numbers between ``low`` and ``high``."""

    call: str
    shapes: tuple[Shapes, ...]
    low: float = -2.0
    high: float = 2.0
    operands: Callable[[list[Any]], list[Any]] = lambda arrays: arrays  # brings random operands into form
    by_numpy: bool = True  # whether NumPy hands the call to a Tensor
    integers: bool = True  # whether integers give what NumPy gives
    booleans: bool = True  # and booleans, which NumPy now and then takes for int8 or float16

    def __post_init__(self) -> None:
        self.f: Callable[..., Any] = eval(f"lambda xp, *x: {self.call}", {"np": np, "MASK": MASK})

    def arrays(self, shapes: Shapes, dtype: Any = np.float64) -> list[Any]:
        """Numbers that keep away from each other, so that nothing ties and no kink is near."""
        rng = np.random.default_rng(7)
        result = []
        for i, shape in enumerate(shapes):
            n = int(np.prod(shape, dtype=int))
            grid = np.linspace(self.low, self.high, n + 2)[1:-1] + 0.0137 * (i + 1)
            result.append(rng.permutation(grid).reshape(shape))
        return [np.asarray(array, dtype) for array in self.operands(result)]


MASK = np.array([[True, False, True], [False, False, True]])
ONE: tuple[Shapes, ...] = (((),), ((3,),), ((2, 3),), ((0, 3),))
TWO: tuple[Shapes, ...] = (((), ()), ((2, 3), (3,)), ((3,), (2, 1)), ((2, 1, 3), (4, 1)), ((0, 3), (3,)))
AXES: tuple[Shapes, ...] = (((2, 3, 4),), ((1, 3, 1),))
SQUARE: tuple[Shapes, ...] = (((3, 3),), ((2, 2, 2),), ((1, 1),))
MATRIX: tuple[Shapes, ...] = (((3, 2),), ((2, 3),), ((2, 3, 3),), ((2, 4, 2),))


def one(*shapes: tuple[int, ...]) -> tuple[Shapes, ...]:
    return tuple((shape,) for shape in shapes)


def ufuncs(
    names: str, shapes: tuple[Shapes, ...], low: float = -2.0, high: float = 2.0, **rest: Any
) -> list[Case]:
    return [Case(f"xp.{name}(*x)", shapes, low, high, **rest) for name in names.split()]


def away_from_singular(arrays: list[Any]) -> list[Any]:
    """Add numbers to the diagonal, for singular values that are far from 0 and from each other."""
    a = arrays[0]
    n = min(a.shape[-2:])
    a[..., range(n), range(n)] += 3.0 + 2.0 * np.arange(n)
    return arrays


def symmetric(arrays: list[Any]) -> list[Any]:
    return away_from_singular([0.5 * (arrays[0] + arrays[0].swapaxes(-1, -2))])


def symmetrical(call: str) -> str:
    """Take the symmetric part: what reads one triangle has the gradient of a symmetric matrix."""
    return call.replace("x[0]", "(0.5 * (x[0] + xp.swapaxes(x[0], -1, -2)))")


ELEMENTWISE = [
    *ufuncs("sin cos tan sinh cosh arctan arcsinh expm1 exp2 sinc", ONE, -1.4, 1.4),
    *ufuncs("arcsin arccos arctanh", ONE, -0.9, 0.9, integers=False),
    *ufuncs("log1p log2 log10 cbrt reciprocal", ONE, 0.5, 3.0, integers=False),
    *ufuncs("arccosh", ONE, 1.5, 3.0, integers=False),
    *ufuncs("real nan_to_num absolute", ONE),
    *ufuncs("deg2rad rad2deg radians degrees square conj positive", ONE, booleans=False),
    *ufuncs("arctan2 hypot", TWO, 0.3, 2.0),
    *ufuncs("logaddexp logaddexp2 fmax fmin", TWO),
    *ufuncs("remainder mod fmod", TWO, 0.7, 3.3, booleans=False),
    Case("x[0] % x[1]", TWO, 0.7, 3.3, booleans=False),
    Case("-x[0] % 0.7", ONE, 0.8, 1.3, by_numpy=False, booleans=False),
    Case("xp.select([x[0] > 1, x[0] < 0], [x[0] * x[1], -x[1]], 2.0)", (((2, 3), (3,)),), integers=False),
    Case("xp.where(MASK, x[0], x[1])", (((2, 3), (3,)),)),
]
REDUCTIONS = [
    Case(f"xp.{name}(x[0], axis={axis}, keepdims={keepdims})", AXES)
    for name in ("prod", "var", "std", "linalg.norm", "linalg.vector_norm")
    for axis in (None, 1, -1, (0, 2))
    for keepdims in (False, True)
    if not (name == "linalg.norm" and axis is None)
] + [
    Case("xp.prod(x[0])", one((), (5,), (7,))),
    Case("xp.prod(x[0], 0)", one((0, 3)), integers=False),
    Case("xp.prod(x[0], 1)", one((0, 3))),
    Case("xp.var(x[0], ddof=1)", one((5,))),
    Case("xp.std(x[0], axis=0, ddof=1)", one((5, 2))),
    Case("xp.cumsum(x[0])", one((), (4,), (2, 3), (0,))),
    Case("xp.cumsum(x[0], axis=0)", AXES + one((0, 2))),
    Case("xp.cumsum(x[0], -1)", AXES),
    Case("xp.cumprod(x[0])", one((4,), (2, 3), (1,))),
    Case("xp.cumprod(x[0], axis=1)", AXES),
    Case("xp.trace(x[0])", one((3, 3), (2, 3), (3, 2, 4))),
    Case("xp.trace(x[0], 1, 2, 0)", one((3, 2, 4))),
    Case("xp.linalg.trace(x[0])", one((3, 3), (2, 3, 3)), by_numpy=False),
    Case("xp.linalg.trace(x[0], offset=1)", one((2, 3, 4)), by_numpy=False),
    Case("xp.linalg.diagonal(x[0], offset=-1)", one((3, 3), (2, 4, 3)), by_numpy=False),
    Case("xp.mean([x[0], x[1]])", (((3,), (3,)), ((), ())), by_numpy=False, integers=False),
    Case("xp.std([x[0], x[1]], 0)", (((3,), (3,)),), by_numpy=False, integers=False),
    Case("xp.var([[x[0], x[1]], [x[1], 3.0]])", (((), ()),), by_numpy=False, integers=False),
    Case("xp.sum([x[0], x[1]], 0)", (((3,), (3,)),), by_numpy=False, integers=False),
]
PRODUCTS = [
    Case(f"xp.{name}(x[0], x[1])", shapes)
    for name, shapes in {
        "dot": (
            ((), (3,)),
            ((3,), (3,)),
            ((2, 3), (3,)),
            ((2, 3), (3, 4)),
            ((2, 3), (5, 3, 4)),
            ((4, 2, 3), (3, 2)),
        ),
        "inner": (((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), (5, 4, 3)), ((), (2, 2))),
        "outer": (((3,), (2,)), ((2, 3), (2,)), ((), (3,))),
        "vdot": (((3,), (3,)), ((2, 3), (2, 3))),
        "kron": (((2,), (3,)), ((2, 3), (2, 2)), ((3,), (2, 2)), ((2, 1, 2), (2, 3)), ((), (2,))),
        "tensordot": (((2, 3, 4), (3, 4, 5)), ((3, 4), (3, 4))),
        "cross": (((3,), (3,)), ((2, 3), (3,)), ((2, 3), (2, 3))),
        "matmul": (((2, 3), (3, 2)), ((5, 2, 3), (3,))),
    }.items()
] + [
    Case("xp.tensordot(x[0], x[1], ([1, 0], [0, 2]))", (((2, 3, 4), (3, 5, 2)),)),
    Case("xp.tensordot(x[0], x[1], axes=0)", (((2,), (3, 2)),)),
    Case("xp.tensordot(x[0], x[1], (-1, 0))", (((2, 3), (3, 2)),)),
    Case("xp.cross(x[0], x[1], axisa=0, axisc=0)", (((3, 2), (2, 3)),)),
    *(
        Case(f"xp.einsum({subscripts!r}, *x)", (shapes,))
        for subscripts, shapes in (
            ("ij,jk->ik", ((2, 3), (3, 4))),
            ("ij,jk", ((2, 3), (3, 4))),
            ("bij,bjk->bik", ((5, 2, 3), (5, 3, 4))),
            ("ii", ((3, 3),)),
            ("ii->i", ((3, 3),)),
            ("iij->j", ((2, 2, 3),)),
            ("ji", ((2, 3),)),
            ("ij->", ((2, 3),)),
            ("...ij->...ji", ((4, 2, 3),)),
            ("...j,j->...", ((2, 4, 3), (3,))),
            ("...i,...i", ((2, 1, 3), (4, 3))),
            ("i,i->i", ((3,), (3,))),
            ("i,j->ij", ((3,), (2,))),
            ("i,i", ((3,), (3,))),
            (",i->i", ((), (3,))),
            ("ij,jk,kl->il", ((2, 3), (3, 4), (4, 2))),
            ("ij,ik,il->jkl", ((2, 3), (2, 2), (2, 4))),
            ("ab,b,ca->c", ((2, 3), (3,), (4, 2))),
            ("ij,kj->ik", ((2, 3), (4, 1))),
            ("ij,jk->ik", ((0, 3), (3, 2))),
            ("ij,jk->ik", ((2, 0), (0, 2))),
            ("bthd,bshd->bhts", ((2, 3, 2, 2), (2, 4, 2, 2))),
        )
    ),
    Case("xp.einsum(x[0], [0, 1], x[1], [1, 2], [0, 2])", (((2, 3), (3, 4)),)),
    Case("xp.einsum(x[0], [0, ...], x[1], [0, ...])", (((2, 3), (2, 3)),)),
    Case("xp.einsum('ij,jk,kl->il', *x, optimize=True)", (((2, 3), (3, 4), (4, 2)),)),
    Case("xp.einsum('ij,ij,jk->', *x, optimize='greedy')", (((2, 3), (2, 3), (3, 2)),)),
]
PLACE = [
    Case(call, shapes)
    for call, shapes in {
        "xp.ravel(x[0])": ONE,
        "xp.expand_dims(x[0], (0, 2))": one((3,), (2, 3)),
        "xp.expand_dims(x[0], -1)": ONE,
        "xp.moveaxis(x[0], 0, -1)": AXES,
        "xp.moveaxis(x[0], (0, 2), (1, 0))": AXES,
        "xp.rollaxis(x[0], 2)": AXES,
        "xp.rollaxis(x[0], 0, 3)": AXES,
        "xp.rollaxis(x[0], -1, 1)": AXES,
        "xp.matrix_transpose(x[0])": AXES,
        "xp.atleast_1d(x[0])": ONE,
        "xp.atleast_2d(x[0])": ONE,
        "xp.atleast_3d(x[0])": ONE,
        "xp.atleast_2d(x[0], x[1])": (((), (2,)),),
        "xp.copy(x[0])": ONE,
        "xp.roll(x[0], 2)": ONE,
        "xp.roll(x[0], -1, axis=1)": AXES,
        "xp.roll(x[0], (1, 2), axis=(0, -1))": AXES,
        "xp.roll(x[0], 1, axis=(0, 2))": AXES,
        "xp.flip(x[0])": ONE,
        "xp.flip(x[0], 1)": AXES,
        "xp.flip(x[0], (0, -1))": AXES,
        "xp.fliplr(x[0])": AXES,
        "xp.flipud(x[0])": AXES,
        "xp.rot90(x[0])": one((2, 3)),
        "xp.rot90(x[0], 2)": one((2, 3)),
        "xp.rot90(x[0], 5)": one((2, 3)),
        "xp.rot90(x[0], -2)": one((2, 3)),
        "xp.rot90(x[0], -1, (1, 2))": AXES,
        "xp.tile(x[0], 2)": ONE,
        "xp.tile(x[0], (2, 1, 3))": ONE,
        "xp.repeat(x[0], 2)": ONE,
        "xp.repeat(x[0], 3, axis=1)": AXES,
        "xp.repeat(x[0], [1, 0, 2], axis=-2)": AXES,
        "xp.pad(x[0], 1)": ONE,
        "xp.pad(x[0], ((1, 2), (0, 1)))": one((2, 3), (0, 3)),
        "xp.pad(x[0], (1, 2), constant_values=(3, 4))": one((3,), (2, 2)),
        "xp.pad(x[0], 2, 'edge')": one((3,), (2, 2)),
        "xp.pad(x[0], (3, 2), mode='wrap')": one((3,), (2, 2)),
        "xp.pad(x[0], (1, 2), 'reflect')": one((3,)),
        "xp.pad(x[0], (3, 2), 'symmetric')": one((2,), (3, 2)),
        "xp.diag(x[0])": one((3,), (2, 3), (1,), (0,)),
        "xp.diag(x[0], 1)": one((3,), (2, 3)),
        "xp.diag(x[0], -2)": one((2,), (4, 3), (2, 2)),
        "xp.diagonal(x[0])": AXES + one((3, 3)),
        "xp.diagonal(x[0], -1, 2, 0)": AXES,
        "xp.triu(x[0])": one((3, 3), (2, 4, 3), (3,)),
        "xp.triu(x[0], 1)": one((3, 2)),
        "xp.tril(x[0])": one((3, 3), (2, 4, 3), (3,)),
        "xp.tril(x[0], k=-1)": one((3, 2)),
        "xp.sort(x[0])": one((4,), (2, 5), (0, 3)),
        "xp.sort(x[0], axis=0)": AXES,
        "xp.sort(x[0], axis=None)": AXES,
        "xp.take_along_axis(x[0], np.array([[2, 0], [1, 1]]), axis=1)": one((2, 3)),
        "xp.take_along_axis(x[0], np.array([[1], [-1]]), axis=0)": one((3, 4)),
        "xp.take(x[0], [[0, 2], [5, 5]])": one((2, 3)),
        "xp.take(x[0], [[0, 2], [1, 1]], axis=-1)": one((2, 3)),
        "xp.diff(x[0])": AXES + one((4,), (1,)),
        "xp.diff(x[0], n=2, axis=1)": AXES,
        "xp.diff(x[0], prepend=0, append=x[0][-1:])": one((3,)),
        "xp.vstack([x[0], x[1]])": (((3,), (3,)), ((2, 3), (1, 3)), ((), ())),
        "xp.hstack([x[0], x[1]])": (((3,), (2,)), ((2, 3), (2, 1)), ((), ())),
        "xp.dstack([x[0], x[1]])": (((3,), (3,)), ((2, 3), (2, 3))),
        "xp.column_stack([x[0], x[1]])": (((3,), (3,)), ((2, 3), (2,))),
        "xp.append(x[0], x[1])": (((3,), (2, 2)), ((), ())),
        "xp.append(x[0], x[1], axis=1)": (((2, 3), (2, 1)),),
        "xp.concatenate([x[0], x[1]], axis=None)": (((3,), (2, 2)),),
        "xp.split(x[0], [3, 1], 1)": one((2, 5)),
        "xp.array_split(x[0], 3)": one((7,), (2, 2)),
        "xp.array_split(x[0], [1, 4], axis=1)": one((2, 5)),
        "xp.hsplit(x[0], 2)": one((4,), (2, 4)),
        "xp.vsplit(x[0], [1])": one((4, 2)),
        "xp.dsplit(x[0], 2)": one((1, 2, 4)),
    }.items()
] + [
    Case("xp.gradient(x[0])", one((5,), (3, 4))),
    Case("xp.gradient(x[0], 0.5, axis=0)", one((5, 2))),
    Case("xp.gradient(x[0], 2.0, [0.0, 1.0, 1.5, 4.0], edge_order=2)", one((3, 4)), integers=False),
    Case("xp.gradient(x[0], edge_order=2, axis=(1, 0))", one((3, 4))),
    Case("xp.linspace(x[0], x[1], 4)", (((), ()), ((3,), (2, 1)))),
    Case("xp.linspace(x[0], x[1], 5, endpoint=False, axis=-1)", (((3,), (3,)),)),
    Case("xp.linspace(x[0], x[1], 1)", (((3,), ()),)),
    Case("xp.linspace(x[0], 3.0, 3, retstep=True)", one((), (2,))),
    Case("xp.partition(x[0], 1)[..., 1]", one((4,), (2, 5))),
    Case("xp.partition(x[0], 2, axis=0)[2]", one((4, 2))),
    Case("xp.r_[x[0], 0.5, x[1], 1:4]", (((3,), (2,)),), by_numpy=False, integers=False),
    Case("xp.r_[x[0], x[1]]", (((2, 3), (1, 3)),), by_numpy=False),
    Case("xp.c_[x[0], x[1]]", (((3,), (3,)), ((2, 3), (2, 1))), by_numpy=False),
]
LINALG = [
    Case(call, shapes, operands=form, integers=False)
    for call, shapes, form in (
        ("xp.linalg.inv(x[0])", SQUARE, away_from_singular),
        ("xp.linalg.det(x[0])", SQUARE, away_from_singular),
        ("xp.linalg.slogdet(x[0])[1]", SQUARE, away_from_singular),
        ("xp.linalg.pinv(x[0])", MATRIX, away_from_singular),
        ("xp.linalg.matrix_power(x[0], 3)", SQUARE, away_from_singular),
        ("xp.linalg.matrix_power(x[0], -2)", SQUARE, away_from_singular),
        (symmetrical("xp.linalg.cholesky(x[0])"), SQUARE, symmetric),
        (symmetrical("xp.linalg.cholesky(x[0], upper=True)"), SQUARE, symmetric),
        (symmetrical("xp.linalg.eigh(x[0])"), SQUARE, symmetric),
        (symmetrical("xp.linalg.eigh(x[0], UPLO='U')[1]"), SQUARE, symmetric),
        (symmetrical("xp.linalg.eigvalsh(x[0])"), SQUARE, symmetric),
        ("xp.linalg.svd(x[0], full_matrices=False)", MATRIX, away_from_singular),
        ("xp.linalg.svd(x[0])", SQUARE, away_from_singular),
        ("xp.linalg.svd(x[0], compute_uv=False)", MATRIX, away_from_singular),
        ("xp.linalg.svdvals(x[0])", MATRIX, away_from_singular),
    )
] + [
    Case(
        "xp.linalg.solve(x[0], x[1])",
        (((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 2, 2), (2, 1)), ((2, 2), (4, 2, 3)), ((5, 2, 2), (2,))),
        operands=away_from_singular,
        integers=False,
    ),
    Case("xp.linalg.multi_dot([x[0], x[1], x[2]])", (((2, 3), (3, 4), (4,)), ((3,), (3, 2), (2, 2)))),
    *(
        Case(f"xp.linalg.norm(x[0], {order}{axis})", shapes)
        for order in ("3", "1", "np.inf", "-np.inf", "2", "-1", "-2", "2.5", "0")
        for axis, shapes in (("", one((4,))), (", axis=1", one((2, 3))))
    ),
    *(
        Case(f"xp.linalg.norm(x[0], {order}{axis})", shapes, operands=away_from_singular)
        for order in ("'fro'", "'nuc'", "1", "-1", "2", "-2", "np.inf", "-np.inf")
        for axis, shapes in (
            ("", one((2, 3))),
            (", axis=(0, 2)", one((2, 3, 3))),
            (", axis=(-1, 0), keepdims=True", one((2, 1, 3))),
        )
    ),
    Case("xp.linalg.norm(x[0])", one((3,), (2, 3), (2, 2, 2))),
    Case("xp.linalg.matrix_norm(x[0])", one((2, 3), (2, 2, 2))),
]
CASES = ELEMENTWISE + REDUCTIONS + PRODUCTS + PLACE + LINALG
