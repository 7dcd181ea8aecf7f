"""The tape and the reverse pass: long graphs, what accumulates, what is freed, modes, memory."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr
from tinyrnn.autograd.tape import Leaf, reachable


def leaf(*values: float) -> tr.Tensor:
    return tr.tensor(np.array(values), requires_grad=True)


# --- long graphs --------------------------------------------------------------------------------------------
def test_ten_thousand_steps_of_a_recurrence() -> None:
    rng = np.random.default_rng(0)
    W, U = (tr.tensor(rng.normal(size=(4, 4)) * 0.3, requires_grad=True) for _ in range(2))
    x = rng.normal(size=(10_000, 1, 4))
    h = tr.zeros(1, 4, dtype="float64")
    for x_t in x:
        h = tr.tanh(x_t @ W + h @ U)
    h.sum().backward()
    # From far back nothing reaches the end, so the last 200 steps give the same gradient.
    exact = U.grad.numpy().copy()
    W.grad = U.grad = None
    h = tr.zeros(1, 4, dtype="float64")
    for x_t in x[-200:]:
        h = tr.tanh(x_t @ W + h @ U)
    h.sum().backward()
    np.testing.assert_allclose(U.grad.numpy(), exact, rtol=1e-12)


def test_a_hundred_thousand_scalar_operations() -> None:
    x = leaf(1.0)[0].detach()
    x.requires_grad = True
    y = x
    for _ in range(50_000):
        y = y * 1.00001 + 1e-6
    y.backward()
    np.testing.assert_allclose(x.grad.item(), 1.00001**50_000)
    probe = weakref.ref(y)
    del y  # nor does letting go of a long graph recurse
    assert probe() is None


def test_a_wide_graph_visits_each_record_once() -> None:
    """Each step uses the last value twice: 2 ** 200 paths, 200 records."""
    x = leaf(1.0)
    y = x
    for _ in range(200):
        y = (y + y) * 0.5
    assert len(reachable([y.node])) == 401
    y.backward()
    assert x.grad.item() == 1.0


# --- what accumulates, what is freed ------------------------------------------------------------------------
def test_only_leaves_accumulate() -> None:
    x = leaf(1.0, 2.0)
    y = x * x
    z = (y * 3).sum()
    z.backward(retain_graph=True)
    assert y.grad is None
    z.backward()
    assert y.grad is None
    np.testing.assert_array_equal(x.grad.numpy(), [12, 24])


def test_a_second_backward_says_that_the_graph_was_freed() -> None:
    x = leaf(1.0)
    y = tr.tanh(x).sum()
    y.backward()
    with pytest.raises(
        RuntimeError, match=r"saved by 'sum' were freed by an earlier backward pass.*retain_graph"
    ):
        y.backward()
    np.testing.assert_allclose(x.grad.numpy(), 1 - np.tanh(1) ** 2)


def test_a_part_that_two_losses_share_is_freed_by_the_first() -> None:
    x = leaf(1.0)
    shared = tr.exp(x)
    (shared * 2).backward()
    with pytest.raises(RuntimeError, match="'exp' were freed"):
        (shared * 3).backward()


def test_backward_frees_what_was_saved() -> None:
    x = leaf(*np.ones(1000))
    h = tr.tanh(x)
    data = weakref.ref(h.data)
    y = h.sum()
    del h
    assert data() is not None  # saved for the backward pass
    y.backward()
    assert data() is None


def test_what_no_rule_needs_is_not_kept() -> None:
    x = leaf(*np.ones(1000))
    h = x + 1.0
    data = weakref.ref(h.data)
    y = (h + 1.0).sum()
    del h
    assert data() is None
    y.backward()


def test_accumulated_gradients_are_arrays_of_their_own() -> None:
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    for create_graph in (False, True):
        a.grad = b.grad = None
        (a + b).sum().backward(create_graph=create_graph)
        a.grad.data *= 100
        np.testing.assert_array_equal(a.grad.numpy(), [100, 100])
        np.testing.assert_array_equal(b.grad.numpy(), [1, 1])
        a.grad = b.grad = None


def test_the_gradient_of_a_single_number_can_be_scaled_in_place() -> None:
    x = tr.tensor(2.0, requires_grad=True)
    (x * x + x).backward()
    (x * x).backward()
    x.grad.data *= 10
    assert x.grad.item() == 90


def test_weights_of_every_step() -> None:
    """Weights met again and again in a pass are transposed once; passes and weights do not mix."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3))
    values = [rng.normal(size=(3, 3)) for _ in range(3)]
    Ws = [tr.tensor(value, requires_grad=True) for value in values]
    for scale in (1.0, -2.0):  # as an update in place between two passes
        for W, value in zip(Ws, values):
            W.data[...] = scale * value
        h = start = tr.tensor(x, requires_grad=True)
        for i in (0, 1, 0, 2, 0, 1):
            h = h @ Ws[i]
        h.sum().backward()
        expected = np.ones((2, 3))
        for i in (1, 0, 2, 0, 1, 0):
            expected = expected @ (scale * values[i]).T
        assert start.grad is not None
        np.testing.assert_allclose(start.grad.data, expected, rtol=1e-12)


def test_a_pass_lets_go_of_matrices_that_it_met() -> None:
    x = leaf(1.0, 2.0).reshape((1, 2))
    W = tr.tensor(np.eye(2))
    met = weakref.ref(W.data)
    (x @ W).sum().backward()
    del W
    gc.collect()
    assert met() is None


def test_gradients_that_meet_in_one_record_do_not_mix() -> None:
    """A gradient that is passed on unchanged to two operands must not be added into for one of them."""
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    a = x + y
    b = a + y
    (b * np.array([1.0, 10.0]) + a + y * 5).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2, 11])
    np.testing.assert_array_equal(y.grad.numpy(), [8, 26])


def test_an_index_of_a_number_and_a_second_use_of_it() -> None:
    x = tr.tensor(3.0, requires_grad=True)
    (x[None] * 2 + x * x).sum().backward()
    assert x.grad.item() == 8


# --- x[t] in a loop -----------------------------------------------------------------------------------------
def peak_of_backward(T: int, create_graph: bool = False, scalar: bool = False) -> int:
    x = tr.tensor(np.ones(T if scalar else (T, 8)), requires_grad=True)
    total: Any = 0.0
    for t in range(T):
        total = total + (x[t] * x[t]).sum()
    tracemalloc.start()
    try:
        total.backward(create_graph=create_graph)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        np.testing.assert_array_equal(x.grad.numpy(), 2)
        x.grad = None


@pytest.mark.parametrize("scalar", [False, True])
def test_steps_of_a_sequence_cost_memory_linear_in_its_length(scalar: bool) -> None:
    peak_of_backward(10)
    # The 10 kB are for Python's own: small integers that are not cached, tables that double.
    assert peak_of_backward(4000, scalar=scalar) <= 2.2 * peak_of_backward(2000, scalar=scalar) + 10_000


@pytest.mark.parametrize("scalar", [False, True])
def test_steps_of_a_sequence_make_one_array(scalar: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time linear in T: one dense gradient in all, where one for each step would be T * T numbers."""
    made = []
    zeros = np.zeros
    monkeypatch.setattr(
        np, "zeros", lambda shape, *args, **kwargs: made.append(shape) or zeros(shape, *args, **kwargs)
    )
    T = 50
    x = tr.tensor(np.ones(T if scalar else (T, 3)), requires_grad=True)
    loss = tr.stack([x[t] * 2 for t in range(T)]).sum()
    loss.backward()
    assert made.count(x.shape) == 1
    np.testing.assert_array_equal(x.grad.numpy(), 2)


def test_second_order_through_steps() -> None:
    x = leaf(1.0, 2.0, 3.0)
    total: Any = 0.0
    for t in range(3):
        total = total + x[t] ** 3
    (g,) = tr.grad(total, x, create_graph=True)
    g.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [6, 12, 18])


# --- no leaks -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("run_backward", [False, True])
def test_a_graph_goes_when_the_program_lets_go_of_it(run_backward: bool) -> None:
    x = leaf(*np.ones(10))
    gc.collect()
    gc.disable()  # what goes must go by reference counts alone
    try:
        y = x
        for _ in range(100):
            y = tr.tanh(y * x)
        first = weakref.ref(y.data)
        loss = y.sum()
        if run_backward:
            loss.backward()
        del y, loss
        assert first() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_training_does_not_grow() -> None:
    w = leaf(*np.ones(100))

    def step() -> None:
        h = w
        for _ in range(50):
            h = tr.tanh(h * w)
        h.sum().backward()
        w.data -= 0.01 * w.grad.data
        w.grad = None

    step()
    tracemalloc.start()
    try:
        step()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(20):
            step()
        assert tracemalloc.get_traced_memory()[0] - before < 10_000
    finally:
        tracemalloc.stop()


# --- grad ---------------------------------------------------------------------------------------------------
def test_grad_leaves_no_trace_and_stops_at_its_inputs() -> None:
    x = leaf(2.0)
    h = x * x
    y = h * h
    (g,) = tr.grad(y, h)
    assert g.item() == 8
    assert x.grad is None
    h.backward(g)  # the part below h was not used up: a chain can be followed by hand
    assert x.grad.item() == 32


def test_grad_of_several_outputs_and_inputs() -> None:
    x, y = leaf(2.0), leaf(3.0)
    a, b = x * y, x + 2 * y
    gx, gy = tr.grad([a, b], [x, y], [np.array([1.0]), np.array([10.0])])
    assert (gx.item(), gy.item()) == (13, 22)
    a = x * y
    gx, ga = tr.grad(a * 2, [x, a])  # an input on the way to another
    assert (gx.item(), ga.item()) == (6, 2)
    (g, unused) = tr.grad(x * 2, [x, y], allow_unused=True)
    assert g.item() == 2
    assert unused is None


def test_an_output_that_leads_to_no_input_is_left_alone() -> None:
    x, y = leaf(2.0), leaf(3.0)
    a, b = x * x, y * y
    (g,) = tr.grad([a, b], x)
    assert g.item() == 4
    b.backward()
    assert y.grad.item() == 6


def test_the_gradient_of_an_input_itself() -> None:
    x = leaf(2.0)
    assert tr.grad(x, x)[0].item() == 1
    x.backward()
    assert x.grad.item() == 1


def test_create_graph_needs_no_second_forward_pass() -> None:
    x = leaf(0.5)
    y = tr.tanh(x)
    y.backward(create_graph=True)
    first, x.grad = x.grad, None
    first.backward()
    h = np.tanh(0.5)
    np.testing.assert_allclose(first.item(), 1 - h * h)
    np.testing.assert_allclose(x.grad.item(), -2 * h * (1 - h * h))


def test_detach_cuts() -> None:
    x = leaf(3.0)
    (x * x.detach()).backward()
    assert x.grad.item() == 3
    assert x.detach().data is x.data
    assert not x.detach().requires_grad


def test_freezing_a_leaf() -> None:
    x, y = leaf(1.0), leaf(1.0)
    x.requires_grad = False
    (x * y).backward()
    assert x.grad is None
    with pytest.raises(RuntimeError, match="frozen"):
        (y * 2).requires_grad = False


# --- assignment ---------------------------------------------------------------------------------------------
def test_assignment_in_place_is_refused_with_a_hint() -> None:
    x = leaf(1.0, 2.0)
    for t in (x, x * 2, x.detach()):
        with pytest.raises(TypeError, match=r"tr\.where.*tr\.stack"):
            t[0] = 5.0


IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "+=": lambda a, b: a.__iadd__(b),
    "-=": lambda a, b: a.__isub__(b),
    "*=": lambda a, b: a.__imul__(b),
    "/=": lambda a, b: a.__itruediv__(b),
    "**=": lambda a, b: a.__ipow__(b),
}


@pytest.mark.parametrize("symbol", IN_PLACE)
def test_in_place_operators_move_the_name_of_a_computed_tensor_only(symbol: str) -> None:
    x = leaf(2.0)
    with pytest.raises(TypeError, match=r"in-place .* write `p\.data"):
        IN_PLACE[symbol](x, 2.0)
    with tr.no_grad(), pytest.raises(TypeError, match="in-place"):  # a parameter would silently stay as it is
        IN_PLACE[symbol](x, 2.0)
    h = x * 1.0
    old = h
    h = IN_PLACE[symbol](h, 2.0)
    assert h is not old
    assert old.item() == 2.0
    h.backward()
    assert x.grad is not None


# --- modes --------------------------------------------------------------------------------------------------
def test_no_grad_as_context_and_as_decorator() -> None:
    x = leaf(1.0)
    with tr.no_grad():
        assert not (x * 2).requires_grad
        with tr.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad

    @tr.no_grad()
    def double(x: tr.Tensor) -> tr.Tensor:
        return x * 2

    assert not double(x).requires_grad
    assert not double(x).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_is_left_by_an_exception() -> None:
    x = leaf(1.0)
    with pytest.raises(ZeroDivisionError), tr.no_grad():
        raise ZeroDivisionError
    assert (x * 2).requires_grad


def test_modes_belong_to_a_thread() -> None:
    x = leaf(1.0)
    inside, done = threading.Event(), threading.Event()
    seen: list[Any] = []

    def other() -> None:
        with tr.no_grad(), tr.scope("other"):
            inside.set()
            done.wait(10)
            seen.append((x * 2).requires_grad)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    y = x * 2
    assert y.requires_grad
    assert y.node.scope is None
    done.set()
    thread.join()
    assert seen == [False]


def test_threads_differentiate_at_the_same_time() -> None:
    results: list[float] = []

    def work() -> None:
        x = leaf(*np.arange(1.0, 30.0))
        for _ in range(20):
            x.grad = None
            tr.concatenate([x[i : i + 1] for i in range(29)]).sum().backward()
        results.append(x.grad.numpy().sum())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [29.0] * 4


def test_records_know_where_they_were_made() -> None:
    x = leaf(1.0, 2.0)
    with tr.scope("net"), tr.scope("rnn", step=3):
        y = tr.tanh(x * 2)
    node = y.node
    assert node.scope.path() == "net.rnn"
    assert node.scope.step == 3
    assert node.primitive.name == "tanh"
    assert (node.shape, node.dtype) == ((2,), np.float64)
    (product,) = node.inputs
    assert product.primitive.name == "multiply"
    assert isinstance(product.inputs[0], Leaf)
    assert product.inputs[1] is None  # a constant
    assert (x * 2).node.scope is None
    with pytest.raises(ZeroDivisionError), tr.scope("broken"):
        raise ZeroDivisionError
    assert (x * 2).node.scope is None


def test_unrolled_keeps_values_and_gradients() -> None:
    x = leaf(2.0)
    with tr.unrolled():
        y = x * x
        z = y * 3.0
        z.backward()
    assert y.node.value.item() == 4
    assert y.grad.item() == 3
    assert (x * x).node.value is None


@pytest.mark.parametrize("f", [lambda x: 2 * x**3, lambda x: tr.maximum(x, 0.5) / 3 * x])
def test_create_graph_with_numbers_inside_of_unrolled(f: Callable[[tr.Tensor], tr.Tensor]) -> None:
    def second(x: tr.Tensor) -> tr.Tensor:
        (g,) = tr.grad(f(x).sum(), x, create_graph=True)
        return tr.grad((g * g).sum(), x)[0]

    x = leaf(1.0, 2.0)
    expected = second(x)
    with tr.unrolled():
        actual = second(x)
    np.testing.assert_allclose(actual.numpy(), expected.numpy(), rtol=1e-12)


# --- copies -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_a_copy_of_a_leaf_is_a_leaf_of_its_own(duplicate: Callable[[tr.Tensor], tr.Tensor]) -> None:
    x = leaf(1.0, 2.0)
    x.name = "x"
    (x * x).sum().backward()
    other = duplicate(x)
    assert other.requires_grad
    assert other.name == "x"
    np.testing.assert_array_equal(other.grad.numpy(), x.grad.numpy())
    x.grad = other.grad = None
    (x * other * other).sum().backward()  # both in one graph
    np.testing.assert_array_equal(x.grad.numpy(), [1, 4])
    np.testing.assert_array_equal(other.grad.numpy(), [2, 8])
    assert not duplicate(x.detach()).requires_grad
    with pytest.raises(TypeError, match="computed Tensor cannot be copied"):
        duplicate(x * 2)


def test_a_stack_of_many_leaves_nothing_behind() -> None:
    x = tr.tensor(2.0, requires_grad=True)

    def run(count: int) -> None:
        tr.stack([x] * count).sum().backward()
        tr.concatenate([x.reshape(1)] * count).sum().backward()

    def held() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    run(10_000)  # what is kept for the operands of one operation is bounded
    tracemalloc.start()
    try:
        run(10_000)
        before = held()
        run(40_000)
        assert held() - before < 100_000
    finally:
        tracemalloc.stop()
    assert x.grad.item() == 2 * (10_000 + 10_000 + 40_000)


def test_a_constant_has_a_name_too():
    x = tr.tensor([1.0, 2.0])
    assert x.name == ""
    x.name = "image"
    assert x.name == "image"
    x.requires_grad = True
    assert x.name == "image"
    x.name = "picture"
    assert (x.name, (2 * x).name) == ("picture", "")
