"""`TruncatedBPTT` as an object to use: states of any form, streams without end, resets, errors.

Its numbers are held against analytic BPTT in ``test_truncated_oracle.py``; here against plain loops of the
engine, so that what the scheduler does is written down twice.
"""

from __future__ import annotations

import gc
import itertools
import runpy
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn.recurrence.running import recycled
from tinyrnn.recurrence.tree import flatten

B, FEATURES, HIDDEN = 2, 3, 4


def arrays(T: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(T, B, FEATURES)), rng.normal(size=(T, B, HIDDEN))


class DictCell(tr.nn.Cell):
    """A state that is a dict with a tuple in it."""

    def __init__(self) -> None:
        self.linear = tr.nn.Linear(FEATURES + HIDDEN, HIDDEN, dtype=np.float64)

    def step(self, carry: Any, x: Any, /) -> tuple[Any, Any]:
        fast, slow = carry["memory"]
        fast = tr.tanh(self.linear(tr.concatenate([x, fast + slow], axis=-1)))
        slow = 0.9 * slow + 0.1 * fast
        return {"memory": (fast, slow), "count": carry["count"] + 1.0}, fast + slow

    def initial_state(self, batch: int | None = None) -> Any:
        zeros = tr.zeros((batch or 1, HIDDEN), dtype=np.float64)
        return {"memory": (zeros, zeros), "count": tr.zeros((batch or 1, 1), dtype=np.float64)}


def make(name: str) -> Any:
    tr.manual_seed(7)
    if name == "dict":
        return tr.nn.Recurrent(DictCell())
    if name == "lstm":
        return tr.nn.LSTM(FEATURES, HIDDEN, num_layers=2, dtype=np.float64)
    cells = [tr.nn.GRUCell(FEATURES, 5, dtype=np.float64), tr.nn.LSTMCell(5, HIDDEN, dtype=np.float64)]
    return tr.nn.Recurrent(cells)


each_model = pytest.mark.parametrize("name", ["dict", "lstm", "stacked"])


def detached(carry: Any) -> Any:
    leaves, tree = flatten(carry)
    return tree.unflatten(leaf.detach() for leaf in leaves)


def updated(model: Any, loss: Any) -> dict[str, Any]:
    """Take a step of plain gradient descent, and return the gradients."""
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= 0.1 * p.grad.numpy()
    return {name: p.grad.numpy().copy() for name, p in model.named_parameters()}


def run_all(model: Any, windows: Iterator[Any]) -> list[tuple[Any, dict[str, Any]]]:
    results = []
    for window in windows:
        outputs = window.run(model)
        assert outputs.shape == window.y.shape
        results.append((outputs.numpy().copy(), updated(model, (outputs * window.y).sum())))
    return results


def assert_same(actual: list[Any], expected: list[Any]) -> None:
    assert len(actual) == len(expected)
    for (ys, grads), (wanted_ys, wanted) in zip(actual, expected, strict=True):
        np.testing.assert_allclose(ys, wanted_ys, rtol=1e-11, atol=1e-13)
        for name, g in wanted.items():
            np.testing.assert_allclose(grads[name], g, rtol=1e-10, atol=1e-12, err_msg=name)


@each_model
def test_k1_alone_is_the_loop_with_detach(name: str) -> None:
    x, y = arrays(11)
    model, carry, expected = make(name), None, []
    for start in range(0, 11, 4):
        ys, carry = model(x[start : start + 4], carry if carry is None else detached(carry))
        expected.append((ys.numpy().copy(), updated(model, (ys * y[start : start + 4]).sum())))
    assert_same(run_all(make(name), tr.TruncatedBPTT(4).windows(x, y)), expected)


@each_model
@pytest.mark.parametrize(("k1", "k2"), [(2, 3), (2, 5), (3, 7)])
def test_a_replay_is_run_again_under_the_present_parameters(name: str, k1: int, k2: int) -> None:
    T = 12
    x, y = arrays(T)
    model, carry, expected = make(name), None, []
    for start in range(0, T, k1):
        first, following = max(0, start + k1 - k2), max(0, start + 2 * k1 - k2)
        state = carry if carry is None else detached(carry)
        ys, _ = model(x[first : start + k1], state)
        if following > first:
            _, carry = model(x[first:following], state)
        loss = (ys[start - first :] * y[start : start + k1]).sum()
        expected.append((ys[start - first :].numpy().copy(), updated(model, loss)))
    assert_same(run_all(make(name), tr.TruncatedBPTT(k1, k2).windows(x, y)), expected)


@each_model
@given(data=st.data())
@settings(max_examples=10)
def test_a_stream_is_the_same_as_arrays(name: str, data: st.DataObject) -> None:
    T = data.draw(st.integers(1, 9))
    k1 = data.draw(st.integers(1, 4))
    k2 = data.draw(st.integers(k1, k1 + T))
    x, y = arrays(T)
    bptt = tr.TruncatedBPTT(k1, k2)
    expected = run_all(make(name), bptt.windows(x, y))
    assert_same(run_all(make(name), bptt.stream(zip(x, y, strict=True))), expected)


def test_structures_of_arrays_are_cut_leaf_by_leaf() -> None:
    x, y = arrays(7)
    data = {"left": x[..., :1], "right": (x[..., 1:],)}
    gru = tr.nn.GRU(FEATURES, HIDDEN, dtype=np.float64)

    def model(parts: Any, carry: Any) -> Any:
        return gru(tr.concatenate([parts["left"], *parts["right"]], axis=-1), carry)

    bptt = tr.TruncatedBPTT(3, 4)
    expected = [w.run(gru).numpy() for w in bptt.windows(x)]
    steps = (({"left": a[:, :1], "right": (a[:, 1:],)}, None) for a in x)
    for windows in (bptt.windows(data, [y, {"y": y}]), bptt.stream(steps)):
        for window, ys in zip(windows, expected, strict=True):
            np.testing.assert_allclose(window.run(model).numpy(), ys, rtol=1e-12)
            assert window.x["right"][0].shape == (window.stop - window.start, B, 2)


def test_window_tells_its_place() -> None:
    x, y = arrays(11)
    windows = []
    for window in tr.TruncatedBPTT(3, 5).windows(x, y):
        np.testing.assert_array_equal(window.x, x[window.start : window.stop])
        np.testing.assert_array_equal(window.y, y[window.start : window.stop])
        window.run(make("lstm"))
        windows.append((window.replay_start, window.start, window.stop))
    assert windows == [(0, 0, 3), (1, 3, 6), (4, 6, 9), (7, 9, 11)]


def test_a_short_last_window_reaches_the_beginning_where_k2_does() -> None:
    x, y = arrays(7)
    for windows in (
        tr.TruncatedBPTT(3, 7).windows(x, y),
        tr.TruncatedBPTT(3, 7).stream(zip(x, y, strict=True)),
    ):
        starts = []
        for window in windows:
            window.run(make("lstm"))
            starts.append(window.replay_start)
        assert starts == [0, 0, 0]


def test_memory_does_not_grow_with_the_stream() -> None:
    gru = tr.nn.GRU(64, 4)

    def endless() -> Iterator[Any]:
        while True:
            yield np.zeros((8, 64), np.float32), np.zeros((8, 4), np.float32), np.zeros(8, bool)

    windows = tr.TruncatedBPTT(2, 5).stream(endless(), initial_state=tr.zeros((1, 8, 4)))

    def go(count: int) -> None:
        for window in itertools.islice(windows, count):
            tr.nn.mse_loss(window.run(gru), window.y).backward()

    go(50)
    tracemalloc.start()
    try:
        go(20)
        gc.collect()  # what only waits to be collected is not held
        recycled.clear()
        before, _ = tracemalloc.get_traced_memory()
        go(400)  # 800 steps of 2 KB each
        gc.collect()
        recycled.clear()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 100_000


def test_a_stream_may_fill_one_buffer_again_and_again() -> None:
    def sensor() -> Iterator[Any]:
        buffer, target, reset = np.zeros(1), tr.zeros(1), np.zeros((), bool)
        for t in range(6):
            buffer[:], target.data[:], reset[...] = t, 10 * t, t == 1
            yield {"x": buffer}, target, reset

    bptt = tr.TruncatedBPTT(k1=2, k2=3)
    found = [
        (np.ravel(window.x["x"]), np.ravel(window.y))
        for window in bptt.stream(sensor(), initial_state=tr.zeros(1))
        if window.run(lambda x, carry: (x["x"], tr.zeros(1))) is not None
    ]
    assert np.concatenate([x for x, _ in found]).tolist() == [0, 1, 2, 3, 4, 5]
    assert np.concatenate([y for _, y in found]).tolist() == [0, 10, 20, 30, 40, 50]


def test_a_stream_is_not_read_ahead() -> None:
    read = []

    def steps() -> Iterator[Any]:
        for t in itertools.count():
            read.append(t)
            yield np.full((1, 1), t, np.float32), None

    windows = tr.TruncatedBPTT(2, 5).stream(steps())
    assert read == []
    for expected in (2, 4, 6, 8):
        next(windows).run(lambda x, carry: (x, carry))
        assert len(read) == expected


# --- resets -----------------------------------------------------------------------------------------------
def test_a_flag_resets_all_rows() -> None:
    """Three documents in a row are three passes on their own, wherever the windows are cut."""
    x, y = arrays(12)
    starts = [0, 4, 9]
    flags = np.isin(np.arange(12), starts)
    whole = make("lstm")
    expected = np.concatenate([whole(part)[0].numpy() for part in np.split(x, starts[1:])])
    initial = tr.nn.LSTMState(*tr.zeros((2, 2, B, HIDDEN), dtype=np.float64))
    for k1, k2 in [(12, 12), (3, 3), (3, 8), (1, 4)]:
        bptt = tr.TruncatedBPTT(k1, k2)
        found = [w.run(whole).numpy() for w in bptt.windows(x, y, resets=flags, initial_state=initial)]
        np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-12)
        steps = zip(x, y, flags, strict=True)
        found = [w.run(whole).numpy() for w in bptt.stream(steps, initial_state=initial)]
        np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-12)


@given(seed=st.integers(0, 1000), k1=st.integers(1, 5), more=st.integers(0, 5))
@settings(max_examples=20)
def test_rows_are_reset_to_the_initial_state(seed: int, k1: int, more: int) -> None:
    rng = np.random.default_rng(seed)
    x, resets = rng.normal(size=(10, B, FEATURES)), rng.random((10, B)) < 0.3
    initial = rng.normal(size=(1, B, HIDDEN))
    gru = tr.nn.GRU(FEATURES, HIDDEN, dtype=np.float64)
    windows = tr.TruncatedBPTT(k1, k1 + more).windows(x, resets=resets, initial_state=initial)
    found = np.concatenate([window.run(gru).numpy() for window in windows])
    for b in range(B):
        cuts = sorted({0, *np.flatnonzero(resets[:, b]), 10})
        for first, stop in itertools.pairwise(cuts):
            ys, _ = gru(x[first:stop, b : b + 1], initial[:, b : b + 1])
            np.testing.assert_allclose(found[first:stop, b : b + 1], ys.numpy(), rtol=1e-10, atol=1e-12)


def test_no_gradient_crosses_a_reset() -> None:
    x = tr.tensor(np.random.default_rng(0).normal(size=(6, B, FEATURES)), requires_grad=True)
    gru = tr.nn.GRU(FEATURES, HIDDEN, dtype=np.float64)
    resets = np.zeros((6, B), bool)
    resets[3, 1] = True
    initial = tr.zeros((1, B, HIDDEN), dtype=np.float64)
    (window,) = tr.TruncatedBPTT(6).windows(x, resets=resets, initial_state=initial)
    window.run(gru)[5].sum().backward()
    reached = np.abs(x.grad.numpy()).sum(-1) > 0
    np.testing.assert_array_equal(reached[:, 0], True)
    np.testing.assert_array_equal(reached[:, 1], [False, False, False, True, True, True])


def test_a_learnt_initial_state_gets_its_gradient_at_every_beginning() -> None:
    x, _ = arrays(6)
    cell = tr.nn.GRUCell(FEATURES, HIDDEN, learn_initial_state=True, dtype=np.float64)
    model = tr.nn.Recurrent(cell)
    resets = np.isin(np.arange(6), [4])
    gradients = []
    for window in tr.TruncatedBPTT(2).windows(x, resets=resets, initial_state=lambda: cell.initial_state(B)):
        model.zero_grad()
        window.run(model).sum().backward()
        gradients.append(cell.h0.grad is not None and bool(np.abs(cell.h0.grad.numpy()).max() > 0))
    assert gradients == [True, False, True]


def test_batch_axis() -> None:
    """A state of shape (B,): the axis of the batch is its first."""

    def model(x: Any, carry: Any) -> Any:
        carry, ys = tr.scan(lambda c, a: (c + a, c + a), carry, x)
        return ys, carry

    resets = np.array([[False, False], [False, True], [True, False]])
    bptt = tr.TruncatedBPTT(3, batch_axis=0)
    (window,) = bptt.windows(np.ones((3, 2)), resets=resets, initial_state=tr.zeros(2, dtype=np.float64))
    assert window.run(model).tolist() == [[1, 1], [2, 1], [1, 2]]
    (window,) = tr.TruncatedBPTT(3).windows(
        np.ones((3, 2)), resets=resets, initial_state=tr.zeros(2, dtype=np.float64)
    )
    with pytest.raises(ValueError, match=r"carry has shape \(2,\); expected 2 at batch_axis = -2"):
        window.run(model)


# --- the carry --------------------------------------------------------------------------------------------
def test_the_carry_between_epochs_is_dropped_or_kept() -> None:
    x, y = arrays(6)
    bptt, gru = tr.TruncatedBPTT(2, 3), tr.nn.GRU(FEATURES, HIDDEN, dtype=np.float64)
    first = [(window.run(gru).numpy(), window) for window in bptt.windows(x, y)]
    again = [window.run(gru).numpy() for window in bptt.windows(x, y)]
    kept = first[-1][1].final_carry
    assert not kept.requires_grad
    on = [window.run(gru).numpy() for window in bptt.windows(x, y, carry=kept)]
    long = [window.run(gru).numpy() for window in bptt.windows(np.concatenate([x, x]))]
    np.testing.assert_array_equal(np.concatenate(again), np.concatenate([ys for ys, _ in first]))
    np.testing.assert_allclose(np.concatenate(on), np.concatenate(long)[6:], rtol=1e-12)


def test_the_last_run_of_a_window_is_the_one_that_goes_on() -> None:
    windows = tr.TruncatedBPTT(1).windows(np.ones((2, 1)), initial_state=np.zeros(1))
    first = next(windows)
    for factor in (5.0, 7.0):
        first.run(lambda x, carry, factor=factor: (x, carry + factor))
    assert next(windows).carry.tolist() == [7.0]


def test_under_no_grad_nothing_is_recorded() -> None:
    x, _ = arrays(4)
    with tr.no_grad():
        for window in tr.TruncatedBPTT(2).windows(x):
            assert not window.run(make("lstm")).requires_grad


def test_steps_in_drawings_count_from_the_beginning_of_the_stream() -> None:
    x, y = arrays(7)
    gru = tr.nn.GRU(FEATURES, HIDDEN, dtype=np.float64)
    with tr.unrolled():
        for window in tr.TruncatedBPTT(2, 3).windows(x, y):
            loss = (window.run(gru) * window.y).sum()
            cut = set()
            todo, steps = [loss.node], set()
            while todo:
                node = todo.pop()
                if node.primitive is not None and node.primitive.name == "detach":
                    cut.add(node)
                    continue
                if node.scope is not None and node.scope.step is not None and node.inputs:
                    steps.add(node.scope.step)
                todo += [i for i in node.inputs if i is not None]
            assert steps == set(range(window.replay_start, window.stop))
            assert bool(cut) == (window.replay_start > 0)


# --- errors -----------------------------------------------------------------------------------------------
def test_k2_below_k1_is_explained() -> None:
    with pytest.raises(
        ValueError, match=r"k2 = 16 is less than k1 = 32; expected k2 >= k1. The loss .* 16 of"
    ):
        tr.TruncatedBPTT(k1=32, k2=16)


@pytest.mark.parametrize("k", [0, -1, 1.5, "3", True, None])
def test_k_must_be_a_number_of_steps(k: Any) -> None:
    with pytest.raises(ValueError, match=r"k1 is .*; expected a number of steps, at least 1"):
        tr.TruncatedBPTT(k)
    if k is not None:
        with pytest.raises(ValueError, match=r"k2 is .*; expected a number of steps"):
            tr.TruncatedBPTT(1, k)


@pytest.mark.parametrize(
    ("x", "y", "resets", "message"),
    [
        (np.ones((4, 2)), np.ones((3, 2)), None, "y has 3 steps .*; expected 4"),
        ({"a": np.ones(4), "b": np.ones(5)}, None, None, r"x\['b'\] has 5 steps .*; expected 4"),
        (np.ones((0, 2)), None, None, r"x has shape \(0, 2\); expected \(T, ...\) with at least one step"),
        (np.float32(1), None, None, r"x has shape \(\); expected \(T, ...\)"),
        (np.ones((4, 2)), None, np.zeros((3, 2), bool), "resets has 3 steps .*; expected 4"),
        (np.ones((4, 2)), None, np.zeros((4, 2)), "resets has dtype float64 .*; expected booleans"),
        (np.ones((4, 2)), None, np.zeros((4, 2, 1), bool), r"expected booleans, shape \(T,\) or \(T, B\)"),
    ],
)
def test_bad_arrays_are_refused_at_once(x: Any, y: Any, resets: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tr.TruncatedBPTT(2).windows(x, y, resets=resets)


def test_iterators_are_sent_to_stream() -> None:
    with pytest.raises(TypeError, match=r"x is an iterator; expected arrays. stream\(steps\)"):
        tr.TruncatedBPTT(2).windows(iter([np.ones(2)]))


@pytest.mark.parametrize(
    ("steps", "error", "message"),
    [
        ([np.ones(2)], TypeError, r"a step is ndarray; expected \(x, y\) or \(x, y, reset\)"),
        ([(1,)], TypeError, "a step is a tuple of 1"),
        ([(np.ones(2), None), (np.ones(3), None)], ValueError, r"the steps' x differ: .*\(2,\).*\(3,\)"),
        ([(1.0, None, 1)], ValueError, "resets has dtype int64 .*; expected booleans"),
    ],
)
def test_bad_steps_are_refused(steps: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        next(tr.TruncatedBPTT(2).stream(steps))


def test_an_error_in_the_stream_comes_through() -> None:
    def steps() -> Iterator[Any]:
        yield np.ones(2), None
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        next(tr.TruncatedBPTT(2).stream(steps()))


def test_a_window_must_be_run() -> None:
    windows = tr.TruncatedBPTT(2).windows(np.ones((4, 1)))
    window = next(windows)
    with pytest.raises(RuntimeError, match=r"steps 0 to 1 was not run.*call window.run\(model\)"):
        window.final_carry
    with pytest.raises(RuntimeError, match="steps 0 to 1 was not run"):
        next(windows)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda x, carry: x, TypeError, r"returned ndarray; expected the pair \(outputs, carry\)"),
        (lambda x, carry: (x, x, carry), TypeError, "returned a tuple of 3; expected the pair"),
        (
            lambda x, carry: (x.sum(0), carry),
            ValueError,
            r"outputs has shape \(5,\); expected time .* 2 steps",
        ),
    ],
)
def test_a_model_that_does_not_fit(model: Any, error: Any, message: str) -> None:
    window = next(tr.TruncatedBPTT(2).windows(np.ones((4, 5))))
    with pytest.raises(error, match=message):
        window.run(model)


def test_resets_need_an_initial_state_of_the_carrys_form() -> None:
    gru, x = tr.nn.GRU(1, 3), np.ones((4, 2, 1), np.float32)
    resets = np.array([False, True, False, False])
    window = next(tr.TruncatedBPTT(4).windows(x, resets=resets))
    with pytest.raises(ValueError, match="resets need initial_state="):
        window.run(gru)
    carry = tr.zeros((1, 2, 3))
    window = next(tr.TruncatedBPTT(4).windows(x, resets=resets, carry=carry, initial_state=tr.zeros((2, 3))))
    with pytest.raises(ValueError, match=r"before step 1 the carry .*\(1, 2, 3\)\]; expected the form"):
        window.run(gru)


def test_a_computed_initial_state_is_asked_for_as_a_function() -> None:
    start = tr.zeros((1, 2, 3), requires_grad=True)
    with pytest.raises(ValueError, match=r"initial_state was computed, .*function that computes it"):
        tr.TruncatedBPTT(2).windows(np.ones((4, 2, 1)), initial_state=start * 2)


@pytest.mark.slow
def test_the_example_learns(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(Path(__file__).parent.parent / "examples" / "train_text.py"))
    bits = [float(line.split()[2]) for line in capsys.readouterr().out.splitlines()]
    assert len(bits) == 5
    assert bits[-1] < 3 < bits[0]


@pytest.mark.parametrize(("steps", "k1"), [(10, 3), (9, 3), (1, 5)])
def test_windows_say_how_many_there_are(steps: int, k1: int) -> None:
    windows = tr.TruncatedBPTT(k1).windows(np.ones((steps, 2)))
    count = 0
    for window in windows:
        window.run(lambda x, carry: (x, carry))
        count += 1
    assert count == len(windows)
