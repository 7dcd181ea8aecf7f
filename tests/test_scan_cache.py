"""What is kept from call to call: traces, by form and never by values; buffers, which nobody else sees."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest
from scan_cells import ALL, case, lstm, rnn
from scan_forms import assert_same, loop, normal, run, tensors

import tinyrnn as tr

B, H = 3, 4
XS, H0 = normal(6, B, H), normal(B, H)
PARAMS = {"W": normal(H, H) / 2, "U": normal(H, H) / 2, "b": normal(H)}


def compiled() -> int:
    return tr.scan.cache_info().compiled


def add(h: Any, x: Any) -> Any:
    return h + x, h


# --- traces
def test_equal_forms_are_compiled_once() -> None:
    tr.scan.cache_clear()
    before = compiled()
    for seed in range(3):  # other values, and each time another closure
        make, params, carry, xs = case("lstm", seed=seed)
        run("compiled", make, params, carry, xs)
    for steps in (1, 5, 8, 13, 40):
        make, params, carry, xs = case("lstm", steps)
        run("compiled", make, params, carry, xs)
        run("compiled", make, params, carry, xs, reverse=True)
    assert compiled() == before + 1
    assert tr.scan.cache_info().size == 1
    make, params, carry, xs = case("lstm", batch=5)
    run("compiled", make, params, carry, xs)
    assert compiled() == before + 2


def test_lengths_that_vary_compile_once() -> None:
    gru, before = tr.nn.GRU(H, 5), compiled()
    for lengths in ([6, 2, 1], [6, 6, 5], [3, 4, 6]):
        gru(tr.tensor(XS, dtype=np.float32), lengths=lengths)
    assert compiled() == before + 1


def test_the_cache_is_bounded() -> None:
    tr.scan.cache_clear()
    for k in range(tr.scan.cache_info().max_size + 3):
        tr.scan(lambda h, x: (h * k + x, h), tr.tensor(0.0), tr.ones(3))  # noqa: B023
    assert tr.scan.cache_info().size == tr.scan.cache_info().max_size


def test_numbers_that_change_are_seen() -> None:
    class Decay:
        factor: float = 0.5

    def step(h: Any, x: Any) -> Any:
        h = h * Decay.factor + x
        return h, h

    for factor in (0.5, 0.25, 2, 2.0, True, -0.0, 0.0):
        Decay.factor = factor
        found = tr.scan(step, tr.tensor(H0), tr.tensor(XS))[1]
        np.testing.assert_array_equal(found.data, loop(step, tr.tensor(H0), tr.tensor(XS))[1].data)


def test_the_sign_of_zero_is_seen() -> None:
    for zero in (0.0, -0.0):
        with np.errstate(divide="ignore"):
            _, y = tr.scan(lambda h, x: (h, x / zero), tr.tensor(0.0), tr.ones(2))  # noqa: B023
        assert (y.data == np.copysign(np.inf, zero)).all()


def test_parameters_that_change_are_seen() -> None:
    model, x = tr.nn.LSTM(H, H, dtype=np.float64), tr.tensor(XS)

    def check() -> None:
        with tr.unrolled():
            expected = model(x)[0].data
        np.testing.assert_allclose(model(x)[0].data, expected, rtol=1e-12, atol=1e-12)

    check()
    model.weight_hh_l0.data *= -1  # in place
    check()
    model.bias_ih_l0 = tr.nn.Parameter(np.ones(4 * H), dtype=np.float64)  # replaced
    check()
    model.load_state_dict({name: 2 * p.data for name, p in model.named_parameters()})
    check()
    model.weight_ih_l0.requires_grad = False  # frozen
    check()
    model(x)[0].sum().backward()
    assert model.weight_hh_l0.grad is not None


def test_arrays_that_change_are_seen() -> None:
    mask = np.ones((B, H))

    def step(h: Any, x: Any) -> Any:
        return h, x * mask

    for _ in range(3):
        _, y = tr.scan(step, tr.tensor(H0), tr.tensor(XS))
        np.testing.assert_array_equal(y.data, XS * mask)
        mask *= 2


# --- buffers
def outputs(model: Any, x: Any, **options: Any) -> list[Any]:
    y, state = model(x, **options)
    return [y, *(state if isinstance(state, tuple) else (state,))]


MODELS = {
    "RNN": lambda: tr.nn.RNN(H, H, dtype=np.float64),
    "LSTM": lambda: tr.nn.LSTM(H, H, bidirectional=True, dtype=np.float64),
    "GRU": lambda: tr.nn.GRU(H, H, 2, dtype=np.float64),
}
each_model = pytest.mark.parametrize("name", MODELS)


@each_model
@pytest.mark.parametrize("recording", [True, False], ids=["recorded", "no_grad"])
def test_outputs_stay_as_they_are(name: str, recording: bool) -> None:
    model = MODELS[name]()
    inputs = [tr.tensor(normal(6, B, H, seed=k)) for k in range(4)]
    with tr.enable_grad() if recording else tr.no_grad():
        alive = [outputs(model, x) for x in inputs]
        copies = [[part.data.copy() for part in parts] for parts in alive]
        outputs(model, inputs[0])
    if recording:
        for parts in alive:
            sum(part.sum() for part in parts).backward()
    for parts, before in zip(alive, copies, strict=True):
        for part, copy in zip(parts, before, strict=True):
            np.testing.assert_array_equal(part.data, copy)
    arrays = [part.data for parts in alive for part in parts] + [x.data for x in inputs]
    for i, a in enumerate(arrays):
        assert not any(np.shares_memory(a, b) for b in arrays[:i])


def gradients(model: Any, *losses: Any, **options: Any) -> dict[str, Any]:
    model.zero_grad()
    for loss in losses:
        loss.backward(**options)
    return {name: p.grad.data.copy() for name, p in model.named_parameters()}


@each_model
def test_passes_may_interleave(name: str) -> None:
    model = MODELS[name]()
    xs = [tr.tensor(normal(6, B, H, seed=k)) for k in range(2)]
    alone = [gradients(model, (model(x)[0] ** 2).sum()) for x in xs]
    first, second = ((model(x)[0] ** 2).sum() for x in xs)
    model(xs[0])
    assert_same(gradients(model, first), alone[0])  # after the model was called again, and with no_grad
    with tr.no_grad():
        model(xs[0])
    assert_same(gradients(model, second), alone[1])
    first, second = ((model(x)[0] ** 2).sum() for x in xs)
    assert_same(gradients(model, second, first), {k: g + alone[1][k] for k, g in alone[0].items()})


@each_model
def test_backward_twice(name: str) -> None:
    model = MODELS[name]()
    loss = (model(tr.tensor(XS))[0] ** 2).sum()
    once = gradients(model, loss, retain_graph=True)
    assert_same(gradients(model, loss), once)
    with pytest.raises(RuntimeError, match="freed by an earlier backward"):
        loss.backward()


@each_model
def test_what_is_given_may_be_changed(name: str) -> None:
    """Gradients and final outputs belong to the user: changed in place, they change nothing else."""
    model = MODELS[name]()
    x = tr.tensor(XS, requires_grad=True)
    expected = gradients(model, (model(x)[0] ** 2).sum()) | {"x": x.grad.data.copy()}
    for _ in range(2):
        x.grad = None
        found = gradients(model, (model(x)[0] ** 2).sum()) | {"x": x.grad.data.copy()}
        assert_same(found, expected, rtol=0)
        x.grad.data[...] = np.nan
        for p in model.parameters():
            p.grad.data[...] = np.nan
        for part in outputs(model, x):
            part.data[...] = np.nan


def test_outputs_of_one_call_share_no_memory() -> None:
    def step(h: Any, x: Any) -> Any:
        new = tr.tanh(h + x)
        return new, (h, new, new, x)

    xs = tr.tensor(XS)
    for requires_grad in (True, False):
        last, ys = tr.scan(step, tr.tensor(H0, requires_grad=requires_grad), xs)
        arrays = [last.data, xs.data, *(y.data for y in ys)]
        for i, a in enumerate(arrays):
            assert a.flags.writeable
            assert not any(np.shares_memory(a, b) for b in arrays[:i]), i


@pytest.mark.parametrize("name", ALL)
def test_inputs_are_not_changed(name: str) -> None:
    make, params, carry, xs = case(name)
    held = tr.recurrence.tree.flatten(tensors([params, carry, xs]))[0]
    params, carry, xs = tensors(params), tensors(carry), tensors(xs)
    for leaf in tr.recurrence.tree.flatten([params, carry, xs])[0]:
        leaf.data.flags.writeable = False
    last, ys = tr.scan(make(params), carry, xs, lengths=[9, 4])
    sum((part * part).sum() for part in tr.recurrence.tree.flatten([last, ys])[0]).backward()
    for leaf, copy in zip(tr.recurrence.tree.flatten([params, carry, xs])[0], held, strict=True):
        np.testing.assert_array_equal(leaf.data, copy.data)


@each_model
def test_threads(name: str) -> None:
    model = MODELS[name]()
    inputs = [tr.tensor(normal(20, B, H, seed=k)) for k in range(4)]

    def work(k: int) -> list[Any]:
        x = tr.tensor(inputs[k].data, requires_grad=True)
        parts = outputs(model, x)
        (g,) = tr.grad(sum((part**2).sum() for part in parts), [x])
        return [part.data for part in parts] + [g.data]

    expected = [work(k) for k in range(4)]
    found: list[list[Any]] = [[] for _ in range(4)]
    start = threading.Barrier(4)

    def run_many(k: int) -> None:
        start.wait()
        for _ in range(15):
            found[k].append(work(k))

    threads = [threading.Thread(target=run_many, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        assert len(found[k]) == 15
        for result in found[k]:
            for array, value in zip(result, expected[k], strict=True):
                np.testing.assert_array_equal(array, value)


# --- memory
@pytest.mark.parametrize("make", [rnn, lstm])
def test_nothing_is_kept_alive(make: Any) -> None:
    name = make.__name__
    _, params, carry, xs = case(name)
    params, carry, xs = tensors(params), tensors(carry), tensors(xs)
    last, ys = tr.scan(make(params), carry, xs)
    ys.sum().backward()
    leaves = tr.recurrence.tree.flatten([params, carry, xs, last, ys])[0]
    dead = [weakref.ref(leaf) for leaf in leaves]
    del params, carry, xs, last, ys, leaves
    gc.disable()  # by counting alone, without a collection
    try:
        assert [ref() for ref in dead] == [None] * len(dead)
    finally:
        gc.enable()


def test_a_module_inside_a_step_is_not_kept_alive() -> None:
    def run() -> Any:
        inner = tr.nn.Linear(4, 4)
        tr.scan(lambda h, x: (inner(h) + x, None), tr.zeros((3, 4)), tr.tensor(XS, dtype="float32"))
        return weakref.ref(inner)

    dead = run()
    gc.collect()
    assert dead() is None


def test_memory_does_not_grow() -> None:
    model = tr.nn.LSTM(8, 8)

    def train(k: int) -> None:
        x = tr.randn(10 + k % 5, 4, 8)
        y, _ = model(x, lengths=[10, 3, 1, 5])
        (y * y).sum().backward()
        model.zero_grad()

    for k in range(20):
        train(k)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for k in range(50):
        train(k)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 100_000


def test_what_is_kept_is_bounded_by_bytes() -> None:
    """Each batch size has its own buffers; those that idle longest go."""
    from tinyrnn.recurrence.running.idle import LATEST, idle

    tr.scan.cache_clear()
    assert idle.nbytes == 0
    before, idle.limit = idle.limit, 10_000_000
    try:
        gru = tr.nn.GRU(3, 8)
        for batch in range(1, 31):
            gru(tr.zeros((40, batch, 3)))[0].sum().backward()
            assert idle.nbytes <= max(idle.limit, LATEST * 1_500_000)
        assert tr.scan.cache_info().size == 30
        x = tr.zeros((40, 1, 3))
        expected = gru(x)[0].data.copy()
        np.testing.assert_array_equal(gru(x)[0].data, expected)  # its buffers are made anew
    finally:
        idle.limit = before
    tr.scan.cache_clear()
    assert idle.nbytes == 0


def test_memory_serves_again_only_when_nobody_holds_it() -> None:
    """A view is enough to hold it: of a part of an output, of a state, of a gradient."""
    lstm = tr.nn.LSTM(4, 8)
    xs = [tr.tensor(normal(50, 16, 4, seed=k), dtype="float32", requires_grad=True) for k in range(6)]

    def views(x: Any) -> list[Any]:
        y, (h, c) = lstm(x)
        y.sum().backward()
        return [y.data[7:9], y.data.reshape(-1)[::3], h.data[0, 1], c.numpy().T, x.grad.data[-1]]

    first = views(xs[0])
    before = [view.copy() for view in first]
    for x in xs[1:]:
        views(x)
    for view, copy in zip(first, before, strict=True):
        np.testing.assert_array_equal(view, copy)


def test_memory_that_lies_idle_is_bounded(monkeypatch: Any) -> None:
    from tinyrnn.recurrence.running import recycled

    tr.scan.cache_clear()
    assert recycled.idle_bytes() == 0
    monkeypatch.setattr(recycled, "LIMIT", 1_000_000)
    gru = tr.nn.GRU(3, 8)
    seen = set()
    for batch in range(50, 400, 25):
        gru(tr.zeros((20, batch, 3)))[0].sum().backward()
        seen.add(recycled.idle_bytes())
        assert recycled.idle_bytes() <= 1_000_000
    assert max(seen) > 100_000  # some is kept
    tr.scan.cache_clear()
    assert recycled.idle_bytes() == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (slice(None, None, 2), slice(None, None, 3)),
        (slice(None), slice(None, None, -1)),
        (slice(0, 2), slice(2, 4)),
    ],
)
def test_slices_that_differ_share_no_compiled_form(one: slice, other: slice) -> None:
    """Of the same shape, so that nothing but the slice tells the two cells apart."""
    h, xs = tr.zeros(4), tr.tensor(np.arange(8.0).reshape(2, 4), dtype="float32")
    for cut in (one, other):
        _, ys = tr.scan(lambda c, x, cut=cut: (c, x[cut]), h, xs)
        np.testing.assert_array_equal(ys.data, xs.data[:, cut])
