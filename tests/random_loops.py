"""Loops written by hand, made at random, drawn with and without `tr.scope(step=t)` around each step.

``python tests/random_loops.py --loops 300`` says how many are drawn alike, and which are not.
"""

import argparse
import contextlib
import sys
from collections import Counter
from typing import Any

import numpy as np

import tinyrnn as tr
from tinyrnn.draw.choices import LEVELS
from tinyrnn.draw.reading.unroll import unroll
from tinyrnn.draw.viewing.fold import columns_of
from tinyrnn.draw.viewing.levels import view_of

CHOICES = {
    "steps": [3, 4, 5],
    "x": ["given", "given", "learned", "embedded", "projected", "all at once"],
    "cells": [[a] if b is None else [a, b]
              for a in ("plain", "gates", "leaky", "decayed", "RNNCell", "GRUCell", "LSTMCell")
              for b in (None, None, "plain", "GRUCell")],
    "start": ["zeros", "zeros", "learned", "features"],
    "head": ["none", "plain", "Linear", "MLP"],
    "loss": ["each", "each", "listed", "last", "stacked"],
    "cut": [None, None, None, 2],
    "back": [False, False, False, True],
    "early": [False, False, False, True],
}  # fmt: skip


PLAIN = {name: some[0] for name, some in CHOICES.items()}


def random_loop(seed: int) -> dict[str, Any]:
    """Choose what a loop does."""
    rng = np.random.default_rng(seed)
    found = {name: some[rng.integers(len(some))] for name, some in CHOICES.items()}
    if found["loss"] == "last":  # what reads the state after the loop leaves the same tape as in it
        found["early"] = found["back"] = False
    return found


class Parts:
    """The weights and modules of a loop."""

    def __init__(self, start: str) -> None:
        self.rng = np.random.default_rng(0)
        self.start = start

    def weight(self, *shape: int) -> Any:
        return tr.tensor(self.rng.normal(size=shape) * 0.5, dtype="float64", requires_grad=True)

    def state(self) -> Any:
        if self.start == "learned":
            return self.weight(1, 3)
        if self.start == "features":
            return tr.tanh(tr.tensor(self.rng.normal(size=(1, 2))) @ self.weight(2, 3))
        return tr.zeros((1, 3), dtype="float64")

    def cell(self, kind: str) -> tuple[Any, Any]:
        """Return a function of an input and a state, and the first state."""
        if kind.endswith("Cell"):
            cell = getattr(tr.nn, kind)(3, 3, rng=self.rng, dtype="float64")
            return cell, cell.initial_state(1) if kind == "LSTMCell" else self.state()
        w, u = self.weight(3, 3), self.weight(3, 3)
        if kind == "plain":
            return lambda x, h: tr.tanh(x @ w + h @ u), self.state()
        if kind == "leaky":
            return lambda x, h: 0.9 * h + 0.1 * tr.tanh(h @ u + x @ w), self.state()
        if kind == "decayed":
            return lambda x, h: tr.tanh(x @ w + (0.9 * h) @ u), self.state()
        wz, uz = self.weight(3, 3), self.weight(3, 3)

        def gates(x: Any, h: Any) -> Any:
            z = tr.sigmoid(x @ wz + h @ uz)
            return z * h + (1 - z) * tr.tanh(x @ w + h @ u)

        return gates, self.state()

    def head(self, kind: str) -> Any:
        if kind == "none":
            return lambda h: h
        if kind == "Linear":
            return tr.nn.Linear(3, 3, rng=self.rng, dtype="float64")
        v, w = self.weight(3, 3), self.weight(3, 3)
        return (lambda h: h @ v) if kind == "plain" else lambda h: tr.relu(h @ w) @ v


def run(loop: dict[str, Any], *, scoped: bool) -> Any:
    """Return the loss of a loop, after the backward pass."""
    parts = Parts(loop["start"])
    cells = [parts.cell(kind) for kind in loop["cells"]]
    head, table = parts.head(loop["head"]), parts.weight(4, 3)
    x = tr.tensor(parts.rng.normal(size=(loop["steps"], 1, 3)), dtype="float64")
    if loop["x"] == "learned":
        x.requires_grad = True
    with tr.unrolled():
        if loop["x"] == "all at once":
            x = x @ table[:3]
        states, outputs, terms, total = [state for _, state in cells], [], [], 0.0
        y = value = tr.zeros((1, 3), dtype="float64")
        for t in range(loop["steps"]):
            with tr.scope(step=t) if scoped else contextlib.nullcontext():
                if loop["early"] and t > 0:
                    total = total + (head(value) ** 2).mean()
                value = table[np.array([t % 4])] if loop["x"] == "embedded" else x[t]
                if loop["x"] == "projected":
                    value = tr.relu(value @ table[:3])
                if loop["back"]:
                    value = value + y
                for i, (cell, _) in enumerate(cells):
                    if loop["cut"] == t and not isinstance(states[i], tuple):
                        states[i] = states[i].detach()
                    states[i] = cell(value, states[i])
                    value = states[i][0] if isinstance(states[i], tuple) else states[i]
                if loop["loss"] in ("each", "listed", "stacked") or loop["back"]:
                    y = head(value)
                if loop["loss"] == "each":
                    total = total + ((y - 0.5) ** 2).mean()
                if loop["loss"] == "listed":
                    terms.append(((y - 0.5) ** 2).mean())
                outputs.append(y)
        if loop["loss"] == "listed":
            total = total + tr.stack(terms).mean()
        if loop["loss"] == "last":
            total = total + (head(value) ** 2).mean()
        if loop["loss"] == "stacked":
            total = total + (tr.stack(outputs) ** 2).mean()
        total.backward()
    return total


def structure(loss: Any, level: str) -> tuple[Counter[Any], Counter[Any]]:
    """Return the boxes and arrows of a picture: all but the names that a scope gives."""
    found = unroll(loss)
    view = view_of(found, level, columns_of(found, range(100)), frozenset(), "alias")
    rows, columns = {row: i for i, row in enumerate(view.bands)}, list(view.order)
    of = {}
    for box in view.boxes.values():
        column = columns.index(box.column) if box.column in columns else None
        of[box.id] = box.kind, box.title, box.index, rows.get(box.band), column, len(box.badges)
    return (
        Counter(of.values()),
        Counter((of[a.tail], of[a.head], a.carry, a.cut, a.begins) for a in view.arrows),
    )


def differences(loop: dict[str, Any]) -> list[str]:
    """Return the levels at which a loop is drawn otherwise than with scopes."""
    free, scoped = run(loop, scoped=False), run(loop, scoped=True)
    return [level for level in LEVELS if structure(free, level) != structure(scoped, level)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--loops", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    alike = 0
    for seed in range(given.seed, given.seed + given.loops):
        loop = random_loop(seed)
        found = differences(loop)
        alike += not found
        if found:
            print(seed, *found, loop)
    print(f"{alike} of {given.loops} alike")


if __name__ == "__main__":
    sys.exit(main())
