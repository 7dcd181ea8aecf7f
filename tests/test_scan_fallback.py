"""Steps that cannot be compiled: the same numbers from the recorded loop, and one warning that says why."""

from __future__ import annotations

import contextlib
import io
import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scan_cells import cell
from scan_forms import agree, loop, normal, tensors

import tinyrnn as tr

B, H = 3, 4
PARAMS = {"W": normal(H, H) / 2, "U": normal(H, H) / 2, "b": normal(H)}
XS, H0 = normal(5, B, H), normal(B, H)


def branches(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = cell(p, h, x) if h.sum() > 0 else 0.5 * h
        return h, h

    return step


def asks_for_an_item(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        return cell(p, h, x) * h.max().item(), h

    return step


def asks_for_an_array(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        return cell(p, h, x) + h.numpy(), h

    return step


def uses_a_function_without_a_rule(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        return cell(p, h, x) + np.sin(h.detach().data), h

    return step


def asks_for_a_fact(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        return cell(p, h, x) + np.count_nonzero(x.detach()), h

    return step


def picks_by_a_mask(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        return cell(p, h, x) + h[h > 0].sum(), h

    return step


def grows(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        return tr.concatenate([h, x.sum(1, keepdims=True)], axis=1), (h * h).sum()

    return step


def stops_recording(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        with tr.no_grad():
            factor = 2 * h
        return cell(p, h, x) * factor, h

    return step


def asks_whether_it_is_recorded(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        return cell(p, h, x) if h.requires_grad else h, h

    return step


REASONS: dict[Callable[[Any], Any], str] = {
    branches: "asks for the value",
    asks_for_an_item: "asks for the value",
    asks_for_an_array: "asks for the value",
    uses_a_function_without_a_rule: "asks for the value",
    asks_for_a_fact: "asks for the value",
    picks_by_a_mask: "asks for the value",
    stops_recording: "turns recording off",
    asks_whether_it_is_recorded: "asks how a Tensor is recorded",
}


@pytest.mark.parametrize("make", REASONS, ids=lambda make: make.__name__)
def test_warns_once_and_gives_the_same(make: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", tr.ScanFallbackWarning)
        for _ in range(2):  # an error comes every time
            with pytest.raises(tr.ScanFallbackWarning, match=f"{make.__name__}.*because it {REASONS[make]}"):
                tr.scan(make(tensors(PARAMS)), tr.tensor(H0), tr.tensor(XS))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        agree(make, PARAMS, H0, XS)
        agree(make, PARAMS, H0, XS, reverse=True)
    assert [w.category for w in seen] == [tr.ScanFallbackWarning]


def test_lengths() -> None:
    with pytest.warns(tr.ScanFallbackWarning):
        agree(
            lambda p: lambda h, x: (cell(p, h, x) + h.numpy(), h), PARAMS, H0, XS, lengths=np.array([5, 1, 3])
        )


def test_warning_points_at_the_line_of_the_user() -> None:
    class Branching(tr.nn.Cell):
        hidden_size = H

        def step(self, h: Any, x: Any) -> Any:
            h = h + x if h.sum() > 0 else h - x
            return h, h

    with pytest.warns(tr.ScanFallbackWarning) as seen:
        tr.nn.Recurrent(Branching())(tr.tensor(XS, dtype=np.float32))
    assert [w.filename for w in seen] == [__file__]


def test_random_draws_differ_from_step_to_step() -> None:
    def step(h: Any, x: Any) -> Any:
        return h, tr.nn.functional.dropout(x, 0.5)

    tr.manual_seed(3)
    _, expected = loop(step, tr.tensor(H0), tr.tensor(XS))
    tr.manual_seed(3)
    with pytest.warns(tr.ScanFallbackWarning, match="new mask at each step"):
        _, y = tr.scan(step, tr.tensor(H0), tr.tensor(XS))
    np.testing.assert_array_equal(y.data, expected.data)
    assert len(np.unique(y.data == 0, axis=0)) > 1


def test_draws_of_the_users_own() -> None:
    rng = np.random.default_rng(0)

    def step(h: Any, x: Any) -> Any:
        return h, x * (rng.random(x.shape) > 0.5)

    for _ in range(2):
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            _, y = tr.scan(step, tr.tensor(H0), tr.tensor(XS))
        assert len(np.unique(y.data == 0, axis=0)) > 1
    mask = rng.random((B, H)) > 0.5  # the same mask at each step is a constant, and compiled
    tr.scan(lambda h, x: (h, x * mask), tr.tensor(H0), tr.tensor(XS))


def counting_list(calls: list[int]) -> Any:
    def step(h: Any, x: Any) -> Any:
        calls.append(1)
        return h + (x if len(calls) < 4 else 2 * x), h

    return step


def counting_nonlocal(calls: list[int]) -> Any:
    count = 0

    def step(h: Any, x: Any) -> Any:
        nonlocal count
        count += 1
        calls[:] = [1] * count
        return h + (x if count % 3 else 2 * x), h

    return step


def counting_array(calls: list[int]) -> Any:
    count = np.zeros(1)

    def step(h: Any, x: Any) -> Any:
        here = count
        here += 1
        calls[:] = [1] * int(count[0])
        return h + (x if count[0] < 3 else 2 * x), h

    return step


def counting_attribute(calls: list[int]) -> Any:
    class Step:
        last: Any = None

        def __call__(self, h: Any, x: Any) -> Any:
            new = h + x if self.last is None else h + x + self.last
            self.last = h
            calls.append(1)
            return new, h

    return Step()


COUNTING = [counting_list, counting_nonlocal, counting_array, counting_attribute]


@pytest.mark.parametrize("make", COUNTING)
def test_a_step_that_keeps_something_finds_it_as_in_the_loop(make: Any) -> None:
    """Two traces may well agree; and none may leave a mark."""
    found = []
    for form in (contextlib.nullcontext, tr.unrolled):
        calls: list[int] = []
        step = make(calls)
        with form():
            for k in range(2):
                said = k == 0 and form is not tr.unrolled  # once is enough
                match = "changes what it finds again"
                with pytest.warns(tr.ScanFallbackWarning, match=match) if said else contextlib.nullcontext():
                    _, y = tr.scan(step, tr.tensor(H0), tr.tensor(XS))
        assert len(calls) == 2 * len(XS)
        found.append(y.data)
    np.testing.assert_array_equal(*found)


def test_what_a_step_catches_is_refused_all_the_same() -> None:
    def step(h: Any, x: Any) -> Any:
        try:
            large = bool(h.sum() > 1)
        except Exception:
            large = False
        return h * 0.0 if large else h + 1.0, h

    with pytest.warns(tr.ScanFallbackWarning, match="asks for the value"):
        _, y = tr.scan(step, tr.tensor(0.0), tr.zeros(6))
    assert y.tolist() == [0, 1, 2, 0, 1, 2]


def test_a_step_that_asks_what_is_a_tensor() -> None:
    def step(h: Any, x: Any) -> Any:
        return h + (1.0 if isinstance(x, tr.Tensor) else 2.0), h

    with pytest.warns(tr.ScanFallbackWarning, match="asks what is a Tensor"):
        h, _ = tr.scan(step, tr.tensor(0.0), tr.zeros(3))
    assert h.item() == 3


def test_iterators_and_generators_in_odd_places() -> None:
    items = iter([1.0, 1.0, 2.0, 2.0, 3.0, 3.0])
    with pytest.warns(tr.ScanFallbackWarning, match="next of an iterator"):
        h, _ = tr.scan(lambda h, x: (h + next(items), h), tr.tensor(0.0), tr.zeros(6))
    assert h.item() == 12
    turn = itertools.count().__next__
    with pytest.warns(tr.ScanFallbackWarning, match="next of an iterator"):
        h, _ = tr.scan(lambda h, x: (h + turn(), h), tr.tensor(0.0), tr.zeros(4))
    assert h.item() == 6
    box = np.empty(1, object)
    box[0] = np.random.default_rng(0)
    bits = np.random.PCG64(0)
    steps = [
        lambda h, x: (h + box[0].normal(), h),
        lambda h, x: (h + bits.random_raw() / 2**64, h),
    ]
    for step in steps:
        with pytest.warns(tr.ScanFallbackWarning, match="random numbers"):
            _, y = tr.scan(step, tr.tensor(0.0, dtype="float64"), tr.zeros(6, dtype="float64"))
        assert len({round(float(d), 9) for d in np.diff(y.data)}) == 5


def test_dropout_is_compiled_where_it_does_nothing() -> None:
    drop = tr.nn.Dropout(0.5).eval()
    _, y = tr.scan(lambda h, x: (h, drop(x)), tr.tensor(H0), tr.tensor(XS))
    np.testing.assert_array_equal(y.data, XS)


def test_a_tensor_kept_from_another_step_is_a_tensor() -> None:
    kept: list[Any] = []

    def step(h: Any, x: Any) -> Any:
        kept.append(h)
        return h + kept[0], h

    with pytest.warns(tr.ScanFallbackWarning, match="changes what it finds again"):
        h, _ = tr.scan(step, tr.tensor(H0), tr.tensor(XS))
    np.testing.assert_allclose(h.data, H0 * (1 + len(XS)))
    assert len(kept) == len(XS)


# --- mistakes: the same error in both forms, and no warning
WRONG: dict[str, tuple[Callable[[Any, Any], Any], type[Exception], str]] = {
    "structure": (
        lambda c, x: ((c[0], c[1], x), x),
        ValueError,
        r"of the form that it was given .*, \['carry\[0\]', 'carry\[1\]'\]; it returned .*'carry\[2\]'",
    ),
    "dtype": (
        lambda c, x: ((c[0], c[1].astype(np.float32)), x),
        ValueError,
        r"returned carry\[1\] with shape \(3, 4\) and dtype float32; expected .* \(3, 4\) and float64",
    ),
    "number": (lambda c, x: ((c[0], 1.0), x), ValueError, r"returned carry\[1\] with shape \(\)"),
    "no pair": (lambda c, x: c[0], TypeError, r"step returned a \w+; expected the pair \(carry, y\)"),
    "three": (lambda c, x: (c, x, x), TypeError, r"step returned a tuple of 3; expected the pair"),
    "shapes": (lambda c, x: ((c[0], c[1] @ x), x), ValueError, r"matmul: the operands have shapes"),
    "index": (lambda c, x: ((c[0], c[2]), x), IndexError, "tuple index"),
}


@pytest.mark.parametrize("form", [tr.scope, tr.unrolled], ids=["compiled", "unrolled"])
@pytest.mark.parametrize("name", WRONG)
def test_mistakes(name: str, form: Any) -> None:
    step, error, message = WRONG[name]
    h = tr.tensor(H0)
    with form(), pytest.raises(error, match=message):
        tr.scan(step, (h, h), tr.tensor(XS))


@pytest.mark.parametrize("form", [tr.scope, tr.unrolled], ids=["compiled", "unrolled"])
def test_lengths_hold_a_carry_of_one_shape(form: Any) -> None:
    def grow(h: Any, x: Any) -> Any:
        return tr.concatenate([h, x], axis=1), None

    with form(), pytest.raises(ValueError, match=r"returned carry with shape \(3, 8\) .* expected those of"):
        tr.scan(grow, tr.tensor(H0), tr.tensor(XS), lengths=[5, 2, 3])


@pytest.mark.parametrize("form", [tr.scope, tr.unrolled], ids=["compiled", "unrolled"])
@pytest.mark.parametrize("y", [lambda x: x.sum(), lambda x: x[:1], lambda x: x.T])
def test_lengths_need_outputs_with_a_batch(y: Any, form: Any) -> None:
    with (
        form(),
        pytest.raises(ValueError, match=r"returned y with shape .*; expected the batch as its first"),
    ):
        tr.scan(lambda h, x: (h, y(x)), tr.tensor(H0), tr.tensor(XS), lengths=[5, 2, 3])


class Slotted:
    __slots__ = ("__hidden", "count")

    def __init__(self) -> None:
        self.count = 0

    def next_number(self) -> int:
        self.count += 1
        self.__hidden = self.count  # set for the first time while it is traced
        return self.count


def numbers_of_a_file() -> Any:
    lines = io.StringIO("\n".join(map(str, range(1, 20))))
    return lambda: float(lines.readline())


@pytest.mark.parametrize(
    "source", [lambda: Slotted().next_number, numbers_of_a_file], ids=["slots", "a file"]
)
def test_what_a_step_takes_from_outside_is_as_in_the_plain_loop(source: Any) -> None:
    number = source()
    with pytest.warns(tr.ScanFallbackWarning):
        last, _ = tr.scan(lambda h, x: (h + number() * x,) * 2, tr.zeros(()), tr.ones(5))
    assert last.item() == 15
