"""Plans: what the compiler made of a step, in a form to read; `explain` makes them."""

from __future__ import annotations

from typing import NamedTuple

from tinyrnn.autograd.html import escaped, table
from tinyrnn.recurrence.compiler.partition import Stage

_TITLES = {
    Stage.ONCE: "once",
    Stage.BEFORE: "before the loop, a block of steps in one call",
    Stage.LOOP: "in the loop, at each step",
    Stage.AFTER: "after the loop, a block of steps in one call",
}


class PlanLine(NamedTuple):
    """One line of a plan.

    Attributes
    ----------
    stage : str
        "once", "before", "loop" or "after".
    name : str
        What the value is called in the plan.
    code : str
        The tensor code, such as ``tanh(v5)``.
    shape : tuple of int
        Of the value at one step.
    calls : int
        How many NumPy calls it takes (of a line in the loop: per step).
    scope : str
        The part of the step that it came from.
    """

    stage: str
    name: str
    code: str
    shape: tuple[int, ...]
    calls: int
    scope: str

    def __str__(self) -> str:
        where = f"  [{self.scope}]" if self.scope else ""
        return f"{self.name:>8} = {self.code:<44} {self.shape!s:<12}{where}"

    def __repr__(self) -> str:
        return str(self)


class ProgramPlan(NamedTuple):
    """The plan of one program: forward or backward.

    Attributes
    ----------
    title : str
    lines : list of PlanLine
        In the order in which they run.
    carry : dict of str to str
        What each part of the carry becomes.
    outputs, sums : list of str
        What is stacked over time, and what is summed over it.
    calls_per_step : int
        The number of NumPy calls in the loop, per step.
    source : str
        The loop as a Python function over flat arrays, which backends other than NumPy run. Empty where it
        cannot be written so.
    runs : str
        What ran the loop, and why, where that was not what the backend asked for.
    """

    title: str
    lines: list[PlanLine]
    carry: dict[str, str]
    outputs: list[str]
    sums: list[str]
    calls_per_step: int
    source: str = ""
    runs: str = ""

    def __str__(self) -> str:
        text = [f"{self.title}: {self.calls_per_step} NumPy calls per step"]
        for stage, title in _TITLES.items():
            here = [str(line) for line in self.lines if line.stage == stage.value]
            if here:
                text += [f"  {title}", *here]
        return "\n".join([*text, *(f"  {line}" for line in self._results())])

    def _results(self) -> list[str]:
        kinds = {
            "next carry": [f"{name} <- {value}" for name, value in self.carry.items()],
            "stacked over time": self.outputs,
            "summed over time": self.sums,
            "runs": [self.runs] if self.runs else [],
        }
        return [f"{kind}: {', '.join(parts)}" for kind, parts in kinds.items() if parts]

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        rows = [
            [_TITLES[stage], line.name, line.code, str(line.shape), str(line.calls), line.scope]
            for stage in _TITLES
            for line in self.lines
            if line.stage == stage.value
        ]
        caption = f"{self.title}: {self.calls_per_step} NumPy calls per step"
        results = "".join(f"<p>{escaped(line)}</p>" for line in self._results())
        return table(rows, ["when", "value", "code", "shape", "calls", "scope"], caption) + results


class ScanPlan(NamedTuple):
    """The plan of one scan.

    Attributes
    ----------
    scope : str
        The part of the model that the scan is.
    steps : int
    forward, backward : ProgramPlan
    saved : dict of str to tuple of int
        The values that the forward pass saves for the backward pass, with their shapes at one step.
    bytes_saved : int
        Their size over all steps.
    """

    scope: str
    steps: int
    forward: ProgramPlan
    backward: ProgramPlan
    saved: dict[str, tuple[int, ...]]
    bytes_saved: int

    def __str__(self) -> str:
        return "\n".join([self._head(), str(self.forward), f"  {self._kept()}", str(self.backward)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head, kept = escaped(self._head()), escaped(self._kept())
        return f"<h4>{head}</h4>{self.forward._repr_html_()}<p>{kept}</p>{self.backward._repr_html_()}"

    def _head(self) -> str:
        return f"scan{' ' + self.scope if self.scope else ''}, {self.steps} steps"

    def _kept(self) -> str:
        kept = ", ".join(f"{name} {shape}" for name, shape in self.saved.items()) or "nothing"
        return f"saved, {self.bytes_saved:,} bytes: {kept}"


class Plan(NamedTuple):
    """What the compiler made of a call: the scans in it, in the order in which they ran.

    Attributes
    ----------
    scans : list of ScanPlan

    Examples
    --------
    >>> import tinyrnn as tr
    >>> plan = tr.explain(tr.nn.RNN(2, 3), tr.zeros((5, 1, 2)))
    >>> plan.scans[0].forward.calls_per_step, plan.scans[0].backward.calls_per_step
    (3, 3)
    """

    scans: list[ScanPlan]

    def __str__(self) -> str:
        none = "no scan with a gradient was compiled in this call"
        return "\n\n".join(str(scan) for scan in self.scans) or none

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Show the scans in a notebook as tables, one for each program."""
        return "".join(scan._repr_html_() for scan in self.scans) or f"<p>{escaped(str(self))}</p>"
