"""`stepper`: a page on which a pass can be stepped through, record by record."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy.typing as npt

from tinyrnn.autograd.arguments import ARRAY, COUNT, PATH, TEXT, checked, instance, one_of
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.draw.choices import STEPPER_LEVELS, StepperLevel
from tinyrnn.draw.stepping.data import page_data
from tinyrnn.draw.stepping.labels import Labels
from tinyrnn.draw.stepping.packing import pack
from tinyrnn.draw.stepping.replay import replay

__all__ = ["ASSETS", "Stepper", "filled", "stepper"]

ASSETS = Path(__file__).parent / "assets"
MOST_RECORDS = 20_000
SCRIPTS = tuple(
    ASSETS / f"{name}.js"
    for name in ("unpack", "values", "view", "levels", "cards", "picture", "tables", "stepper", "controls")
)


class Stepper:
    """A page, as `stepper` makes it.

    Attributes
    ----------
    html : str
        The whole page: one file that needs no network.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor([0.5], requires_grad=True)
    >>> page = tr.draw.stepper(tr.tanh(w).sum())
    >>> page
    <Stepper: 2 records forward, 3 backward, from L>
    >>> page.html[:15]
    '<!DOCTYPE html>'
    """

    @checked(html=TEXT, summary=TEXT)
    def __init__(self, html: str, summary: str) -> None:
        self.html = html
        self._summary = summary

    @checked(path=PATH)
    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the page to a file and return its path. Folders on the way are made."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.html, encoding="utf-8", errors="replace", newline="\n")
        return str(path)

    def _repr_html_(self) -> str:
        """Show the page in a notebook, in a frame that can run its script and do nothing else."""
        title = escape(f"Stepper: {self._summary}")
        return (
            f'<iframe sandbox="allow-scripts" title="{title}" srcdoc="{escape(self.html)}" '
            'style="width: 100%; height: 820px; border: 0"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Stepper: {self._summary}>"


@checked(
    output=instance(Tensor, "a Tensor"),
    gradient=ARRAY.or_none(),
    level=one_of(*STEPPER_LEVELS),
    title=TEXT,
    max_records=COUNT,
)
def stepper(
    output: Tensor,
    gradient: npt.ArrayLike | Tensor | None = None,
    *,
    level: StepperLevel = "cell",
    title: str = "Backpropagation through time, step by step",
    max_records: int = MOST_RECORDS,
) -> Stepper:
    """Make a page on which the forward and the backward pass can be stepped through.

    At the level of cells a record is one step of backpropagation through time, with its equation, numbers
    and Jacobian. At the level of operations it shows the operation, its inputs, the formula of its VJP, the
    local factor, upstream × local = contribution, and what the contribution is added to. The order is the
    engine's own. No ``.grad`` is changed, and it does not matter whether ``backward()`` was called.

    Parameters
    ----------
    output : Tensor
        What is differentiated, such as a loss. Computed inside `tinyrnn.unrolled`; or outside, compiled or
        not, as long as ``backward()`` has not freed what the tape holds.
    gradient : array_like or Tensor, optional
        The gradient at the output, of its shape; 1 for a single number, and needed otherwise.
    level : {"cell", "gate", "op"}
        What the page begins with: a record for each cell at each step, with the equation of backpropagation
        through time, for each gate, or for each operation. It is switched on the page.
    title : str
        Heading of the page.
    max_records : int
        More records than this are refused: no one steps through them, and no browser likes the page.

    Raises
    ------
    ValueError
        The values were not kept or have changed since, or there are more than `max_records` records.
    RuntimeError
        The output was not recorded, or is not a single number and no `gradient` is given.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor(0.5, requires_grad=True)
    >>> with tr.unrolled():
    ...     h = tr.tensor(1.0)
    ...     for t in range(2):
    ...         with tr.scope(step=t):
    ...             h = tr.tanh(w * h)
    >>> tr.draw.stepper(h)
    <Stepper: 2 time steps, 4 records forward, 6 backward, from h₂>
    """
    run = replay(output, gradient)
    total = len(run.nodes) + len(run.contributions)
    if total > max_records:
        raise ValueError(
            f"stepper: the pass has {total} records; expected at most max_records={max_records}; "
            "run fewer time steps"
        )
    data = page_data(run, Labels(run.root, run.nodes))
    data["level"] = level
    page = filled(ASSETS / "stepper.html", SCRIPTS, pack(data), title=escape(title))
    return Stepper(page, str(data["summary"]))


def filled(template: Path, scripts: Sequence[Path], data: Any, **parts: str) -> str:
    """Return a page: a template with the style beside it, scripts, data and other parts.

    All are put in at once: no text in one is taken for a place of another.
    """
    style = (ASSETS / "base.css").read_text("utf-8") + template.with_suffix(".css").read_text("utf-8")
    script = "\n".join(path.read_text("utf-8") for path in scripts)
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    parts |= {
        "style": style,
        "style_hash": _hashed(style),
        "data": text.replace("<", "\\u003c"),  # no text of the model can end the element
        "script": script,
        "script_hash": _hashed(script),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template.read_text("utf-8"))


def _hashed(text: str) -> str:
    """Return the hash by which a page's policy lets its own script and style pass, and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
