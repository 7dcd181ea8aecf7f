"""Optimisers against plain NumPy from the formulas of PyTorch's documentation, and against PyTorch itself."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn import optim

SHAPES = [(3, 4), (4,), ()]


def start(dtype: str = "float64", seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.array(rng.normal(size=shape), dtype=dtype) for shape in SHAPES]


def gradients(steps: int, dtype: str = "float64", seed: int = 1) -> list[list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [[np.array(rng.normal(size=shape), dtype=dtype) for shape in SHAPES] for _ in range(steps)]


def tensors(arrays: list[np.ndarray]) -> list[tr.Tensor]:
    return [tr.tensor(a, requires_grad=True) for a in arrays]


def run(optimizer: optim.Optimizer, params: list[tr.Tensor], grads: list[list[np.ndarray]]) -> None:
    for step in grads:
        for p, g in zip(params, step, strict=True):
            p.grad = tr.tensor(g)
        optimizer.step()


# --- the formulas, one parameter at a time; each yields the parameter after each step ----------------------
def signed(p: np.ndarray, g: np.ndarray, o: dict[str, Any]) -> np.ndarray:
    g = -g if o.get("maximize") else g
    return g + o.get("weight_decay", 0) * p


def sgd(p: np.ndarray, grads: list[np.ndarray], o: dict[str, Any]) -> Iterator[np.ndarray]:
    mu, damp = o.get("momentum", 0), o.get("dampening", 0)
    b = None
    for g in grads:
        g = signed(p, g, o)
        if mu:
            b = g if b is None else mu * b + (1 - damp) * g
            g = g + mu * b if o.get("nesterov") else b
        p = p - o["lr"] * g
        yield p


def adam(
    p: np.ndarray, grads: list[np.ndarray], o: dict[str, Any], decoupled: bool = False
) -> Iterator[np.ndarray]:
    beta1, beta2 = o.get("betas", (0.9, 0.999))
    decay = o.get("weight_decay", 1e-2 if decoupled else 0)
    m = v = largest = np.zeros_like(p)
    for t, g in enumerate(grads, 1):
        if decoupled:
            p = p - o["lr"] * decay * p
            g = signed(p, g, {**o, "weight_decay": 0})
        else:
            g = signed(p, g, o)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        largest = np.maximum(largest, v)
        m_hat = m / (1 - beta1**t)
        v_hat = (largest if o.get("amsgrad") else v) / (1 - beta2**t)
        p = p - o["lr"] * m_hat / (np.sqrt(v_hat) + o.get("eps", 1e-8))
        yield p


def adamw(p: np.ndarray, grads: list[np.ndarray], o: dict[str, Any]) -> Iterator[np.ndarray]:
    return adam(p, grads, o, decoupled=True)


def rmsprop(p: np.ndarray, grads: list[np.ndarray], o: dict[str, Any]) -> Iterator[np.ndarray]:
    alpha, mu = o.get("alpha", 0.99), o.get("momentum", 0)
    v = a = b = np.zeros_like(p)
    for g in grads:
        g = signed(p, g, o)
        v = alpha * v + (1 - alpha) * g**2
        a = alpha * a + (1 - alpha) * g
        spread = v - a**2 if o.get("centered") else v
        b = mu * b + g / (np.sqrt(spread) + o.get("eps", 1e-8))
        p = p - o["lr"] * b
        yield p


def adagrad(p: np.ndarray, grads: list[np.ndarray], o: dict[str, Any]) -> Iterator[np.ndarray]:
    s = np.full_like(p, o.get("initial_accumulator_value", 0))
    for t, g in enumerate(grads):
        g = signed(p, g, o)
        s = s + g**2
        p = p - o["lr"] / (1 + t * o.get("lr_decay", 0)) * g / (np.sqrt(s) + o.get("eps", 1e-10))
        yield p


def options(**choices: list[Any]) -> list[dict[str, Any]]:
    """Every combination; None leaves an option out."""
    combined = [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]
    return [{k: v for k, v in o.items() if v is not None} for o in combined]


COMMON = {"weight_decay": [None, 0.1], "maximize": [None, True]}
CASES: list[tuple[str, Callable[..., Iterator[np.ndarray]], dict[str, Any]]] = [
    *(("SGD", sgd, o) for o in options(lr=[0.05], momentum=[None, 0.9], dampening=[None, 0.3], **COMMON)),
    *(("SGD", sgd, o) for o in options(lr=[0.05], momentum=[0.8], nesterov=[True], **COMMON)),
    *(
        ("Adam", adam, o)
        for o in options(lr=[0.01], amsgrad=[None, True], betas=[None, (0.5, 0.6)], **COMMON)
    ),
    *(("AdamW", adamw, o) for o in options(lr=[0.01], amsgrad=[None, True], eps=[None, 0.1], **COMMON)),
    *(
        ("RMSprop", rmsprop, o)
        for o in options(lr=[0.01], momentum=[None, 0.9], centered=[None, True], **COMMON)
    ),
    ("RMSprop", rmsprop, {"lr": 0.01, "alpha": 0.5, "eps": 1e-3}),
    *(
        ("Adagrad", adagrad, o)
        for o in options(lr=[0.05], lr_decay=[None, 0.1], initial_accumulator_value=[None, 0.5], **COMMON)
    ),
    ("Adam", adam, {"lr": 0.01, "betas": (0.0, 0.0)}),
]
each_case = pytest.mark.parametrize(("name", "formula", "o"), CASES, ids=[f"{c[0]}-{c[2]}" for c in CASES])
RICHEST = [
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.2}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.01, "maximize": True}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1}),
]
each_rich = pytest.mark.parametrize(("name", "o"), RICHEST)


@each_case
def test_twenty_steps_follow_the_formula(name: str, formula: Callable[..., Any], o: dict[str, Any]) -> None:
    grads = gradients(20)
    params = tensors(start())
    optimizer = getattr(optim, name)(params, **o)
    wanted = [formula(p, [g[i] for g in grads], o) for i, p in enumerate(start())]
    for step in grads:
        run(optimizer, params, [step])
        for p, path in zip(params, wanted, strict=True):
            np.testing.assert_allclose(p.data, next(path), rtol=1e-10, atol=1e-12)


@pytest.mark.optional
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_case
def test_twenty_steps_go_where_pytorch_goes(name: str, formula: Any, o: dict[str, Any], dtype: str) -> None:
    torch = pytest.importorskip("torch")
    grads = gradients(20, dtype)
    ours = tensors(start(dtype))
    theirs = [torch.nn.Parameter(torch.tensor(a)) for a in start(dtype)]
    optimizer = getattr(optim, name)(ours, **o)
    reference = getattr(torch.optim, name)(theirs, **o)
    for step in grads:
        for q, g in zip(theirs, step, strict=True):
            q.grad = torch.tensor(g)
        reference.step()
        run(optimizer, ours, [step])
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(
                p.data, q.detach().numpy(), rtol=1e-6, atol=2e-6 if dtype == "float32" else 1e-9
            )


@pytest.mark.optional
@each_rich
def test_a_state_dict_of_pytorch_is_continued(name: str, o: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    theirs = [torch.nn.Parameter(torch.tensor(a)) for a in start()]
    reference = getattr(torch.optim, name)(theirs, **o)
    first, rest = gradients(5), gradients(5, seed=2)

    def onwards(grads: list[list[np.ndarray]]) -> None:
        for step in grads:
            for q, g in zip(theirs, step, strict=True):
                q.grad = torch.tensor(g)
            reference.step()

    onwards(first)
    ours = tensors([q.detach().numpy() for q in theirs])
    optimizer = getattr(optim, name)(ours, lr=0.5)
    optimizer.load_state_dict(reference.state_dict())
    saved, own = reference.state_dict(), optimizer.state_dict()
    assert {i: set(s) for i, s in own["state"].items()} == {i: set(s) for i, s in saved["state"].items()}
    for a, b in zip(own["param_groups"], saved["param_groups"], strict=True):
        assert a.items() <= b.items()
    onwards(rest)
    run(optimizer, ours, rest)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-9)


# --- in place, and in the dtype ----------------------------------------------------------------------------
@each_rich
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_updates_are_in_place_and_keep_the_dtype(name: str, o: dict[str, Any], dtype: str) -> None:
    params = tensors(start(dtype))
    arrays = [p.data for p in params]
    optimizer = getattr(optim, name)(params, **o)
    grads = gradients(4, dtype)
    kept = [[g.copy() for g in step] for step in grads]
    run(optimizer, params, grads[:2])
    buffers = [v for p in params for v in optimizer.state[p].values() if isinstance(v, np.ndarray)]
    assert buffers
    run(optimizer, params, grads[2:])
    assert all(p.data is a for p, a in zip(params, arrays, strict=True))
    after = [v for p in params for v in optimizer.state[p].values() if isinstance(v, np.ndarray)]
    assert all(a is b for a, b in zip(buffers, after, strict=True))
    assert all(a.dtype == dtype for a in arrays + buffers)
    for p, g in zip(params, kept[-1], strict=True):
        assert p.grad is not None
        np.testing.assert_array_equal(p.grad.data, g)


@each_rich
def test_a_step_makes_no_arrays(name: str, o: dict[str, Any]) -> None:
    p = tr.tensor(np.ones((200, 500)), requires_grad=True)
    p.grad = tr.tensor(np.ones((200, 500)))
    optimizer = getattr(optim, name)([p], **o)
    optimizer.step()
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(3):
            optimizer.step()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < p.data.nbytes / 10  # one array would be 800,000 bytes


def test_centred_rmsprop_stays_finite_under_a_constant_gradient() -> None:
    p = tr.tensor(np.zeros(50, "float32"), requires_grad=True)
    p.grad = tr.tensor(np.linspace(0.1, 3.0, 50, dtype="float32"))
    optimizer = optim.RMSprop([p], lr=1e-6, alpha=0.5, centered=True)
    for _ in range(200):
        optimizer.step()
    assert np.isfinite(p.data).all()


# --- groups ------------------------------------------------------------------------------------------------
def test_groups_have_options_of_their_own_and_share_the_defaults() -> None:
    a, b, c = params = tensors(start())
    groups = [{"params": [a]}, {"params": (x for x in [b]), "lr": 0.5, "momentum": 0.0}]
    optimizer = optim.SGD(groups, lr=0.1, momentum=0.9)
    optimizer.add_param_group({"params": c, "weight_decay": 1.0, "name": "last"})
    grads = gradients(3)
    run(optimizer, params, grads)
    each = [{"lr": 0.1, "momentum": 0.9}, {"lr": 0.5}, {"lr": 0.1, "momentum": 0.9, "weight_decay": 1.0}]
    for i, (p, o) in enumerate(zip(params, each, strict=True)):
        *_, last = sgd(start()[i], [g[i] for g in grads], o)
        np.testing.assert_allclose(p.data, last, rtol=1e-12)
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.5, 0.1]
    assert "Parameter Group 2: 1 tensors, 1 parameters" in repr(optimizer)


def test_parameters_without_a_gradient_stay() -> None:
    a, b, c = tensors(start())
    optimizer = optim.Adam([a, b, c], weight_decay=0.5)
    b.grad = tr.ones(4, dtype="float64")
    c.requires_grad = False
    optimizer.step()
    np.testing.assert_array_equal(a.data, start()[0])
    assert (b.data != start()[1]).all()
    np.testing.assert_array_equal(c.data, start()[2])
    assert set(optimizer.state_dict()["state"]) == {1}
    optimizer.zero_grad()


def test_zero_grad_drops_or_fills() -> None:
    p = tr.tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1)
    (p * p).sum().backward()
    assert p.grad is not None
    array = p.grad.data
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is not None
    assert p.grad.data is array
    np.testing.assert_array_equal(array, [0, 0])
    optimizer.zero_grad()
    assert p.grad is None


def test_filling_a_recorded_gradient_leaves_the_tape_alone() -> None:
    p = tr.tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1)
    (p**3).sum().backward(create_graph=True)
    first = p.grad
    assert first is not None
    optimizer.zero_grad(set_to_none=False)
    np.testing.assert_array_equal(first.data, [3, 12])


def test_step_runs_a_closure_with_recording_on() -> None:
    p = tr.tensor([3.0], requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1)

    def closure() -> tr.Tensor:
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tr.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 9.0
    np.testing.assert_allclose(p.data, [2.4], rtol=1e-6)


@given(seed=st.integers(0, 1000), scale=st.sampled_from([1e-3, 1.0, 1e3]))
def test_adam_moves_by_the_learning_rate_at_first(seed: int, scale: float) -> None:
    params = tensors(start(seed=seed))
    optimizer = optim.Adam(params, lr=0.01)
    (grads,) = gradients(1, seed=seed)
    run(optimizer, params, [[g * scale for g in grads]])
    for p, before, g in zip(params, start(seed=seed), grads, strict=True):
        np.testing.assert_allclose(p.data, before - 0.01 * np.sign(g), atol=1e-3 * 0.01 + 1e-7 / scale)


# --- saving and loading ------------------------------------------------------------------------------------
@given(case=st.sampled_from(RICHEST), cut=st.integers(0, 6), dtype=st.sampled_from(["float32", "float64"]))
def test_a_loaded_state_continues_the_identical_trajectory(case: Any, cut: int, dtype: str) -> None:
    name, o = case
    grads = gradients(8, dtype)
    whole = tensors(start(dtype))
    run(getattr(optim, name)(whole, **o), whole, grads)

    first = tensors(start(dtype))
    optimizer = getattr(optim, name)(first, **o)
    run(optimizer, first, grads[:cut])
    saved = optimizer.state_dict()
    second = tensors([p.data for p in first])
    run(optimizer, first, grads[cut:])  # what was saved must not follow
    fresh = getattr(optim, name)([{"params": second, "lr": 9.0}])
    fresh.load_state_dict(saved)
    run(fresh, second, grads[cut:])
    for p, q, r in zip(whole, first, second, strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        np.testing.assert_array_equal(p.data, r.data)
        assert r.data.dtype == dtype


def test_state_dict_has_pytorchs_layout() -> None:
    a, b, c = params = tensors(start())
    optimizer = optim.Adam([{"params": [a, b]}, {"params": [c], "lr": 0.5}])
    run(optimizer, params, gradients(1))
    saved = optimizer.state_dict()
    assert list(saved) == ["state", "param_groups"]
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2]]
    assert saved["param_groups"][1]["lr"] == 0.5
    assert {i: (s["step"], s["exp_avg"].shape, s["exp_avg_sq"].shape) for i, s in saved["state"].items()} == {
        i: (1, shape, shape) for i, shape in enumerate(SHAPES)
    }


def change(saved: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        saved = saved[key]
    if value is None:
        del saved[path[-1]]
    else:
        saved[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("state",), None, r"Adam.load_state_dict: \['state'\] missing"),
        (("param_groups",), [], "got 0 parameter groups; expected 1"),
        (("param_groups", 0, "params"), [0, 1], "group 0 has 2 parameters; expected 3"),
        (("param_groups", 0, "betas"), None, r"not those of Adam: missing \['betas'\], unknown \[\]"),
        (("param_groups", 0, "momentum"), 0.9, r"unknown \['momentum'\]"),
        (("param_groups", 0, "lr"), -1.0, "lr is -1.0; expected a finite number, at least 0"),
        (("state", 1, "exp_avg"), np.zeros(5), r"parameter 1: 'exp_avg' has shape \(5,\); expected \(4,\)"),
        (("state", 1, "exp_avg_sq"), None, r"parameter 1: the state has .* missing \['exp_avg_sq'\]"),
        (("state", 7), {"step": 1}, r"state of parameters \[7\], which are in no group"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_nothing_changes(
    path: Any, value: Any, message: str
) -> None:
    params = tensors(start())
    optimizer = optim.Adam(params)
    run(optimizer, params, gradients(2))
    before = optimizer.state_dict()
    broken = optimizer.state_dict()
    change(broken, path, value)
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(broken)
    np.testing.assert_equal(optimizer.state_dict(), before)


# --- misuse ------------------------------------------------------------------------------------------------
w = tr.tensor([1.0, 2.0], requires_grad=True)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optim.SGD([]), ValueError, "SGD: got an empty parameter list"),
        (lambda: optim.SGD([{"params": []}]), ValueError, "SGD: got an empty parameter list"),
        (lambda: optim.SGD(w), TypeError, "params is a Tensor of shape .* expected an ordered iterable"),  # type: ignore[arg-type]
        (lambda: optim.SGD({w}), TypeError, "params is .*\\(set\\); expected an ordered"),
        (lambda: optim.SGD([w, w]), ValueError, "parameter 1 of group 0 is given twice"),
        (
            lambda: optim.SGD([{"params": [w]}, {"params": [w]}]),
            ValueError,
            "parameter 0 of group 1 is given twice",
        ),
        (
            lambda: optim.SGD([np.ones(2)]),
            TypeError,
            "parameter 0 of group 0 is of type ndarray; expected a Tensor",
        ),
        (lambda: optim.SGD([("w", w)]), TypeError, r"of type tuple; expected a Tensor; pass parameters\(\)"),
        (lambda: optim.SGD([w * 2]), ValueError, r"of shape \(2,\), was computed; expected a leaf"),
        (lambda: optim.SGD([tr.tensor([1, 2])]), TypeError, "dtype int64; expected a floating dtype"),
        (lambda: optim.SGD([tr.as_tensor(np.broadcast_to(1.0, 3))]), ValueError, "is read-only"),
        (
            lambda: optim.SGD([{"params": [w], "learning_rate": 1}]),
            ValueError,
            r"unknown options \['learning_rate'\]",
        ),
        (lambda: optim.SGD([{"lr": 1.0}]), TypeError, "expected a dict with 'params'"),
        (
            lambda: optim.SGD([w], lr=-0.1),
            ValueError,
            "SGD: lr is -0.1; expected a finite number, at least 0",
        ),
        (lambda: optim.SGD([w], lr=float("nan")), ValueError, "SGD: lr is nan; expected a finite number"),
        (lambda: optim.SGD([w], lr="0.1"), TypeError, r"SGD: lr is '0.1' \(str\); expected a finite number"),
        (lambda: optim.SGD([w], momentum=float("inf")), ValueError, "SGD: momentum is inf"),
        (lambda: optim.SGD([w], dampening=-1), ValueError, "SGD: dampening is -1"),
        (lambda: optim.SGD([w], weight_decay=-1), ValueError, "SGD: weight_decay is -1"),
        (
            lambda: optim.SGD([w], nesterov=True),
            ValueError,
            "expected a momentum above 0 and a dampening of 0",
        ),
        (lambda: optim.SGD([w], momentum=0.9, dampening=0.1, nesterov=True), ValueError, "dampening of 0"),
        (lambda: optim.SGD([{"params": [w], "lr": -1}]), ValueError, "SGD: lr is -1"),
        (lambda: optim.Adam([w], betas=(0.9, 1.0)), ValueError, r"Adam: betas\[1\] is 1.0; .* below 1"),
        (lambda: optim.Adam([w], betas=(-0.1, 0.9)), ValueError, r"Adam: betas\[0\] is -0.1"),
        (lambda: optim.Adam([w], betas=(0.9,)), ValueError, r"Adam: betas is \(0.9,\); expected two numbers"),
        (lambda: optim.Adam([w], betas=0.9), ValueError, "Adam: betas is 0.9; expected two numbers"),
        (lambda: optim.Adam([w], eps=-1e-8), ValueError, "Adam: eps is -1e-08"),
        (lambda: optim.AdamW([w], weight_decay=float("inf")), ValueError, "AdamW: weight_decay is inf"),
        (lambda: optim.RMSprop([w], alpha=1.5), ValueError, "RMSprop: alpha is 1.5; .* below 1"),
        (lambda: optim.RMSprop([w], momentum=-0.5), ValueError, "RMSprop: momentum is -0.5"),
    ],
)
def test_misuse_says_what_was_expected(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_an_option_changed_to_nonsense_is_caught_at_the_next_step() -> None:
    p = tr.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1)
    p.grad = tr.ones(1)
    optimizer.param_groups[0]["lr"] = float("nan")
    with pytest.raises(ValueError, match="lr is nan"):
        optimizer.step()
    np.testing.assert_array_equal(p.data, [1.0])


def test_a_refused_group_is_not_added() -> None:
    optimizer = optim.SGD([w])
    with pytest.raises(ValueError, match="group 1: lr is -1"):
        optimizer.add_param_group({"params": [tr.ones(2)], "lr": -1})
    assert len(optimizer.param_groups) == 1
