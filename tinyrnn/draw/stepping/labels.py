"""Short, unique names for all records, as a textbook would give them: ``h₂``, ``x₂``, ``W_hh``, ``a₂``.

What the model named keeps its name, with the time step as its index. What has no name gets a letter, the
same letter for the same operation at each step. Where there are several layers or directions, each has
letters of its own, behind its name: ``l0.a₂`` and ``l1.a₂``. What stands outside of the steps, and what comes
when there are no letters left, is named after its operation.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, count

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.tape import Constant, Node
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.unroll import read

__all__ = ["Labels"]

SUBSCRIPTS = str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")
ROOT = "L"  # what is differentiated, if it has no name
# Not those that mean something else to most (c, g, h, t, x, y, δ) or look like numbers (i, l, o).
LETTERS = "abdefjkmnpqrsuvwzαβγζηθκλμξπρτφψω"


class Labels:
    """Name, time step and role of each record of a pass.

    Parameters
    ----------
    root : Node
        What was differentiated.
    nodes : list of Node
        All records that it was made from, each after its inputs.

    Attributes
    ----------
    text : dict of Node to str
        Unique names.
    step : dict of Node to (int or None)
        Counted from 1, as in textbooks.
    group : dict of Node to str
        For records with a step the loops that count it; see `tinyrnn.draw.reading.rolled.Group`.
    graph : Unrolled
        What was read from the tape.
    role : dict of Node to str
        As `tinyrnn.draw.reading.records.Record.role`; also ``detach``.
    carry : dict of Node to str
        Name of the state, for the records that hand one to the next step.
    cell : dict of Node to str
        For these the cell that they are the state of, where there are several.
    """

    def __init__(self, root: Node, nodes: list[Node]) -> None:
        found = self.graph = read([root])
        known = {record.node: record for record in found.records}
        layers = found.layers
        self.step: dict[Node, int | None] = {}
        self.group: dict[Node, str] = {}
        self.role: dict[Node, str] = {}
        self.carry: dict[Node, str] = {}
        self.cell: dict[Node, str] = {}
        for node in nodes:
            record = known.get(node)
            scope = node.scope
            while record is None and scope is not None and scope.step is None:
                scope = scope.parent
            step = record.step if record is not None else scope.step if scope is not None else None
            self.step[node] = None if step is None else step + 1  # x₁ gives h₁
            if record is not None and step is not None:
                self.group[node] = record.group
            cut = node.primitive is p.detach
            self.role[node] = record.role if record is not None else "detach" if cut else "op"
            if record is not None and record.role == "op" and record.carry:
                self.carry[node] = record.carry
                self.cell[node] = record.unit if len(layers) > 1 else ""
        self._enter_steps(nodes, known)
        self._running_sums(nodes)
        self.text = self._texts(root, nodes, known, len(layers) > 1, {x.name for x in layers if x.reverse})

    def _enter_steps(self, nodes: list[Node], known: dict[Node, Record]) -> None:
        """Give an entry of a sequence (``ys[t]``), or a ``W.T``, to the step that alone uses it.

        So too what the reading of the graph leaves out, such as a state put in another form between windows.
        """
        users: dict[Node, list[Node]] = {}
        for node in nodes:
            for source in node.inputs:
                if source is not None:
                    users.setdefault(source, []).append(node)
        for node in reversed(nodes):
            entry = self.step[node] is None and (node.primitive is p.getitem or self.role[node] == "weight")
            if node.primitive is not None and (entry or node not in known):
                steps = {(self.step[user], self.group.get(user, "")) for user in users.get(node, ())}
                if len(steps) == 1:
                    ((self.step[node], self.group[node]),) = steps

    def _running_sums(self, nodes: list[Node]) -> None:
        """Put a running sum of losses at the step whose loss it adds."""
        for node in nodes:
            if self.role[node] == "total" and len(node.inputs) == 2:
                sources = [source for source in node.inputs if source is not None and self.step[source]]
                last = max(sources, key=lambda source: self.step[source] or 0, default=None)
                self.step[node] = None if last is None else self.step[last]
                self.group[node] = "" if last is None else self.group.get(last, "")

    def _texts(
        self, root: Node, nodes: list[Node], known: dict[Node, Record], layered: bool, reverse: set[str]
    ) -> dict[Node, str]:
        base: dict[Node, str] = {}
        for node in nodes:
            record = known.get(node)
            name = self._given(node, record)
            if name:
                base[node] = name
        base.setdefault(root, ROOT)
        used = set(base.values())
        fresh: dict[str, _Fresh] = {}  # letters, for each layer
        weights = count(1)
        by_key: dict[object, str] = {}
        texts: dict[Node, str] = {}
        taken: Counter[str] = Counter()
        steps = [step for step in self.step.values() if step is not None]
        lanes = self._lanes(nodes, known) if layered else {}
        for node in nodes:
            record, step = known.get(node), self.step[node]
            text, lane = base.get(node), lanes.get(node, "")
            plain = text is not None and (record is None or record.role == "input" or node is root)
            if text is None and self.role[node] == "weight":
                if node.primitive is None:
                    text = f"W{next(weights)}"
                elif node.primitive is p.transpose and node.inputs[0] in texts:
                    text = f"{texts[node.inputs[0]]}.T"
                plain = text is not None
            if text is None:
                key = _key(node, record, step), lane
                if key not in by_key:
                    names = fresh.setdefault(lane, _Fresh(used))
                    by_key[key] = names.after(node) if steps and step is None else names.letter(node)
                text = by_key[key]
            if is_number(node):
                texts[node] = text
                continue
            index = ""
            if self.role[node] == "state" and not node.name:
                backwards = record is not None and record.unit in reverse
                index = str(max(steps) + 1 if backwards else min(steps) - 1).translate(SUBSCRIPTS)
            elif step is not None and not (node is root and text == ROOT):
                index = str(step).translate(SUBSCRIPTS)
            if lane and (not plain or f"{text}{index}" in taken) and not text.startswith(f"{lane}."):
                text = f"{lane}.{text}"
            text += index
            taken[text] += 1
            texts[node] = text if taken[text] == 1 else f"{text}({taken[text]})"
        return texts

    def _lanes(self, nodes: list[Node], known: dict[Node, Record]) -> dict[Node, str]:
        """Return for what stands in a step the layer that it belongs to: its own, or that which uses it."""
        lanes: dict[Node, str] = {}
        for node in reversed(nodes):
            record = known.get(node)
            placed = self.step[node] is not None or self.role[node] == "state"
            if placed and record is not None and record.role not in ("input", "weight") and record.unit:
                lanes[node] = record.unit
            for source in node.inputs:
                if source is not None and node in lanes and self.step[source] == self.step[node] is not None:
                    lanes.setdefault(source, lanes[node])
        return lanes

    def _given(self, node: Node, record: Record | None) -> str:
        """Return the name that the model, or the node's place in it, gives."""
        if is_number(node):
            return f"{np.asarray(node.value).item():.4g}"
        if node.name or record is None:
            return node.name
        if record.role == "input":
            return "x"
        if record.role == "total":
            return "Σ" if record.users and self.step[node] is not None else ""
        return record.carry


def _key(node: Node, record: Record | None, step: int | None) -> object:
    """Return what records that share a letter have in common."""
    if record is None or step is None:
        return node if step is None else node.primitive
    if record.key:
        return record.key
    if record.users and record.users[0].key:  # a constant: which operand of which operation
        user = record.users[0]
        return (user.key, user.sources.index(record))
    return node


def is_number(node: Node) -> bool:
    """Whether a record is a number that stands in the program."""
    return isinstance(node, Constant) and not node.shape and not node.name


class _Fresh:
    """Names that are not used yet."""

    def __init__(self, used: set[str]) -> None:
        self.letters = iter([letter for letter in LETTERS if letter not in used])
        self.used = used

    def letter(self, node: Node) -> str:
        """Return a letter, while there are any."""
        return next(self.letters, "") or self.after(node)

    def after(self, node: Node) -> str:
        """Return the name of the operation, with a number where it is taken."""
        own = node.primitive.name if node.primitive is not None else "const"
        name = next(f"{own}{n or ''}" for n in chain([0], count(2)) if f"{own}{n or ''}" not in self.used)
        self.used.add(name)
        return name
