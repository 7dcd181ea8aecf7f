"""Rows of different lengths: what stands in the padding has no influence, and wrong lengths are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_cells import ALL, case
from scan_forms import FORMS, assert_same, normal, run

import tinyrnn as tr
from tinyrnn.recurrence.running import recycled

B, H = 3, 4
XS, H0 = normal(5, B, H), normal(B, H)
both_forms = pytest.mark.parametrize("form", ["compiled", "unrolled"])


def padding(lengths: Any, steps: int) -> Any:
    return np.arange(steps)[:, None] >= np.asarray(lengths)


@both_forms
@pytest.mark.parametrize("name", [name for name in ALL if name != "embedding"])
@given(lengths=st.lists(st.integers(1, 6), min_size=2, max_size=2), reverse=st.booleans())
@settings(max_examples=6)
def test_nan_in_the_padding_changes_nothing(name: str, form: str, lengths: list[int], reverse: bool) -> None:
    make, params, carry, xs = case(name, 6)
    empty = padding(lengths, 6)
    clean = run(form, make, params, carry, xs, lengths=lengths, reverse=reverse)
    for bad in (np.nan, np.inf, 1e300):
        found = run(
            form, make, params, carry, np.where(empty[..., None], bad, xs), lengths=lengths, reverse=reverse
        )
        assert_same(found, clean, rtol=0)
    assert not clean["grad['xs']"][empty].any()
    for key, value in clean.items():
        assert np.isfinite(value).all(), key
        if key.startswith("out['ys']"):
            assert not value[empty].any(), key


@both_forms
def test_steps_that_are_singular_at_zero(form: str) -> None:
    """No zeros are made up for the padding, at which a step such as this one would divide by zero."""

    def make(p: Any) -> Any:
        def step(h: Any, x: Any) -> Any:
            h = tr.tanh(h @ p["U"] + (x / tr.sqrt((x * x).sum(1, keepdims=True))) @ p["W"] + tr.log(x * x))
            return h, h

        return step

    params = {"W": normal(H, H), "U": normal(H, H, seed=1)}
    lengths = [5, 1, 3]
    zeros = np.where(padding(lengths, 5)[..., None], 0.0, XS)
    found = run(form, make, params, H0, zeros, lengths=lengths)
    assert all(np.isfinite(value).all() for value in found.values())
    assert_same(found, run(form, make, params, H0, XS, lengths=lengths), rtol=0)


@both_forms
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_each_row_is_as_it_is_alone(form: str, reverse: bool) -> None:
    lengths = [5, 1, 3]
    make, params, carry, xs = case("gru", 5, batch=3)
    together = run(form, make, params, carry, xs, lengths=lengths, reverse=reverse)
    for b, n in enumerate(lengths):
        alone = run("loop", make, params, carry[b : b + 1], xs[:n, b : b + 1], reverse=reverse)
        for key, cut in (("out['carry']", (slice(b, b + 1),)), ("out['ys']", (slice(n), slice(b, b + 1)))):
            np.testing.assert_allclose(together[key][cut], alone[key], rtol=1e-12, atol=1e-12)


@both_forms
def test_integers_and_booleans_in_the_padding(form: str) -> None:
    """An index out of bounds in the padding is not looked up; zero outputs keep their dtype."""
    make, params, carry, tokens = case("embedding", 5)
    lengths = [2, 5]
    wild = np.where(padding(lengths, 5), 10**6, tokens)
    assert_same(
        run(form, make, params, carry, wild, lengths=lengths),
        run("loop", make, params, carry, tokens, lengths=np.array(lengths)),
    )

    def facts(p: Any) -> Any:
        return lambda h, x: (h, {"positive": h > 0, "top": h.argmax(1), "token": x})

    found = run(form, facts, params, carry, tokens, lengths=lengths)
    assert [found[f"out['ys']['{key}']"].dtype.kind for key in ("positive", "top", "token")] == [
        "b",
        "i",
        "i",
    ]
    assert not found["out['ys']['token']"][padding(lengths, 5)].any()


@both_forms
def test_full_lengths_are_no_lengths(form: str) -> None:
    make, params, carry, xs = case("lstm", 5)
    found = run(form, make, params, carry, xs, lengths=[5, 5])
    assert_same(found, run(form, make, params, carry, xs), rtol=0)


@both_forms
def test_no_carry(form: str) -> None:
    found = run(form, lambda p: lambda _, x: (None, 2 * x), {}, None, XS, lengths=[5, 1, 3])
    np.testing.assert_array_equal(found["out['ys']"], np.where(padding([5, 1, 3], 5)[..., None], 0, 2 * XS))


def test_initial_state_and_parameters_of_layers() -> None:
    """NaN in the padding, through two bidirectional layers: h0 and all parameters get clean gradients."""
    model = tr.nn.GRU(H, H, 2, bidirectional=True, dtype=np.float64)
    found = []
    for fill in (0.0, np.nan):
        model.zero_grad()
        x = tr.tensor(np.where(padding([5, 1, 3], 5)[..., None], fill, XS), requires_grad=True)
        h0 = tr.tensor(normal(4, B, H), requires_grad=True)
        y, h = model(x, h0, lengths=[5, 1, 3])
        ((y * y).sum() + (h * h).sum()).backward()
        grads = {name: p.grad.data for name, p in model.named_parameters()}
        found.append(grads | {"y": y.data, "h": h.data, "x": x.grad.data, "h0": h0.grad.data})
    assert_same(found[1], found[0], rtol=0)
    assert np.isfinite(found[0]["h0"]).all()


WRONG = {
    "zero": ([5, 0, 3], ValueError, r"lengths\[1\] is 0; expected 1 to T = 5"),
    "negative": ([5, 2, -3], ValueError, r"lengths\[2\] is -3; expected 1 to T = 5"),
    "too long": ([6, 2, 3], ValueError, r"lengths\[0\] is 6; expected 1 to T = 5"),
    "too few": ([5, 2], ValueError, r"lengths has shape \(2,\), but carry has shape \(3, 4\)"),
    "one number": (3, ValueError, r"lengths has dtype int64 and shape \(\); expected integers"),
    "a column": ([[5], [2], [3]], ValueError, r"shape \(3, 1\); expected integers, shape \(batch,\)"),
    "fractions": ([5.0, 2.5, 3.0], ValueError, r"lengths has dtype float.*expected integers"),
    "booleans": ([True, True, False], ValueError, r"lengths has dtype bool.*expected integers"),
}


@both_forms
@pytest.mark.parametrize("name", WRONG)
def test_wrong_lengths(name: str, form: str) -> None:
    lengths, error, message = WRONG[name]
    with tr.unrolled() if form == "unrolled" else tr.scope(), pytest.raises(error, match=message):
        tr.scan(lambda h, x: (h + x, h), tr.tensor(H0), tr.tensor(XS), lengths=lengths)


@pytest.mark.parametrize(
    ("carry", "xs", "message"),
    [
        (H0[0, 0], XS, r"carry has shape \(\); expected \(batch, ...\)"),
        (H0[:2], XS, r"carry has shape \(2, 4\); expected \(batch, ...\)"),
        (H0, XS[:, :2], r"xs has shape \(5, 2, 4\); expected \(T, batch, ...\)"),
        (H0, XS[:, 0, 0], r"xs has shape \(5,\); expected \(T, batch, ...\)"),
    ],
)
def test_every_part_has_the_batch(carry: Any, xs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tr.scan(lambda h, x: (h, x), tr.tensor(carry), tr.tensor(xs), lengths=[5, 2, 3])


# --- segments
@pytest.mark.parametrize("segment", [1, 2, 4, 5, 6, 100, "auto", np.int64(3)])
@pytest.mark.parametrize("name", ALL)
def test_segments_change_nothing(name: str, segment: Any) -> None:
    make, params, carry, xs = case(name, 11)
    for options in ({}, {"reverse": True}, {"lengths": [11, 6]}, {"lengths": [3, 2], "reverse": True}):
        expected = run("compiled", make, params, carry, xs, **options)
        found = run("compiled", make, params, carry, xs, segment=segment, **options)
        assert_same(found, expected, rtol=1e-13)
        assert_same(run("unrolled", make, params, carry, xs, segment=segment, **options), expected)


@both_forms
@pytest.mark.parametrize("segment", [0, -2, 2.5, "sqrt", True])
def test_wrong_segments(segment: Any, form: str) -> None:
    with tr.unrolled() if form == "unrolled" else tr.scope(), pytest.raises(ValueError, match="segment is"):
        tr.scan(lambda h, x: (h + x, h), tr.tensor(H0), tr.tensor(XS), segment=segment)


def test_a_segment_needs_less_memory() -> None:
    import tracemalloc

    model, x = tr.nn.GRU(8, 16), tr.tensor(normal(1024, 4, 8, dtype=np.float32))

    def peak(segment: Any) -> int:
        recycled.clear()
        tracemalloc.start()
        y, _ = model(x, segment=segment)
        y.sum().backward()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        model.zero_grad()
        return most

    for segment in (None, "auto"):  # compile, and make the buffers that are kept
        peak(segment)
    assert peak("auto") < 0.5 * peak(None)


@both_forms
@pytest.mark.parametrize("reverse", [False, True])
def test_a_step_that_mixes_rows_sees_the_last_real_input_of_those_that_ended(
    form: str, reverse: bool
) -> None:
    lengths = np.array([2, 5, 3])
    xs = np.arange(30.0).reshape(5, B, 2)
    seen = np.stack([xs[np.minimum(t, lengths - 1), np.arange(B)] for t in range(5)])
    expected = np.where(padding(lengths, 5)[..., None], 0, seen.sum(1, keepdims=True) + np.zeros((B, 2)))

    def step(h: Any, x: Any) -> Any:
        return h, x.sum(0, keepdims=True) + h

    _, ys = FORMS[form](step, tr.zeros((B, 2), dtype="float64"), xs, lengths=lengths, reverse=reverse)
    np.testing.assert_array_equal(ys.data, expected)
