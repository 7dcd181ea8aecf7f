"""The stepper without a browser: the records are those of the engine, and the page holds them safely."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from stepper_models import Model, by_hand, by_module

import tinyrnn as tr
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.tape import Constant, Leaf, reachable
from tinyrnn.draw.stepping.arrays import ArrayTable
from tinyrnn.draw.stepping.data import page_data
from tinyrnn.draw.stepping.grid import Grid, arrange
from tinyrnn.draw.stepping.labels import SUBSCRIPTS, Labels
from tinyrnn.draw.stepping.level_data import op_vertices
from tinyrnn.draw.stepping.packing import COUNTS, pack
from tinyrnn.draw.stepping.replay import Pass, replay


def data_of(loss: tr.Tensor) -> dict[str, Any]:
    run = replay(loss)
    return page_data(run, Labels(run.root, run.nodes))


def formulas(loss: tr.Tensor, kind: str) -> list[str]:
    data = data_of(loss)
    nodes = data["nodes"]
    if kind == "forward":
        return [f"{node['label']} = {node['formula']}" for node in nodes if "op" in node]
    return [f"{nodes[source_of(data, r)]['label']} += {r['formula']}" for r in data["records"]]


def source_of(data: dict[str, Any], record: dict[str, Any]) -> int:
    return data["nodes"][record["node"]]["inputs"][record["position"]]


def decoded(packed: dict[str, Any], number: int) -> np.ndarray:
    """An array of a page, as its script decodes it."""
    entry = packed["entries"][number]
    if isinstance(entry, list):
        sign, *back = entry
        a, *rest = [decoded(packed, number - distance) for distance in back]
        if sign == "T":
            form = form_of(packed, number)
            if "rows" not in form:
                return a.T
            table = a[:-3].reshape(len(form["columns"]), len(form["rows"]))
            return np.concatenate([table.T.ravel(), a[-3:]])
        (b,) = rest
        return a + b if sign == "+" else a * b
    start = 0
    for other in [*packed["entries"][:number], entry]:
        form = packed["forms"][other if isinstance(other, int) else entry]
        if isinstance(other, list) or (form["dtype"] != packed["forms"][entry]["dtype"]):
            continue
        size = 1 if "all" in form else int(np.prod(form["shape"]))
        if "rows" in form:
            size = len(form["rows"]) * len(form["columns"]) + 3
        start += size
    form = packed["forms"][entry]
    stream = np.frombuffer(base64.b64decode(packed[form["dtype"]]), form["dtype"])
    numbers = stream[start - size : start]
    if "rows" in form:
        return numbers
    return np.full(form["shape"], numbers[0]) if "all" in form else numbers.reshape(form["shape"])


def form_of(packed: dict[str, Any], number: int) -> dict[str, Any]:
    entry = packed["entries"][number]
    if isinstance(entry, int):
        return packed["forms"][entry]
    form = form_of(packed, number - entry[1])
    if entry[0] == "T":
        form = form | {"shape": form["shape"][::-1]}
        if "rows" in form:
            form |= {"rows": form["columns"], "columns": form["rows"]}
    return form


@st.composite
def models(draw: st.DrawFn) -> Model:
    T, H, seed = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(0, 99))
    if draw(st.booleans()):
        return by_hand(T, H, detach=draw(st.sets(st.integers(0, T - 1))), seed=seed)
    B = draw(st.integers(1, 3))
    lengths = draw(st.none() | st.lists(st.integers(1, T), min_size=B, max_size=B))
    return by_module(
        draw(st.sampled_from(["RNN", "LSTM", "GRU"])), T, H, B, layers=draw(st.integers(1, 2)),
        bidirectional=draw(st.booleans()), lengths=lengths, seed=seed,
    )  # fmt: skip


# --- the records ---
@given(models())
def test_replayed_gradients_are_the_engines(model: Model) -> None:
    loss, weights = model
    early = replay(loss).gradients()
    assert all(w.grad is None for w in weights.values())
    loss.backward()
    kept = {name: w.grad.numpy().copy() for name, w in weights.items() if w.grad is not None}
    late = replay(loss).gradients()
    for name, weight in weights.items():
        if name not in kept:  # everything that leads to it is cut
            assert weight.node not in late
            continue
        assert np.array_equal(kept[name], weight.grad.numpy())  # replay has not touched it
        assert np.array_equal(early[weight.node], kept[name])
        assert np.array_equal(late[weight.node], kept[name])


@given(models())
def test_records_come_in_the_engines_order_and_add_up(model: Model) -> None:
    run = replay(model[0])
    totals: dict[Any, Any] = {run.root: run.seed}
    for c in run.contributions:
        assert np.array_equal(c.upstream, totals[c.node])  # complete before it is handed on
        before = totals.get(c.source)
        assert (c.before is None) == (before is None)
        assert before is None or np.array_equal(c.before, before)
        totals[c.source] = c.part if before is None else before + c.part
        assert np.array_equal(c.after, totals[c.source])
    orders = [(-c.node.order, c.position) for c in run.contributions]
    assert orders == sorted(orders)
    seen: set[Any] = set()
    for node in run.nodes:
        assert seen.issuperset(node.inputs)
        seen.add(node)


@given(models())
def test_upstream_times_local_is_the_contribution(model: Model) -> None:
    elementwise = [c for c in replay(model[0]).contributions if c.local is not None]
    assert elementwise
    for c in elementwise:
        product = c.upstream * c.local
        if c.product is not None:
            np.testing.assert_allclose(product, c.product, rtol=1e-6)
            np.testing.assert_allclose(product.sum(), c.part.sum(), rtol=1e-4, atol=1e-6)
        else:
            np.testing.assert_allclose(product, c.part, rtol=1e-5, atol=1e-12)


def test_a_scalar_recurrence_against_the_equations() -> None:
    w = tr.tensor(0.8, requires_grad=True, dtype="float64")
    with tr.unrolled():
        h = tr.tensor(0.5, dtype="float64")
        for t in range(3):
            with tr.scope(step=t):
                h = tr.tanh(w * h)
    states = [0.5]
    for _ in range(3):
        states.append(np.tanh(0.8 * states[-1]))
    upstream, expected = 1.0, []
    for before, after in zip(states[-2::-1], states[:0:-1]):
        expected.append(upstream * (1 - after**2) * before)
        upstream *= (1 - after**2) * 0.8
    parts = [c.part.item() for c in replay(h).contributions if c.source is w.node]
    np.testing.assert_allclose(parts, expected, rtol=1e-14)


def test_gradient_of_an_output_that_is_no_number() -> None:
    w = tr.tensor([1.0, 2.0], requires_grad=True)
    with tr.unrolled():
        y = w * w
    with pytest.raises(RuntimeError, match=r"shape \(2,\)"):
        replay(y)
    np.testing.assert_allclose(replay(y, [1.0, 10.0]).gradients()[w.node], [2.0, 40.0])


def test_detached_steps_give_no_record() -> None:
    loss, _ = by_hand(T=4, detach={2})
    run = replay(loss)
    labels = Labels(run.root, run.nodes)
    crossing = [
        c for c in run.contributions
        if (labels.step[c.node], labels.step[c.source]) == (3, 2) and labels.carry.get(c.source) == "h"
    ]  # fmt: skip
    assert not crossing
    cut = [node for node in run.nodes if node.primitive is not None and node.primitive.name == "detach"]
    assert len(cut) == 1
    assert labels.step[cut[0]] == 3
    assert all(cut[0] not in (c.node, c.source) for c in run.contributions)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: 3.0, TypeError, "output is 3.0 .*; expected a Tensor"),
        (lambda: tr.tensor(1.0), RuntimeError, "was not recorded"),
    ],
)
def test_what_cannot_be_stepped_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tr.draw.stepper(make())


# --- graphs without their values ---
@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize(
    "options", [{"num_layers": 2}, {"bidirectional": True}], ids=["2 layers", "both ways"]
)
@pytest.mark.parametrize("loss_of", ["mse", "cross entropy", "by hand"])
def test_a_compiled_model_is_opened(cell: str, options: dict[str, Any], loss_of: str) -> None:
    rng = np.random.default_rng(0)
    net = getattr(tr.nn, cell)(2, 3, dtype="float64", rng=0, **options)
    table = tr.nn.Parameter(rng.normal(size=(5, 2)))
    table.name = "table"
    words, target = rng.integers(5, size=(4, 2)), rng.normal(size=(4, 2, 1))

    def run() -> tr.Tensor:
        y, _ = net(table[words])
        if loss_of == "cross entropy":
            return tr.nn.functional.cross_entropy(y.reshape(8, -1), np.arange(8) % 3)
        if loss_of == "mse":
            return tr.nn.functional.mse_loss(y.mean(axis=-1, keepdims=True), target)
        return ((y.sum(axis=-1, keepdims=True) * 0.5 - target) ** 2).sum()

    loss = run()
    values = [node.value for node in reachable([loss.node])]
    opened = replay(loss)
    assert all(node.value is v for node, v in zip(reachable([loss.node]), values))  # the graph is as it was
    with tr.unrolled():
        recorded = replay(run())
    found, expected = (
        {node.name: g for node, g in run.gradients().items() if isinstance(node, Leaf) and node.name}
        for run in (opened, recorded)
    )
    assert set(found) == set(expected) == {"table", *dict(net.named_parameters())}
    for name, g in expected.items():
        np.testing.assert_allclose(found[name], g, rtol=1e-9, atol=1e-14)
    labels = Labels(opened.root, opened.nodes)
    assert {step for step in labels.step.values() if step is not None} == {1, 2, 3, 4}
    loss.backward()
    np.testing.assert_allclose(table.grad.numpy(), found["table"], rtol=1e-9, atol=1e-14)
    with pytest.raises(ValueError, match=r"freed by backward.*retain_graph=True"):
        tr.draw.stepper(loss)


def test_a_compiled_model_that_was_trained_on_is_refused() -> None:
    net = tr.nn.GRU(2, 3, rng=0)
    loss = (net(tr.randn(4, 1, 2, rng=0))[0] ** 2).sum()
    loss.backward(retain_graph=True)
    assert "4 time steps" in repr(tr.draw.stepper(loss))
    tr.optim.SGD(net.parameters(), lr=0.1).step()
    with pytest.raises(ValueError, match=r"changed since"):
        tr.draw.stepper(loss)


def test_values_of_a_graph_begun_outside_are_found_again() -> None:
    w = tr.tensor(2.0, requires_grad=True, dtype="float64")
    outside = tr.exp(w * w)
    with tr.unrolled():
        loss = outside * 3.0
    data = data_of(loss)
    assert [node["formula"] for node in data["nodes"] if "op" in node] == ["W1²", "exp(a)", "b * 3"]
    loss.backward()
    assert np.array_equal(decoded(data["arrays"], data["records"][-1]["after"]), w.grad.numpy())


def test_constants_that_no_rule_needs_follow_from_the_result() -> None:
    w = tr.tensor([0.3, 0.7], requires_grad=True, dtype="float64")
    w.name = "w"
    loss = 0.0
    for _ in range(2):
        loss = loss + ((1.0 - w) * w - np.array([0.25, 0.5])).sum()
    assert isinstance(loss, tr.Tensor)
    with pytest.raises(ValueError, match="was not kept"):
        tr.draw.stepper(loss)  # the targets are known to nobody
    loss = 0.0
    for _ in range(2):
        error = (1.0 - w) * w - np.array([0.25, 0.5])
        loss = loss + (error * error).sum()
    run = replay(loss)
    assert formulas(loss, "forward")[:2] == ["a = 1 - w", "b = a * w"]
    numbers = [node.value for node in run.nodes if isinstance(node, Constant)]
    assert sorted(float(n) for n in numbers if not n.shape) == [0.0, 1.0, 1.0]
    for target in (n for n in numbers if n.shape):
        np.testing.assert_allclose(target, [0.25, 0.5], rtol=1e-15)
    loss.backward()
    assert np.array_equal(run.gradients()[next(n for n in run.nodes if n.name == "w")], w.grad.numpy())


def test_a_leaf_that_is_gone_is_refused() -> None:
    loss = tr.tensor([1.0], requires_grad=True).sum()
    with pytest.raises(ValueError, match=r"with tinyrnn\.unrolled"):
        tr.draw.stepper(loss)


def test_values_that_changed_since_are_refused() -> None:
    loss, weights = by_hand()
    loss.backward()
    tr.optim.SGD(weights.values(), lr=0.01).step()
    with pytest.raises(ValueError, match=r"has changed since.*before the optimizer's step"):
        tr.draw.stepper(loss)


def test_too_many_records_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at most max_records=50"):
        tr.draw.stepper(by_hand()[0], max_records=50)


# --- names and formulas ---
def test_formulas_are_the_rules_of_the_table() -> None:
    loss, _ = by_hand(T=2)
    assert formulas(loss, "forward") == [
        "a₁ = x₁ @ W_ih", "b₁ = h₀ @ W_hh", "d₁ = a₁ + b₁", "e₁ = d₁ + bias", "h₁ = tanh(e₁)",
        "f₁ = h₁ @ W_hy", "k₁ = f₁ - j₁", "m₁ = k₁²", "n₁ = sum(m₁)", "Σ₁ = 0 + n₁",
        "a₂ = x₂ @ W_ih", "b₂ = h₁ @ W_hh", "d₂ = a₂ + b₂", "e₂ = d₂ + bias", "h₂ = tanh(e₂)",
        "f₂ = h₂ @ W_hy", "k₂ = f₂ - j₂", "m₂ = k₂²", "n₂ = sum(m₂)", "L = Σ₁ + n₂",
    ]  # fmt: skip
    backward = formulas(loss, "backward")
    assert backward[:12] == [
        "Σ₁ += ∂L", "n₂ += ∂L", "m₂ += broadcast(∂n₂, (1, 1))", "k₂ += ∂m₂ * k₂", "k₂ += ∂m₂ * k₂",
        "f₂ += ∂k₂", "h₂ += ∂f₂ @ W_hy.T", "W_hy += h₂.T @ ∂f₂", "e₂ += ∂h₂ * (1 - h₂²)", "d₂ += ∂e₂",
        "bias += ∂e₂", "a₂ += ∂d₂",
    ]  # fmt: skip
    assert "h₁ += ∂b₂ @ W_hh.T" in backward
    assert "h₁ += ∂f₁ @ W_hy.T" in backward


def test_formulas_of_other_rules() -> None:
    x = tr.tensor([[1.0, -2.0]], requires_grad=True)
    x.name = "x"
    with tr.unrolled():
        y = (tr.relu(x) / 2.0 - tr.exp(-x)).reshape(2)[0:1].sum()
    assert formulas(y, "forward") == [
        "a = relu(x)", "b = a / 2", "d = -x", "e = exp(d)", "f = b - e", "j = f.reshape(2)", "k = j[0:1]",
        "L = sum(k)",
    ]  # fmt: skip
    assert formulas(y, "backward") == [
        "k += broadcast(∂L, (1,))", "j += zeros(2,) with [0:1] = ∂k", "f += ∂j.reshape(1, 2)", "b += ∂f",
        "e += -∂f", "d += ∂e * e", "x += -∂d", "a += ∂b * (1 / 2)", "x += where(a > 0, ∂a, 0)",
    ]  # fmt: skip


def test_an_operation_of_the_users_shows_its_own_rule() -> None:
    cube = Primitive("cube", lambda x: x**3, x=lambda g, x: g * (3 * x * x))
    opaque = Primitive("opaque", lambda x: 2 * x, x=lambda g: np.asarray(g.data) * 2)  # looks at numbers
    w = tr.tensor(2.0, requires_grad=True)
    w.name = "w"
    with tr.unrolled():
        y = opaque(cube(w))
    assert formulas(y, "forward") == ["a = cube(w)", "L = opaque(a)"]
    assert formulas(y, "backward") == ["a += the VJP of opaque(∂L)", "w += ∂a * 3 * w * w"]


@given(models())
def test_names_are_unique(model: Model) -> None:
    run = replay(model[0])
    labels = Labels(run.root, run.nodes)
    shown = [text for node, text in labels.text.items() if not re.fullmatch(r"-?[\d.e-]+", text)]
    assert len(shown) == len(set(shown))
    assert set(labels.text) == set(run.nodes)


# --- the picture ---
def grid_of(run: Pass) -> Grid:
    labels = Labels(run.root, run.nodes)
    return arrange(
        op_vertices(run.nodes, run.root, labels), [group.name for group in labels.graph.groups] or [""]
    )


@given(models())
def test_each_operation_stands_once_and_each_use_has_an_edge(model: Model) -> None:
    run = replay(model[0])
    grid = grid_of(run)
    boxes = [box for column in grid.columns for box in column.boxes]
    operations = [k for k, node in enumerate(run.nodes) if node.primitive is not None]
    assert sorted(box.node.key for box in boxes if not box.copy) == operations
    uses = {(run.nodes[link.start.node.key], link.end.node.key, link.position) for link in grid.links}
    assert uses == {(s, k, i) for k in operations for i, s in enumerate(run.nodes[k].inputs)}
    assert len(uses) == len(grid.links)


@given(models())
def test_no_box_covers_another(model: Model) -> None:
    grid = grid_of(replay(model[0]))
    rows: dict[float, list[Any]] = {}
    for column in grid.columns:
        for box in column.boxes:
            assert column.left <= box.x - box.width / 2
            assert box.x + box.width / 2 <= column.left + column.width
            rows.setdefault(box.y, []).append(box)
    for row in rows.values():
        row.sort(key=lambda box: box.x)
        for left, right in itertools.pairwise(row):
            assert left.x + left.width / 2 < right.x - right.width / 2


# --- arrays ---
arrays = st.one_of(
    hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.bool_]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=20),
        elements=st.integers(0, 1) | st.just(0),
    ),
    hnp.arrays(np.float32, hnp.array_shapes(max_dims=2, max_side=12), elements=st.floats(width=32)),
)


@given(st.lists(arrays, max_size=5))
def test_arrays_come_back_to_the_last_digit(given: list[np.ndarray]) -> None:
    given = [*given, *(array.T for array in given if array.ndim == 2)]
    table = ArrayTable()
    numbers = [table.add(array) for array in given]
    packed = table.packed()
    for array, number in zip(given, numbers):
        found = decoded(packed, number)
        form = form_of(packed, number)
        if "rows" in form:
            rows = np.reshape(array, (-1, array.shape[-1]))[np.ix_(form["rows"], form["columns"])]
            assert np.array_equal(found[:-3], rows.ravel(), equal_nan=True)
            with np.errstate(all="ignore"):
                wide = array.astype(np.float64)
                sizes = [np.sqrt((wide**2).sum()), wide.min(), wide.max()]
            np.testing.assert_allclose(found[-3:], sizes, rtol=1e-5)
        else:
            assert np.array_equal(found, array, equal_nan=True)


def test_of_a_large_array_the_rows_with_something_in_them_are_shown() -> None:
    gradient = np.zeros((1000, 20))
    gradient[[17, 640], 3] = 1.0
    table = ArrayTable()
    table.add(gradient)
    (form,) = table.packed()["forms"]
    assert {17, 640} <= set(form["rows"])
    assert 3 in form["columns"]
    assert len(form["rows"]) == len(form["columns"]) == 8
    full = np.arange(1.0, 3001.0).reshape(3, 10, 100)
    table.add(full)
    assert table.packed()["forms"][1]["rows"] == list(range(8))


def test_no_array_is_written_twice() -> None:
    table = ArrayTable()
    numbers = [table.add(np.array(a)) for a in ([1.0, 2.0], [1.0, 3.0], [1.0, 2.0], [[1.0, 2.0]])]
    assert numbers == [0, 1, 0, 2]
    assert len(table.packed()["entries"]) == 3


def test_what_the_page_works_out_itself_is_the_same_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 5)).astype(np.float32)
    table = ArrayTable()
    i, j = table.add(a), table.add(b)
    assert np.array_equal(decoded(table.packed(), table.combine("*", i, j, a * b)), a * b)
    other = np.nextafter(a + b, np.float32(9))
    assert table.packed()["entries"][table.combine("+", i, j, other)] == 0  # written in full
    assert np.array_equal(decoded(table.packed(), table.combine("+", i, j, other)), other)


# --- the page ---
def embedded(html: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def filled(data: dict[str, Any]) -> Any:
    """The columns of the records, of which differences skip what is empty."""
    return [
        (key, [0 if value == "" else value for value in column]) for key, column in data["records"].items()
    ]


def test_ledgers_and_records_of_the_page(tmp_path: Any) -> None:
    loss, weights = by_hand(T=5)
    path = tr.draw.stepper(loss).save(tmp_path / "new" / "bptt.html")
    data = embedded((tmp_path / "new" / "bptt.html").read_text("utf-8"))
    assert path.endswith("bptt.html")
    labels = [written(data, i, label) for i, label in enumerate(data["nodes"]["label"])]
    assert {labels[node] for node in data["ledgers"]} == set(weights)
    loss.backward()
    records = {
        key: list(itertools.accumulate(column)) if key in COUNTS else column for key, column in filled(data)
    }
    for node in data["ledgers"]:
        rows = [
            i for i, (user, position) in enumerate(zip(records["node"], records["position"]))
            if data["nodes"]["inputs"][user][position] == node
        ]  # fmt: skip
        assert [data["nodes"]["time"][records["node"][i]] for i in rows] == [5, 4, 3, 2, 1]
        parts = [decoded(data["arrays"], records["part"][i]) for i in rows]
        grad = weights[labels[node]].grad.numpy()
        np.testing.assert_allclose(np.sum(parts, axis=0), grad, rtol=1e-12, atol=1e-15)
        assert np.array_equal(decoded(data["arrays"], records["after"][rows[-1]]), grad)
    ((name, steps),) = [(state["name"], state["steps"]) for state in data["times"]]
    assert name == "h"
    assert [time for time, _ in steps] == [1, 2, 3, 4, 5]


def written(data: dict[str, Any], node: int, text: int) -> str:
    """A text of a page, as its script puts it together."""
    pieces = data["texts"][text]
    if isinstance(pieces, str):
        return pieces
    time = data["nodes"]["time"][node]
    return "".join(str(time + x).translate(SUBSCRIPTS) if isinstance(x, int) else x for x in pieces)


@given(models())
def test_texts_are_put_together_again(model: Model) -> None:
    data = data_of(model[0])
    packed = json.loads(json.dumps(pack(data)))
    for i, node in enumerate(data["nodes"]):
        for key in ("label", "formula", "role", "op"):
            found = packed["nodes"][key][i]
            assert node.get(key, "") == ("" if found == "" else written(packed, i, found))
    for i, record in enumerate(data["records"]):
        assert record["formula"] == written(packed, record["node"], packed["records"]["formula"][i])


def test_text_of_the_model_stays_inert() -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{script}}&amp;"
    html = tr.draw.stepper(by_hand(T=2, prefix=evil)[0], title=evil).html
    assert html.count("<script") == 2
    assert "<img" not in html
    assert html.count("alert(1)") > 2  # it is there, as text
    assert evil + "W_hh" in embedded(html)["texts"]


def test_the_page_is_allowed_its_own_script_and_nothing_else() -> None:
    html = tr.draw.stepper(by_hand(T=2)[0]).html
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert rules[kind] == f"'sha256-{digest}'"
    assert set(re.findall(r"https?://[^\"' ]+", html)) == {"http://www.w3.org/2000/svg"}


def test_the_same_model_gives_the_same_page() -> None:
    assert tr.draw.stepper(by_hand()[0]).html == tr.draw.stepper(by_hand()[0]).html


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_long_page_is_below_1_megabyte(kind: str) -> None:
    for T, H, B in ((20, 64, 8), (100, 8, 1)):
        html = tr.draw.stepper(by_module(kind, T=T, H=H, B=B)[0]).html
        assert len(html.encode()) < 1_000_000, (T, H, B)


def test_zeros_that_come_of_taking_one_entry_are_left_out_and_counted() -> None:
    w = tr.tensor([[0.5]], requires_grad=True, dtype="float64")
    with tr.unrolled():
        h, states = tr.ones((1, 1), dtype="float64"), []
        for t in range(6):
            with tr.scope(step=t):
                h = tr.tanh(h @ w)
                states.append(h)
        loss = (tr.stack(states)[5] * 2.0).sum()
    data = data_of(loss)
    assert data["omitted"] == {"stack": 5}
    nodes = data["nodes"]
    assert sum(nodes[r["node"]]["op"] == "stack" for r in data["records"]) == 1
    loss.backward()
    ledger = [r for r in data["records"] if source_of(data, r) in data["ledgers"]]
    assert len(ledger) == 6
    assert np.array_equal(decoded(data["arrays"], ledger[-1]["after"]), w.grad.numpy())


def test_zeros_that_say_something_stay() -> None:
    x = tr.tensor([-1.0, -2.0], requires_grad=True)
    with tr.unrolled():
        loss = (tr.relu(x) * 3.0).sum()
    data = data_of(loss)
    assert data["omitted"] == {}
    assert [data["nodes"][r["node"]]["op"] for r in data["records"]] == ["sum", "multiply", "relu"]


def test_what_is_made_of_a_weight_alone_has_its_colour() -> None:
    loss, weights = by_module("LSTM", T=3, layers=2)
    nodes = data_of(loss)["nodes"]
    leaves = [node["hue"] for node in nodes if node["role"] == "weight" and not node["inputs"]]
    assert sorted(leaves) == list(range(len(weights)))
    made = [node for node in nodes if node["role"] == "weight" and node["inputs"]]
    assert {node["op"] for node in made} == {"transpose", "add"}
    for node in made:
        hues = {nodes[source].get("hue") for source in node["inputs"]}
        assert node.get("hue") == (hues.pop() if len(hues) == 1 else None)  # b_ih + b_hh has none


def test_a_notebook_shows_the_page_in_a_frame() -> None:
    page = tr.draw.stepper(by_hand(T=2)[0])
    shown = page._repr_html_()
    assert shown.startswith('<iframe sandbox="allow-scripts" ')
    assert shown.count("<") == 2  # everything else is quoted
    assert repr(page).startswith("<Stepper: 2 time steps, ")


def test_each_layer_and_direction_has_letters_of_its_own() -> None:
    run = replay(by_module("GRU", T=5, layers=2, bidirectional=True)[0])
    labels = Labels(run.root, run.nodes)
    lanes = ("l0", "l0_reverse", "l1", "l1_reverse")
    by_lane = {lane: {text for text in labels.text.values() if text.startswith(f"{lane}.")} for lane in lanes}
    for lane in lanes:
        assert {f"{lane}.{letter}₃" for letter in "abdrzh"} <= by_lane[lane]
    texts = list(labels.text.values())
    assert not [text for text in texts if "′" in text or "(" in text]
    for node in run.nodes:  # what is computed in a step says whose it is, unless its weight does
        if node.inputs and labels.step[node] is not None and labels.role[node] != "weight":
            assert labels.text[node].split(".")[0] in lanes or labels.role[node] == "input"


def test_when_letters_run_out_operations_give_the_name() -> None:
    x = tr.tensor(np.ones((2, 3)), requires_grad=True)
    with tr.unrolled():
        h = x[0]
        for t in range(2):
            with tr.scope("loop", step=t):
                for _ in range(40):
                    h = tr.tanh(h)
        loss = h.sum()
    run = replay(loss)
    texts = list(Labels(run.root, run.nodes).text.values())
    assert len(set(texts)) == len(texts)
    assert {"a₂", "tanh₂"} <= set(texts)


def test_what_belongs_to_one_window_stands_in_it() -> None:
    rnn = tr.nn.RNN(2, 3, rng=0)
    with tr.unrolled():
        h, loss = None, 0.0
        for x in (tr.randn(3, 1, 2, rng=0), tr.randn(3, 1, 2, rng=1)):
            y, h = rnn(x, None if h is None else h.detach())
            loss = loss + (y**2).sum()
    run = replay(loss)
    labels = Labels(run.root, run.nodes)
    for node in run.nodes:
        for source in node.inputs:
            if source is not None and labels.step[node] is not None and labels.step[source] is not None:
                assert 0 <= labels.step[node] - labels.step[source] <= 1
    (state,) = page_data(run, labels)["times"]
    assert [time for time, _ in state["steps"]] == [1, 2, 3, 4, 5, 6]
