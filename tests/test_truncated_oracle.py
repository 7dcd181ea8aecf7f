"""`TruncatedBPTT` against analytic BPTT with the cut terms removed, with an update after every window.

The scheduler and its options beyond the numbers (errors, memory on endless streams) have tests of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import layers, truncated
from oracles.bptt import Params, Resets
from oracles.cells import CELLS, Array
from oracles.problems import StackedProblem, random_stack, stacked_problems

import tinyrnn as tr

LEARNING_RATE = 0.1

each_cell = pytest.mark.parametrize("cell", sorted(CELLS))


def descend(params: Params, grads: Params) -> Params:
    return {name: params[name] - LEARNING_RATE * grads[name] for name in params}


def layer(p: StackedProblem) -> Any:
    kind, _, nonlinearity = p.cell.name.partition("_")
    options = {"nonlinearity": nonlinearity.lower()} if nonlinearity else {}
    model = getattr(tr.nn, kind)(
        p.x.shape[-1], p.state[0].shape[-1], num_layers=p.num_layers, dtype=np.float64, **options
    )
    model.load_state_dict(p.params)
    return model


def as_state(parts: tuple[Any, ...]) -> Any:
    return tr.nn.LSTMState(*parts) if len(parts) == 2 else parts[0]


def parts_of(state: Any) -> tuple[Any, ...]:
    return tuple(state) if isinstance(state, tuple) else (state,)


def over_arrays(bptt: Any, p: StackedProblem, resets: Resets | None, initial: Any) -> Iterator[Any]:
    return bptt.windows(p.x, p.g_ys, resets=resets, initial_state=initial)


def over_a_stream(bptt: Any, p: StackedProblem, resets: Resets | None, initial: Any) -> Iterator[Any]:
    T, B, _ = p.x.shape
    resets = np.zeros((T, B), bool) if resets is None else resets
    return bptt.stream(zip(p.x, p.g_ys, resets, strict=True), initial_state=initial)


def by_tinyrnn(
    p: StackedProblem, k1: int, k2: int, resets: Resets | None, over: Any = over_arrays
) -> Iterator[tuple[Any, dict[str, Array]]]:
    """Each window, with its outputs, final state and gradients by name; then the update.

    The initial state is a leaf that is given to the scheduler as it is, and gets its gradient.
    """
    model = layer(p)
    optimizer = tr.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    initial = tuple(tr.tensor(s.copy(), requires_grad=True) for s in p.state)
    for window in over(tr.TruncatedBPTT(k1, k2), p, resets, as_state(initial)):
        outputs = window.run(model)
        optimizer.zero_grad()
        for s in initial:
            s.grad = None
        (outputs * window.y).sum().backward()
        found = {"ys": outputs.numpy().copy()}
        found |= {f"final[{k}]": s.numpy() for k, s in enumerate(parts_of(window.final_carry))}
        found |= {f"grad {name}": v.grad.numpy().copy() for name, v in model.named_parameters()}
        for k, s in enumerate(initial):
            found[f"grad state[{k}]"] = np.zeros(s.shape) if s.grad is None else s.grad.numpy().copy()
        yield window, found
        optimizer.step()


def compare(p: StackedProblem, k1: int, k2: int, resets: Resets | None, over: Any = over_arrays) -> None:
    expected = list(
        truncated.run(p.cell, p.x, p.state, p.params, k1, k2, p.g_ys, descend, resets, p.num_layers)
    )
    actual = list(by_tinyrnn(p, k1, k2, resets, over))
    assert [(w.replay_start, w.start, w.stop) for w, _ in actual] == [
        (r.window.start, r.window.begin, r.window.end) for r in expected
    ]
    for (window, found), r in zip(actual, expected, strict=True):
        wanted = {"ys": r.ys} | {f"final[{k}]": s for k, s in enumerate(r.final)}
        wanted |= {f"grad {name}": g for name, g in r.grads.items()}
        wanted |= {f"grad state[{k}]": g for k, g in enumerate(r.g_initial)}
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            np.testing.assert_allclose(
                found[name], value, rtol=1e-10, atol=1e-11, err_msg=f"{name} of {window}"
            )


@st.composite
def truncations(draw: st.DrawFn, steps: int) -> tuple[int, int]:
    k1 = draw(st.integers(1, steps))
    return k1, draw(st.integers(k1, steps + 2))


@pytest.mark.parametrize("over", [over_arrays, over_a_stream])
@pytest.mark.parametrize("with_resets", [False, True])
@each_cell
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_each_window_is_analytic_bptt_with_the_cut_terms_removed(
    cell: str, with_resets: bool, over: Any, data: st.DataObject
) -> None:
    p = data.draw(stacked_problems(cell, max_steps=8, padded=False, directions=1))
    k1, k2 = data.draw(truncations(p.x.shape[0]))
    resets = np.random.default_rng(p.seed).random(p.x.shape[:2]) < 0.3 if with_resets else None
    compare(p, k1, k2, resets, over)


@pytest.mark.parametrize(
    ("k1", "k2"), [(1, 1), (1, 7), (4, 4), (4, 6), (4, 8), (4, 22), (4, 23), (5, 12), (23, 23)]
)
@each_cell
def test_over_many_windows(cell: str, k1: int, k2: int) -> None:
    """Some 23 updates at most, so that what an early window left wrong would have grown by the last."""
    p = random_stack(np.random.default_rng([k1, k2]), CELLS[cell], 23, 3, 2, 4, num_layers=2)
    p.g_ys *= 0.02  # small updates: a relu RNN must not explode under them
    resets = np.zeros((23, 3), bool)
    resets[[0, 4, 5, 16], [1, 0, 2, 1]] = True
    compare(p, k1, k2, resets)


@each_cell
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_k2_of_all_steps_is_the_full_gradient(cell: str, data: st.DataObject) -> None:
    """Without updates the windows sum to the gradient of the whole; and one window over all is the whole."""
    p = data.draw(stacked_problems(cell, max_steps=8, padded=False, directions=1))
    T = p.x.shape[0]
    k1 = data.draw(st.integers(1, T))
    _, _, caches = layers.forward(p.cell, p.x, p.state, p.params, p.num_layers)
    no_final = tuple(np.zeros_like(s) for s in p.state)
    full, _, g_state = layers.backward(p.cell, p.g_ys, no_final, caches, p.num_layers)
    for every, back in ((k1, T), (k1, T + k1), (T, T)):
        model = layer(p)
        initial = tuple(tr.tensor(s, requires_grad=True) for s in p.state)
        for window in tr.TruncatedBPTT(every, back).windows(p.x, p.g_ys, initial_state=as_state(initial)):
            (window.run(model) * window.y).sum().backward()  # .grad adds up over the windows
        for name, value in model.named_parameters():
            np.testing.assert_allclose(value.grad.numpy(), full[name], rtol=1e-10, atol=1e-11, err_msg=name)
        for s, g in zip(initial, g_state, strict=True):
            np.testing.assert_allclose(s.grad.numpy(), g, rtol=1e-10, atol=1e-11)


def test_the_carry_kept_between_epochs_goes_on() -> None:
    """Two epochs of one half each, with the carry handed on, are one pass over the whole."""
    p = random_stack(np.random.default_rng(3), CELLS["LSTM"], 12, 2, 3, 4, num_layers=2)
    expected = list(
        truncated.run(p.cell, p.x, p.state, p.params, 3, 3, p.g_ys, descend, num_layers=p.num_layers)
    )
    model = layer(p)
    optimizer = tr.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    bptt, carry, outputs = tr.TruncatedBPTT(3), None, []
    initial = as_state(tuple(tr.tensor(s) for s in p.state))
    for half in (slice(0, 6), slice(6, 12)):
        for window in bptt.windows(p.x[half], p.g_ys[half], initial_state=initial, carry=carry):
            ys = window.run(model)
            optimizer.zero_grad()
            (ys * window.y).sum().backward()
            optimizer.step()
            outputs.append(ys.numpy().copy())
            carry = window.final_carry
    assert len(outputs) == len(expected) == 4
    for ys, r in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(ys, r.ys, rtol=1e-10, atol=1e-12)
