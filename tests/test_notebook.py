"""What objects print as, as text and in a notebook; the notebook is executed, and opened in a browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr

ROOT = Path(__file__).parent.parent


# --- as text ----------------------------------------------------------------------------------------------
def test_a_plan_prints_as_it_reads() -> None:
    plan = tr.explain(tr.nn.LSTM(2, 3), tr.zeros((5, 1, 2)))
    assert repr(plan) == str(plan)
    assert repr(plan).startswith("scan l0, 5 steps\nforward: 10 NumPy calls per step\n")
    assert repr(plan.scans[0].forward) == str(plan.scans[0].forward)
    assert repr(tr.explain(lambda: None)) == "no scan with a gradient was compiled in this call"


def test_truncated_bptt_prints_as_its_call() -> None:
    assert repr(tr.TruncatedBPTT(5)) == "TruncatedBPTT(k1=5, k2=5)"
    assert repr(tr.TruncatedBPTT(5, 10, batch_axis=0)) == "TruncatedBPTT(k1=5, k2=10, batch_axis=0)"
    windows = tr.TruncatedBPTT(5, 10).windows(np.zeros((12, 1, 2)))
    assert repr(windows) == "<3 windows of truncated BPTT>"
    assert repr(next(windows)) == "Window(replay_start=0, start=0, stop=5)"


def schedules(optimizer: Any) -> dict[str, Any]:
    o = tr.optim
    return {
        "StepLR(step_size=2, gamma=0.1): epoch 0, lr 0.5": lambda: o.StepLR(optimizer, 2),
        "ExponentialLR(gamma=0.9): epoch 0, lr 0.5": lambda: o.ExponentialLR(optimizer, 0.9),
        "CosineAnnealingLR(T_max=9, eta_min=0.0): epoch 0": lambda: o.CosineAnnealingLR(optimizer, 9),
        "LinearLR(start_factor=0.5, end_factor=1.0, total_iters=5): epoch 0, lr 0.25": lambda: o.LinearLR(
            optimizer, 0.5
        ),
        "LambdaLR(lr_lambda='half'): epoch 0, lr 0.25": lambda: o.LambdaLR(optimizer, half),
        "ReduceLROnPlateau(mode='max', factor=0.1, patience=10,": lambda: o.ReduceLROnPlateau(
            optimizer, "max"
        ),
        "SequentialLR(schedulers=[<StepLR(step_size=1, gamma=0.1): epoch 0, lr 0.5>, "
        "<StepLR(step_size=2, gamma=0.1): epoch 0, lr 0.5>], milestones=[3]): epoch 0, lr 0.5": lambda: (
            o.SequentialLR(optimizer, [o.StepLR(optimizer, 1), o.StepLR(optimizer, 2)], [3])
        ),
    }


def half(epoch: int) -> float:
    return 0.5


@pytest.mark.parametrize("k", range(7))
def test_schedules_print_what_they_are_and_where(k: int) -> None:
    optimizer = tr.optim.SGD([tr.ones(2)], lr=0.5)
    text, make = list(schedules(optimizer).items())[k]
    schedule = make()
    assert repr(schedule).startswith("<" + text)
    schedule.step(1.0) if k == 5 else schedule.step()
    assert "epoch 1, lr " in repr(schedule)


def test_a_schedule_of_ones_own_prints_too() -> None:
    class Root(tr.optim.LRScheduler):
        def __init__(self, optimizer: Any, power: float) -> None:
            self.power = power
            super().__init__(optimizer)

        def decay(self, epoch: int) -> float:
            return (1 + epoch) ** -self.power

    assert repr(Root(tr.optim.SGD([tr.ones(2)], lr=1.0), 0.5)) == "<Root(power=0.5): epoch 0, lr 1>"


# --- as HTML ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (1.5, ["tensor () float64", "<td>1.5</td>"]),
        ([True, False], ["tensor (2,) bool", "<td>True</td><td>False</td>"]),
        (np.zeros((0, 3)), ["tensor (0, 3) float64", "[]"]),
        (np.arange(300).reshape(1, 300), ["<td>3</td><td>…</td><td>296</td>"]),
        (np.ones((2, 2, 2)), ["<pre>[[[1. 1.]"]),
        ([[np.nan, -np.inf]], ["<td>nan</td><td>-inf</td>"]),
    ],
)
def test_tensors_of_all_kinds(data: Any, shown: list[str]) -> None:
    html = tr.Tensor(np.asarray(data))._repr_html_()
    for text in shown:
        assert text in html


def test_no_name_is_taken_for_html() -> None:
    w = tr.tensor([1.0], requires_grad=True)
    w.name = "<script>alert(1)</script>"
    assert "<script>" not in w._repr_html_()


CELLS = [
    "import numpy as np, tinyrnn as tr",
    "w = tr.tensor([[0.25, -1.0], [2.0, 3.5]], requires_grad=True)\nw.name = 'w'\n"
    "(w * w).sum().backward()\nw",
    "model = tr.nn.Sequential(tr.nn.Linear(2, 8), tr.nn.Linear(8, 1))\nmodel",
    "plan = tr.explain(tr.nn.GRU(2, 3), tr.zeros((5, 1, 2)))\nplan",
    "optimizer = tr.optim.Adam(model.parameters())\ntr.optim.StepLR(optimizer, 10)",
    "tr.zeros((50, 30))",
]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the notebook's own packages
def test_a_notebook_shows_them(browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    nbconvert = pytest.importorskip("nbconvert")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    html, _ = nbconvert.HTMLExporter(template_name="basic").from_notebook_node(notebook)
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><title>t</title>{html}", encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    tables = page.locator("table")
    captions = page.locator("caption").all_inner_texts()
    (scan,) = tr.explain(tr.nn.GRU(2, 3), tr.zeros((5, 1, 2))).scans
    calls = [f"{p.title}: {p.calls_per_step} NumPy calls per step" for p in (scan.forward, scan.backward)]
    assert captions == [
        "w (2, 2) float32", "gradient, norm 8.322, (2, 2) float32", "Sequential(): 33 parameters",
        *calls, "tensor (50, 30) float32",
    ]  # fmt: skip
    assert [cell.inner_text() for cell in tables.nth(1).locator("td").all()] == ["0.5", "-2", "4", "7"]
    assert tables.nth(2).locator("tr").nth(1).locator("td").all_inner_texts()[:3] == [
        "0.weight", "Linear", "(8, 2)",
    ]  # fmt: skip
    assert "in the loop, at each step" in tables.nth(3).inner_text()
    assert "<StepLR(step_size=10, gamma=0.1): epoch 0, lr 0.001>" in page.locator("body").inner_text()
    assert tables.nth(5).locator("tr").count() == 9
    if kept := os.environ.get("TINYRNN_KEEP_PAGES"):
        page.screenshot(path=f"{kept}/notebook.png", full_page=True)
    page.close()
