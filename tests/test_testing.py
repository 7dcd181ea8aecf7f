"""`check_grads` finds what is wrong, and says what and where."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pytest

import tinyrnn as tr
from tinyrnn.testing import check_grads


class State(NamedTuple):
    h: Any
    c: Any


def test_structures_of_inputs_and_outputs() -> None:
    def step(state: State, params: dict[str, Any], x: Any) -> tuple[State, list[Any]]:
        h = tr.tanh(x @ params["W"] + state.h * state.c)
        return State(h, h * state.c), [h.sum(), x * 2]

    rng = np.random.default_rng(0)
    state = State(tr.tensor(rng.normal(size=(2, 3))), rng.normal(size=(2, 3)))
    check_grads(step, state, {"W": rng.normal(size=(4, 3))}, rng.normal(size=(2, 4)), order=2)


def test_numbers_and_float32_are_checked_in_float64() -> None:
    seen = []

    def f(x: tr.Tensor) -> tr.Tensor:
        seen.append(x.dtype)
        return x * x

    check_grads(f, 2.0)
    check_grads(f, np.float32(2.0))
    check_grads(f, [[1.0, 2.0]])
    assert set(seen) == {np.dtype("float64")}


def test_a_function_that_ignores_an_input_or_is_constant() -> None:
    check_grads(lambda x, y: x * 2, [1.0], [2.0], order=3)
    check_grads(lambda x: tr.ones(2), [1.0], order=2)


def test_a_wrong_gradient_is_named_with_both_numbers_and_the_tolerance() -> None:
    def wrong(x: Any, params: dict[str, Any]) -> Any:
        return x * 3 + params["w"] * params["w"].detach()

    with pytest.raises(AssertionError) as caught:
        check_grads(wrong, np.ones(2), {"w": np.full(2, 5.0)}, rtol=1e-4, atol=1e-5, rng=1)
    message = str(caught.value)
    assert message.startswith("check_grads: argument 1['w'], order 1: ")
    assert "(rtol=0.0001, atol=1e-05, eps=1e-06)" in message
    numbers = re.search(r"engine gives (\S+) and central differences give (\S+) along", message)
    assert numbers is not None
    engine, differences = map(float, numbers.groups())
    np.testing.assert_allclose(differences, 2 * engine)  # detach hides one of two equal parts


def test_a_wrong_second_derivative_is_found_at_order_2() -> None:
    def f(x: Any) -> Any:  # the second term is 0 and has the slope 0, but its second derivative is 2
        return x**3 + (x - x.detach()) ** 2

    check_grads(f, [1.5])
    with pytest.raises(AssertionError, match="argument 0, order 2"):
        check_grads(f, [1.5], order=2)


def test_nan_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="nan"), np.errstate(all="ignore"):
        check_grads(tr.log, [-1.0])


def test_a_changed_input_is_named() -> None:
    def careless(x: Any, y: Any) -> Any:
        y.data *= 2
        return x * y

    with pytest.raises(AssertionError, match="argument 1 was changed by the function"):
        check_grads(careless, [1.0], [2.0])


def test_callers_arrays_are_not_touched_and_chance_is_fixed() -> None:
    x = np.array([1.0, 2.0])
    state = tr.manual_seed(0).bit_generator.state
    check_grads(tr.tanh, x, order=2)
    np.testing.assert_array_equal(x, [1, 2])
    assert tr.manual_seed(0).bit_generator.state == state
    with tr.no_grad():
        check_grads(tr.tanh, x)  # records all the same


@pytest.mark.parametrize("x", [[1, 2], np.array([True]), tr.tensor([1])])
def test_integers_are_an_error(x: Any) -> None:
    with pytest.raises(
        TypeError, match=r"check_grads: argument 1 has dtype .*, which has no gradient; expected a floating"
    ):
        check_grads(lambda a, b: a, [1.0], x)


def test_order_below_1_is_an_error() -> None:
    with pytest.raises(ValueError, match="order is 0; expected an int, at least 1"):
        check_grads(tr.tanh, [1.0], order=0)
