"""The loop as code: in plain Python and compiled by Numba, it gives what NumPy's calls give."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scan_cells
from scan_forms import assert_same, run

import tinyrnn as tr
from tinyrnn.recurrence import backend, code
from tinyrnn.recurrence.running.native import compilation

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "reverse": {"reverse": True},
    "lengths": {"lengths": np.array([9, 4])},
    "segment": {"segment": 4},
}
BACKENDS = ("python", "numba")


def by_backend(name: str, which: str, batch: int = 2, **options: Any) -> None:
    """A cell gives the same on a backend and recorded."""
    case = scan_cells.case(name, batch=batch)
    expected = run("unrolled", case.make, case.params, case.carry, case.xs, **options)
    with tr.backend(which):
        assert_same(run("compiled", case.make, case.params, case.carry, case.xs, **options), expected)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", scan_cells.ALL)
def test_the_source_as_plain_python(name: str, options: str) -> None:
    by_backend(name, "python", **OPTIONS[options])


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", scan_cells.ALL)
def test_rows_enough_to_lie_in_columns(name: str, options: str) -> None:
    given = {**OPTIONS[options], **({"lengths": np.arange(1, 10)} if options == "lengths" else {})}
    by_backend(name, "python", batch=9, **given)


@pytest.mark.parametrize("batch", [2, 9])
@pytest.mark.parametrize("name", ["lstm", "gru", "peephole_lstm", "layer_norm_lstm", "attention_decoder"])
def test_the_source_compiled(name: str, batch: int) -> None:
    pytest.importorskip("numba")
    by_backend(name, "numba", batch=batch)


@pytest.mark.parametrize(("which", "dtype"), [("python", "float32"), ("numba", "float32")])
def test_single_precision(which: str, dtype: str) -> None:
    if which == "numba":
        pytest.importorskip("numba")
    tr.manual_seed(0)
    rnn = tr.nn.LSTM(3, 5)
    x = tr.randn(7, 2, 3)

    def training_step() -> list[Any]:
        rnn.zero_grad()
        y, _ = rnn(x)
        (y * y).sum().backward()
        return [y.data, *(p.grad.data for p in rnn.parameters())]

    expected = training_step()
    with tr.backend(which):
        found = training_step()
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=3e-6, atol=3e-6 * np.abs(b).max())


def test_second_derivatives() -> None:
    case = scan_cells.case("gru", steps=4)

    def curvature() -> Any:
        params = {k: tr.tensor(v, requires_grad=True) for k, v in case.params.items()}
        _, ys = tr.scan(case.make(params), tr.tensor(case.carry), tr.tensor(case.xs))
        (g,) = tr.grad((ys * ys).sum(), params["U"], create_graph=True)
        return tr.grad((g * g).sum(), params["W"])[0].data

    expected = curvature()
    with tr.backend("python"):
        np.testing.assert_allclose(curvature(), expected, rtol=1e-10)


def test_the_plan_shows_the_function_and_says_what_ran() -> None:
    tr.manual_seed(0)
    with tr.backend("python"):
        plan = tr.explain(tr.nn.LSTM(2, 3), tr.zeros((5, 1, 2))).scans[0]
    assert plan.forward.runs == "as Python code"
    compile(plan.forward.source, "<plan>", "exec")
    assert "for t in range(steps):" in plan.forward.source
    assert "for t in range(steps - 1, -1, -1):" in plan.backward.source
    assert plan.forward.source.count("sigmoid32(") + plan.forward.source.count("tanh32(") >= 4


def test_what_is_not_known_stays_with_numpy() -> None:
    def step(h: Any, x: Any) -> Any:
        h = tr.sinc(h) + x
        return h, h

    h, xs = tr.ones((2, 3)), tr.randn(5, 2, 3, requires_grad=True)
    expected = tr.scan(step, h, xs)[1].data
    with tr.backend("python"), warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(tr.scan(step, h, xs)[1].data, expected)
        plan = tr.scan.plan(step, h, xs).scans[0]
    assert "sinc" in plan.forward.runs
    assert plan.forward.source == ""


def test_auto_compiles_what_has_run_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr(code, "AFTER", 0.0)
    tr.manual_seed(0)
    rnn, x = tr.nn.RNN(2, 5), tr.randn(6, 3, 2)

    def training_step() -> tuple[Any, str]:
        plan = tr.explain(lambda: results.append(rnn(x)[0].data)).scans[0]
        return results[-1], plan.forward.runs

    results: list[Any] = []
    with tr.backend("auto"):
        first, runs = training_step()
        assert runs == "as calls of NumPy: it is being compiled"
        until = time.monotonic() + 100
        while runs != "as code compiled by Numba" and time.monotonic() < until:
            time.sleep(0.05)
            last, runs = training_step()
    assert runs == "as code compiled by Numba"
    np.testing.assert_allclose(last, first, rtol=2e-6, atol=1e-6)


def test_a_failing_compiler_leaves_the_loop_to_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("no machine code today")

    monkeypatch.setattr(compilation.Compiler, "compile", fail)
    rnn, x = tr.nn.RNN(2, 7), tr.randn(6, 3, 2)
    expected = rnn(x)[0].data
    with tr.backend("numba"):
        np.testing.assert_array_equal(rnn(x)[0].data, expected)
        assert "no machine code today" in tr.explain(rnn, x).scans[0].forward.runs


def test_what_ends_the_compiling_process_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And the next loop is compiled by another process."""
    pytest.importorskip("numba")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    cell = "def loop(steps, x):\n    for t in range(steps):\n        x[t] = float32({})\n"
    with monkeypatch.context() as broken:
        broken.setattr(compilation, "_PROGRAM", "raise SystemExit('nothing to compile with')")
        compilation._worker.compiler.end()
        with pytest.raises(RuntimeError, match="the compiling process ended: nothing to compile with"):
            compilation.Compilation(cell.format(1), ("float32",)).wait()
    x = np.zeros(3, np.float32)
    for killed in (False, True):
        if killed:
            process = compilation._worker.compiler._process
            assert process is not None
            process.kill()
            process.wait()
            with pytest.raises(RuntimeError, match="the compiling process ended: exit code -9"):
                compilation.Compilation(cell.format(3), ("float32",)).wait()
        loop = compilation.Compilation(cell.format(2 + killed), ("float32",)).wait()
        loop(2, loop.argument(x))
        np.testing.assert_array_equal(x, [2 + killed] * 2 + [0])


def test_machine_code_is_kept_on_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is not whole there is compiled anew, and nothing is read from where others may write."""
    pytest.importorskip("numba")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    text = "def loop(steps, x):\n    for t in range(steps):\n        x[t] = float64(t)\n"
    compiled: list[str] = []
    compile = compilation.Compiler.compile
    monkeypatch.setattr(
        compilation.Compiler, "compile", lambda self, *given: compiled.append("") or compile(self, *given)
    )

    def compilations() -> int:
        """How often it is compiled to be run once."""
        before, x = len(compiled), np.full(3, -1.0)
        loop = compilation.Compilation(text, ("float64",)).wait()
        loop(3, loop.argument(x))
        np.testing.assert_array_equal(x, [0, 1, 2])
        return len(compiled) - before

    assert [compilations(), compilations()] == [1, 0]
    (kept,) = (tmp_path / "tinyrnn" / "loops").iterdir()
    whole = kept.read_bytes()
    for content in (b"", whole[:-9], whole.replace(b"A", b"B"), b"\xff", b"[1]", b"x" * 65 + b"\n{}"):
        kept.write_bytes(content)
        assert [compilations(), compilations()] == [1, 0]
    if hasattr(os, "getuid"):
        kept.parent.chmod(0o777)
        assert [compilations(), compilations()] == [1, 1]


def test_modules_beside_the_users_own_are_not_taken_for_python_s(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    for name in ("types", "json", "numbers", "ast"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "train.py").write_text("""
import sys
here = sys.path.pop(0)
import tinyrnn as tr, numpy, json, types, numbers, ast, subprocess
sys.path.insert(0, here)
with tr.backend("numba"):
    print(tr.explain(tr.nn.RNN(2, 3), tr.zeros((5, 1, 2))).scans[0].forward.runs)
""")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kept"), "NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run(
        [sys.executable, str(tmp_path / "train.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (run.stdout, run.stderr) == ("as code compiled by Numba\n", "")


def test_backends_that_there_are_not() -> None:
    with pytest.raises(ValueError, match="expected 'auto', 'numpy', 'numba' or 'python'"):
        tr.set_backend("torch")
    with pytest.raises(TypeError, match="expected"):
        tr.backend(3)  # pyright: ignore


def test_a_choice_as_a_block_ends() -> None:
    before = backend.chosen_backend()
    with tr.set_backend("python") as choice:
        assert (backend.chosen_backend(), choice.before) == ("python", before)
        with pytest.raises(ValueError, match="name is 'torch'"), tr.set_backend("torch"):
            pass
        assert backend.chosen_backend() == "python"
    assert backend.chosen_backend() == before


def test_an_inner_choice_ends() -> None:
    outer = backend.chosen_backend()
    with tr.backend("python"):
        assert backend.chosen_backend() == "python"
        with tr.backend("numpy"):
            assert backend.chosen_backend() == "numpy"
        assert backend.chosen_backend() == "python"
    assert backend.chosen_backend() == outer


def test_values_may_have_any_name() -> None:
    """Those of loop variables and functions too."""

    def step(h: Any, x: Any) -> Any:
        for name in ("i", "t", "total", "steps", "dot", "tanh32", "h s", "é", "class", "1"):
            h = tr.tanh(h + x)
            h.name = name
        return h, h.sum(axis=-1)

    h, xs = tr.ones((2, 3)), tr.randn(5, 2, 3, requires_grad=True)
    expected = [leaf.data for leaf in tr.scan(step, h, xs)]
    with tr.backend("python"):
        plan = tr.scan.plan(step, h, xs).scans[0]
        assert plan.forward.runs == "as Python code"
        for a, b in zip(tr.scan(step, h, xs), expected, strict=True):
            np.testing.assert_allclose(a.data, b, rtol=3e-6)
