"""Random cells in PyTorch, if it is installed: the text of a cell runs there too, as a plain loop in float64.

Cells of lines that PyTorch reads in the same way; what it does not know is passed over, and how much is left
is asserted.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from random_cells.cell import Cell
from random_cells.execute import fallbacks
from random_cells.generate import generate

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.optional

LINES = (
    "xckck|tr.tanh({0} + {1} @ {2} + {3} @ {4})", "cckx|{0} @ {2} + {1} * {3}", "cck|({0} * {1}) @ {2}",
    "cc|{0} * {1}", "ck|{0} @ {1}", "ckk|{0} * {1} * {2}", "ckk|{0} + {1} + {2}", "cx|1.0 - {0} * {1}",
    "cx|{0} - {0} * {1}", "ccx|(1 - {0}) * {1} + {0} * {2}", "c|({0} * 0.5) * 3", "c|({0} + 2) + 0.5",
    "vck|(1 - tr.sigmoid({0})) * {1} + tr.sigmoid({0}) * {2}", "cc|tr.sigmoid({0}) * tr.tanh({1})",
    "{0} + {1}",
    "{0} - {1}", "{0} * {1}", "{0} / (1 + {1} * {1})", "-{0}", "abs({0})", "tr.tanh({0})", "tr.sigmoid({0})",
    "tr.relu({0})", "tr.softplus({0})", "tr.exp(-{0} * {0})", "tr.log(1 + {0} * {0})", "{0}.detach() * {1}",
    "tr.sqrt(1 + {0} * {0})", "tr.maximum({0}, {1})", "tr.where({0} > {1}, {0}, {2})", "{0}.sum(-1, True)",
    "{0} - {0}.mean(-1, True)", "{0} @ {1}", "{0} @ {1} + {2} @ {1}", "{0}[..., 1:]", "{0}[..., :1] * {1}",
)  # fmt: skip


def tensor(values: Any, requires_grad: bool = False) -> Any:
    return torch.tensor(values, requires_grad=requires_grad)


def where(condition: Any, a: Any, b: Any) -> Any:
    return torch.where(condition, a, b)


SHIM = SimpleNamespace(
    tensor=tensor, where=where, tanh=torch.tanh, sigmoid=torch.sigmoid, relu=torch.relu, exp=torch.exp,
    log=torch.log, sqrt=torch.sqrt, abs=torch.abs, maximum=torch.maximum,
    softplus=torch.nn.functional.softplus, broadcast_to=torch.broadcast_to,
)  # fmt: skip


def suits(cell: Cell) -> bool:
    return (
        cell.lengths is None
        and cell.order > 0
        and cell.steps <= 33
        and str(cell.new_form) == str(cell.carry_form)
        and all(name.isidentifier() for name in cell.ys)
    )


def in_torch(cell: Cell) -> dict[str, Any]:
    """Values and first derivatives, named as `results` names them."""
    space: dict[str, Any] = {"tr": SHIM}
    exec(cell.text().replace("import tinyrnn as tr", ""), space)
    carry, xs, step = space["carry"], space["xs"], space["step"]
    times, ys = range(cell.steps), {}
    for t in reversed(times) if cell.reverse else times:
        carry, y = step(carry, at(xs, t))
        ys[t] = flat(y)
    outs = {f"after{i}": leaf for i, leaf in enumerate(flat(carry))} | {
        f"ys{i}": torch.stack(list(parts)) for i, parts in enumerate(zip(*(ys[t] for t in times)))
    }
    closed = [space[leaf.name] for leaf in cell.closed]
    groups = {"carry": flat(space["carry"]), "xs": flat(xs), "closed": closed}
    given = {f"{name}{i}": t for name, group in groups.items() for i, t in enumerate(group)}
    wanted = {name: t for name, t in given.items() if t.requires_grad}
    loss = sum(
        (t * torch.from_numpy(np.cos(np.arange(t.numel())).reshape(t.shape))).sum() for t in outs.values()
    )
    found = {name: t.detach().numpy() for name, t in outs.items()}
    if wanted and loss.requires_grad:
        for name, g in zip(wanted, torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)):
            found[f"d1 {name}"] = torch.zeros_like(wanted[name]).numpy() if g is None else g.numpy()
    return found


def at(form: Any, t: int) -> Any:
    """The inputs of a step."""
    if form is None or isinstance(form, torch.Tensor):
        return None if form is None else form[t]
    if isinstance(form, dict):
        return {key: at(part, t) for key, part in form.items()}
    parts = [at(part, t) for part in form]
    return type(form)(*parts) if hasattr(form, "_fields") else type(form)(parts)


def flat(form: Any) -> list[Any]:
    if form is None:
        return []
    if isinstance(form, torch.Tensor):
        return [form]
    return [leaf for part in (form.values() if isinstance(form, dict) else form) for leaf in flat(part)]


def test_the_same_in_pytorch() -> None:
    compared = differentiated = 0
    for n in range(150):
        cell = generate([7, n], LINES)
        if not suits(cell):
            continue
        try:
            expected = in_torch(cell)
        except Exception:  # a line that PyTorch does not read, or not so
            continue
        if not all(value.dtype == np.float64 and np.isfinite(value).all() for value in expected.values()):
            continue
        found, _ = fallbacks(cell)
        compared += 1
        differentiated += any(name.startswith("d1") and value.any() for name, value in expected.items())
        for name, value in expected.items():
            scale = max(1.0, float(np.abs(value).max(initial=0)))
            assert found[name].shape == value.shape, cell.text()
            assert np.abs(found[name] - value).max(initial=0) <= 1e-10 * scale, f"{name}\n{cell.text()}"
    assert compared > 20
    assert differentiated > 10
