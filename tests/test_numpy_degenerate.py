"""NumPy's functions where a slope has a kink, a zero or no answer; and how what is not there is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyrnn as tr


def gradient(f: Any, *values: Any) -> Any:
    leaves = [tr.tensor(np.asarray(v, float), requires_grad=True) for v in values]
    f(*leaves).sum().backward()
    grads = [leaf.grad.numpy() for leaf in leaves]
    return grads[0] if len(grads) == 1 else grads


@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_products_with_zeros(zeros: int) -> None:
    x = np.array([2.0, 3.0, -1.5, 0.5, 4.0])
    x[:zeros] = 0
    expected = [np.prod(np.delete(x, i)) for i in range(5)]
    np.testing.assert_allclose(gradient(tr.prod, x), expected)
    np.testing.assert_allclose(gradient(lambda t: tr.cumprod(t)[-1], x), expected)
    tr.testing.check_grads(tr.prod, x, order=3)
    tr.testing.check_grads(tr.cumprod, x, order=2)
    tr.testing.check_grads(lambda t: tr.prod(t, (0, 2)), np.outer(x, [1.0, 0.0]).reshape(5, 1, 2), order=2)


def test_norms_are_flat_at_zero() -> None:
    zero = np.zeros(3)
    for order in (None, 2, 3, 1.5, 1, np.inf):
        g = gradient(lambda t, o=order: tr.linalg.norm(t, o), zero)
        np.testing.assert_array_equal(g, zero)
    np.testing.assert_array_equal(
        gradient(lambda t: tr.linalg.norm(t, axis=1), [[0.0, 0], [3, 4]]), [[0, 0], [0.6, 0.8]]
    )
    np.testing.assert_array_equal(gradient(tr.std, np.ones(4)), np.zeros(4))
    np.testing.assert_array_equal(gradient(tr.hypot, 0.0, 0.0), [0, 0])
    np.testing.assert_array_equal(gradient(lambda t: tr.linalg.norm(t, 0.5), [0.0, 1.0]), [0, 1])
    x = tr.tensor(zero, requires_grad=True)
    (g,) = tr.grad(tr.linalg.norm(x), x, create_graph=True)
    np.testing.assert_array_equal(tr.grad(g.sum(), x)[0].numpy(), zero)


def test_a_singular_matrix_has_cofactors() -> None:
    a = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
    expected = [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]]
    np.testing.assert_allclose(gradient(tr.linalg.det, a), expected, atol=1e-12)
    np.testing.assert_array_equal(gradient(tr.linalg.det, np.zeros((3, 3))), np.zeros((3, 3)))
    tr.testing.check_grads(tr.linalg.det, a)
    for f in (tr.linalg.inv, lambda t: tr.linalg.solve(t, np.ones(3)), tr.linalg.cholesky):
        with pytest.raises(np.linalg.LinAlgError, match=r"(inv|solve|cholesky): .*operand"):
            f(tr.tensor(np.zeros((3, 3)), requires_grad=True))
    with pytest.raises(
        np.linalg.LinAlgError, match=r"inv: the operand has shape \(2, 3\); expected \(\.\.\., N, N\)"
    ):
        tr.linalg.inv(tr.ones(2, 3))


def test_equal_eigenvalues() -> None:
    """Values have a gradient, and what does not depend on the choice of the vectors; the rest has none."""
    np.testing.assert_allclose(gradient(lambda a: tr.linalg.eigvalsh(a), np.eye(3)), np.eye(3))
    np.testing.assert_allclose(gradient(tr.linalg.svdvals, 2 * np.eye(3)), np.eye(3), atol=1e-15)
    np.testing.assert_allclose(
        gradient(lambda a: tr.linalg.norm(a, "nuc"), 2 * np.eye(3)), np.eye(3), atol=1e-15
    )
    with np.errstate(all="ignore"):
        arbitrary = gradient(lambda a: tr.linalg.eigh(a).eigenvectors[0, 1], np.eye(3))
    assert not np.isfinite(arbitrary).all()


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_full_matrices_of_the_svd(shape: tuple[int, int]) -> None:
    """What spans the rest of the space is determined as a whole."""
    a = np.random.default_rng(0).normal(size=shape)

    def projections(t: Any) -> Any:
        u, s, vh = tr.linalg.svd(t)
        return (u[:, 2:] @ u[:, 2:].T, s) if shape[0] > 2 else (vh[2:].T @ vh[2:], s)

    u, s, vh = np.linalg.svd(a)
    np.testing.assert_allclose(projections(tr.tensor(a))[1].numpy(), s)
    assert tr.linalg.svd(a).U.shape == u.shape
    assert tr.linalg.svd(a).Vh.shape == vh.shape
    tr.testing.check_grads(projections, a, order=2)


def test_order_with_ties_and_nan() -> None:
    np.testing.assert_array_equal(
        gradient(lambda t: tr.sort(t)[:2], [1.0, 0.0, 1.0]), [1, 1, 0]
    )  # the first one
    np.testing.assert_array_equal(gradient(lambda t: tr.sort(t) * np.arange(3.0), [5.0, 1.0, 3.0]), [2, 0, 1])
    np.testing.assert_array_equal(tr.sort([np.nan, 1.0]), [1.0, np.nan])
    a, b = gradient(tr.fmax, [1.0, np.nan, 2.0], [np.nan, 1.0, 2.0])
    np.testing.assert_array_equal(a, [1, 0, 0.5])
    np.testing.assert_array_equal(b, [0, 1, 0.5])
    np.testing.assert_array_equal(gradient(tr.nan_to_num, [np.nan, np.inf, -np.inf, 2.0]), [0, 0, 0, 1])
    np.testing.assert_array_equal(
        gradient(lambda t: tr.take_along_axis(t, np.array([1, 1]), 0), [5.0, 6.0]), [0, 2]
    )


def test_sinc_is_smooth_at_zero() -> None:
    x = tr.tensor(np.array([0.0, 1e-9, 1e-4, 0.1, 0.2, 3.0]), requires_grad=True)
    (g,) = tr.grad(tr.sinc(x).sum(), x, create_graph=True)
    z = np.pi * np.array([1e-9, 1e-4])
    np.testing.assert_allclose(g.numpy()[:3], [0, *(-np.pi * z / 3)], rtol=1e-8)
    (h,) = tr.grad(g.sum(), x)
    np.testing.assert_allclose(h.numpy()[:2], -(np.pi**2) / 3, rtol=1e-12)
    assert np.isfinite(h.numpy()).all()


def test_empty_operands() -> None:
    x = tr.zeros((0, 3), dtype="float64", requires_grad=True)
    for f in (
        tr.prod,
        tr.cumsum,
        tr.linalg.norm,
        tr.ravel,
        tr.flip,
        lambda t: tr.einsum("ij->j", t),
        lambda t: tr.sort(t, 0),
    ):
        expected = f(np.zeros((0, 3)))
        y = f(x)
        np.testing.assert_array_equal(y.numpy(), expected)
        (g,) = tr.grad(y.sum(), x)
        assert g.shape == (0, 3)


def test_methods_are_those_of_arrays() -> None:
    a = np.random.default_rng(0).normal(size=(2, 3, 3))
    t = tr.tensor(a, requires_grad=True)
    for f in (
        lambda x: x.dot(a[0]),
        lambda x: x.ravel(),
        lambda x: x.std(),
        lambda x: x.var(axis=0, ddof=1),
        lambda x: x.prod(-1),
        lambda x: x.cumsum(1),
        lambda x: x.cumprod(),
        lambda x: x.repeat(2, axis=1),
        lambda x: x.copy(),
        lambda x: x.mT,
        lambda x: x.trace(0, 1, 2),
        lambda x: x.diagonal(1, 1, 2),
        lambda x: x.take([0, 5]),
        lambda x: x.take([1], axis=1),
        lambda x: x % 0.7,
        lambda x: 2.0 % (x * x + 1),
        lambda x: x.real * x.conj(),
        lambda x: x.astype(np.float64, copy=False) * 2,
        lambda x: x.astype(np.float32, copy=True),
    ):
        y = f(t)
        assert y.requires_grad
        np.testing.assert_allclose(y.numpy(), f(a))
    for f in (
        lambda x: x // 0.3,
        lambda x: divmod(x, 0.3)[0],
        lambda x: (x > 0) ^ (x > 1),
        lambda x: x.argsort(),
    ):
        np.testing.assert_array_equal(f(t).numpy(), f(a))
    np.testing.assert_array_equal(t.nonzero()[0], a.nonzero()[0])
    assert t.copy().data is not t.data
    assert t.nbytes == a.nbytes


HARMLESS = {
    "out": lambda x: np.sum(x, axis=0, out=None),
    "order": lambda x: np.reshape(x, (3, 2), order="C"),
    "positional dtype": lambda x: np.sum(x, 0, None),
    "positional order": lambda x: np.ravel(x, "C"),
    "copy": lambda x: np.astype(x, np.float64, copy=False),
    "where": lambda x: np.mean(x, where=True),
    "ufunc out": lambda x: np.sin(x, out=None),
    "ufunc where": lambda x: np.add(x, 1, where=True, casting="same_kind"),
    "amax": np.amax,
    "amin": lambda x: np.amin(x, 0, None, True),
    "around": lambda x: np.around(x, 1, None),
    "split": lambda x: np.split(x, [2, 1], 1)[2],
    "expand_dims": lambda x: np.expand_dims(x, (0, 2)),
    "concatenate": lambda x: np.concatenate([x, x], axis=None),
    "concatenate dtype": lambda x: np.concatenate([x, x], dtype=None),
    "x[True]": lambda x: x[True],
    "x[False]": lambda x: x[False],
    "x[..., True]": lambda x: x[..., np.True_],
    "x[None, True]": lambda x: x[None, True],
    "x[True, 0]": lambda x: x[True, 0],
    "x[:, True, [0, 1]]": lambda x: x[:, True, [0, 1]],
    "x[0, ..., False]": lambda x: x[0, ..., False],
    "x[np.array(True)]": lambda x: x[np.array(True), 1],
    "keyword": lambda x: np.flip(m=x, axis=0),
    "keyword of the operand": lambda x: np.std(a=x, axis=0),
}


@pytest.mark.parametrize("form", HARMLESS)
def test_harmless_forms(form: str) -> None:
    a = np.array([[0.5, 1.25, -2.0], [3.0, 0.24, 1.0]])
    y = HARMLESS[form](tr.tensor(a, requires_grad=True))
    np.testing.assert_allclose(y.numpy(), HARMLESS[form](a), rtol=1e-15)


REFUSED = {
    "a list of Tensors": (lambda t: np.array([t, t]), r"use .*tr\.stack"),
    "no rule, nearest by meaning": (lambda t: np.average(t), r"numpy\.average .*use tr\.mean"),
    "no rule, nearest by name": (lambda t: np.trapezoid(t), r"numpy\.trapezoid .*use tr\.sum and tr\.diff"),
    "of linalg": (lambda t: np.linalg.eig(t), r"numpy\.linalg\.eig .*use tr\.linalg\.eigh"),
    "reduce": (lambda t: np.multiply.reduce(t), r"numpy\.multiply\.reduce .*use tr\.prod"),
    "outer": (lambda t: np.subtract.outer(t, t), r"numpy\.subtract\.outer .*use tr\.subtract|broadcast"),
    "an argument": (lambda t: np.sum(t, initial=3.0), r"numpy\.sum .*arguments \['initial'\]"),
    "two arguments": (lambda t: np.sum(t, where=t > 0, dtype="f4"), r"arguments \['dtype', 'where'\]"),
    "a mode of pad": (lambda t: np.pad(t, 1, "mean"), r"pad: mode is 'mean'; expected 'constant', 'edge'"),
    "einsum": (
        lambda t: tr.einsum("ij,jk", t, t),
        r"einsum: operand 1 has length 2 at label 'j'; expected 3",
    ),
    "cross": (
        lambda t: tr.cross(t[:, :2], t[:, :2]),
        r"cross: the vectors have 2 and 2 elements; expected 3",
    ),
    "lists of different shapes": (
        lambda t: tr.mean([t, t[0]]),
        r"shapes \[\(2, 3\), \(3,\)\]; expected one shape",
    ),
    "tensordot": (
        lambda t: tr.tensordot(t, t, 1),
        r"tensordot: axes \(1,\) of shape \(2, 3\) meet axes \(0,\)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_to_use(name: str) -> None:
    f, message = REFUSED[name]
    with pytest.raises((TypeError, ValueError), match=message):
        f(tr.ones((2, 3), dtype="float64", requires_grad=True))
