"""Plots: every public result of `tr.dynamics` has one, which shows its numbers, also the awkward ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr
from tinyrnn.draw.plots import axes as shared
from tinyrnn.draw.style import THEMES

pytest.importorskip("matplotlib")
D, P = tr.dynamics, tr.draw
T, B, H = 12, 4, 5
X, Y = np.random.default_rng(0).normal(size=(T, B, 2)), np.random.default_rng(1).normal(size=(B, H))


class Last(tr.nn.Module):
    """The last output of a layer."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def forward(self, x: Any) -> Any:
        return self.layer(x)[0][-1]


def layer(name: str = "LSTM", **options: Any) -> Any:
    return getattr(tr.nn, name)(2, H, rng=0, dtype="float64", **options)


def watch(updates: int = 2, every: int = 1, steps: int = T) -> Any:
    model = Last(layer())
    watched = D.watch(model, every=every)
    for _ in range(updates):
        with watched:
            tr.nn.mse_loss(model(X[:steps]), Y).backward()
    return watched


def flow() -> Any:
    with tr.unrolled():
        y, _ = layer()(X)
        losses = {t: (y[t] ** 2).sum() for t in range(T)}
        total = sum(losses.values())
    return D.gradient_flow(total, losses)


def drawn(axes: Any) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # pyright: ignore[reportMissingImports]

    FigureCanvasAgg(axes.figure).draw()  # raises where a label or a number cannot be drawn
    return axes


W = layer("RNN").weight_hh_l0
# For each public function its result, drawn.
PLOTS: dict[str, Callable[[], Any]] = {
    "step_jacobians": lambda: P.plot_step_jacobians(D.step_jacobians(layer(), X)),
    "carry_parts": lambda: P.plot_step_jacobians(
        D.step_jacobians(layer(), X), D.carry_parts(layer().l0.initial_state(B)), row=2
    ),
    "gate_jacobians": lambda: P.plot_gate_jacobians(D.gate_jacobians(layer(), X)),
    "gate_values": lambda: P.plot_gate_values(D.gate_values(layer(), X)),
    "jacobian_products": lambda: P.plot_jacobian_products(D.jacobian_products(layer(), X)),
    "log10_bound": lambda: P.plot_jacobian_products(
        D.jacobian_products(layer("RNN"), X), D.log10_bound(W, np.arange(T, -1, -1))
    ),
    "spectral_norm": lambda: P.plot_spectrum(W),
    "spectral_radius": lambda: P.plot_spectrum(W),
    "lyapunov_exponents": lambda: P.plot_lyapunov_exponents(D.lyapunov_exponents(layer(), X)),
    "perturb": lambda: P.plot_perturbation(D.perturb(layer(), X, None, 1e-6)),
    "gradient_flow": lambda: P.plot_gradient_flow(flow()),
    "watch": lambda: P.plot_watch(watch()),
    "diagnose": lambda: P.plot_diagnosis(D.diagnose(Last(layer()), (X, Y))),
    "diagnose_watch": lambda: P.plot_diagnosis(D.diagnose_watch(watch())),
}
# What a result holds besides, drawn.
FIELDS: dict[str, Callable[[], Any]] = {
    "GradientFlow.states": lambda: P.plot_gradient_norms(flow().states),
    "GradientFlow.gates": lambda: P.plot_gates(flow().gates),
    "GradientFlow.weights": lambda: P.plot_weight_shares(flow().weights),
    "GradientFlow.pairs": lambda: P.plot_gradient_table(next(iter(flow().pairs.values()))),
}
LEARNERS = {"RTRL", "SnAp1", "UORO"}  # what they give is a parameter's gradient


@pytest.mark.parametrize("name", [*PLOTS, *FIELDS])
def test_every_public_result_has_a_plot(name: str) -> None:
    axes = drawn({**PLOTS, **FIELDS}[name]())
    assert axes.get_xlabel()
    assert axes.lines or axes.images
    for text in [*axes.get_xticklabels()]:
        if "step" in axes.get_xlabel():
            float(text.get_text().replace("−", "-"))
            assert "." not in text.get_text()  # steps are whole numbers
    box = axes.get_legend()
    if box is not None:  # outside: under what is drawn, and under the name of the axis
        assert box.get_window_extent().y1 <= axes.xaxis.label.get_window_extent().y0


def test_none_is_forgotten() -> None:
    public = {name for name in D.__all__ if not inspect.isclass(getattr(D, name))}
    assert public == set(PLOTS)
    plots = {name for name in P.__all__ if name.startswith("plot_")}
    source = inspect.getsource(inspect.getmodule(watch))  # pyright: ignore[reportArgumentType]
    assert all(f"P.{name}(" in source for name in plots)
    results = {type(r).__name__ for r in (flow(), watch(), D.diagnose(Last(layer()), (X, Y)))}
    held = {"StateFlow", "GateShares", "Finding", "JacobianProducts", "Perturbation"}
    classes = {name for name in D.__all__ if inspect.isclass(getattr(D, name))}
    assert classes == results | held | LEARNERS
    assert set(FIELDS) == {f"GradientFlow.{f}" for f in D.GradientFlow.__dataclass_fields__} - {
        "GradientFlow.carried"  # plot_diagnosis
    }


# --- the numbers --------------------------------------------------------------------------------------------
def test_lines_show_the_numbers() -> None:
    J = D.step_jacobians(layer(), X)
    axes = P.plot_step_jacobians(J, row=1)
    norms = np.log10(np.linalg.norm(J[:, 1], 2, axis=(-2, -1)))
    (line,) = (line for line in axes.lines if line.get_label() == "norm")
    np.testing.assert_allclose(line.get_ydata(), norms)
    np.testing.assert_array_equal(line.get_xdata(), np.arange(1, T + 1))  # x_1 leads to h_1
    part = D.carry_parts(layer().l0.initial_state(B))
    axes = P.plot_step_jacobians(J, part, row=1)
    (line,) = (line for line in axes.lines if line.get_label() == "∂c/∂h")
    block = J[:, 1, part["c"], part["h"]]
    np.testing.assert_allclose(line.get_ydata(), np.log10(np.linalg.norm(block, 2, axis=(-2, -1))))
    parts = D.gate_jacobians(layer(), X)
    axes = P.plot_gate_jacobians(parts, row=1)
    assert [line.get_label() for line in axes.lines if line.get_label() in parts] == list(parts)
    (line,) = (line for line in axes.lines if line.get_label() == "all together")
    np.testing.assert_allclose(line.get_ydata(), norms, rtol=1e-10)
    products = D.jacobian_products(layer(), X)
    axes = P.plot_jacobian_products(products, np.zeros(len(products.pairs)))
    (line,) = (line for line in axes.lines if line.get_label() == "norm")
    order = np.argsort(products.pairs[:, 0] - products.pairs[:, 1])
    np.testing.assert_allclose(line.get_ydata(), products.log10_norm[order, 0])
    change = D.perturb(layer(), X, None, 1e-6)
    axes = P.plot_perturbation(change, row=1)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), change.log10_actual[:, 1])
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), np.arange(T + 1))  # h_0 is what was changed
    exponents = D.lyapunov_exponents(layer(), X)
    np.testing.assert_allclose(P.plot_lyapunov_exponents(exponents).lines[2].get_ydata(), exponents[2])
    state = flow().states["l0.h"]
    np.testing.assert_allclose(P.plot_gradient_norms(state).lines[0].get_ydata(), np.log10(state.norm))
    verdict = D.diagnose(Last(layer()), (X, Y))
    (carried,) = verdict.flow.carried.values()
    np.testing.assert_allclose(P.plot_diagnosis(verdict).lines[0].get_ydata(), np.log10(carried))
    axes = P.plot_spectrum(W)
    values = np.linalg.eigvals(W.numpy())
    np.testing.assert_allclose(np.sort(axes.lines[-1].get_xdata()), np.sort(values.real))


def test_tables_show_the_numbers_on_the_scale_of_the_drawings() -> None:
    found = flow()
    axes = P.plot_gradient_flow(found)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(found.states)
    norms = np.stack([state.norm for state in found.states.values()])
    np.testing.assert_allclose(axes.images[0].get_array(), np.log10(norms))
    low = axes.images[0].cmap(0.0)
    assert tuple(round(255 * c) for c in low[:3]) == tuple(bytes.fromhex(THEMES["light"].ramp[0][1:]))
    axes = P.plot_gate_values(D.gate_values(layer(), X), row=1)
    f = D.gate_values(layer(), X)["f"]
    np.testing.assert_allclose(axes.images[0].get_array()[H : 2 * H], f[:, 1].T)
    shares = P.plot_weight_shares(found.weights).images[0].get_array()
    np.testing.assert_allclose(shares[0], next(iter(found.weights.values())))
    table = np.array([[1.0, 0.0], [np.inf, np.nan]])
    axes = drawn(P.plot_gradient_table(table))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["exactly 0", "infinite", "none"]
    colours = axes.images[0].to_rgba(axes.images[0].get_array())
    assert len({tuple(c) for c in colours.reshape(4, 4)}) == 4


def test_the_gradient_map_names_layers_and_directions_and_shows_those_that_are_chosen() -> None:
    net = tr.nn.GRU(2, 3, num_layers=2, bidirectional=True, rng=0)
    found = D.gradient_flow((net(np.ones((5, 1, 2)))[0][2] ** 2).mean())

    def rows(**options: str) -> list[str]:
        axes = drawn(P.plot_gradient_flow(found, **options))
        ticks = [t for t in axes.get_xticks() if 0.5 <= t <= 5.5]
        assert ticks == [round(t) for t in ticks]
        assert min(ticks) >= 1
        assert axes.images[0].get_array().shape == (len(axes.get_yticks()), 5)
        box = axes.get_legend() and axes.get_legend().get_window_extent()
        assert box is None or not box.overlaps(axes.get_window_extent())
        return [label.get_text() for label in axes.get_yticklabels()]

    assert rows() == ["l0.h →", "l0_reverse.h ←", "l1.h →", "l1_reverse.h ←"]
    assert rows(layer="l1") == ["l1.h →", "l1_reverse.h ←"]
    assert rows(direction="reverse") == ["l0_reverse.h ←", "l1_reverse.h ←"]
    assert rows(layer="l0.h") == rows(layer="l0", direction="forward") == ["l0.h →"]
    with pytest.raises(ValueError, match=r"no state has layer='l2'.* of l0\.h \(forward\), l0_reverse"):
        P.plot_gradient_flow(found, layer="l2")


def test_a_run_that_was_watched_counts_its_updates() -> None:
    watched = watch(updates=41, every=20)
    axes = drawn(P.plot_watch(watched))
    assert axes.images[0].get_array().shape == (3, T)
    assert axes.images[0].get_extent() == pytest.approx([0.5, T + 0.5, 51, -9])  # updates 1, 21 and 41
    assert axes.get_ylabel() == "update"
    shorter = watch(updates=1)
    shorter.flows += watch(updates=1, steps=7).flows
    axes = drawn(P.plot_watch(shorter, "layer.l0.c"))
    assert axes.get_xlabel() == "steps before the last, of layer.l0.c"
    assert np.isnan(np.ma.filled(axes.images[0].get_array(), np.nan)[1, : T - 7]).all()


# --- awkward ------------------------------------------------------------------------------------------------
def test_one_step_one_unit_and_nothing_but_zeros_are_drawn() -> None:
    one = np.full((1, 1, 1, 1), 0.5)
    for axes in (
        P.plot_step_jacobians(one),
        P.plot_step_jacobians(0 * one),
        P.plot_step_jacobians(np.inf * one),
        P.plot_gate_jacobians({"direct": 0 * one}),
        P.plot_gradient_table([[0.0]]),
        P.plot_gate_values({"f": np.zeros((1, 1, 1))}),
        P.plot_gate_values({"f": np.zeros((3, 2))}, row=None),
        P.plot_gates({"f": D.GateShares(np.zeros(4), np.zeros(4))}),
        P.plot_lyapunov_exponents([[-np.inf, 0.1]]),
        P.plot_gradient_norms(D.StateFlow(np.arange(2), np.array([0.0, np.inf]))),
        P.plot_spectrum([[0.0]]),
    ):
        drawn(axes)


def test_what_cannot_be_plotted_is_said() -> None:
    products, change = D.jacobian_products(layer(), X), D.perturb(layer(), X, None, 1e-6)
    cases: list[tuple[Callable[[], Any], str]] = [
        (lambda: P.plot_perturbation(change, row=99), "row is 99; expected 0 to 3"),
        (
            lambda: P.plot_step_jacobians(np.ones((2, 3, 4))),
            r"\(2, 3, 4\); expected \(T, B, S, S\)",
        ),
        (lambda: P.plot_jacobian_products(products, [1.0]), r"bound has shape \(1,\); expected \(13,\)"),
        (lambda: P.plot_watch(watch(), "l9.h"), "state is 'l9.h'; expected one of 'layer.l0.h'"),
        (lambda: P.plot_watch(D.watch(layer())), "nothing was watched yet"),
        (lambda: P.plot_diagnosis(D.diagnose_watch(D.watch(layer()))), "nothing was measured: no update"),
        (lambda: P.plot_gates({}), "there are no gates"),
        (lambda: P.plot_weight_shares({}), "there are no weights"),
        (lambda: P.plot_spectrum(np.ones((2, 3))), r"W has shape \(2, 3\); expected \(n, n\)"),
        (lambda: P.plot_gradient_table(np.ones(3)), r"table has shape \(3,\)"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()
    for call in (
        P.plot_watch,
        P.plot_diagnosis,
        P.plot_perturbation,
        P.plot_gradient_flow,
        P.plot_gradient_norms,
    ):
        with pytest.raises(TypeError, match=rf"{call.__name__}: \w+ is 3 \(int\); expected"):
            call(3)


def test_no_matplotlib_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "tinyrnn\[plot\]"'):
        shared.new_axes(None)


def test_of_many_lines_no_two_look_alike() -> None:
    outputs, _ = tr.nn.RNN(2, 3, rng=0)(np.ones((4, 1, 2)))
    state = tr.dynamics.gradient_flow((outputs[-1] ** 2).mean()).states["l0.h"]
    axes = tr.draw.plot_gradient_norms({f"run {i}": state for i in range(24)})
    assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == 24
