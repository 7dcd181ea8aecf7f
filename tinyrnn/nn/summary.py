"""A module as text, and as a table for notebooks: its parts, and how many numbers they learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.html import table


def text(module: Any, unit: str = "") -> str:
    """Return a line for each part, with the number of its parameters."""
    count = sum(p.size for p in module.parameters())
    comment = f"  # {count:,}{unit}" if count else ""
    parts = [f"({name}): {text(child)}".replace("\n", "\n  ") for name, child in module._shown_children()]
    extra = module.extra_repr()
    head = f"{type(module).__name__}({extra}"
    if not parts:
        return f"{head}){comment}"
    return "\n  ".join([f"{head}{',' if extra else ''}{comment}", *parts]) + "\n)"


def html(module: Any) -> str:
    """Return a table with a row for each parameter."""
    of = dict(module.named_modules())
    rows: list[list[str]] = []
    for key, parameter in module.named_parameters():
        path = key.rpartition(".")[0]
        grad = parameter.grad
        rows.append(
            [
                key,
                type(of.get(path, module)).__name__,
                str(parameter.shape),
                str(parameter.dtype),
                f"{parameter.size:,}",
                f"{np.linalg.norm(parameter.data):.4g}",
                "" if grad is None else f"{np.linalg.norm(grad.data):.4g}",
            ]
        )
    count = sum(p.size for p in module.parameters())
    head = ["parameter", "of", "shape", "dtype", "numbers", "norm", "norm of the gradient"]
    return table(rows, head, f"{type(module).__name__}({module.extra_repr()}): {count:,} parameters")
