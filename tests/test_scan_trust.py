"""Cells that the compiler once got wrong in silence, and failures inside it: all give the recorded result."""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scan_forms import FORMS, assert_same, normal, tensors

import tinyrnn as tr
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.recurrence.tree import flatten

H = normal(3)
XS = normal(6, 3, seed=1)
W = tr.tensor(normal(3, 3) / 2, requires_grad=True)


def run(form: str, step: Any, carry: Any, xs: Any, *, order: int = 1) -> dict[str, Any]:
    """Values and gradients of a scan, or gradients of gradients."""
    state, inputs = tensors(carry), tensors(xs)
    result = FORMS[form](step, state, inputs)
    leaves, tree = flatten(result)
    outputs = dict(sorted(zip(tree.paths("out"), leaves, strict=True)))
    found = {path: leaf.data for path, leaf in outputs.items()}
    loss = tr.tensor(0.0, dtype=np.float64)
    for k, leaf in enumerate(outputs.values()):
        if leaf.requires_grad:
            loss = loss + ((k + 1) * leaf * leaf).sum().astype(np.float64)
    wanted = [leaf for leaf in (*flatten((state, inputs))[0], W) if leaf.requires_grad]
    if loss.requires_grad:
        if order == 2:
            grads = tr.grad(loss, wanted, create_graph=True, allow_unused=True)
            loss = sum((g * g).sum().astype(np.float64) for g in grads if g is not None)
        for k, g in enumerate(tr.grad(loss, wanted, allow_unused=True)):
            found[f"grad {k}"] = np.zeros(wanted[k].shape, wanted[k].dtype) if g is None else g.data
    return found


def agree(step: Any, carry: Any, xs: Any, *, rtol: float = 1e-12, order: int = 1) -> None:
    with np.errstate(all="ignore"):
        expected = run("loop", step, carry, xs, order=order)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_same(run("compiled", step, carry, xs, order=order), expected, rtol)
        assert_same(run("unrolled", step, carry, xs, order=order), expected, rtol)


PASSED_ON: dict[str, tuple[Any, Any]] = {
    "delay": (lambda c, x: ((tr.tanh(x + c[0] @ W + c[1] @ W), c[0]), None), (H, 2 * H)),
    "delay with outputs": (
        lambda c, x: ((c[1], c[0] @ W + c[1] @ W), (c[0], c[0] @ W + c[1] @ W)),
        (H, 2 * H),
    ),
    "long delay": (lambda c, x: ((tr.tanh(x + c[3] @ W), *c[:3]), c[3]), (H, 2 * H, 3 * H, 4 * H)),
    "swap": (lambda c, x: ((c[1], tr.tanh(c[0] @ W + x)), c[0]), (H, 2 * H)),
    "only swapped": (lambda c, x: ((c[1], c[0]), (c[0] @ W, x)), (H, 2 * H)),
    "passed through": (lambda c, x: (c, (c, c @ W)), H),
    "context": (lambda c, x: ((tr.tanh(c[0] @ W + c[1]), c[1]), c[1]), (H, 2 * H)),
    "twice": (lambda c, x: ((c[0] + x, c[0] + x), (c[0], c[1] * c[0])), (H, 2 * H)),
    "the input": (lambda c, x: (x, c @ W), H),
    "unused": (lambda c, x: ((c[0] * x, c[1]), x @ W), (H, 2 * H)),
}


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", PASSED_ON)
def test_carries_that_are_passed_on(name: str, order: int, rows: int) -> None:
    step, carry = PASSED_ON[name]
    xs = XS
    if rows:  # a batch, whose values are saved in another order
        carry, xs = (np.stack([carry] * rows, -2), np.stack([XS] * rows, -2))
        carry = tuple(carry) if carry.ndim == 3 else carry
    agree(step, carry, xs, order=order)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int8, np.int32, np.int64, np.float16, np.float32])
@pytest.mark.parametrize("state", [np.float32, np.float64])
@pytest.mark.parametrize(
    "step",
    [
        lambda h, m: h + m + m,
        lambda h, m: h * m * m,
        lambda h, m: 1.0 - h * m,
        lambda h, m: h - h * m,
        lambda h, m: 0.5 * (h - m * h),
        lambda h, m: h - (h > 0) * (m > 0),
    ],
    ids=["terms", "factors", "complement", "reset", "difference", "comparisons"],
)
def test_inputs_of_other_dtypes(step: Any, state: Any, kind: Any) -> None:
    mask = np.array([[200, 0, 16]] * 4).astype(kind)

    def cell(h: Any, m: Any) -> Any:
        new = step(h, m)
        return new.astype(h.dtype), new

    agree(cell, H.astype(state), mask, rtol=1e-12 if state is np.float64 else 1e-5)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int16, np.int32, np.int64, np.uint64])
@pytest.mark.parametrize(
    "step",
    [
        lambda c, x: c * 2 + c,
        lambda c, x: c - (-c),
        lambda c, x: 100 - c * 5,
        lambda c, x: (c + x) + x,
        lambda c, x: c * x + x * c - x,
    ],
)
def test_integer_carries_are_exact(step: Any, kind: Any) -> None:
    agree(lambda c, x: (step(c, x), step(c, x) + c), np.array([1, 2, 100], kind), np.ones((6, 3), kind))


def single(*values: float) -> Any:
    return tuple(np.full((3, 2), v, np.float32) for v in values)


FLOATS: dict[str, tuple[Any, Any, Any]] = {
    "mixture": (
        lambda h, x: ((1 - tr.sigmoid(h)) * x[0] + tr.sigmoid(h) * x[1], h),
        np.full(2, 100, np.float32),
        single(1e8, 1),
    ),
    "mixture of extremes": (
        lambda h, x: ((1 - tr.sigmoid(h)) * x[0] + tr.sigmoid(h) * x[1], h),
        np.zeros(2, np.float32),
        single(3e38, -3e38),
    ),
    "factors": (lambda h, x: (h * 1e30 * 1e30, h), np.full(2, 1e-38, np.float32), single(0.0)),
    "factors and a mask": (
        lambda h, x: (h * x[0] * (x[1] > 5), h), np.full(2, 1e30, np.float32), single(1e30, 1),
    ),
    "factors that undo": (lambda h, x: (h * 1e-30 * 1e30, h), np.full(2, 1e-12, np.float32), single(0.0)),
    "terms": (lambda h, x: (h + 3e38 + 3e38, h), np.full(2, -3e38, np.float32), single(0.0)),
    "inputs": (lambda h, x: (h + x[0] + x[1], h), np.full(2, -3e38, np.float32), single(3e38, 3e38)),
    "factored out": (
        lambda h, x: (h * x[0] + h * x[1], h), np.full(2, 1e-38, np.float32), single(3e38, 3e38),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOATS)
def test_floats_are_not_regrouped_where_it_shows(name: str) -> None:
    step, carry, xs = FLOATS[name]
    with np.errstate(all="ignore"):
        expected, _ = FORMS["loop"](step, tr.tensor(carry), tensors(xs))
        found, _ = tr.scan(step, tr.tensor(carry), tensors(xs))
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-6)


@pytest.mark.parametrize("huge", [False, True])
def test_a_bias_joins_the_input_where_it_cannot_overflow(huge: bool) -> None:
    b = np.full(2, 3e38 if huge else 0.5, np.float32)
    xs, h = np.full((3, 2), 3e38 if huge else 0.25, np.float32), np.full(2, -3e38, np.float32)

    def step(h: Any, x: Any) -> Any:
        return h + x + b, h

    state = tr.tensor(h, requires_grad=True)
    with np.errstate(over="ignore"):
        found, expected = (form(step, state, tr.tensor(xs))[0].data for form in (tr.scan, FORMS["loop"]))
        plan = tr.scan.plan(step, state, tr.tensor(xs))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert plan.scans[0].forward.calls_per_step == (2 if huge else 1)


@pytest.mark.parametrize("function", [tr.softmax, tr.log_softmax])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1), (1,)])
def test_softmax_over_any_axes(function: Any, axis: Any) -> None:
    agree(lambda h, x: (tr.tanh(h + x), function(x, axis) + function(h, axis)), normal(2, 3), normal(5, 2, 3))


@pytest.mark.parametrize("kind", [bool, np.int64, np.float32, np.float64])
def test_conditions_of_any_dtype(kind: Any) -> None:
    xs = np.array([[0, 1, 2]] * 4).astype(kind)
    agree(
        lambda c, x: (tr.where(c, c * 0.5, x).astype(c.dtype), (tr.where(x, c, 1.0), tr.where(c, x, c))),
        H,
        xs,
    )


def test_an_axis_of_a_number() -> None:
    agree(lambda c, x: (c * x, (tr.argmin(c, -1), tr.argmax(x, 0), c)), np.float64(1.5), np.arange(4.0))


@pytest.mark.parametrize("y", [lambda c: c, lambda c: 3.0, lambda c: (1.0, np.ones(2), c * 0 + 1)])
def test_constant_outputs(y: Any) -> None:
    agree(lambda c, x: (c, y(c)), np.float64(1.5), np.arange(4.0))
    agree(lambda c, x: (c + x, y(c)), np.float64(1.5), np.arange(4.0))


@pytest.mark.parametrize("keys", list(itertools.permutations(["it's", "a\\b", "x"])), ids=str)
def test_dicts_in_any_order_with_any_keys(keys: Any) -> None:
    carry = {"it's": H, "a\\b": 2 * H, "x": 3 * H}
    agree(lambda c, x: ({k: c[k] * 0.5 + x for k in keys}, {k: c[k] for k in keys}), carry, XS)
    final, _ = tr.scan(lambda c, x: ({k: c[k] for k in keys}, None), tensors(carry), tensors(XS))
    assert list(final) == list(carry)
    assert all((final[k].data == carry[k]).all() for k in carry)


def test_a_dict_of_booleans_and_numbers() -> None:
    agree(lambda c, x: ({True: c[True] * x, 0: c[0] + x}, c), {True: H, 0: H}, XS)


def test_the_form_of_the_carry_is_asked_at_each_call() -> None:
    """What runs before must not decide what is refused."""
    h = tr.tensor(H)
    tr.scan(lambda c, x: ((c[0] + x, c[1]), None), (h, h), tr.tensor(XS))
    with pytest.raises(ValueError, match="of the form that it was given"):
        tr.scan(lambda c, x: ((c["a"] + x, c["b"]), None), {"a": h, "b": h}, tr.tensor(XS))
    with pytest.raises(ValueError, match="of the form that it was given"):
        tr.scan(lambda c, x: ([c[0] + x, c[1]], None), (h, h), tr.tensor(XS))


# --- steps that do not repeat: the same draws as in a plain loop, and a warning at each kind
rng = np.random.default_rng(0)


def noise(std: float) -> Callable[[Any, Any], Any]:
    def step(h: Any, x: Any) -> Any:
        return h + std * rng.standard_normal(3), h

    return step


def branch(h: Any, x: Any) -> Any:
    return (h + 1 if rng.random() < 0.9 else h - 1), h


def branch_of_python(h: Any, x: Any) -> Any:
    return (h + 1 if random.random() < 0.9 else h - 1), h


def branch_of_numpy(h: Any, x: Any) -> Any:
    return (h + 1 if np.random.rand() < 0.9 else h - 1), h  # noqa: NPY002


class Noisy:
    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.noisy = True

    def draw(self) -> Any:
        return self.rng.standard_normal(3)

    def step(self, h: Any, x: Any) -> Any:
        return (h + self.draw() if self.noisy else h + x), h


@pytest.mark.parametrize(
    "step", [noise(1.0), branch, branch_of_python, branch_of_numpy, Noisy().step],
    ids=["noise", "branch", "branch of python", "branch of numpy", "method"],
)  # fmt: skip
def test_draws_are_made_anew_at_each_step(step: Any) -> None:
    def seed() -> None:
        global rng
        rng = np.random.default_rng(7)
        random.seed(7)
        np.random.seed(7)  # noqa: NPY002
        if hasattr(step, "__self__"):
            step.__self__.rng = np.random.default_rng(7)

    h, xs = tr.tensor(H), tr.zeros((40, 3))
    seed()
    expected = FORMS["loop"](step, h, xs)[1].data
    seed()
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        found = tr.scan(step, h, xs)[1].data
    np.testing.assert_array_equal(found, expected)


def test_a_step_that_draws_only_sometimes() -> None:
    tr.scan.cache_clear()
    cell, h = Noisy(), tr.tensor(H)
    cell.noisy = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tr.scan(cell.step, h, tr.tensor(XS))  # it can see a generator, and draws nothing
    std = 0.0

    def step(h: Any, x: Any) -> Any:
        return h + std * rng.standard_normal(3), h

    with pytest.warns(tr.ScanFallbackWarning, match="draws random numbers"):
        tr.scan(step, h, tr.tensor(XS))
    std = 1.0
    _, y = tr.scan(step, h, tr.tensor(XS))
    assert len(np.unique(np.diff(y.data, axis=0))) == 15


@pytest.mark.parametrize("asks", [False, True])
def test_all_draws_of_a_trace_are_given_back(asks: bool) -> None:
    """Of each generator, also where the trace ends in the middle of the step."""
    found = []
    for form in ("compiled", "loop"):
        first, second = np.random.default_rng(1), np.random.default_rng(2)

        def step(h: Any, x: Any, first: Any = first, second: Any = second) -> Any:
            h = h + first.standard_normal(3) * second.standard_normal(3)
            return (h * 2 if asks and float(h.sum()) > 0 else h), h

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", tr.ScanFallbackWarning)
            found.append(FORMS[form](step, tr.tensor(H), tensors(XS))[1].data)
    np.testing.assert_array_equal(*found)


def test_a_step_that_alternates() -> None:
    calls = [0]

    def step(h: Any, x: Any) -> Any:
        calls[0] += 1
        a, b = h + 1, h - 1
        return (a if calls[0] % 2 else b), a

    with pytest.warns(tr.ScanFallbackWarning, match="changes what it finds again"):
        final, _ = tr.scan(step, tr.tensor(0.0), tr.zeros(4))
    assert final.item() == 0


# --- failures inside of the compiler
def failing(where: str) -> Primitive:
    """``2 * x``, with a rule that the compiler cannot follow."""

    def vjp(g: Any) -> Any:
        if where == "gradient" and not isinstance(g, (np.ndarray, tr.Tensor)):
            raise NotImplementedError("no symbols")
        return 2 * g

    return Primitive(
        "twice",
        lambda x: 2 * x,
        shape=(lambda s: (*s, 1)) if where == "shape" else None,
        x=vjp,
    )


@pytest.mark.parametrize("where", ["gradient", "shape"])
def test_what_fails_in_the_compiler_runs_recorded(where: str) -> None:
    twice = failing(where)

    def step(h: Any, x: Any) -> Any:
        h = tr.tanh(twice(h) + x)
        return h, h

    def plain(h: Any, x: Any) -> Any:
        h = tr.tanh(2 * h + x)
        return h, h

    with pytest.warns(tr.ScanFallbackWarning, match="compiler"):
        found = run("compiled", step, H, XS)
    assert_same(found, run("loop", plain, H, XS))


@pytest.mark.parametrize("order", [1, 2])
def test_a_gradient_that_fails_is_made_step_by_step(order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinyrnn.recurrence.compiled import CompiledDerivative

    def step(h: Any, x: Any) -> Any:
        h = tr.tanh(h @ W + x * h)
        return h, h * h

    expected = run("loop", step, H, XS, order=order)

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError(f"bug {order}")

    monkeypatch.setattr(CompiledDerivative, "run_backward", fail)
    with pytest.warns(
        tr.ScanFallbackWarning, match=rf"compiled gradient failed \(RuntimeError: bug {order}\)"
    ):
        found = run("compiled", step, H, XS, order=order)
    assert_same(found, expected)


# --- what the loss does not depend on has no gradient, as in the recorded form
@pytest.mark.parametrize("form", [tr.scope, tr.unrolled], ids=["compiled", "unrolled"])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7])
def test_no_gradient_where_nothing_leads(form: Any, steps: int) -> None:
    a, b, unused = (tr.tensor(normal(3, seed=k), requires_grad=True) for k in range(3))
    carry = tuple(tr.tensor(normal(3, seed=k), requires_grad=True) for k in range(4))
    x = tr.tensor(normal(steps, 3), requires_grad=True)

    def step(c: Any, x: Any) -> Any:
        return (c[0] * a, c[0], c[1], c[3] * x), (c[2] + unused, c[3] * b)

    with form():
        final, (_, second) = tr.scan(step, carry, x)
    assert [part.requires_grad for part in (*final, second)] == [True] * 5
    final[2].sum().backward(retain_graph=True)  # what the first part was two steps before
    assert [leaf.grad is not None for leaf in (a, b, unused, x)] == [steps > 2, False, False, False]
    assert [h.grad is not None for h in carry] == [steps > 1, steps == 1, False, False]
    second.sum().backward()
    assert [leaf.grad is not None for leaf in (b, unused, x)] == [True, False, steps > 1]


def test_zeros_do_not_meet_nan() -> None:
    w, xs = (tr.tensor(a, requires_grad=True) for a in (np.array([-1.0, 1.0]), XS[:, :2]))
    with np.errstate(invalid="ignore"):
        lost = tr.log(w)
        final, _ = tr.scan(lambda c, x: (c * x, tr.tanh(lost)), tr.tensor(H[:2]), xs)
    final.sum().backward()
    assert w.grad is None


def test_plain_floats_beside_integers() -> None:
    k = np.ones(3, np.float32)
    agree(lambda c, x: (c, c @ k + c[0] * x), np.ones((3, 3), np.uint32), np.ones((4, 3), np.float32))
    agree(lambda c, x: (c, tr.where(c > 0, k, np.arange(3))), np.ones((3, 3), np.int8), np.ones((4, 3)))


@pytest.mark.parametrize("zero", [0, 0.0, -0.0])
def test_a_quotient_by_the_number_zero(zero: float) -> None:
    agree(lambda c, x: (c * x, (c + x) / zero), H, XS)


# --- what mutations of the compiler showed to be untested: each fails where one condition is left out
def test_known_terms_meet_only_where_one_is_lost_beside_the_largest_number() -> None:
    half = np.full(2, -30000, np.float16)
    square = tr.tensor(np.full(2, 2.0**59, np.float32))
    single = np.full(2, -3.4e38, np.float32)
    cases: list[tuple[Any, Any, Any]] = [
        (lambda h, x: (h + 40000 + 40000, h), half, np.zeros((1, 2), np.float16)),
        (lambda h, x: (h + x + square * square, h), single, np.full((1, 2), 3.4028e38, np.float32)),
    ]
    for step, carry, xs in cases:
        with np.errstate(all="ignore"):
            expected, found = (
                FORMS[form](step, tr.tensor(carry), tensors(xs))[0].data for form in ("loop", "compiled")
            )
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_infinities_of_a_step_cancel_as_they_were_written() -> None:
    xs = np.array([[0.5, 3.0, 0.25]] * 3)
    start = np.array([np.inf, -np.inf, 1.0])
    for step in (lambda h, x: (h * 2.0 - h * x, h), lambda h, x: (h - h * x, h * 2.0 - h)):
        with np.errstate(invalid="ignore"):
            expected = FORMS["loop"](step, tr.tensor(start), tr.tensor(xs))
            found = tr.scan(step, tr.tensor(start), tr.tensor(xs))
        for got, value in zip(found, expected, strict=True):
            np.testing.assert_allclose(got.data, value.data, rtol=1e-12)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float32])
@pytest.mark.parametrize("exponent", [2, 2.0])
def test_squares_keep_their_dtype(kind: Any, exponent: Any) -> None:
    agree(lambda c, x: (c, (c**exponent, x**exponent)), np.ones(3, kind), np.full((4, 3), 3, kind), rtol=1e-6)


@pytest.mark.parametrize("turned", [False, True])
def test_a_gradient_summed_over_rows_keeps_its_axis(turned: bool) -> None:
    spread = Primitive(
        "spread",
        lambda w, rows: np.repeat(w, rows, 0),
        shape=lambda s, rows: (s[0] * rows, *s[1:]),
        w=lambda g: g.sum(0, keepdims=True),
    )
    found = {}
    for form in FORMS:
        w = tr.tensor(normal(3, 1) if turned else normal(1, 3), requires_grad=True)

        def step(h: Any, x: Any, w: Any = w) -> Any:
            h = tr.tanh(h + x * spread(w.T if turned else w, rows=2))
            return h, h

        FORMS[form](step, tr.tensor(normal(2, 3)), tr.tensor(normal(5, 2, 3)))[1].sum().backward()
        assert w.grad is not None
        found[form] = {"w": w.grad.data}
    assert_same(found["compiled"], found["loop"])


def cut(z: Any, low: int, high: int) -> Any:
    return z[:, low:high]


V = tr.tensor(normal(4, 8, seed=3) / 2)
CUTS: dict[str, Any] = {
    "gates of rows": lambda z, u: tr.sigmoid((z + u)[:2]) * tr.tanh((z + u)[2:]),
    "gates of a part": lambda z, u: tr.sigmoid(cut(z @ V, 0, 3)) * tr.tanh(cut(z @ V, 3, 6)),
    "gates of the end": lambda z, u: tr.sigmoid(cut(z @ V, 2, 5)) * tr.tanh(cut(z @ V, 5, 8)),
    "a gate and its argument": lambda z, u: (
        tr.sigmoid(cut(z @ V, 0, 4)) * tr.tanh(cut(z @ V, 4, 8)), cut(z @ V, 0, 4),
    ),
    "overlapping": lambda z, u: (tr.sin(cut(z, 0, 4)), tr.sin(cut(z, 0, 2)), tr.sin(cut(z, 1, 3))),
    "apart": lambda z, u: (tr.sin(cut(z, 0, 1)), tr.sin(cut(z, 3, 4))),
    "crossed": lambda z, u: (cut(z, 0, 2) * cut(u, 2, 4), cut(z, 2, 4) * cut(u, 0, 2)),
    "every other": lambda z, u: (tr.sin(z[:, 0:3:2]), tr.sin(z[:, 3:4:2]) * u[:, 0:3:2]),
    "joined afterwards": lambda z, u: tr.concatenate([z * u, z], axis=-1) + tr.concatenate([z, u], axis=1),
    "stacked afterwards": lambda z, u: tr.stack([z * u, z], axis=-1),
}  # fmt: skip


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", CUTS)
def test_slices_side_by_side(name: str, order: int) -> None:
    cell = CUTS[name]

    def step(c: Any, x: Any) -> Any:
        z, u = c
        found = cell(z, u)
        return (tr.tanh(z + x), tr.tanh(u - z)), (found, tr.exp(z))

    agree(step, (normal(4, 4), normal(4, 4, seed=2)), normal(5, 4, 4), order=order)
    parts = (normal(4, 4), normal(4, 4, seed=2))

    def used(c: Any, x: Any) -> Any:  # and where the loop itself needs it
        z, u = c
        total = sum(part.sum() for part in flatten(cell(z, u))[0])
        return (tr.tanh(z + x * 0.1 * total), tr.tanh(u - z)), total

    agree(used, parts, normal(5, 4, 4), order=order, rtol=1e-11)


def test_known_factors_and_terms_are_put_together_only_where_nothing_overflows() -> None:
    large = tr.tensor(np.full(2, 3e38, np.float32))
    start = tr.tensor(np.full(2, 1e-38, np.float32), requires_grad=True)
    for form in FORMS:
        start.grad = None
        final, _ = FORMS[form](lambda h, x: (h * large + h * (large * x), h), start, tr.ones(1, 2))
        (final * 1e-20).sum().backward()
        assert start.grad is not None
        np.testing.assert_allclose(start.grad.data, 6e18, rtol=1e-6)

    def step(c: Any, x: Any) -> Any:
        return ((c[0] + x) + (c[1] + x), c[1]), c[0]

    lowest = np.full(2, -3e38, np.float32)
    for form in FORMS:
        xs = tr.tensor(-lowest * np.array([[1.0], [0.0]], np.float32))
        (h, _), _ = FORMS[form](step, (tr.tensor(lowest), tr.tensor(lowest)), xs)
        np.testing.assert_array_equal(h.data, lowest)


def test_a_dict_of_other_keys_is_refused() -> None:
    for given, back in (("h", "c"), ("c", "h")):
        with pytest.raises(ValueError, match="a carry of the form that it was given"):
            tr.scan(lambda c, x: ({back: c[given] + x}, x), {given: tr.zeros(2)}, tr.ones(3, 2))  # noqa: B023


def test_what_is_fixed_multiplies_a_parameter_in_the_step() -> None:
    fixed = tr.tensor(normal(2, 4))
    found = {}
    for form in FORMS:
        w = tr.tensor(normal(4, 3), requires_grad=True)

        def step(h: Any, x: Any, w: Any = w) -> Any:
            h = tr.tanh(h + x + fixed @ w)
            return h, h

        FORMS[form](step, tr.tensor(normal(2, 3)), tr.tensor(normal(5, 2, 3)))[1].sum().backward()
        assert w.grad is not None
        found[form] = {"w": w.grad.data}
    assert_same(found["compiled"], found["loop"])


@pytest.mark.parametrize("order", [1, 2])
def test_rows_of_an_input_are_picked_step_by_step(order: int) -> None:
    places = np.array([2, 0, 2])

    def step(h: Any, x: Any) -> Any:
        h = tr.tanh(h + x[places])
        return h, (x * x)[places]

    agree(step, normal(3, 2), normal(5, 3, 2), order=order)
