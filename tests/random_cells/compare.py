"""Whether the compiled form of a cell gives what the recorded form gives."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, NamedTuple

import numpy as np

from .cell import Cell
from .execute import Refused, Results, fallbacks, recorded
from .rounding import SUMS, redrawn

Array = np.ndarray[Any, Any]
EXACT_ENOUGH = {"float16": 4e-3, "float32": 8e-7, "float64": 1e-12}


class Verdict(NamedTuple):
    """What came of a cell: ``kind`` is empty where the forms agree."""

    kind: str
    detail: str = ""
    fallbacks: tuple[str, ...] = ()
    refused: str = ""  # why there is nothing to compare: the recorded form raised, too


def judge(cell: Cell) -> Verdict:
    """Run both forms and compare all that they give.

    What the cell says of a run before happens first. A trace is a call of the step, so one that counts its
    calls may have counted some more: what it gives then is as good.
    """
    verdict = _judge(cell)
    calls = 3 if verdict.kind and any("{calls}" in t.text for t in cell.seen) else 1
    for n in range(1, calls):
        if not _judge(cell, dataclasses.replace(cell, calls=n)).kind:
            return verdict._replace(kind="", detail="")
    return verdict


def _judge(cell: Cell, reference: Cell | None = None) -> Verdict:
    reference = reference or cell
    reasons: list[str] = []
    try:
        expected: Results | str = recorded(reference)
    except Refused as refused:
        expected = str(refused)
    try:
        if cell.warm:
            reasons += _silently(cell.first)
        found, reasons_here = fallbacks(cell)
        reasons += reasons_here
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if isinstance(expected, str):
            return Verdict("", expected, tuple(reasons), refused=expected)
        return Verdict(f"raises {_general(text)}", text, tuple(reasons))
    if isinstance(expected, str) and "IndexError" in expected and "out of bounds" in expected:
        # A line that nothing needs is left out, and with it the look at its index.
        return Verdict("", expected, tuple(reasons), refused=expected)
    if isinstance(expected, str) and "scan:" not in expected:
        return Verdict(f"recorded raises {_general(expected)}", expected, tuple(reasons))
    if isinstance(expected, str):
        return Verdict("accepts what is refused", expected, tuple(reasons), refused=expected)
    kind, detail = difference(reference, found, expected)
    return Verdict(kind, detail, tuple(reasons))


def _silently(cell: Cell) -> list[str]:
    try:
        return fallbacks(cell)[1]
    except Exception:
        return []


def _general(text: str) -> str:
    """An error's text without its numbers."""
    return re.sub(r"\s+", " ", re.sub(r"\d+|\(\)", "#", text))[:90]


def difference(cell: Cell, found: Results, expected: Results) -> tuple[str, str]:
    """Name the first part that differs; two empty strings where none does."""
    if found.keys() != expected.keys():
        return "names", f"{sorted(found)} for {sorted(expected)}"
    if found["structure"] != expected["structure"]:
        return "structure", f"{found['structure']} for {expected['structure']}"
    suspects = {}
    for name, value in expected.items():
        if name == "structure":
            continue
        got = found[name]
        if (got.dtype, got.shape) != (value.dtype, value.shape):
            return "dtype or shape", f"{name}: {got.dtype} {got.shape} for {value.dtype} {value.shape}"
        wrong = _apart(got, value)
        if wrong.any():
            suspects[name] = wrong
    for draws in (3, 12) if suspects else ():  # few first: most differences are honest, or very wrong
        tolerance = tolerances(cell, found, expected, draws)
        if tolerance is None:
            return "", ""
        suspects = {
            name: wrong & ~(_gap(found[name], expected[name]) <= tolerance[name])
            for name, wrong in suspects.items()
        }
        suspects = {name: wrong for name, wrong in suspects.items() if wrong.any()}
        if not suspects:
            return "", ""
        if draws == 12:
            name, wrong = next(iter(suspects.items()))
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            got, value = found[name][at], expected[name][at]
            kind = (
                "gradient"
                if name.startswith("d1")
                else "second derivative"
                if name.startswith("d2")
                else "value"
            )
            if value.dtype.kind != "f":
                kind = f"{kind} of integers"
            elif not np.isfinite(value) or not np.isfinite(got):
                kind = f"{kind} not finite"
            return kind, f"{name}{list(at)} is {got!r} for {value!r} (allowed: {tolerance[name][at]:.3g})"
    return "", ""


def _gap(got: Array, value: Array) -> Array:
    if value.dtype.kind == "b":
        return (got != value).astype(float)
    with np.errstate(all="ignore"):
        gap = np.abs(got.astype(np.float64) - value.astype(np.float64))
    same = (got == value) | ((got != got) & (value != value))
    return np.where(same, 0.0, np.where(np.isnan(gap), np.inf, gap))


def _apart(got: Array, value: Array) -> Array:
    """Where two arrays differ by more than any bound lets pass."""
    gap = _gap(got, value)
    if value.dtype.kind != "f":
        return gap > 0
    with np.errstate(all="ignore"):
        return ~(gap <= EXACT_ENOUGH[value.dtype.name] * np.abs(value.astype(np.float64)))


def another(cell: Cell, seed: int) -> tuple[Results, set[str], list[int]] | None:
    """What the recorded form gives with other roundings, with what `redrawn` says; None where it raises."""
    try:
        with redrawn(seed) as (begin_step, infinite, decided):
            return recorded(cell, graph=True, begin_step=begin_step), infinite, decided
    except Refused:
        return None


def tolerances(cell: Cell, found: Results, expected: Results, draws: int) -> dict[str, Array] | None:
    """What a few units in the last place of its terms do to each result; None where nothing can be said."""
    spread = {name: np.zeros(value.shape) for name, value in expected.items() if name != "structure"}
    choices: list[int] = []
    for seed in range(draws):
        run = another(cell, seed)
        if run is None:
            return None
        other, infinite, decided = run
        choices = choices or decided
        if decided != choices:  # numbers so close together that a rounding decides which is larger
            return None
        for name, wide in spread.items():
            if name in other and other[name].shape == wide.shape:
                spread[name] = np.maximum(wide, _gap(other[name], expected[name]))
        if infinite & SUMS:  # in which order a product of matrices is summed is for the BLAS library to say
            for name, value in spread.items():
                wild = ~np.isfinite(np.where(np.isfinite(found[name]), expected[name], np.inf))
                spread[name] = np.where(wild, np.inf, value)
        if infinite:
            # The recorded form leaves out what gets no gradient; a scan has a zero there: 0 * inf is NaN.
            # And it casts the gradient of each step, where a scan casts their sum: that overflows less.
            for name, got in found.items():
                if name.startswith("d"):
                    excused = np.isnan(got) | ~np.isfinite(expected[name])
                    spread[name] = np.where(excused, np.inf, spread[name])
    for name, wide in spread.items():
        if name.startswith("d") and expected[name].dtype.kind == "f":  # summed over time in another order
            share = np.finfo(expected[name].dtype).eps * cell.steps / 4
            spread[name] = wide + np.nan_to_num(share * np.abs(expected[name].astype(np.float64)))
    return {name: wide * 2 for name, wide in spread.items()}
