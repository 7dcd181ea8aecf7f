"""The levels of the page: which operations make up a cell, or a gate, of which the page can speak as one.

The parts are those that pictures draw at the same level (`tinyrnn.draw.viewing.levels`), and have their
names. What pictures leave out, because it only moves data, goes to the one part that uses it, or is a part of
its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tinyrnn.autograd.tape import Constant, Node
from tinyrnn.draw.reading.records import MOVES
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.stepping.labels import SUBSCRIPTS, Labels
from tinyrnn.draw.viewing.fold import Column
from tinyrnn.draw.viewing.levels import view_of
from tinyrnn.draw.viewing.view import Box

__all__ = ["COARSE", "Level", "Part", "level_of", "passed_over"]

COARSE = ("cell", "gate")


@dataclass
class Part:
    """A cell, a gate, or whatever else is spoken of as one.

    Attributes
    ----------
    label : str
    kind : str
        As `tinyrnn.draw.viewing.view.Box.kind`; ``op`` for a single operation.
    members : list of Node
        Its operations, each after its inputs.
    main : Node
        The result that stands for it.
    layer : int
        The row of its unit, from below.
    """

    label: str
    kind: str
    members: list[Node]
    main: Node
    layer: int


@dataclass
class Level:
    """The parts of one level, in the order in which they are finished, and the part of each operation.

    ``weights`` are the records that `sources` leaves out, ``entries`` those that take a step out of a stack,
    with what was stacked there, and ``passed`` what stands between the two, and nowhere else.
    """

    name: str
    parts: list[Part]
    of: dict[Node, int]
    weights: set[Node]
    entries: dict[Node, list[Node]]
    passed: set[Node]

    def shown(self, i: int) -> list[Node]:
        """Return the operations of a part, without those that are passed over."""
        return [node for node in self.parts[i].members if node not in self.passed]

    def sources(self, i: int) -> list[Node | int]:
        """Return what a part is made from, in order: numbers of other parts, and what nothing computes.

        Numbers that stand in the program are left out, and weights where cells are looked at: the ledger has
        them, and without them there is room for the steps.
        """
        found: dict[Node | int, None] = {}
        for node in self.shown(i):
            for source in self.entries.get(node, node.inputs):
                if source is None or self.of.get(source) == i:
                    continue
                if not ((isinstance(source, Constant) and not source.shape) or source in self.weights):
                    found.setdefault(self.of.get(source, source))
        return list(found)


def level_of(name: str, nodes: list[Node], graph: Unrolled, labels: Labels) -> Level:
    """Return a level: ``cell`` or ``gate``.

    Parameters
    ----------
    name : str
    nodes : list of Node
        All records of the pass, each after its inputs.
    graph : Unrolled
        What was read from them.
    labels : Labels
    """
    columns = [Column(t, t, group=group.name) for group in graph.groups for t in group.columns]
    view = view_of(graph, name, columns, frozenset(), "tray")
    home: dict[Node, str] = {}
    for box in view.boxes.values():
        for record in box.members:
            summing = record.role == "total" and labels.step[record.node] is not None  # a sum that runs along
            if record.op and record.role != "weight" and not summing:
                home[record.node] = box.id
    steps = {id: labels.step[node] for node, id in home.items()}
    users: dict[Node, set[str]] = {}
    for node in reversed(nodes):
        if node.primitive is None:
            continue
        if node not in home:
            near = users.get(node, set())
            alone = len(near) == 1 and labels.step[node] == steps[min(near)]
            home[node] = min(near) if alone else f"op.{labels.text[node]}"
            steps.setdefault(home[node], labels.step[node])
        for source in node.inputs:
            if source is not None:
                users.setdefault(source, set()).add(home[node])
    members: dict[str, list[Node]] = {}
    for node in nodes:
        if node in home:
            members.setdefault(home[node], []).append(node)
    order = sorted(members, key=lambda id: members[id][-1].order)
    faces = {id: _face(view.boxes.get(id), members[id], labels) for id in order}
    taken = Counter(label for label, _ in faces.values())
    parts: list[Part] = []
    layers: dict[str, int] = {}
    for id in order:
        label, kind = faces[id]
        unit = view.boxes[id].unit if id in view.boxes else ""
        if taken[label] > 1 and unit != label:
            label = f"{unit.removesuffix(view.boxes[id].title).rstrip('.')} {label}".lstrip()
        if id in view.boxes and view.boxes[id].unit in graph.units:
            layers[id] = graph.units[view.boxes[id].unit].row
        else:
            near = {home[s] for node in members[id] for s in node.inputs if s in home}
            layers[id] = max((layers[other] for other in near if other in layers), default=0)
        parts.append(Part(label, kind, members[id], _main(members[id], users, id, labels), layers[id]))
    weights = {node for node in nodes if name == "cell" and labels.role[node] == "weight"}
    of = {node: i for i, part in enumerate(parts) for node in part.members}
    return Level(name, parts, of, weights, graph.entries, passed_over(nodes, graph.entries))


def passed_over(nodes: list[Node], entries: dict[Node, list[Node]]) -> set[Node]:
    """Return what only moves data to where an entry is taken out again, such as a stack."""
    found: set[Node] = set()
    used: set[Node | None] = {nodes[-1]}
    for node in reversed(nodes):
        if node in used or node.primitive is None or node.primitive.name not in MOVES:
            used.update(entries.get(node, node.inputs))
        else:
            found.add(node)
    return found


def _face(box: Box | None, members: list[Node], labels: Labels) -> tuple[str, str]:
    """Return the name and the kind of a part."""
    if box is None:
        return labels.text[members[-1]], "op"
    step = labels.step[members[-1]]
    own = box.title
    if len(members) == 1 and box.kind in ("op", "output"):
        own = labels.text[members[0]]
    elif step is not None and not (box.kind == "loss" and not box.index):
        own += str(step).translate(SUBSCRIPTS)
    return own, box.kind


def _main(members: list[Node], users: dict[Node, set[str]], id: str, labels: Labels) -> Node:
    """Return the result that stands for a part: its state, or the last that is used elsewhere."""
    states = [node for node in members if node in labels.carry]
    if states:
        return next((node for node in states if labels.carry[node] != "c"), states[0])
    used = [node for node in members if users.get(node, set()) - {id}]
    return (used or members)[-1]
