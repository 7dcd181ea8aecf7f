"""The layers against BPTT written out from the equations: values and every gradient, in float64 to 1e-10.

Both forms of a layer are held against the oracles: as it is, and recorded op by op under ``tr.unrolled()``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import bptt, layers
from oracles.cells import CELLS, Array
from oracles.problems import StackedProblem, problems, random_stack, stacked_problems

import tinyrnn as tr

Form = Callable[[], contextlib.AbstractContextManager[Any]]

each_cell = pytest.mark.parametrize("cell", sorted(CELLS))
both_forms = pytest.mark.parametrize(
    "form", [pytest.param(contextlib.nullcontext, id="as_is"), pytest.param(tr.unrolled, id="unrolled")]
)


def assert_close(actual: dict[str, Array], expected: dict[str, Array], rtol: float = 1e-10) -> None:
    """Everything by name; the absolute term is for elements that cancel to almost nothing."""
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        assert actual[name].shape == value.shape, name
        atol = rtol / 100 * max(1, np.abs(value).max(initial=0))
        np.testing.assert_allclose(actual[name], value, rtol=rtol, atol=atol, err_msg=name)


def by_oracle(p: StackedProblem) -> dict[str, Array]:
    """Outputs, final states, and the gradients of ``sum(g_ys * ys) + sum(g_final * final)``."""
    ys, final, caches = layers.forward(p.cell, p.x, p.state, p.params, p.num_layers, p.directions, p.lengths)
    grads, g_x, g_state = layers.backward(p.cell, p.g_ys, p.g_final, caches, p.num_layers, p.directions)
    return named(ys, final, grads, g_x, g_state)


def named(ys: Array, final: Any, grads: Any, g_x: Array, g_state: Any) -> dict[str, Array]:
    found = {"ys": ys, "grad x": g_x}
    found |= {f"final[{k}]": s for k, s in enumerate(final)}
    found |= {f"grad state[{k}]": g for k, g in enumerate(g_state)}
    return found | {f"grad {name}": g for name, g in grads.items()}


def layer(p: StackedProblem, **options: Any) -> Any:
    """The library's layer with the problem's parameters."""
    kind, _, nonlinearity = p.cell.name.partition("_")
    if nonlinearity:
        options["nonlinearity"] = nonlinearity.lower()
    input_size, hidden_size = p.x.shape[-1], p.state[0].shape[-1]
    options = {"dtype": np.float64, **options}
    model = getattr(tr.nn, kind)(
        input_size, hidden_size, num_layers=p.num_layers, bidirectional=p.directions == 2, **options
    )
    biases = options.get("bias", True)
    model.load_state_dict({name: v for name, v in p.params.items() if biases or not name.startswith("bias")})
    return model


def as_tuple(state: Any) -> tuple[Any, ...]:
    return tuple(state) if isinstance(state, tuple) else (state,)


def by_tinyrnn(p: StackedProblem, form: Form, model: Any = None) -> dict[str, Array]:
    model = layer(p) if model is None else model
    model.zero_grad()
    x = tr.tensor(p.x.copy(), requires_grad=True)
    state = tuple(tr.tensor(s.copy(), requires_grad=True) for s in p.state)
    with form():
        ys, final = model(x, state if len(state) == 2 else state[0], lengths=p.lengths)
        final = as_tuple(final)
        loss = (ys * p.g_ys).sum()
        for s, g in zip(final, p.g_final, strict=True):
            loss = loss + (s * g).sum()
        loss.backward()
    grads = {name: value.grad.numpy() for name, value in model.named_parameters()}
    return named(
        ys.numpy(), [s.numpy() for s in final], grads, x.grad.numpy(), [s.grad.numpy() for s in state]
    )


@both_forms
@each_cell
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_values_and_all_gradients(cell: str, form: Form, data: st.DataObject) -> None:
    p = data.draw(stacked_problems(cell))
    assert_close(by_tinyrnn(p, form), by_oracle(p))


@both_forms
@each_cell
@pytest.mark.parametrize(("num_layers", "directions"), [(1, 1), (2, 2)])
@pytest.mark.parametrize("padded", [False, True])
def test_at_a_size_of_use(cell: str, form: Form, num_layers: int, directions: int, padded: bool) -> None:
    """Longer and wider than hypothesis goes, so that blocks of steps and products of some size are met."""
    rng = np.random.default_rng([num_layers, directions, padded])
    T, B = 37, 9
    lengths = [int(n) for n in rng.integers(1, T + 1, B)] if padded else None
    p = random_stack(rng, CELLS[cell], T, B, 5, 16, num_layers, directions, lengths)
    assert_close(by_tinyrnn(p, form), by_oracle(p))


@both_forms
@each_cell
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_nan_in_the_padding_changes_nothing(cell: str, form: Form, data: st.DataObject) -> None:
    p = data.draw(stacked_problems(cell, padded=True))
    expected = by_oracle(p)
    p.x[p.padding()] = np.nan
    assert_close(by_tinyrnn(p, form), expected)


@both_forms
@each_cell
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_no_initial_state_is_zero(cell: str, form: Form, data: st.DataObject) -> None:
    p = data.draw(stacked_problems(cell))
    p.state = tuple(np.zeros_like(s) for s in p.state)
    expected = by_oracle(p)
    with form():
        ys, final = layer(p)(tr.tensor(p.x), lengths=p.lengths)
    assert_close(
        {"ys": ys.numpy(), **{f"final[{k}]": s.numpy() for k, s in enumerate(as_tuple(final))}},
        {name: value for name, value in expected.items() if not name.startswith("grad")},
    )


@both_forms
@each_cell
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_a_learned_initial_state_is_shared_by_all_rows(cell: str, form: Form, data: st.DataObject) -> None:
    p = data.draw(stacked_problems(cell))
    B = p.x.shape[1]
    p.state = tuple(np.repeat(s[:, :1], B, axis=1) for s in p.state)
    expected = by_oracle(p)
    model = layer(replace(p, params=p.params | initial_states(p)), learn_initial_state=True)
    with form():
        ys, final = model(p.x, lengths=p.lengths)
        names, leaves = zip(*model.named_parameters(), strict=True)
        grads = tr.grad([ys, *as_tuple(final)], leaves, grad_outputs=[p.g_ys, *p.g_final])
    actual = {"ys": ys.numpy()} | {f"final[{k}]": s.numpy() for k, s in enumerate(as_tuple(final))}
    actual |= {f"grad {name}": g.numpy() for name, g in zip(names, grads, strict=True)}
    g_state = tuple(expected.pop(f"grad state[{k}]").sum(1, keepdims=True) for k in range(len(p.state)))
    expected |= {f"grad {name}": g for name, g in initial_states(replace(p, state=g_state)).items()}
    expected.pop("grad x")
    assert_close(actual, expected)


def initial_states(p: StackedProblem) -> dict[str, Array]:
    """The first row's state by the names that its parameters have: h0_l0, c0_l0, h0_l0_reverse, ..."""
    suffixes = [f"_l{k}{suffix}" for k in range(p.num_layers) for suffix in layers.SUFFIXES[: p.directions]]
    return {
        name + suffix: s[k, 0]
        for name, s in zip(("h0", "c0"), p.state, strict=False)
        for k, suffix in enumerate(suffixes)
    }


@both_forms
@each_cell
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_without_biases(cell: str, form: Form, data: st.DataObject) -> None:
    p = data.draw(stacked_problems(cell))
    p.params = {name: v * (not name.startswith("bias")) for name, v in p.params.items()}
    expected = {name: v for name, v in by_oracle(p).items() if not name.startswith("grad bias")}
    assert_close(by_tinyrnn(p, form, layer(p, bias=False)), expected)


@both_forms
@each_cell
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_batch_first(cell: str, form: Form, data: st.DataObject) -> None:
    """x and the outputs are (B, T, features); the states stay (layers * directions, B, H), as in PyTorch."""
    p = data.draw(stacked_problems(cell))
    expected = by_oracle(p)
    for name in ("ys", "grad x"):
        expected[name] = expected[name].swapaxes(0, 1)
    model = layer(p, batch_first=True)
    p.x, p.g_ys = p.x.swapaxes(0, 1), p.g_ys.swapaxes(0, 1)
    assert_close(by_tinyrnn(p, form, model), expected)


@both_forms
@each_cell
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_nothing_given_is_changed(cell: str, form: Form, data: st.DataObject) -> None:
    p = data.draw(stacked_problems(cell))
    model = layer(p)
    given_arrays = [p.x, p.g_ys, *p.state, *p.g_final]
    before = [a.copy() for a in given_arrays]
    x, *state = (tr.tensor(a, requires_grad=True) for a in (p.x, *p.state))
    with form():
        ys, final = model(x, tuple(state) if len(state) == 2 else state[0], lengths=p.lengths)
        kept = [a.copy() for a in (ys.numpy(), *(s.numpy() for s in as_tuple(final)))]
        tr.grad([ys, *as_tuple(final)], [x, *state, *model.parameters()], grad_outputs=[p.g_ys, *p.g_final])
    for a, b in zip(given_arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip((ys, *as_tuple(final)), kept, strict=True):
        np.testing.assert_array_equal(a.numpy(), b)
    for name, value in model.named_parameters():
        np.testing.assert_array_equal(value.numpy(), p.params[name], err_msg=name)


@both_forms
@each_cell
def test_float32_is_the_same_to_its_own_precision(cell: str, form: Form) -> None:
    p = random_stack(np.random.default_rng(1), CELLS[cell], 12, 4, 3, 6, 2, 1, [12, 7, 1, 3])
    expected = by_oracle(p)
    p.x, p.g_ys = p.x.astype(np.float32), p.g_ys.astype(np.float32)
    p.state, p.g_final = (tuple(a.astype(np.float32) for a in s) for s in (p.state, p.g_final))
    actual = by_tinyrnn(p, form, layer(p, dtype=np.float32))
    assert {name: a.dtype for name, a in actual.items()} == dict.fromkeys(actual, np.dtype(np.float32))
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, rtol=1e-4, atol=1e-4, err_msg=name)


@each_cell
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_a_cell_called_step_by_step(cell: str, data: st.DataObject) -> None:
    p = data.draw(stacked_problems(cell, num_layers=1, directions=1, padded=False))
    kind, _, nonlinearity = p.cell.name.partition("_")
    extra = {"nonlinearity": nonlinearity.lower()} if nonlinearity else {}
    model = getattr(tr.nn, f"{kind}Cell")(p.x.shape[-1], p.state[0].shape[-1], dtype=np.float64, **extra)
    params = {name.removesuffix("_l0"): value for name, value in p.params.items()}
    model.load_state_dict(params)
    x = tr.tensor(p.x, requires_grad=True)
    leaves = tuple(tr.tensor(s[0], requires_grad=True) for s in p.state)
    state: Any = leaves if len(leaves) == 2 else leaves[0]
    outputs = []
    for x_t in x:
        state = model(x_t, state)
        outputs.append(as_tuple(state)[0])
    ys = tr.stack(outputs)
    g_final = [g[0] for g in p.g_final]
    wanted = [x, *leaves, *model.parameters()]
    grads = tr.grad([ys, *as_tuple(state)], wanted, grad_outputs=[p.g_ys, *g_final])
    g_x, g_state, g_params = grads[0], grads[1 : 1 + len(leaves)], grads[1 + len(leaves) :]
    actual = named(
        ys.numpy(),
        [s.numpy() for s in as_tuple(state)],
        {name: g.numpy() for (name, _), g in zip(model.named_parameters(), g_params, strict=True)},
        g_x.numpy(),
        [g.numpy() for g in g_state],
    )

    oracle_ys, final, cache = bptt.forward(p.cell, p.x, tuple(s[0] for s in p.state), params)
    oracle_grads, g_x, g_state = bptt.backward(p.cell, p.g_ys, tuple(g_final), cache)
    assert_close(actual, named(oracle_ys, final, oracle_grads, g_x, g_state))


# The textbook equations in tensor code, as a user would write them, through tr.scan


def textbook_step(kind: str, params: dict[str, Any]) -> Callable[[Any, Any], tuple[Any, Any]]:
    def products(x: Any, h: Any) -> tuple[Any, Any]:
        u = x @ params["weight_ih"].transpose() + params["bias_ih"]
        return u, h @ params["weight_hh"].transpose() + params["bias_hh"]

    def rnn(carry: Any, x: Any) -> tuple[Any, Any]:
        u, v = products(x, carry[0])
        h = tr.tanh(u + v) if kind == "RNN_TANH" else tr.relu(u + v)
        return (h,), h

    def lstm(carry: Any, x: Any) -> tuple[Any, Any]:
        h, c = carry
        u, v = products(x, h)
        i, f, g, o = tr.split(u + v, 4, axis=-1)
        c = tr.sigmoid(f) * c + tr.sigmoid(i) * tr.tanh(g)
        h = tr.sigmoid(o) * tr.tanh(c)
        return (h, c), h

    def gru(carry: Any, x: Any) -> tuple[Any, Any]:
        u, v = products(x, carry[0])
        (u_r, u_z, u_n), (v_r, v_z, v_n) = tr.split(u, 3, axis=-1), tr.split(v, 3, axis=-1)
        r, z = tr.sigmoid(u_r + v_r), tr.sigmoid(u_z + v_z)
        n = tr.tanh(u_n + r * v_n)
        h = (1 - z) * n + z * carry[0]
        return (h,), h

    return {"RNN_TANH": rnn, "RNN_RELU": rnn, "LSTM": lstm, "GRU": gru}[kind]


@both_forms
@each_cell
@given(data=st.data(), reverse=st.booleans())
@settings(max_examples=15, deadline=None)
def test_textbook_cells_through_scan(cell: str, form: Form, data: st.DataObject, reverse: bool) -> None:
    p = data.draw(problems(cell))
    T, B, _ = p.x.shape
    lengths = [T] * B if p.lengths is None else p.lengths
    flip = layers.reverse_rows if reverse else lambda a, _: a
    ys, final, cache = bptt.forward(p.cell, flip(p.x, lengths), p.state, p.params, lengths)
    grads, g_x, g_state = bptt.backward(p.cell, flip(p.g_ys, lengths), p.g_final, cache)
    expected = named(flip(ys, lengths), final, grads, flip(g_x, lengths), g_state)

    x, *state = (tr.tensor(a, requires_grad=True) for a in (p.x, *p.state))
    params = {name: tr.tensor(value, requires_grad=True) for name, value in p.params.items()}
    with form():
        carry, outputs = tr.scan(
            textbook_step(cell, params), tuple(state), x, lengths=p.lengths, reverse=reverse
        )
        leaves = [x, *state, *params.values()]
        got = [g.numpy() for g in tr.grad([outputs, *carry], leaves, grad_outputs=[p.g_ys, *p.g_final])]
    g_params = dict(zip(params, got[1 + len(state) :], strict=True))
    actual = named(outputs.numpy(), [s.numpy() for s in carry], g_params, got[0], got[1 : 1 + len(state)])
    assert_close(actual, expected)
