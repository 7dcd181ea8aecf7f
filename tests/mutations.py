# ruff: noqa: E501
"""Mutations: one small fault at a time in a copy of the package, and whether the tests of that part see it.

    python tests/mutations.py [--copy DIRECTORY] [--limit SECONDS] [WORD ...]

With words, only those whose file or text has one of them. A fault that no test can see, since the result is
the same, stands in the table with the reason. Each takes up to a minute.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
OPS = "engine_ops", "numpy_functions", "numpy_degenerate", "activations", "misuse_engine"
TAPE = "engine_tape", "engine_dtypes", "changed_values", "engine_ops", "numpy_protocol", "misuse_engine"
SCAN = (
    "scan_cache", "scan_trust", "scan_lengths", "scan_second_order", "scan_semantics", "scan_random",
    "scan_plan", "scan_fallback", "scan_streaming", "random_cells",
)  # fmt: skip
BPTT = "truncated_bptt", "truncated_oracle"


class Mutation(NamedTuple):
    """What is replaced in which file, the tests to run, and why nobody can tell, where nobody can."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    equal: str = ""


def of(room: str, tests: tuple[str, ...], *faults: tuple[str, ...]) -> list[Mutation]:
    return [
        Mutation(f"tinyrnn/{room}/{file}.py", old, new, tests, *reason) for file, old, new, *reason in faults
    ]


MUTATIONS = [
    *of(
        "autograd", OPS,
        ("primitives/elementwise", "logical_and(x >= low, x <= high)", "logical_and(x > low, x < high)"),
        ("primitives/elementwise", "where(x < low, g", "where(x <= low, g"),
        ("primitives/elementwise", "where(x > high, g", "where(x >= high, g"),
        ("primitives/elementwise", "gated(g, gated(b, a ** (b - 1)))", "gated(g, b * a ** (b - 1))"),
        ("primitives/elementwise", "log(where(equal(a, 0), 1.0, a))", "log(a)"),
        ("primitives/elementwise", "gated(g, 0.5 / ans)", "g * (0.5 / ans)"),
        ("primitives/elementwise", '"log", np.log, x=lambda g, x: gated(g, 1 / x)', '"log", np.log, x=lambda g, x: g / x'),
        ("primitives/elementwise", "near = absolute(z) < 0.5", "near = absolute(z) < 0"),
        ("primitives/elementwise", "math.copysign(math.inf, b) if", "math.inf if"),
        ("primitives/elementwise", "where(logical_or(a > b, isnan(b)), g", "where(a > b, g"),
        ("primitives/reductions", "_kept(g, x_shape, axis) / count", "_kept(g, x_shape, axis)"),
        ("primitives/reductions", "where(absolute(ans) < math.inf, ans, 0.0)", "ans"),
        ("primitives/reductions", "g - exp(ans) * sum(g, axis=axis, keepdims=True)", "g - exp(ans) * g"),
        ("primitives/reductions", "cumsum(g[..., ::-1])[..., ::-1]", "cumsum(g)[..., ::-1]"),
        ("primitives/reductions", "where(equal(ans, 0), math.inf, ans)", "ans"),
        ("forwards", "np.where(np.isfinite(top), top, np.zeros((), top.dtype))", "top"),
        ("forwards", "np.where(np.equal(upstream, 0), zero, np.multiply(upstream, slope))", "np.multiply(upstream, slope)"),
        ("forwards", 'mode="wrap"', 'mode="clip"'),
        ("forwards", "np.minimum(np.abs(x), 6.0)", "np.abs(x)"),
        ("shapes", "return (axis % ndim,)", "return (abs(axis),)"),
        ("shapes", "known and size % known == 0", "known"),
        ("functions/reductions", "x[n // 2 : n // 2 * 2]", "x[: n // 2]"),
        ("functions/differences", "step *= 2", "step *= 3"),
        ("functions/moving", "k %= 4", "pass"),
        ("functions/indexing", "np.zeros(int(bool(item)), np.intp)", "np.zeros(1, np.intp)"),
    ),
    *of(
        "autograd", TAPE,
        ("forwards", "np.add.at(buffer, full_index(index, arrays), g)", "buffer[full_index(index, arrays)] += g"),
        ("forwards", "elif not (owned and isinstance(total, np.ndarray)):", "elif False:"),
        ("backward", "for i, n in enumerate(shape, extra) if n == 1)", "for i, n in enumerate(shape, extra) if n == 1 and i > extra)"),
        ("backward", "elif source in owned:", "elif True:"),
        ("backward", "else np.array(g)", "else np.asarray(g)"),
        ("backward", "(-node.order, node) for node in gradients", "(node.order, node) for node in gradients"),
        ("backward", "if not retain:", "if retain:"),
        ("backward", "if node.order < suspicious:", "if node.order > suspicious:"),
        ("backward", "if output.size != 1:", "if output.size == 0:"),
        ("backward", "part = part.astype(source.dtype)", "pass"),
        ("changes", "owner = base if isinstance(base, np.ndarray) else owner", "owner = array"),
        ("changes", "change.order > order", "change.order < order"),
        ("operands", 'values[i].dtype.kind in "fiu"', 'values[i].dtype.kind in "f"'),
    ),
    *of(
        "recurrence", SCAN,
        ("compiler/program", '("slice", value.start, value.stop, value.step)', '("slice", value.start, value.stop)'),
        ("compiler/program", '("literal", type(value), repr(value))', '("literal", value)'),
        ("compiler/program", "key = (primitive, args, freeze(params))", "key = (primitive, args)"),
        ("compiler/trace", "tuple(repr(a[0]) if isinstance(a, tuple) else a for a in entry[1])", "tuple(a[0] if isinstance(a, tuple) else a for a in entry[1])"),
        ("compiler/trace", "(entry.shape, entry.dtype, entry.bound)", "(entry.shape, entry.bound)"),
        ("compiler/trace", "return _BOUND if np.dot(data, data) <= _BOUND**2 else math.inf", "return _BOUND"),
        ("traced", "tuple(self.carry_out), tuple(self.ys)", "tuple(self.carry_out)"),
        ("traced", "forms = (self.carry.tree, self.new, self.xs)", "forms = (self.carry.tree, self.xs)"),
        ("repeatable", '"STORE_ATTR", "STORE_SUBSCR"', '"STORE_ATTR"'),
        ("repeatable", "self._todo.append(np.random.mtrand._rand)", "pass"),
        ("scan", "x.data[lengths - 1, np", "x.data[lengths * 0, np"),
        ("loop", "t >= shortest", "t > shortest"),
        ("loop", ".data[None].copy())", ".data[None])"),
        ("tree", "set(like.keys) == structure.keys()", "True"),
        ("segments", "self.bounds = bounds[::-1] if reverse else bounds", "self.bounds = bounds"),
        ("segments", "totals = [a + b for a, b in zip(totals, sums, strict=True)] if totals else sums", "totals = sums"),
        ("segments", "[g[low:high] for g in y_grads]", "[g[: high - low] for g in y_grads]"),
        ("record", "reverse=not self.reverse", "reverse=self.reverse"),
        ("record", "k if k < first_sum else k + self.derivative.saved", "k"),
        ("record", "moved[k] = g\n            elif", "moved[k] = g * 1.5\n            elif"),
        ("compiled", "reverse=not reverse", "reverse=reverse"),
        ("compiler/connected", "while carried not in seen and len(order) < steps:", "while carried not in seen:"),
        ("compiler/connected", "order[first + (steps - first) % (len(order) - first)]", "order[first]"),
        ("compiler/rewrites", "if parts and may_meet(parts[1], args[1]):", "if parts:"),
        ("compiler/rewrites", "and lines[u].level == CARRY_GRAD and", "and"),
        ("compiler/rewrites", "if terms_meet(program, k1, k2):", "if True:"),
        ("compiler/rewrites", 'if dtype.kind != "f" or dtypes <= {dtype}:', "if dtypes <= {dtype}:", "integers promoted beforehand are the same"),
        ("compiler/rewrites", '.literal == 2 and lines[args[0]].dtype.kind == "f"', ".literal == 2"),
        ("compiler/rewrites", "if neutral and _same(program, b, shape, dtype) is not None:", "if neutral:"),
        ("compiler/rewrites", "if lines[k].shape in ((), lines[u].shape):", "if True:", "only where it is faster"),
        ("compiler/rewrites", 'tuple(inner.params["axes"][i] for i in axes)', "axes"),
        ("compiler/rewrites", "if a and b and is_absorbed(program, a[1]) and is_absorbed(program, b[1]):", "if a and b:"),
        ("compiler/ranges", "return sizes[0 if gradient and not number else 1] <= 1", "return sizes[0] <= 1"),
        ("compiler/ranges", " * float(info.eps) / 8", ""),
        ("compiler/ranges", "return is_absorbed(program, k1) or is_absorbed(program, k2)", "return True"),
        ("compiler/ranges", "if len(line.args) == 2 and line.args[0] == line.args[1]:", "if len(line.args) == 2:"),
        ("compiler/zeros", "return line.literal is not None and line.literal == 0", "return False"),
        ("compiler/concatenations", "isinstance(item, slice) and item.step in (None, 1)", "isinstance(item, slice)"),
        ("compiler/concatenations", "if len(solid) > 1:", "if False:"),
        ("compiler/concatenations", "if low != at:", "if False:"),
        ("compiler/partition", "dtype.itemsize >= line.dtype.itemsize", "True"),
        ("compiler/partition", "if line.level >= CARRY or not late.isdisjoint(line.args):", "if line.level >= CARRY:"),
        ("compiler/partition", 'and line.params.get("axis") in (0, (0,))', ""),
        ("compiler/partition", 'and not line.params.get("keepdims")', ""),
        ("compiler/partition", "if line.primitive is p.add and all(program.lines[a].shape == line.shape for a in line.args):", "if line.primitive is p.add:", "the sums broadcast as the terms do"),
        ("compiler/partition", "and FIXED not in (a.level, b.level)", ""),
        ("compiler/blockwise", '{**line.params, "axis": line.params["axis"] + 1}', "line.params"),
        ("compiler/blockwise", "lines[line.args[0]].level == FIXED\n", "True\n"),
        ("compiler/differentiate", 'if lines[output].dtype.kind == "f":', "if True:", "no rule leads from integers to floats"),
        ("compiler/differentiate", "part.astype(lines[source].dtype).index", "part.index", "cast where it is handed over"),
        ("compiler/differentiate", "meeting += [i for i in roots if lines[i].level < OUTPUT_GRAD]", "pass", "such a gradient is zeros"),
        ("compiler/lower", "index[0] != len(line.shape) - 1 or len(gates) != 1", "len(gates) != 1"),
        ("compiler/lower", "or bounds[-1] != line.shape[-1]", ""),
        ("compiler/lower", "and not any(cut in scan.outputs for _, _, cut, _ in gates)", ""),
        ("compiler/lower", "if [low for low, *_ in found] != bounds[:-1] or", "if"),
        ("compiler/halving", "if self.uses[i] > 1 or", "if"),
        ("compiler/halving", "and whole not in scan.outputs", ""),
        ("compiler/side_by_side", "if n and part.low == chains[-1][-1].high:", "if n:"),
        ("compiler/side_by_side", "if len(cuts) != 1:", "if not cuts:"),
        ("running/buffers", "last[self.root(a)] == i", "True"),
        ("running/buffers", "(operand.shape, operand.dtype) == (line.shape, line.dtype)", "operand.shape == line.shape"),
        ("running/buffers", "part in computed and part not in self.parts and", "part in computed and"),
        ("running/buffers", "and after not in self.becomes and", "and"),
        ("running/buffers", "last[self.root(i)] = len(self.lines)", "pass"),
        ("running/buffers", "if last[a] == i and a not in kept", "if last[a] == i"),
        ("running/buffers", "places[low + shift : high + shift]", "places[low:high]"),
        ("running/views", "[n for n in old if n != 1] == [n for n in line.shape if n != 1]", "True"),
        ("running/sums", "self.totals[id(leaf)] += part", "self.totals[id(leaf)] = part"),
        ("running/sums", "return self._total(part.line, steps) * steps", "return self._total(part.line, steps)"),
        ("running/sums", "if axis == 1 and whole in self.wanted:", "if whole in self.wanted:"),
        ("running/step_calls", "if buffers.parts.get(part) != (i, axis, low, high)", "if part not in buffers.parts"),
        ("running/step_calls", "after = step if buffers.reverse else step + 1", "after = step + 1"),
        ("running/stage_calls", "if flat and timed == [True, False]:", "if flat and timed[0]:"),
        ("running/runner", "both[-1 if reverse else 0] = carry[", "both[0] = carry["),
        ("running/runner", "taken = {old, *twins, *twins.values()}", "taken = {old}"),
        ("running/runner", "[value.copy() for value in current]", "current"),
        ("running/runner", "and not major[old] and old not in twins.values():", "and not major[old]:"),
        ("running/runner", "{min(size, steps), steps % size} - {0}", "{min(size, steps)}", "the forms are the same for each count"),
        ("running/runner", "for low in reversed(starts) if block.reverse else starts", "for low in starts"),
    ),
    *of(
        "recurrence/truncation", BPTT,
        ("truncated", "return 0 if stop <= self.k2 else", "return 0 if stop < self.k2 else"),
        ("truncated", "start + self.k1 - self.k2", "start"),
        ("truncated", "if replay_start == 0:", "if False:"),
        ("truncated", "-(-source.steps // self.k1)", "source.steps // self.k1"),
        ("window", "if stop == self.next_replay_start:", "if stop == self.stop:"),
        ("window", "next_carry = constant(carry)", "next_carry = carry"),
        ("window", "self.next_replay_start, self.stop, *self._resets}", "self.next_replay_start, self.stop}"),
        ("window", "where(m, n, o) for", "where(m, o, n) for"),
        ("window", "with steps_from(first):", "with steps_from(0):"),
        ("window", "axis = self.batch_axis + len(shape) if self.batch_axis < 0 else self.batch_axis", "axis = 0"),
        ("sources", "self.held.append((_copied(x), _copied(y), np.array(reset)))", "self.held.append((x, y, reset))"),
        ("sources", "stop - self.first - len(self.held)", "stop - self.first"),
    ),
]  # fmt: skip


def verdict(mutation: Mutation, copy: Path, limit: float) -> str:
    """Run the tests on a copy of the package that has this one fault."""
    path = copy / mutation.file
    text = path.read_text("utf-8")
    if text.count(mutation.old) != 1:
        return f"ABSENT ({text.count(mutation.old)} times)"
    path.write_text(text.replace(mutation.old, mutation.new), "utf-8")
    tests = [f"tests/test_{name}.py" for name in mutation.tests]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    env = {**os.environ, "PYTHONPATH": str(copy), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(
            command, check=False, cwd=copy, env=env, capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return f"UNDECIDED: no failure in {limit:.0f} s"
    finally:
        path.write_text(text, "utf-8")
    if run.returncode == 0:
        return f"equal: {mutation.equal}" if mutation.equal else "SURVIVED"
    failed = [line for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return f"killed by {failed[0].split(' ', 1)[1][:90]}" if failed else f"killed: {run.stdout[-200:]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--copy", type=Path, help="where to put the copy")
    parser.add_argument("--limit", type=float, default=180.0, help="seconds for each")
    options = parser.parse_args()
    copy = (options.copy or Path(tempfile.mkdtemp())) / "mutated"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for name in ("tinyrnn", "tests", "examples", "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    chosen = [m for m in MUTATIONS if not options.words or any(w in "".join(m[:3]) for w in options.words)]
    for n, mutation in enumerate(chosen, 1):
        start = time.monotonic()
        found = verdict(mutation, copy, options.limit)
        what = f"{mutation.file}: {mutation.old[:60]!r} -> {mutation.new[:40]!r}"
        print(f"{n}/{len(chosen)} {time.monotonic() - start:4.0f}s {found} | {what}", flush=True)


if __name__ == "__main__":
    main()
