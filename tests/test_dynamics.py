"""A recurrence as a dynamical system: Jacobians, their products and exponents, against plain NumPy."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import scan_cells
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn.autograd.mapped import Mapped, pull_back
from tinyrnn.recurrence.tree import flatten

D = tr.dynamics
Array = np.ndarray


def float_leaves(carry: Any) -> list[Array]:
    arrays = [leaf.data if isinstance(leaf, tr.Tensor) else np.asarray(leaf) for leaf in flatten(carry)[0]]
    return [a for a in arrays if a.dtype.kind == "f"]


def by_differences(step: Any, xs: Any, carry: Any, rows: int, eps: float = 1e-6) -> Array:
    """The Jacobian of each step by central differences, (T, rows, S, S); all other rows held still."""
    x_leaves, x_tree = flatten(xs)
    found = []
    for t in range(len(x_leaves[0])):
        x = x_tree.unflatten(tr.as_tensor(leaf[t]) for leaf in x_leaves)
        leaves, tree = flatten(carry)
        leaves = [np.asarray(leaf.data if isinstance(leaf, tr.Tensor) else leaf) for leaf in leaves]

        def after(moved: list[Array], tree: Any = tree, x: Any = x) -> Any:
            with tr.no_grad():
                return step(tree.unflatten(map(tr.as_tensor, moved)), x)[0]

        columns = []
        for k, leaf in enumerate(leaves):
            if leaf.dtype.kind != "f":
                continue
            size = leaf.size // rows
            for s in range(size):
                blocks = []
                for row in range(rows):
                    d = np.zeros((rows, size))
                    d[row, s] = eps
                    ends = []
                    for sign in (1, -1):
                        moved = [*leaves[:k], leaf + sign * d.reshape(leaf.shape), *leaves[k + 1 :]]
                        ends.append([a.reshape(rows, -1)[row] for a in float_leaves(after(moved))])
                    plus, minus = (np.concatenate(end) for end in ends)
                    blocks.append((plus - minus) / (2 * eps))
                columns.append(np.stack(blocks))
        found.append(np.stack(columns, axis=-1))
        carry = after(leaves)
    return np.stack(found)


# --- the grid -----------------------------------------------------------------------------------------------
OPERATIONS: dict[str, Any] = {
    "elementwise": lambda x, y: tr.tanh(x) * y + 0.5 / (2 + x * x) - tr.maximum(x, y) ** 2,
    "broadcast": lambda x, y: x[0] * y + x[:, :1],
    "sum": lambda x, y: x.sum(0) + y.sum(-1).sum() + x.mean() + x.max(axis=1, keepdims=True),
    "logs": lambda x, y: tr.softmax(x, 0) + tr.log_softmax(y, -1) + tr.logsumexp(x, (0, 1)),
    "product": lambda x, y: x @ y.T,
    "vectors": lambda x, y: x[0] @ y[1] + (x @ y[0]).sum() + (y[0] @ x.T).sum(),
    "batched": lambda x, y: (x.reshape((3, 2, 2)) @ y.reshape((3, 2, 2))).sum(0),
    "constant": lambda x, y: x @ np.arange(8.0).reshape(4, 2) + (np.ones((5, 3)) @ y).sum(),
    "matrix by vector": lambda x, y: np.arange(12.0).reshape(3, 4) @ x[0] + np.ones(3) @ y[:, 0],
    "stacked constant": lambda x, y: (np.ones((2, 5, 3)) @ x).sum(0) + y[0],
    "shape": lambda x, y: tr.concatenate([x.T.flatten(), y[0], np.ones(2)]),
    "stack": lambda x, y: tr.stack([x, y, np.ones((3, 4))], 1),
    "spread": lambda x, y: tr.broadcast_to(x[0], (2, 3, 4)) * y,
    "split": lambda x, y: tr.split(x, 2, axis=1)[0] * tr.split(y, 2, axis=1)[1],
    "index": lambda x, y: x[[0, 2, 2]] * y + x[..., None, 1],
    "index apart": lambda x, y: x[None][0, :, [1, 1]] + y[1, 2],
    "index of index": lambda x, y: x[:, [0, 3]] * y[:, 1:3],
    "chosen": lambda x, y: tr.where(x > y, x, 0.0) + tr.clip(x, -0.5, 0.5) + x[tr.argmax(y[:, :3], axis=0)],
    "flat argmax": lambda x, y: x * (tr.argmax(y) + 1) + np.sign(y),
    "cast": lambda x, y: (x.astype("float32") * 2).astype("float64") + y,
    "gates": lambda x, y: tr.sigmoid(x) * tr.relu(y) + tr.softplus(x) + tr.exp(-x) + abs(y),
    "cut": lambda x, y: x.detach() * y,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_grid_gives_what_its_arrays_give_one_by_one(name: str) -> None:
    f = OPERATIONS[name]
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 1, 3, 4)), rng.normal(size=(5, 1, 3, 4))
    one_by_one = []
    for t in range(5):
        leaves = [tr.tensor(a[t, 0], requires_grad=True) for a in (x, y)]
        value = f(*leaves)
        one_by_one.append((value, leaves))
    with tr.enable_grad():
        grid = [Mapped(a) for a in (x, y)]
        for leaf, a in zip(grid, (x, y)):
            leaf.node = tr.tensor(a[0, 0], requires_grad=True).node
        together = f(*grid)
    np.testing.assert_allclose(together.array[:, 0], [v.numpy() for v, _ in one_by_one], rtol=1e-12)
    # All seeds at once, against a pass for each.
    seeds = rng.normal(size=(1, 3, *together.shape))
    found = pull_back([together.node], [seeds], [leaf.node for leaf in grid])
    for k in range(2):
        for t, (value, leaves) in enumerate(one_by_one):
            for s in range(3):
                g = tr.grad(value, leaves[k], seeds[0, s], retain_graph=True, allow_unused=True)[0]
                got = found[k]
                if g is None:
                    assert got is None
                else:
                    got = np.broadcast_to(got, (5, 3, 3, 4))[t, s]
                    np.testing.assert_allclose(got, g.numpy(), rtol=1e-10, atol=1e-12)


# --- Jacobians of steps -------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", scan_cells.ALL)
def test_jacobians_of_all_cells(name: str) -> None:
    case = scan_cells.case(name, steps=4)
    step = case.make({k: tr.tensor(v, requires_grad=True) for k, v in case.params.items()})
    calls = functools.lru_cache(lambda: None)  # counts without anything in reach that changes

    def counted(carry: Any, x: Any) -> Any:
        calls()
        return step(carry, x)

    before = [a.copy() for a in float_leaves(case.carry)]
    found = D.step_jacobians(counted, case.xs, case.carry)
    expected = by_differences(step, case.xs, case.carry, rows=2)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-8)
    assert sum(calls.cache_info()[:2]) <= 4  # two traces of the scan, two grids: and not one for each step
    for a, b in zip(float_leaves(case.carry), before):
        np.testing.assert_array_equal(a, b)


@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from(["RNNCell", "GRUCell", "LSTMCell"]),
)
def test_jacobians_of_the_textbook_cells(steps: int, batch: int, hidden: int, name: str) -> None:
    rng = np.random.default_rng(steps + 10 * batch)
    cell = getattr(tr.nn, name)(2, hidden, rng=rng, dtype="float64")
    xs = rng.normal(size=(steps, batch, 2))
    carry = cell.initial_state(batch)
    found = D.step_jacobians(cell, xs)
    np.testing.assert_allclose(found, by_differences(cell.step, xs, carry, rows=batch), atol=1e-8)
    part = D.carry_parts(carry)
    if name == "LSTMCell":  # the forget gate is the derivative of c by c
        f = D.gate_values(cell, xs)["f"]
        np.testing.assert_allclose(
            found[..., part["c"], part["c"]], f[..., None] * np.eye(hidden), rtol=1e-12
        )


def test_a_layer_or_a_step_serves_as_the_cell() -> None:
    rng = np.random.default_rng(0)
    layer = tr.nn.GRU(2, 3, rng=rng)
    xs = rng.normal(size=(4, 2, 2))
    of_layer = D.step_jacobians(layer, xs)
    assert of_layer.dtype == np.float32  # that of the parameters
    h0 = np.zeros((2, 3), np.float32)
    np.testing.assert_array_equal(of_layer, D.step_jacobians(layer.l0, xs))
    np.testing.assert_array_equal(of_layer, D.step_jacobians(layer.l0.step, xs.astype("float32"), h0))
    custom = tr.nn.Recurrent(tr.nn.RNNCell(2, 3))
    assert D.step_jacobians(custom, xs).shape == (4, 2, 3, 3)


def awkward() -> dict[str, tuple[Any, Any, Any, int]]:
    rng = np.random.default_rng(1)
    W = tr.tensor(0.5 * rng.normal(size=(3, 3)), requires_grad=True)
    xs = rng.normal(size=(4, 2, 3))
    h = rng.normal(size=(2, 3))

    def depends_on_values(h: Any, x: Any) -> Any:
        return (tr.tanh(h @ W) if h.sum().item() > 0 else 0.9 * h + x), h

    def mixes_rows(h: Any, x: Any) -> Any:
        h = tr.tanh(h @ W + x)
        return h - h.mean(0), h

    def one_row_leads(h: Any, x: Any) -> Any:
        return tr.tanh(h @ W) + h[:1], h

    def nested(h: Any, x: Any) -> Any:
        return tr.scan(lambda c, e: (tr.tanh(c @ W + e), None), h, tr.stack([x, 2 * x]))

    def without_rows(h: Any, x: Any) -> Any:
        return tr.tanh(W @ h + x), h

    def counts(state: Any, x: Any) -> Any:
        return {"n": state["n"] + 1, "h": tr.tanh(state["h"] @ W) * (1 + state["n"])}, None

    def forgets(h: Any, x: Any) -> Any:
        return tr.tanh(x @ W), h

    def passes_on(h: Any, x: Any) -> Any:
        return (h[1], h[0]), None

    def matrix_memory(M: Any, x: Any) -> Any:
        return 0.9 * M + tr.tanh(M @ x) * x, None

    def plain_numpy_inside(h: Any, x: Any) -> Any:
        return np.tanh(np.matmul(h, W.numpy()) + x), h

    return {
        "depends on values": (depends_on_values, xs, h, 2),
        "mixes rows": (mixes_rows, xs, h, 1),
        "one row leads": (one_row_leads, xs, h, 1),
        "nested scan": (nested, xs, h, 2),
        "no batch axis": (without_rows, xs[:, 0], h[0], 1),
        "integers": (counts, xs, {"n": np.array(0), "h": h}, 2),
        "forgets": (forgets, xs, h, 2),
        "passes on": (passes_on, xs, (h, 2 * h), 2),
        "matrix of memory": (matrix_memory, rng.normal(size=(4, 3)), 0.5 * rng.normal(size=(3, 3)), 1),
        "numpy inside": (plain_numpy_inside, xs, h, 2),
        "one row, one step": (forgets, xs[:1, :1], h[:1], 1),
    }


@pytest.mark.filterwarnings("ignore::tinyrnn.ScanFallbackWarning")
@pytest.mark.parametrize("name", awkward())
def test_jacobians_of_awkward_steps(name: str) -> None:
    step, xs, carry, rows = awkward()[name]
    found = D.step_jacobians(step, xs, carry)
    expected = by_differences(step, xs, carry, rows)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-8)


@pytest.mark.filterwarnings("ignore::tinyrnn.ScanFallbackWarning")
def test_a_random_step_has_the_jacobian_of_what_it_drew() -> None:
    drawn = []

    def step(h: Any, x: Any) -> Any:
        mask = np.random.default_rng(len(drawn)).integers(0, 2, 3) * 2.0
        drawn.append(mask)
        return h * mask, None

    found = D.step_jacobians(step, np.zeros((5, 1, 1)), np.ones((1, 3)))
    masks = [np.diagonal(J[0]) for J in found]
    np.testing.assert_array_equal(masks, drawn[-5:])
    assert len({tuple(mask) for mask in masks}) > 1


def test_ten_thousand_steps_and_chunks() -> None:
    W = np.random.default_rng(0).normal(size=(3, 3))
    found = D.step_jacobians(lambda h, x: (tr.tanh(h @ W), None), np.zeros((10_000, 1, 1)), np.ones((1, 3)))
    h = np.ones((1, 3))
    for t in (0, 1, 2, 3):
        h = np.tanh(h @ W)
        np.testing.assert_allclose(found[t, 0], (1 - h.T**2) * W.T, rtol=1e-10)
    assert found.shape == (10_000, 1, 3, 3)


def test_a_layer_is_run_as_it_runs_itself() -> None:
    """Batch first and in reverse: the Jacobians are those of the states that the layer comes to."""
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(7, 3, 2))
    cell = tr.nn.RNNCell(2, 4, rng=rng, dtype="float64")
    W = cell.weight_hh.numpy()
    expected = D.step_jacobians(cell, xs)
    first = tr.nn.Recurrent(cell, batch_first=True)
    h, _ = first(xs.swapaxes(0, 1))
    np.testing.assert_allclose(expected, (1 - h.numpy().swapaxes(0, 1)[..., None] ** 2) * W, rtol=1e-12)
    np.testing.assert_array_equal(D.step_jacobians(first, xs.swapaxes(0, 1)), expected)
    np.testing.assert_array_equal(
        D.step_jacobians(first, xs[:, 0])[:, 0], D.step_jacobians(cell, xs[:, 0])[:, 0]
    )
    back = tr.nn.Recurrent(cell, reverse=True)
    h, _ = back(xs)
    expected = (1 - h.numpy()[::-1, ..., None] ** 2) * W  # in the order in which the steps are taken
    np.testing.assert_allclose(D.step_jacobians(back, xs), expected, rtol=1e-12)
    both = tr.nn.Recurrent(cell, reverse=True, batch_first=True)
    np.testing.assert_allclose(D.step_jacobians(both, xs.swapaxes(0, 1)), expected, rtol=1e-12)
    np.testing.assert_allclose(D.gate_values(both, xs.swapaxes(0, 1))["h"], h.numpy()[::-1], rtol=1e-12)


def test_what_a_step_raises_says_who_ran_it_and_on_what() -> None:
    xs, cell = np.zeros((3, 2, 2)), tr.nn.GRUCell(2, 3)
    with pytest.raises(ValueError, match=r"xs has shape \(3, 2, 5\); expected \(T, batch, input_size\) or"):
        D.perturb(cell, np.zeros((3, 2, 5)), None, 0.1)
    rtrl = tr.RTRL(cell)
    rtrl.start(batch=2)
    with pytest.raises(ValueError, match=r"RTRL.step: x has shape \(2, 5\); expected .*with input_size = 2"):
        rtrl.step(np.zeros((2, 5)))
    with pytest.raises(ValueError, match=r"RTRL: carry has the shapes \[\(2, 3\)\]; expected batch = 5 rows"):
        rtrl.start(np.zeros((2, 3)), batch=5)
    with pytest.raises(ValueError, match="the operands have shapes") as raised:
        D.lyapunov_exponents(cell, xs, np.zeros((4, 3), np.float32))
    note = "on a carry of the shapes [(4, 3)] and an input of the shapes [(2, 2)]"
    assert raised.value.__notes__ == [f"lyapunov_exponents: in the step, {note}"]
    with pytest.raises(
        ValueError, match=r"xs has 12 parts of shapes \[\(\), \(\)\], ... .lists and tuples are"
    ):
        D.step_jacobians(cell, xs.tolist())


def test_what_cannot_be_is_refused_by_name() -> None:
    xs = np.zeros((3, 2, 2))
    with pytest.raises(TypeError, match=r"no initial_state\(batch\); hand in"):
        D.step_jacobians(lambda h, x: (h, h), xs)
    with pytest.raises(TypeError, match=r"cell is 3 .int.; expected an object with step"):
        D.step_jacobians(3, xs)
    with pytest.raises(ValueError, match=r"a stack of 2 cells; expected one, such as layer\.l0"):
        D.step_jacobians(tr.nn.GRU(2, 3, num_layers=2), xs)
    with pytest.raises(ValueError, match=r"xs has the shapes \[\(0, 2\)\]"):
        D.step_jacobians(tr.nn.GRUCell(2, 3), np.zeros((0, 2)))
    with pytest.raises(TypeError, match="no part of a floating dtype"):
        D.step_jacobians(lambda h, x: (h, h), xs, np.zeros(2, int))


# --- products -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["RNNCell", "GRUCell", "LSTMCell"])
def test_products_are_those_of_the_jacobians(name: str) -> None:
    rng = np.random.default_rng(2)
    cell = getattr(tr.nn, name)(2, 4, rng=rng, dtype="float64")
    xs = rng.normal(size=(9, 2, 2))
    J = D.step_jacobians(cell, xs)
    pairs = [(t, k) for t in range(10) for k in range(t + 1)]
    for subset in (pairs, [(9, k) for k in range(10)]):  # from the left, and from the right
        found = D.jacobian_products(cell, xs, None, subset)
        for n, (t, k) in enumerate(subset):
            product = np.broadcast_to(np.eye(J.shape[-1]), J.shape[1:])
            for s in range(k, t):
                product = J[s] @ product
            expected = np.linalg.svd(product, compute_uv=False)
            got = 10 ** found.log10_singular_values[n]
            np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-13 * expected.max())
            np.testing.assert_allclose(10 ** found.log10_norm[n], expected[:, 0], rtol=1e-9)


def linear(W: Any) -> Any:
    return lambda h, x: (h @ W.T, None)


@pytest.mark.parametrize("gain", [0.3, 1.0, 4.0])
def test_products_over_ten_thousand_steps(gain: float) -> None:
    rng = np.random.default_rng(3)
    Q = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    xs, h, T = np.zeros((10_000, 1, 1)), np.zeros((1, 5)), 10_000
    found = D.jacobian_products(linear(gain * Q), xs, h, [(T, 0), (T, T // 2), (7, 7)])
    expected = np.array([T, T // 2, 0])[:, None, None] * np.log10(gain)
    np.testing.assert_allclose(found.log10_singular_values, np.broadcast_to(expected, (3, 1, 5)), atol=1e-8)
    # A stretch by different factors in rotated axes: the smallest is 10^-8,000 of the largest.
    factors = np.array([2.0, 1.5, 1.0, 0.7, 0.3])
    found = D.jacobian_products(linear(Q @ np.diag(factors) @ Q.T), xs, h, [(T, 0)])
    np.testing.assert_allclose(found.log10_singular_values[0, 0], T * np.log10(factors), atol=1e-7)


def test_products_that_are_zero() -> None:
    W = np.array([[0.0, 1.0], [0.0, 0.0]])
    found = D.jacobian_products(linear(W), np.zeros((3, 1, 1)), np.zeros((1, 2)), [(1, 0), (2, 0), (3, 0)])
    np.testing.assert_allclose(found.log10_norm[0], 0, atol=1e-12)
    assert np.isneginf(found.log10_norm[1:]).all()
    zero = D.jacobian_products(lambda h, x: (0 * h, None), np.zeros((3, 1, 1)), np.zeros((1, 2)), [(3, 0)])
    assert np.isneginf(zero.log10_singular_values).all()
    # Units that die one after the other, as those of a relu: what is left of the product is exact.
    alive = np.ones((6, 1, 6))
    for unit in range(5):
        alive[unit, 0, unit] = 0
    found = D.jacobian_products(lambda h, a: (h * a, None), alive, np.ones((1, 6)), [(3, 0), (5, 0)])
    np.testing.assert_allclose(found.log10_singular_values[0, 0, :3], 0, atol=1e-12)
    assert np.isneginf(found.log10_singular_values[0, 0, 3:]).all()
    np.testing.assert_allclose(found.log10_norm[1], 0, atol=1e-12)
    assert np.isneginf(found.log10_singular_values[1, 0, 1:]).all()


def test_pairs_are_checked() -> None:
    step, xs, h = linear(np.eye(2)), np.zeros((3, 1, 1)), np.zeros((1, 2))
    with pytest.raises(ValueError, match=r"the pair \(t, k\) = \(4, 0\); expected 0 <= k <= t <= T = 3"):
        D.jacobian_products(step, xs, h, [(4, 0)])
    with pytest.raises(ValueError, match="no pairs"):
        D.jacobian_products(step, xs, h, [])
    for pair in (3, (1, 2, 3), (2.5, 0), ("2", 0)):
        with pytest.raises(TypeError, match=r"the pair .* is not two ints; expected \(t, k\)"):
            D.jacobian_products(step, xs, h, [pair])
    assert D.jacobian_products(step, xs, h).pairs.tolist() == [[3, 0], [3, 1], [3, 2], [3, 3]]


# --- Lyapunov exponents -------------------------------------------------------------------------------------
def test_exponents_of_linear_maps_are_logarithms_of_eigenvalues() -> None:
    rng = np.random.default_rng(4)
    V = rng.normal(size=(4, 4))
    W = V @ np.diag([1.5, -0.9, 0.5, 0.1]) @ np.linalg.inv(V)  # not a normal matrix
    xs, h = np.zeros((2000, 1, 1)), rng.normal(size=(1, 4)) * 1e-9
    W_scaled = W / 1.5  # so that the state stays finite
    found = D.lyapunov_exponents(linear(W_scaled), xs, h, warm_up=200)
    np.testing.assert_allclose(found[0], np.log(np.array([1.5, 0.9, 0.5, 0.1]) / 1.5), atol=1e-10)
    rotation = np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])  # complex eigenvalues
    found = D.lyapunov_exponents(linear(0.8 * rotation), xs, h[:, :2], n=1)
    np.testing.assert_allclose(found, [[np.log(0.8)]], atol=1e-12)


def mean_field_exponent(gain: float) -> float:
    """½ ln(g² E[φ'(√q z)²]) with q = g² E[φ(√q z)²], z standard normal: dynamic mean-field theory."""
    z, w = np.polynomial.hermite_e.hermegauss(200)
    w = w / w.sum()
    q = 1.0
    for _ in range(2000):
        q = gain**2 * w @ np.tanh(np.sqrt(q) * z) ** 2
    return float(0.5 * np.log(gain**2 * w @ (1 - np.tanh(np.sqrt(q) * z) ** 2) ** 2))


@pytest.mark.parametrize("gain", [0.8, 2.0])
def test_random_networks_are_chaotic_above_a_gain_of_one(gain: float) -> None:
    """Sompolinsky, Crisanti and Sommers (1988); the value for discrete time: Molgedey et al. (1992)."""
    N = 200
    rng = np.random.default_rng(5)
    W = gain / np.sqrt(N) * rng.normal(size=(N, N))

    def step(h: Any, x: Any) -> Any:
        return tr.tanh(h @ W.T), None

    (found,) = D.lyapunov_exponents(step, np.zeros((300, 1, 1)), rng.normal(size=(1, N)), n=1, warm_up=100)[0]
    expected = mean_field_exponent(gain)
    assert np.sign(found) == np.sign(expected) == np.sign(gain - 1)
    assert found == pytest.approx(expected, abs=0.06)


def test_exponents_are_checked() -> None:
    step, xs, h = linear(np.eye(2)), np.zeros((3, 1, 1)), np.zeros((1, 2))
    with pytest.raises(ValueError, match="n is 3; expected 1 to S = 2"):
        D.lyapunov_exponents(step, xs, h, 3)
    with pytest.raises(ValueError, match="warm_up is 3; expected 0 to T - 1 = 2"):
        D.lyapunov_exponents(step, xs, h, warm_up=3)


# --- bounds, perturbations, gates ---------------------------------------------------------------------------
@given(st.integers(0, 10**6), st.floats(0.2, 2.0))
def test_the_bound_is_one(seed: int, gain: float) -> None:
    rng = np.random.default_rng(seed)
    W = gain * rng.normal(size=(4, 4)) / 2
    step = lambda h, x: (tr.tanh(h @ W.T + x), None)  # noqa: E731
    found = D.jacobian_products(step, rng.normal(size=(12, 1, 4)), np.zeros((1, 4)))
    lags = found.pairs[:, 0] - found.pairs[:, 1]
    assert (found.log10_norm[:, 0] <= D.log10_bound(W, lags) + 1e-9).all()
    assert D.spectral_radius(W) <= D.spectral_norm(W) + 1e-12
    assert D.spectral_norm(tr.tensor(W)) == pytest.approx(np.linalg.svd(W)[1][0])


def test_bounds_refuse_what_is_no_square() -> None:
    with pytest.raises(ValueError, match=r"W has shape \(8, 2\); expected \(n, n\).*numpy.split"):
        D.spectral_radius(np.zeros((8, 2)))
    with pytest.raises(ValueError, match="nonlinearity is 'gelu'; expected one of"):
        D.log10_bound(np.eye(2), 3, "gelu")


def test_what_no_bound_can_be_of_is_said() -> None:
    for f in (D.spectral_norm, D.spectral_radius):
        with pytest.raises(ValueError, match=rf"{f.__name__}: W is nan at \[0, 1\]; expected finite numbers"):
            f([[1.0, np.nan], [0.0, 1.0]])
        with pytest.raises(ValueError, match=r"W has shape \(0, 0\)"):
            f(np.zeros((0, 0)))
    with pytest.raises(ValueError, match="log10_bound: W_hh is inf at"):
        D.log10_bound([[np.inf]], 1)
    with pytest.raises(ValueError, match="log10_bound: lag is -1; expected t - k, at least 0"):
        D.log10_bound(np.eye(2), [3, -1])


def test_a_carry_of_another_form_is_refused() -> None:
    lstm, xs = tr.nn.LSTMCell(2, 3), np.zeros((4, 2, 2))
    message = r"carry of shape \(2, 3\); expected carry\.h of shape \(2, 3\), carry\.c of shape \(2, 3\)"
    for f in (D.step_jacobians, D.jacobian_products, D.lyapunov_exponents, D.gate_values, D.gate_jacobians):
        with pytest.raises(ValueError, match=f"{f.__name__}: {message}"):
            f(lstm, xs, tr.zeros((2, 3)))
    with pytest.raises(ValueError, match=f"RTRL: {message}"):
        tr.RTRL(lstm).start(tr.zeros((2, 3)), batch=2)
    h = np.zeros((2, 3), np.float32)
    np.testing.assert_array_equal(D.step_jacobians(lstm, xs, (h, h)), D.step_jacobians(lstm, xs))
    alone = D.step_jacobians(lstm, xs[:, 0], (h[0], h[0]))  # no batch axis
    np.testing.assert_allclose(alone[:, 0], D.step_jacobians(lstm, xs)[:, 0], rtol=1e-6)
    gru = tr.nn.GRU(2, 3)
    _, state = gru(xs.astype("float32"))
    with pytest.raises(ValueError, match=r"\(1, 2, 3\); expected carry of shape \(2, 3\) .*in state\[0\]"):
        D.step_jacobians(gru, xs, state)
    D.step_jacobians(gru, xs, state[0])
    with pytest.raises(ValueError, match=r"carry of shape \(2, 7\); expected carry of shape \(2, 3\)"):
        D.step_jacobians(gru, xs, np.zeros((2, 7)))
    with pytest.raises(ValueError, match="expected at least one row and one unit"):
        D.step_jacobians(gru, np.zeros((4, 0, 2)))
    with pytest.raises(TypeError, match=r"cell is .*GRUCell.*expected an object with step"):
        D.step_jacobians(tr.nn.GRUCell, xs)
    change = D.perturb(lstm, xs, None, (np.full((2, 3), 1e-3), np.zeros((2, 3))))  # a plain tuple serves
    np.testing.assert_allclose(change.log10_actual[0], np.log10(1e-3 * np.sqrt(3)), rtol=1e-6)
    with pytest.raises(ValueError, match="perturb: delta is not finite"):
        D.perturb(lstm, xs, None, np.nan)


def test_a_carry_for_a_cell_that_begins_in_its_own_way_is_taken() -> None:
    class Odd:
        def initial_state(self, batch: int, memory: int) -> Any:
            return np.zeros((batch, memory))

        def step(self, h: Any, x: Any) -> Any:
            return 0.5 * h + x, h

    assert D.step_jacobians(Odd(), np.zeros((3, 2, 4)), np.zeros((2, 4))).shape == (3, 2, 4, 4)


def test_a_jacobian_that_is_not_finite_is_named() -> None:
    step = lambda h, x: (h * x, None)  # noqa: E731
    xs = np.ones((5, 1, 1))
    xs[2] = np.nan
    for f in (D.jacobian_products, D.lyapunov_exponents):
        with pytest.raises(ValueError, match=f"{f.__name__}: the Jacobian of step 3 of 5 is not finite"):
            f(step, xs, np.ones((1, 2)))


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_a_change_whose_square_is_no_number_has_its_logarithm(factor: float) -> None:
    change = D.perturb(linear(factor * np.eye(2)), np.zeros((600, 1, 1)), np.zeros((1, 2)), 1e-3)
    expected = np.log10(1e-3 * np.sqrt(2)) + np.arange(601) * np.log10(factor)
    for found in (change.log10_actual, change.log10_predicted):
        np.testing.assert_allclose(found[:, 0], expected, atol=1e-9)


def test_a_change_below_the_rounding_of_the_state_is_lost() -> None:
    cell = tr.nn.RNNCell(2, 3, rng=0)  # float32
    change = D.perturb(cell, np.ones((3, 1, 2)), np.ones((1, 3), np.float32), 1e-12)
    assert np.isneginf(change.log10_actual).all()
    assert np.isfinite(change.log10_predicted).all()


@pytest.mark.parametrize("name", ["RNNCell", "GRUCell", "LSTMCell"])
def test_a_small_perturbation_grows_as_predicted(name: str) -> None:
    rng = np.random.default_rng(6)
    cell = getattr(tr.nn, name)(2, 4, rng=rng, dtype="float64")
    xs = rng.normal(size=(20, 3, 2))
    carry = cell.initial_state(3)
    leaves, tree = flatten(carry)
    direction = [rng.normal(size=leaf.shape) for leaf in leaves]
    errors = []
    for eps in (1e-3, 1e-4):
        change = D.perturb(cell, xs, None, tree.unflatten(eps * d for d in direction))
        errors.append(np.abs(change.actual - change.predicted)[1:].max() / eps)
        norms = np.log10(np.linalg.norm(change.predicted, axis=-1))
        np.testing.assert_allclose(change.log10_predicted, norms, atol=1e-12)
        assert change.actual.shape == change.predicted.shape == (21, 3, 4 * len(leaves))
    assert errors[1] < errors[0] / 8 < 0.1  # of second order in the change
    with pytest.raises(ValueError, match=r"delta is .*; expected a number, or the form of the carry"):
        D.perturb(cell, xs, None, {"a": np.zeros(3)})


@pytest.mark.parametrize("name", scan_cells.ALL)
def test_what_passes_through_the_gates_sums_to_the_jacobian(name: str) -> None:
    case = scan_cells.case(name, steps=3)
    step = case.make({k: tr.tensor(v) for k, v in case.params.items()})
    parts = D.gate_jacobians(step, case.xs, case.carry)
    whole = D.step_jacobians(step, case.xs, case.carry)
    np.testing.assert_allclose(sum(parts.values()), whole, atol=1e-12)
    assert set(parts) == {"direct", *D.gate_values(step, case.xs, case.carry)}


def test_gates_of_the_lstm() -> None:
    rng = np.random.default_rng(7)
    cell = tr.nn.LSTMCell(2, 3, rng=rng, dtype="float64")
    xs = rng.normal(size=(4, 2, 2))
    parts, part = D.gate_jacobians(cell, xs), D.carry_parts(cell.initial_state(2))
    gates = D.gate_values(cell, xs)
    h, c = np.zeros((2, 3)), np.zeros((2, 3))
    for t in range(4):
        z = xs[t] @ cell.weight_ih.numpy().T + h @ cell.weight_hh.numpy().T
        z = z + cell.bias_ih.numpy() + cell.bias_hh.numpy()
        i, f, g, o = np.split(z, 4, axis=-1)
        i, f, o, g = *(1 / (1 + np.exp(-a)) for a in (i, f, o)), np.tanh(g)
        for name, value in zip("ifgo", (i, f, g, o)):
            np.testing.assert_allclose(gates[name][t], value, rtol=1e-12)
        W_f = np.split(cell.weight_hh.numpy(), 4)[1]
        through_f = (c * f * (1 - f))[..., None] * W_f
        np.testing.assert_allclose(parts["f"][t][:, part["c"], part["h"]], through_f, atol=1e-14)
        np.testing.assert_allclose(parts["direct"][t][:, part["c"], part["c"]], f[..., None] * np.eye(3))
        c = f * c + i * g
        h = o * np.tanh(c)
