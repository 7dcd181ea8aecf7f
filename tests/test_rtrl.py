"""Real-time recurrent learning against backpropagation through time, and its approximations against it."""

from __future__ import annotations

import gc
import importlib.util
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scan_cells
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn.autograd.tape import Node
from tinyrnn.recurrence.tree import flatten

Array = np.ndarray


def by_bptt(step: Any, parameters: Any, xs: Array, carry: Any, weigh: Any) -> list[Array]:
    """The gradient of the sum over steps of ``weigh(t, y)``, by one backward pass over all steps."""
    total: Any = 0.0
    for t in range(len(xs)):
        carry, y = step(carry, tr.as_tensor(xs[t]))
        total = total + weigh(t, y)
    grads = tr.grad(total, parameters, allow_unused=True)
    return [np.zeros(p.shape) if g is None else g.numpy() for p, g in zip(parameters, grads)]


def by_rtrl(rtrl: Any, parameters: Any, xs: Array, weigh: Any) -> list[Array]:
    """The same, online; ``rtrl`` is started."""
    for p in parameters:
        p.grad = None
    for t in range(len(xs)):
        y = rtrl.step(xs[t])
        rtrl.backward(weigh(t, y))
    return [np.zeros(p.shape) if p.grad is None else p.grad.numpy() for p in parameters]


def weigher(seed: int) -> Any:
    def weigh(t: int, y: Any) -> Any:
        leaves = flatten(y)[0]
        rng = np.random.default_rng(seed + t)
        return sum((leaf * rng.normal(size=leaf.shape)).sum() for leaf in leaves)

    return weigh


@given(
    st.sampled_from(["RNNCell", "GRUCell", "LSTMCell"]),
    st.integers(1, 7),
    st.integers(1, 3),
    st.integers(1, 4),
    st.booleans(),
)
def test_equal_to_backpropagation_through_time(
    name: str, steps: int, batch: int, hidden: int, learned: bool
) -> None:
    rng = np.random.default_rng(steps + 10 * batch + 100 * hidden)
    cell = getattr(tr.nn, name)(2, hidden, rng=rng, dtype="float64", learn_initial_state=learned)
    for p in cell.parameters():
        p.data[...] = 0.7 * rng.normal(size=p.shape)
    xs, weigh = rng.normal(size=(steps, batch, 2)), weigher(steps)
    parameters = list(cell.parameters())
    expected = by_bptt(cell.step, parameters, xs, cell.initial_state(batch), weigh)
    rtrl = tr.RTRL(cell)
    rtrl.start(batch=batch)
    for p, got, want in zip(parameters, by_rtrl(rtrl, parameters, xs, weigh), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10, err_msg=p.name)


@pytest.mark.parametrize("name", scan_cells.ALL)
def test_equal_for_cells_of_ones_own(name: str) -> None:
    case = scan_cells.case(name, steps=6)
    params = {k: tr.tensor(v, requires_grad=True) for k, v in case.params.items()}
    parameters, step, weigh = list(params.values()), case.make(params), weigher(3)
    leaves, tree = flatten(case.carry)
    carry = tree.unflatten(map(tr.as_tensor, leaves))
    expected = by_bptt(step, parameters, case.xs, carry, weigh)
    rtrl = tr.RTRL(step, parameters)
    rtrl.start(carry)
    for key, got, want in zip(params, by_rtrl(rtrl, parameters, case.xs, weigh), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10, err_msg=key)


def awkward() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    W = tr.tensor(0.6 * rng.normal(size=(3, 3)), requires_grad=True)
    b = tr.tensor(rng.normal(size=3), requires_grad=True)

    def depends_on_values(h: Any, x: Any) -> Any:
        h = tr.tanh(h @ W + x) if x.sum().item() > 0 else 0.5 * h + b
        return h, h

    def mixes_rows(h: Any, x: Any) -> Any:
        h = tr.tanh(h @ W + x)
        h = h - 0.5 * h.mean(0) + b
        return h, h

    def unused(h: Any, x: Any) -> Any:
        return tr.tanh(h @ W + x), x * b

    def cut(h: Any, x: Any) -> Any:
        h = tr.tanh(h.detach() @ W + 0.3 * h + x)
        return h, h * b

    def nested(h: Any, x: Any) -> Any:
        return tr.scan(lambda c, e: (tr.tanh(c @ W + e), c), h, tr.stack([x, 2 * x]))

    return {f.__name__: (f, [W, b]) for f in (depends_on_values, mixes_rows, unused, cut, nested)}


@pytest.mark.filterwarnings("ignore::tinyrnn.ScanFallbackWarning")
@pytest.mark.parametrize("name", awkward())
def test_equal_for_awkward_steps(name: str) -> None:
    step, parameters = awkward()[name]
    rng = np.random.default_rng(1)
    xs, h, weigh = rng.normal(size=(6, 2, 3)), tr.tensor(rng.normal(size=(2, 3))), weigher(5)
    expected = by_bptt(step, parameters, xs, h, weigh)
    rtrl = tr.RTRL(step, parameters)
    rtrl.start(h)
    for got, want in zip(by_rtrl(rtrl, parameters, xs, weigh), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


def test_a_first_state_that_was_computed_and_a_readout() -> None:
    rng = np.random.default_rng(2)
    cell = tr.nn.GRUCell(2, 3, rng=rng, dtype="float64")
    head = tr.nn.Linear(3, 1, rng=rng, dtype="float64")
    scale = tr.tensor(rng.normal(size=3), requires_grad=True)
    xs = rng.normal(size=(5, 2, 2))
    everything = [*cell.parameters(), scale, *head.parameters()]

    def weigh(t: int, y: Any) -> Any:
        return (head(y) ** 2).sum()

    expected = by_bptt(cell.step, everything, xs, tr.tanh(scale) * np.ones((2, 1)), weigh)
    rtrl = tr.RTRL(cell, [*cell.parameters(), scale])
    rtrl.start(tr.tanh(scale) * np.ones((2, 1)))
    for got, want in zip(by_rtrl(rtrl, everything, xs, weigh), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["RNNCell", "GRUCell", "LSTMCell"])
def test_frozen_shared_and_repeated_parameters(name: str) -> None:
    rng, weigh = np.random.default_rng(7), weigher(4)
    cell = getattr(tr.nn, name)(2, 3, rng=rng, dtype="float64")
    cell.weight_ih.requires_grad = False
    cell.bias_hh = cell.bias_ih  # one parameter in two places
    parameters = [cell.weight_hh, cell.bias_ih]
    xs = rng.normal(size=(5, 2, 2))
    expected = by_bptt(cell.step, parameters, xs, cell.initial_state(2), weigh)
    for named in (None, [*parameters, cell.bias_hh, cell.weight_hh]):  # some of them twice
        rtrl = tr.RTRL(cell, named)
        rtrl.start(batch=2)
        for got, want in zip(by_rtrl(rtrl, parameters, xs, weigh), expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)
    assert cell.weight_ih.grad is None


def test_plain_arrays_get_the_dtype_of_the_cell() -> None:
    rtrl = tr.RTRL(tr.nn.GRUCell(2, 3, rng=0))
    rtrl.start(batch=2)
    assert rtrl.step(np.ones((2, 2))).dtype == np.float32


def test_memory_does_not_grow_with_time() -> None:
    cell = tr.nn.GRUCell(2, 4, rng=0)
    rtrl = tr.RTRL(cell)
    rtrl.start(batch=1)
    x = np.ones((1, 2), np.float32)
    held = []
    for steps in (10, 90):
        for _ in range(steps):
            y = rtrl.step(x)
            rtrl.backward((y * y).sum())
        gc.collect()
        held.append(sum(issubclass(type(thing), Node) for thing in gc.get_objects()))
    assert held[0] == held[1]  # no record of an earlier step is kept
    assert rtrl.carry.shape == (1, 4)


def test_what_would_not_fit_is_refused_in_bytes() -> None:
    rtrl = tr.RTRL(tr.nn.LSTMCell(64, 128), memory_limit=10**9)
    states, parameters = 4 * 2 * 128, 4 * 128 * (64 + 128 + 2)
    need = f"{4 * 4 * states * parameters:,}"
    with pytest.raises(MemoryError, match=f"1,024 state numbers by .* need {need} bytes; expected at most"):
        rtrl.start(batch=4)
    tr.dynamics.UORO(tr.nn.LSTMCell(64, 128), memory_limit=10**9).start(batch=4)
    for kind, instead in ((tr.RTRL, "SnAp1, tr.dynamics.UORO, or"), (tr.dynamics.UORO, "parameters, or")):
        with pytest.raises(MemoryError, match=f"{instead} tr.TruncatedBPTT"):
            kind(tr.nn.GRUCell(2, 3), memory_limit=1).start(batch=1)


def test_it_prints_as_what_it_is() -> None:
    rtrl = tr.RTRL(tr.nn.GRUCell(2, 3))
    assert repr(rtrl) == "RTRL(GRUCell, 63 parameters, not started)"
    rtrl.start(batch=1)
    rtrl.step(np.zeros((1, 2)))
    assert repr(rtrl) == "RTRL(GRUCell, 63 parameters, at step 1)"


def test_misuse_is_said() -> None:
    rtrl = tr.RTRL(tr.nn.RNNCell(2, 3))
    with pytest.raises(RuntimeError, match=r"RTRL: not started; call start\(\) first"):
        rtrl.step(np.zeros((1, 2)))
    rtrl.start(batch=1)
    with pytest.raises(RuntimeError, match="RTRL: there is no step yet"):
        rtrl.backward(tr.tensor(1.0))
    with pytest.raises(TypeError, match="a step alone has no parameters; name them"):
        tr.RTRL(lambda h, x: (h, h))
    with pytest.raises(ValueError, match="none of the 4 parameters requires grad"):
        tr.RTRL(tr.nn.RNNCell(2, 3).requires_grad_(False))
    with pytest.raises(TypeError, match=r"parameter 0 is .*; expected a leaf Tensor"):
        tr.RTRL(tr.nn.RNNCell(2, 3), [np.zeros(3)])
    with pytest.raises(ValueError, match="a stack of 2 cells"):
        tr.RTRL(tr.nn.RNN(2, 3, num_layers=2))


def test_snap1_keeps_the_influence_of_one_step() -> None:
    """By the definition: the full recursion, each entry dropped where the immediate derivative has none."""
    rng = np.random.default_rng(3)
    cell = tr.nn.RNNCell(2, 3, rng=rng, dtype="float64")
    xs = rng.normal(size=(5, 1, 2))
    W, U = cell.weight_hh.numpy(), cell.weight_ih.numpy()
    bias = cell.bias_ih.numpy() + cell.bias_hh.numpy()
    snap = tr.dynamics.SnAp1(cell)
    snap.start(batch=1)
    h, M = np.zeros(3), np.zeros((3, 3, 3))  # of the W_hh: M[s, i, j] = dh_s/dW_ij
    total = np.zeros((3, 3))
    for t in range(5):
        cell.zero_grad()
        y = snap.step(xs[t])
        snap.backward(y.sum())
        new = np.tanh(U @ xs[t, 0] + W @ h + bias)
        J = (1 - new**2)[:, None] * W
        D = np.einsum("s,si,j->sij", 1 - new**2, np.eye(3), h)
        direct = D.sum(0) + np.einsum("s,sij->ij", J.sum(0), M)
        np.testing.assert_allclose(cell.weight_hh.grad.numpy(), direct, rtol=1e-10)
        M = (np.einsum("sr,rij->sij", J, M) + D) * np.eye(3)[:, :, None]
        h = new
        total += direct
    full = by_rtrl_full(cell, xs)
    assert np.abs(total - full).max() > 1e-3  # it is an approximation


def by_rtrl_full(cell: Any, xs: Array) -> Array:
    rtrl = tr.RTRL(cell)
    rtrl.start(batch=1)
    return by_rtrl(rtrl, [cell.weight_hh], xs, lambda t, y: y.sum())[0]


def by_snap1(step: Any, parameters: list[Any], xs: Array, carry: Any, weigh: Any) -> list[Array]:
    """The definition, with full matrices: M_t = (J_t M_{t-1} + D_t), 0 where D has always been 0."""

    def flat(leaves: list[Any]) -> Any:
        return tr.concatenate([leaf.reshape(-1) for leaf in leaves if leaf.dtype.kind == "f"])

    def rows_of(output: Any, inputs: list[Any]) -> Array:
        rows = []
        for e in np.eye(output.size):
            grads = tr.grad(output, inputs, e, retain_graph=True, allow_unused=True)
            rows.append(
                np.concatenate(
                    [np.zeros(i.size) if g is None else g.numpy().ravel() for g, i in zip(grads, inputs)]
                )
            )
        return np.array(rows)

    total = np.zeros(sum(p.size for p in parameters))
    M: Any = None
    for t in range(len(xs)):
        leaves, tree = flatten(carry)
        leaves = [tr.tensor(leaf.numpy(), requires_grad=leaf.dtype.kind == "f") for leaf in leaves]
        states = [leaf for leaf in leaves if leaf.dtype.kind == "f"]
        with tr.unrolled():
            carry, y = step(tree.unflatten(leaves), tr.as_tensor(xs[t]))
        new = flat(list(map(tr.as_tensor, flatten(carry)[0])))
        if M is None:
            M = np.zeros((new.size, len(total)))
            pattern = np.zeros(M.shape, bool)
        g = rows_of(weigh(t, y).reshape(1), [*states, *parameters])[0]
        total += g[: new.size] @ M + g[new.size :]
        J, D = np.split(rows_of(new, [*states, *parameters]), [new.size], axis=1)
        pattern = pattern | (D != 0)
        M = np.where(pattern, J @ M + D, 0)
    return list(np.split(total, np.cumsum([p.size for p in parameters])[:-1]))


@pytest.mark.parametrize(
    "name", [*scan_cells.ALL, "mixes_rows", "depends_on_values", "nested", "unused", "relu"]
)
def test_snap1_is_its_definition_for_any_cell(name: str) -> None:
    rng, weigh = np.random.default_rng(6), weigher(3)
    if name in scan_cells.ALL:
        case = scan_cells.case(name, steps=5)
        params = {k: tr.tensor(v, requires_grad=True) for k, v in case.params.items()}
        parameters, step, xs = list(params.values()), case.make(params), case.xs
        leaves, tree = flatten(case.carry)
        carry = tree.unflatten(map(tr.as_tensor, leaves))
    elif name == "relu":  # units that come and go
        W = tr.tensor(rng.normal(size=(4, 4)), requires_grad=True)
        parameters, xs, carry = [W], rng.normal(size=(8, 2, 4)), tr.zeros((2, 4), dtype="float64")
        step = lambda h, x: (tr.relu(h @ W + x),) * 2  # noqa: E731
    else:
        step, parameters = awkward()[name]
        xs, carry = rng.normal(size=(6, 2, 3)), tr.tensor(rng.normal(size=(2, 3)))
    expected = by_snap1(step, parameters, xs, carry, weigh)
    snap = tr.dynamics.SnAp1(step, parameters)
    snap.start(carry)
    for got, want in zip(by_rtrl(snap, parameters, xs, weigh), expected, strict=True):
        np.testing.assert_allclose(got.ravel(), want, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("name", "k"), [("RNNCell", 1), ("GRUCell", 1), ("LSTMCell", 2)])
def test_snap1_holds_a_few_numbers_for_each_parameter(name: str, k: int) -> None:
    cell = getattr(tr.nn, name)(3, 24, rng=0, dtype="float64")
    P = sum(p.size for p in cell.parameters())
    limit = 8 * (5 * 2 * k * P + (2 * k * 24) ** 2) + 8 * k * P  # of full matrices: 4 * 8 * 2 * 24 * k * P
    with pytest.raises(MemoryError, match="RTRL"):
        tr.RTRL(cell, memory_limit=limit).start(batch=2)
    snap = tr.dynamics.SnAp1(cell, memory_limit=limit)
    snap.start(batch=2)
    rng = np.random.default_rng(0)
    tracemalloc.start()
    try:
        for _ in range(3):
            snap.step(rng.normal(size=(2, 3)))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 4 * limit
    assert most < 8 * 2 * 24 * k * P  # and the sensitivities of RTRL alone would not fit in that


@pytest.mark.filterwarnings("ignore::tinyrnn.ScanFallbackWarning")
def test_snap1_grows_where_a_parameter_touches_every_unit() -> None:
    b = tr.tensor(np.ones(1), requires_grad=True)
    step = lambda h, x: (tr.tanh(h + b * x),) * 2  # noqa: E731
    snap = tr.dynamics.SnAp1(step, [b], memory_limit=4000)
    snap.start(tr.zeros((1, 4), dtype="float64"))
    snap.step(np.ones((1, 4)))
    tight = tr.dynamics.SnAp1(step, [b], memory_limit=200)
    tight.start(tr.zeros((1, 4), dtype="float64"))
    with pytest.raises(MemoryError, match="SnAp1: 4 state numbers by 1 parameters"):
        tight.step(np.ones((1, 4)))


def test_snap1_is_exact_where_units_do_not_meet() -> None:
    rng = np.random.default_rng(4)
    w, b = (tr.tensor(rng.normal(size=3), requires_grad=True) for _ in range(2))

    def step(h: Any, x: Any) -> Any:
        h = tr.tanh(w * h + b * x)
        return h, h

    xs, h, weigh = rng.normal(size=(6, 2, 3)), tr.tensor(rng.normal(size=(2, 3))), weigher(1)
    snap = tr.dynamics.SnAp1(step, [w, b])
    snap.start(h)
    expected = by_bptt(step, [w, b], xs, h, weigh)
    for got, want in zip(by_rtrl(snap, [w, b], xs, weigh), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("batch", [1, 2])
def test_uoro_is_right_on_average(batch: int) -> None:
    rng = np.random.default_rng(5)
    cell = tr.nn.RNNCell(1, 2, rng=rng, dtype="float64", learn_initial_state=True)
    xs, weigh = rng.normal(size=(4, batch, 1)), weigher(2)
    parameters = list(cell.parameters())
    expected = np.concatenate(
        [g.ravel() for g in by_bptt(cell.step, parameters, xs, cell.initial_state(batch), weigh)]
    )
    draws = []
    for seed in range(300):
        uoro = tr.dynamics.UORO(cell, rng=seed)
        uoro.start(batch=batch)
        draws.append(np.concatenate([g.ravel() for g in by_rtrl(uoro, parameters, xs, weigh)]))
    error = np.std(draws, axis=0) / np.sqrt(len(draws))
    assert (np.abs(np.mean(draws, axis=0) - expected) < 4 * error + 1e-12).all()
    assert np.abs(draws[0] - expected).max() > 0.1 * np.abs(expected).max()  # a single draw is not
    assert error.max() < 0.2 * np.abs(expected).max()  # so the mean could have been told from a wrong one


@pytest.mark.slow
def test_the_example_learns_online_over_a_lag_that_truncation_does_not_see() -> None:
    path = Path(__file__).parent.parent / "examples" / "online.py"
    spec = importlib.util.spec_from_file_location("example_online", path)
    assert spec is not None
    assert spec.loader is not None
    online = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(online)
    curves = online.learning_curves(1000)
    rtrl, short, long = (losses[-200:].mean() for losses in curves.values())
    assert rtrl < 0.8
    assert long < 0.8
    assert short > 0.95


def test_a_loss_of_an_earlier_step_is_refused() -> None:
    cell = tr.nn.GRUCell(3, 4, rng=0, dtype="float64")
    rtrl = tr.RTRL(cell)
    for _ in range(2):
        rtrl.start(batch=2)
        ys = [rtrl.step(x) for x in np.ones((4, 2, 3))]
        with pytest.raises(RuntimeError, match="depends on an earlier step"):
            rtrl.backward(ys[2].sum())
        assert cell.weight_ih.grad is None
        rtrl.backward(ys[3].sum())
        assert cell.weight_ih.grad is not None
        cell.zero_grad()
