"""The oracles are right: by central differences, by what truncation must leave, by PyTorch where it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import bptt, layers, truncated
from oracles.cells import CELLS, Array
from oracles.differences import central_differences
from oracles.problems import Problem, StackedProblem, problems, random_stack, stacked_problems

each_cell = pytest.mark.parametrize("cell", sorted(CELLS))


def assert_close(actual: Any, expected: Any, name: str, rtol: float, atol: float) -> None:
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol, err_msg=name)


def loss(p: Problem) -> float:
    ys, final, _ = bptt.forward(p.cell, p.x, p.state, p.params, p.lengths)
    return float(np.sum(p.g_ys * ys) + sum(np.sum(g * s) for g, s in zip(p.g_final, final, strict=True)))


def by_name(grads: bptt.Params, g_x: Array, g_state: tuple[Array, ...]) -> dict[str, Array]:
    return {"x": g_x, **{f"state[{k}]": g for k, g in enumerate(g_state)}, **grads}


def gradients(p: Problem) -> dict[str, Array]:
    _, _, cache = bptt.forward(p.cell, p.x, p.state, p.params, p.lengths)
    return by_name(*bptt.backward(p.cell, p.g_ys, p.g_final, cache))


@each_cell
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_gradients_are_central_differences(cell: str, data: st.DataObject) -> None:
    p = data.draw(problems(cell, max_steps=5))
    analytic = gradients(p)
    for name, value in p.inputs():
        assert_close(analytic[name], central_differences(lambda: loss(p), value), name, 1e-6, 1e-7)


@each_cell
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_padding_is_zero_held_and_never_read(cell: str, data: st.DataObject) -> None:
    p = data.draw(problems(cell, padded=True))
    ys, final, _ = bptt.forward(p.cell, p.x, p.state, p.params, p.lengths)
    expected = gradients(p)
    assert p.lengths is not None
    for b, n in enumerate(p.lengths):
        alone = tuple(s[b : b + 1] for s in p.state)
        ys_b, final_b, _ = bptt.forward(p.cell, p.x[:n, b : b + 1], alone, p.params)
        np.testing.assert_array_equal(ys[:n, b], ys_b[:, 0])
        np.testing.assert_array_equal([s[b] for s in final], [s[0] for s in final_b])
    assert not np.any(ys[p.padding()])
    p.x[p.padding()] = np.nan
    p.g_ys[p.padding()] = np.nan
    again_ys, again_final, _ = bptt.forward(p.cell, p.x, p.state, p.params, p.lengths)
    np.testing.assert_array_equal(again_ys, ys)
    np.testing.assert_array_equal(again_final, final)
    for name, g in gradients(p).items():
        np.testing.assert_array_equal(g, expected[name], err_msg=name)


@each_cell
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_a_reset_starts_a_row_anew(cell: str, data: st.DataObject) -> None:
    p = data.draw(problems(cell, padded=False))
    T, B, _ = p.x.shape
    rng = np.random.default_rng(p.seed)
    resets = rng.random((T, B)) < 0.4
    fresh = tuple(rng.normal(size=s.shape) for s in p.state)
    g_fresh = tuple(np.zeros_like(s) for s in p.state)
    ys, _, cache = bptt.forward(p.cell, p.x, p.state, p.params, None, resets, fresh)
    grads, _, g_initial = bptt.backward(p.cell, p.g_ys, p.g_final, cache, g_fresh=g_fresh)
    # The same by hand: each row cut into pieces, each piece a sequence of its own.
    total = {name: np.zeros_like(g) for name, g in grads.items()}
    at_start, at_resets = (tuple(np.zeros_like(s) for s in p.state) for _ in range(2))
    for b in range(B):
        starts = sorted({0, *np.flatnonzero(resets[:, b])})
        for a, z in zip(starts, [*starts[1:], T], strict=True):
            piece = slice(a, z), slice(b, b + 1)
            state = tuple(s[b : b + 1] for s in (fresh if resets[a, b] else p.state))
            g_final = tuple(g[b : b + 1] * (z == T) for g in p.g_final)
            ys_piece, _, cache = bptt.forward(p.cell, p.x[piece], state, p.params)
            np.testing.assert_array_equal(ys[piece], ys_piece)
            g_params, _, g_state = bptt.backward(p.cell, p.g_ys[piece], g_final, cache)
            for name, g in g_params.items():
                total[name] += g
            for sums, g in zip(at_resets if resets[a, b] else at_start, g_state, strict=True):
                sums[b] += g[0]
    for name, g in grads.items():
        assert_close(g, total[name], name, 1e-12, 1e-13)
    assert_close(g_initial, at_start, "initial state", 1e-12, 1e-13)
    assert_close(g_fresh, at_resets, "state of resets", 1e-12, 1e-13)


def stacked_run(p: StackedProblem) -> tuple[Array, tuple[Array, ...], list[bptt.Cache]]:
    return layers.forward(p.cell, p.x, p.state, p.params, p.num_layers, p.directions, p.lengths)


@given(p=stacked_problems(max_steps=4))
@settings(max_examples=30, deadline=None)
def test_stacked_gradients_are_central_differences(p: StackedProblem) -> None:
    def stacked_loss() -> float:
        ys, final, _ = stacked_run(p)
        return float(np.sum(p.g_ys * ys) + sum(np.sum(g * s) for g, s in zip(p.g_final, final, strict=True)))

    _, _, caches = stacked_run(p)
    analytic = by_name(*layers.backward(p.cell, p.g_ys, p.g_final, caches, p.num_layers, p.directions))
    for name, value in p.inputs():
        # One direction for each array: all its elements at once would take long for nothing more.
        direction = np.random.default_rng(p.seed).normal(size=value.shape)
        origin, along = value.copy(), np.zeros(())

        def moved(
            value: Array = value, origin: Array = origin, d: Array = direction, s: Array = along
        ) -> float:
            value[...] = origin + s * d
            return stacked_loss()

        numeric = central_differences(moved, along)
        value[...] = origin
        assert_close(np.sum(analytic[name] * direction), numeric, name, 1e-6, 1e-7)


# Truncation


@st.composite
def truncations(draw: st.DrawFn, steps: int) -> tuple[int, int]:
    k1 = draw(st.integers(1, steps))
    return k1, draw(st.integers(k1, steps + 2))


@each_cell
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_windows_are_the_full_gradient_with_the_cut_terms_removed(cell: str, data: st.DataObject) -> None:
    """One forward pass over all T steps; of each window's loss only the terms of its own last k2 steps."""
    p = data.draw(stacked_problems(cell, max_steps=9, padded=False, directions=1))
    T = p.x.shape[0]
    k1, k2 = data.draw(truncations(T))
    no_final = tuple(np.zeros_like(s) for s in p.state)
    ys, _, caches = stacked_run(p)
    counted = 0
    for result in truncated.run(p.cell, p.x, p.state, p.params, k1, k2, p.g_ys, num_layers=p.num_layers):
        w = result.window
        assert w.begin == counted < w.end <= w.begin + k1
        assert w.start == 0 or w.begin + k1 - w.start == k2
        counted = w.end
        own_loss = np.zeros_like(p.g_ys)
        own_loss[w.begin : w.end] = p.g_ys[w.begin : w.end]
        grads, g_x, _ = layers.backward(p.cell, own_loss, no_final, caches, p.num_layers, since=w.start)
        assert_close(result.ys, ys[w.begin : w.end], "ys", 1e-12, 1e-13)
        assert_close(result.g_x, g_x[w.start : w.end], "x", 1e-12, 1e-13)
        for name, g in result.grads.items():
            assert_close(g, grads[name], name, 1e-12, 1e-13)
    assert counted == T


@each_cell
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_k2_of_all_steps_sums_to_the_full_gradient(cell: str, data: st.DataObject) -> None:
    p = data.draw(stacked_problems(cell, max_steps=8, padded=False, directions=1))
    T = p.x.shape[0]
    k1 = data.draw(st.integers(1, T))
    no_final = tuple(np.zeros_like(s) for s in p.state)
    _, _, caches = stacked_run(p)
    full, _, g_state = layers.backward(p.cell, p.g_ys, no_final, caches, p.num_layers)
    for every, back in ((k1, T), (k1, T + k1), (T, T)):
        results = list(
            truncated.run(p.cell, p.x, p.state, p.params, every, back, p.g_ys, num_layers=p.num_layers)
        )
        for name in p.params:
            assert_close(sum(r.grads[name] for r in results), full[name], name, 1e-11, 1e-12)
        for k, g in enumerate(g_state):
            assert_close(sum(r.g_initial[k] for r in results), g, f"state[{k}]", 1e-11, 1e-12)


def test_truncation_cuts_something() -> None:
    """The tests above could not tell truncation from its absence if the cut terms were zero."""
    p = random_stack(np.random.default_rng(0), CELLS["GRU"], 6, 1, 2, 2)
    by_k2 = [
        sum(r.grads["weight_hh_l0"] for r in truncated.run(p.cell, p.x, p.state, p.params, 2, k2, p.g_ys))
        for k2 in (2, 4, 6)
    ]
    assert np.linalg.norm(by_k2[0] - by_k2[1]) > 1e-3
    assert np.linalg.norm(by_k2[1] - by_k2[2]) > 1e-3


@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_each_window_is_exact_under_the_present_parameters(data: st.DataObject) -> None:
    """With updates in between: central differences of each window's loss, from its carry as a constant."""
    p = data.draw(stacked_problems("LSTM", max_steps=6, padded=False, num_layers=1, directions=1))
    k1, k2 = data.draw(truncations(p.x.shape[0]))

    def descend(params: bptt.Params, grads: bptt.Params) -> bptt.Params:
        return {name: params[name] - 0.1 * grads[name] for name in params}

    results = list(truncated.run(p.cell, p.x, p.state, p.params, k1, k2, p.g_ys, descend))
    for i, r in enumerate(results):
        w = r.window
        # The carry, told from the beginning: each window hands on what it came to where the next one starts.
        carry, at = p.state, 0
        for earlier in results[:i] if w.start else []:
            stop = max(0, earlier.window.begin + 2 * k1 - k2)
            _, carry, _ = layers.forward(p.cell, p.x[at:stop], carry, earlier.params)
            at = stop
        assert at == w.start
        params = {name: value.copy() for name, value in r.params.items()}

        def window_loss(w: truncated.Window = w, carry: Any = carry, params: bptt.Params = params) -> float:
            ys, _, _ = layers.forward(p.cell, p.x[w.start : w.end], carry, params)
            return float(np.sum((p.g_ys[w.start : w.end] * ys)[w.begin - w.start :]))

        for name, value in params.items():
            assert_close(r.grads[name], central_differences(window_loss, value), name, 1e-6, 1e-7)


# PyTorch, where it is installed


@pytest.mark.optional
@given(p=stacked_problems())
@settings(max_examples=30, deadline=None)
def test_pytorch_agrees(p: StackedProblem) -> None:
    torch = pytest.importorskip("torch")
    kind, _, nonlinearity = p.cell.name.partition("_")
    extra = {"nonlinearity": nonlinearity.lower()} if nonlinearity else {}
    (T, B, input_size), H = p.x.shape, p.state[0].shape[-1]
    model = getattr(torch.nn, kind)(
        input_size, H, num_layers=p.num_layers, bidirectional=p.directions == 2, dtype=torch.float64, **extra
    )
    model.load_state_dict({name: torch.tensor(value) for name, value in p.params.items()})
    x = torch.tensor(p.x, requires_grad=True)
    state = tuple(torch.tensor(s, requires_grad=True) for s in p.state)
    lengths = [T] * B if p.lengths is None else p.lengths
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
    out, final = model(packed, state if len(state) == 2 else state[0])
    out, _ = torch.nn.utils.rnn.pad_packed_sequence(out, total_length=T)
    final = final if isinstance(final, tuple) else (final,)
    total = (out * torch.tensor(p.g_ys)).sum()
    total = total + sum((s * torch.tensor(g)).sum() for s, g in zip(final, p.g_final, strict=True))
    total.backward()

    ys, ends, caches = stacked_run(p)
    assert_close(out.detach().numpy(), ys, "ys", 1e-11, 1e-12)
    for k, (theirs, ours) in enumerate(zip(final, ends, strict=True)):
        assert_close(theirs.detach().numpy(), ours, f"final[{k}]", 1e-11, 1e-12)
    grads = by_name(*layers.backward(p.cell, p.g_ys, p.g_final, caches, p.num_layers, p.directions))
    theirs = dict(model.named_parameters()) | {"x": x} | {f"state[{k}]": s for k, s in enumerate(state)}
    assert theirs.keys() == grads.keys()
    for name, value in theirs.items():
        assert_close(value.grad.numpy(), grads[name], name, 1e-10, 1e-11)
