"""Cells and gates of the stepper: the equation of BPTT holds for any model, and no operation is left out."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from draw_table import MODELS
from hypothesis import given
from hypothesis import strategies as st
from stepper_models import by_hand, by_module

import tinyrnn as tr
from tinyrnn.draw.stepping.bptt import Step, steps_of
from tinyrnn.draw.stepping.data import page_data
from tinyrnn.draw.stepping.labels import Labels
from tinyrnn.draw.stepping.levels import COARSE, Level, level_of
from tinyrnn.draw.stepping.replay import Pass, replay

# The values of a compiled model are gone after backward(), as `stepper` says.
STEPPED = sorted(MODELS.keys() - {"compiled"})


def read(loss: tr.Tensor) -> tuple[Pass, Labels, list[Step]]:
    run = replay(loss)
    labels = Labels(run.root, run.nodes)
    return run, labels, steps_of(run, labels.graph)


def close(found: Any, expected: Any) -> None:
    tolerance = 1e-5 if np.asarray(expected).dtype == np.float32 else 1e-11
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def check_equation(loss: tr.Tensor) -> list[Step]:
    """δ_t = ∂L_t/∂h_t + (∂h_{t+1}/∂h_t)ᵀ δ_{t+1}, and δ_t is the engine's gradient."""
    run, labels, steps = read(loss)
    gradients = run.gradients()
    assert {step.unit for step in steps} == {layer.name for layer in labels.graph.layers}
    after: Step | None = None
    for step in steps:
        for parts in zip(step.direct, step.through, step.beyond, step.delta):
            close(sum(parts[:3]), parts[3])
        if step.following:
            assert after is not None
            assert step.following == after.state
            if step.jacobian is not None:
                seed = np.concatenate([g.reshape(step.rows, -1) for g in after.delta], axis=-1)[0]
                sent = np.concatenate([g.reshape(step.rows, -1) for g in step.through], axis=-1)[0]
                close(step.jacobian.matrix.T @ seed, sent)
                values = np.linalg.svd(step.jacobian.matrix.astype(np.float64), compute_uv=False)
                with np.errstate(divide="ignore"):
                    close([step.jacobian.largest, step.jacobian.smallest], np.log10(values[[0, -1]]))
        if len(step.state) == 1:  # where h and c are handed on, c gets what comes through h, too
            close(step.delta[0], gradients[step.state[0]])
        after = step
    return steps


@pytest.mark.parametrize("name", STEPPED)
def test_the_equation_holds_for_any_model(name: str) -> None:
    assert bool(check_equation(MODELS[name]())) == (name != "feed_forward")  # which has no state


@given(
    st.sampled_from(["RNN", "LSTM", "GRU"]), st.integers(1, 4), st.integers(1, 3), st.integers(1, 2),
    st.booleans(), st.booleans(), st.integers(0, 99),
)  # fmt: skip
def test_the_equation_holds_for_layers(
    kind: str, T: int, B: int, layers: int, both: bool, ragged: bool, seed: int
) -> None:
    lengths = list(np.random.default_rng(seed).integers(1, T + 1, B)) if ragged else None
    loss, _ = by_module(kind, T, 2, B, layers=layers, bidirectional=both, lengths=lengths, seed=seed)
    check_equation(loss)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_jacobians_and_their_products_are_those_of_dynamics(kind: str) -> None:
    cell = getattr(tr.nn, f"{kind}Cell")(2, 3, rng=0, dtype="float64")
    x = np.random.default_rng(0).normal(size=(6, 4, 2))
    with tr.unrolled():
        _, ys = tr.scan(cell.step, cell.initial_state(4), tr.tensor(x))
        steps = read((ys**2).mean())[2]
    expected = tr.dynamics.step_jacobians(cell, x)
    products = tr.dynamics.jacobian_products(cell, x, pairs=[(6, k) for k in range(6, 0, -1)])
    assert len(steps) == 6
    assert {step.rows for step in steps} == {4}
    for k, step in enumerate(steps):
        if k == 0:
            assert step.jacobian is None
            continue
        assert step.jacobian is not None
        assert step.product is not None
        close(step.jacobian.matrix, expected[6 - k, 0])
        close(step.product.largest, products.log10_singular_values[k, 0, 0])
        close(step.product.smallest, products.log10_singular_values[k, 0, -1])


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_compiled_model_is_opened_into_the_same_cells(kind: str) -> None:
    net = getattr(tr.nn, kind)(2, 3, num_layers=2, bidirectional=True, rng=0, dtype="float64")
    x = tr.tensor(np.random.default_rng(1).normal(size=(4, 2, 2)), dtype="float64")
    compiled = (net(x)[0] ** 2).mean()
    with tr.unrolled():
        written = (net(x)[0] ** 2).mean()
    found: list[Any] = []
    for loss in (compiled, written):
        run, labels, steps = read(loss)
        cells = level_of("cell", run.nodes, labels.graph, labels)
        # What does not change in the loop is computed before it, and is a part of its own.
        found.append(([(part.label, part.layer) for part in cells.parts if part.kind == "cell"], steps))
    assert len(found[0][1]) == len(found[0][0]) == 4 * 4
    assert found[0][0] == found[1][0]
    for mine, other in zip(found[0][1], found[1][1], strict=True):
        close(np.concatenate(mine.delta), np.concatenate(other.delta))
        assert (mine.product is None) == (other.product is None)
        if mine.product is not None and other.product is not None:
            close(mine.product.matrix, other.product.matrix)


def test_a_cut_is_said_and_nothing_comes_through_it() -> None:
    steps = check_equation(by_hand(T=5, detach={3})[0])
    assert [step.cut for step in steps] == [False, False, True, False, False]
    assert not any(g.any() for g in steps[2].through)


def test_what_skips_a_step_is_a_term_of_its_own() -> None:
    w = tr.tensor([[0.5]], requires_grad=True, dtype="float64")
    with tr.unrolled():
        h, older = tr.tensor([[1.0]]).astype("float64"), tr.zeros((1, 1), dtype="float64")
        for t in range(4):
            with tr.scope(step=t):
                h, older = tr.tanh(h @ w) + 0.3 * older, h
                h.name = "h"
        loss = (h * h).sum()
    steps = check_equation(loss)
    assert any(g.any() for step in steps for g in step.beyond)


def test_rows_that_the_step_mixes_have_one_jacobian() -> None:
    w = tr.tensor(np.eye(2) * 0.5, requires_grad=True)
    with tr.unrolled():
        h = tr.tensor(np.ones((3, 2)))
        for t in range(3):
            with tr.scope(step=t):
                h = tr.tanh(h @ w - h.mean(axis=0))
        loss = (h[0] ** 2).sum()
    steps = check_equation(loss)
    assert {step.rows for step in steps} == {1}
    assert steps[1].jacobian is not None
    assert steps[1].jacobian.matrix.shape == (6, 6)


def test_a_state_that_is_large_has_no_jacobian_but_its_equation() -> None:
    steps = check_equation(by_module("RNN", T=2, H=200, B=1)[0])
    assert all(step.jacobian is None for step in steps)


@pytest.mark.parametrize("name", STEPPED)
def test_parts_are_all_operations_once_and_cells_are_those_of_the_picture(name: str) -> None:
    run = replay(MODELS[name]())
    labels = Labels(run.root, run.nodes)
    operations = [node for node in run.nodes if node.primitive is not None]
    for level in (level_of(each, run.nodes, labels.graph, labels) for each in COARSE):
        members = [node for part in level.parts for node in part.members]
        assert sorted(members, key=lambda n: n.order) == sorted(operations, key=lambda n: n.order)
        assert len(members) == len(set(members))
        names = [part.label for part in level.parts]
        assert len(names) == len(set(names))
        assert not [n for n in names if re.search(r"\bL L", n)]  # a loop's loss
        for i, part in enumerate(level.parts):
            assert part.main in part.members
            times = {labels.step[node] for node in part.members}
            assert len(times) == 1, (part.label, times)
            assert i not in level.sources(i)
    cells = level_of("cell", run.nodes, labels.graph, labels)
    for layer in labels.graph.layers:
        mine = {
            (r.group, r.step)
            for r in labels.graph.records
            if r.unit == layer.name and r.step is not None and r.op
        }
        found = {
            cells.of[r.node]
            for r in labels.graph.records
            if r.unit == layer.name and r.step is not None and r.op
        }
        assert len(found) == len(mine)
    assert len(cells.parts) < len(operations) * 0.8


@pytest.mark.parametrize("name", ["bidirectional", "encoder_decoder", "replay", "custom_cell"])
def test_what_parts_send_sums_up_to_the_gradients(name: str) -> None:
    run = replay(MODELS[name]())
    data = page_data(run, Labels(run.root, run.nodes))
    for told in data["levels"]:
        sums = {(part, n) for part, n, _ in told["sums"]}
        sent: dict[tuple[int, int], int] = {}
        for record in data["records"]:
            part, source = (
                told["of"][record["node"]],
                data["nodes"][record["node"]]["inputs"][record["position"]],
            )
            if told["of"][source] != part:
                sent[part, source] = sent.get((part, source), 0) + 1
        assert sums == {key for key, many in sent.items() if many > 1}
    assert {row["part"] for row in data["bptt"]} <= set(range(len(data["levels"][0]["parts"])))


def sources_by_name(level: Level, labels: Labels) -> dict[str, list[str]]:
    return {
        part.label: [level.parts[s].label if isinstance(s, int) else labels.text[s] for s in level.sources(i)]
        for i, part in enumerate(level.parts)
        if level.shown(i)
    }


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_cell_reads_the_cells_below_it_at_its_step(kind: str, both: bool, batch_first: bool) -> None:
    net = getattr(tr.nn, kind)(
        2, 3, num_layers=3, bidirectional=both, batch_first=batch_first, rng=0, dtype="float64"
    )
    with tr.unrolled():
        y, _ = net(tr.randn(4, 4, 2, rng=0, dtype="float64"))
        first, last = (y[:, 0], y[:, -1]) if batch_first else (y[0], y[-1])
        loss = ((first + last) ** 2).sum()
    run = replay(loss)
    labels = Labels(run.root, run.nodes)
    names = sources_by_name(level_of("cell", run.nodes, labels.graph, labels), labels)
    face = "LSTM (h, c)" if kind == "LSTM" else f"{kind} h"
    ends = ["", "_reverse"] if both else [""]
    for t, index in enumerate("₁₂₃₄"):
        for layer in (1, 2):
            below = [f"l{layer - 1}{end} {face}{index}" for end in ends]
            for end in ends:
                found = names[f"l{layer}{end} {face}{index}"]
                others = [name for name in found if f"l{layer}{end} " not in name and "0." not in name]
                assert [name for name in others if " " in name] == below, (t, layer, found)
    assert not [name for name in names if "stack" in name or "concatenate" in name]
    assert sorted(names["L"]) == sorted(f"l2{end} {face}{index}" for end in ends for index in "₁₄")


def test_what_changes_a_sequence_as_a_whole_stays_a_part() -> None:
    lower, upper = tr.nn.RNN(2, 3, rng=0), tr.nn.RNN(3, 3, rng=1)
    with tr.unrolled():
        loss = (upper(lower(tr.randn(3, 1, 2, rng=0))[0] * 2.0)[0][-1] ** 2).sum()
    run = replay(loss)
    labels = Labels(run.root, run.nodes)
    names = sources_by_name(level_of("cell", run.nodes, labels.graph, labels), labels)
    assert "multiply" in names
    assert all(f"l0 RNN h{index}" in names["multiply"] for index in "₁₂₃")
    assert "multiply" in names["l0_2 RNN h₂"]
