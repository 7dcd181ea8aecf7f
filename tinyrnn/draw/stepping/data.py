"""What the page is told about a pass: its records in order, as numbers and text that JSON can hold."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.tape import Constant, Node
from tinyrnn.draw.stepping.arrays import ArrayTable
from tinyrnn.draw.stepping.bptt import steps_of
from tinyrnn.draw.stepping.formula import Term, forward_text, symbol, vjp_text
from tinyrnn.draw.stepping.labels import Labels
from tinyrnn.draw.stepping.level_data import (
    bptt_data,
    level_data,
    level_vertices,
    op_vertices,
    picture_of,
)
from tinyrnn.draw.stepping.levels import COARSE, level_of, passed_over
from tinyrnn.draw.stepping.replay import Contribution, Pass

__all__ = ["page_data"]

MOVES = (p.stack, p.concatenate, p.getitem, p.scatter)  # these put numbers elsewhere, and zeros beside them


def page_data(run: Pass, labels: Labels) -> dict[str, Any]:
    """Return the data of a page.

    What the page can see itself is left out: the records of the forward pass are the nodes that have an
    operation, in their order; what comes in at a record of the backward pass is what the last one left there.

    Parameters
    ----------
    run : Pass
    labels : Labels
        Names and time steps of its records.

    Returns
    -------
    dict
        ``levels``, the coarsest first, ``bptt``, and ``pictures``, one for each level and the last of
        operations: see `level_data`. ``entries``: what takes a step out of a stack, and what was stacked
        there; ``passed``: what stands between the two, and nowhere else. ``nodes``, ``records`` (of the
        backward pass, in the engine's order), ``arrays``, ``ledgers`` (the nodes of which the page lists
        what adds to their gradient), ``times`` (for each state of each layer its nodes by time step),
        ``root``, ``seed``, ``summary``, and ``omitted``: what `told` left out.
    """
    number = {node: i for i, node in enumerate(run.nodes)}
    arrays = ArrayTable()
    terms = {node: Term(labels.text[node], node.shape, node.dtype) for node in run.nodes}
    hues = _hues(run.nodes, labels)
    nodes = [_node(node, number, labels, terms, arrays, hues) for node in run.nodes]
    seed = arrays.add(run.seed)
    shown = told(run)
    numbers = {run.root: seed}  # of the gradient so far
    records: list[dict[str, Any]] = []
    for c in shown:
        records.append(_backward(c, number, terms, arrays, numbers))
        numbers[c.source] = records[-1]["after"]
    forward = sum(node.primitive is not None for node in run.nodes)
    times = {(labels.group.get(node, ""), step) for node, step in labels.step.items() if step is not None}
    left = Counter(c.node.primitive.name for c in run.contributions if c.node.primitive is not None)
    left.subtract(c.node.primitive.name for c in shown if c.node.primitive is not None)
    spoken = any(unit.role in ("cell", "module") for unit in labels.graph.units.values())
    levels = [level_of(name, run.nodes, labels.graph, labels) for name in COARSE if spoken]
    entries = labels.graph.entries
    steps = bptt_data(steps_of(run, labels.graph), levels[0], number, arrays) if levels else []
    return {
        "root": number[run.root],
        "seed": seed,
        "summary": (f"{len(times)} time steps, " if times else "") + f"{forward} records forward, "
        f"{len(records) + 1} backward, from {labels.text[run.root]}",
        "omitted": {name: count for name, count in left.items() if count},
        "nodes": nodes,
        "records": records,
        "levels": [level_data(level, shown, labels, number, arrays) for level in levels],
        "entries": [[number[n], [number[m] for m in found]] for n, found in entries.items()],
        "passed": [number[n] for n in passed_over(run.nodes, entries)],
        "bptt": steps,
        "pictures": [
            *(picture_of(level_vertices(level, run.nodes, labels), labels) for level in levels),
            picture_of(op_vertices(run.nodes, run.root, labels), labels),
        ],
        "arrays": arrays.packed(),
        "ledgers": _ledgers(run, labels, number, {c.source for c in shown}),
        "times": _times(run, labels, number),
    }


def told(run: Pass) -> list[Contribution]:
    """Return the contributions without the zeros that come of moving numbers about.

    A loss of the last step alone reads one entry of a stack: its VJP gives each of the others a zero. These,
    and what becomes of them where nothing else comes, say nothing. Zeros for another reason, such as a ReLU
    that is shut, do.
    """
    kept: list[Contribution] = []
    reached = {run.root}
    for c in run.contributions:
        moved = c.node.primitive in MOVES and bool(c.upstream.any())
        if c.part.any() or (c.node in reached and not moved):
            kept.append(c)
            reached.add(c.source)
    return kept


def _node(
    node: Node,
    number: dict[Node, int],
    labels: Labels,
    terms: dict[Node, Term],
    arrays: ArrayTable,
    hues: dict[Node, int],
) -> dict[str, Any]:
    inputs = [source for source in node.inputs if source is not None]
    step = labels.step[node]
    told: dict[str, Any] = {
        "label": labels.text[node],
        "role": labels.role[node],
        "inputs": [number[source] for source in inputs],
        "value": arrays.add(node.value),
    }
    if step is not None:
        told["time"] = step
        if labels.group.get(node):
            told["group"] = labels.group[node]
    if node in hues:
        told["hue"] = hues[node]
    if node.primitive is not None:
        told["op"] = node.primitive.name
        told["sign"] = symbol(node.primitive, node.params)
        told["formula"] = forward_text(
            node.primitive, [terms[s] for s in inputs], node.params, len(node.shape)
        )
    return told


def _hues(nodes: list[Node], labels: Labels) -> dict[Node, int]:
    """Number the weights; what is made of one alone, such as its transpose, has its number."""
    hues: dict[Node, int] = {}
    count = 0
    for node in nodes:
        if labels.role[node] != "weight":
            continue
        if node.primitive is None:
            hues[node] = count
            count += 1
            continue
        sources = [s for s in node.inputs if s is not None and not isinstance(s, Constant)]
        if sources and {hues.get(s) for s in sources} == {hues.get(sources[0])} and sources[0] in hues:
            hues[node] = hues[sources[0]]
    return hues


def _backward(
    c: Contribution,
    number: dict[Node, int],
    terms: dict[Node, Term],
    arrays: ArrayTable,
    before: dict[Node, int],
) -> dict[str, Any]:
    node, primitive = c.node, c.node.primitive
    assert primitive is not None
    args = [terms[source] for source in node.inputs if source is not None]
    g = Term(f"∂{terms[node].text}", node.shape, node.dtype)
    record: dict[str, Any] = {
        "node": number[node],
        "position": c.position,
        "formula": vjp_text(primitive, c.position, g, terms[node], args, node.params),
    }
    if node not in before:  # only zeros came, which were left out
        before[node] = arrays.add(c.upstream)
        record["upstream"] = before[node]
    if c.local is None:
        record["part"] = arrays.add(c.part)
        record["needs"] = [number[source] for source in _needed(node, c.position)]
    else:
        one = Term("1", node.shape, node.dtype)
        record["local"] = arrays.add(c.local)
        record["localFormula"] = vjp_text(primitive, c.position, one, terms[node], args, node.params)
        product = c.part if c.product is None else c.product
        told = arrays.combine("*", before[node], record["local"], product)
        record["part"] = told if c.product is None else arrays.add(c.part)
        if c.product is not None:
            record["product"] = told
    if c.source not in before:
        record["after"] = record["part"]
    else:
        record["after"] = arrays.combine("+", before[c.source], record["part"], np.asarray(c.after))
    return record


def _needed(node: Node, position: int) -> list[Node]:
    """Return the records whose values the VJP asks for."""
    rule = node.primitive.rule(position) if node.primitive is not None else None
    origins = [] if rule is None else [o for o in rule.sources if o is not None]
    found = [node if origin == -1 else node.inputs[origin] for origin in origins]
    return [source for source in found if source is not None]


def _ledgers(run: Pass, labels: Labels, number: dict[Node, int], reached: set[Node]) -> list[int]:
    """Return the weights that have a gradient, and what is made of weights once for all steps."""

    def listed(node: Node) -> bool:
        leaf = node.primitive is None and not isinstance(node, Constant)
        return leaf or (labels.role[node] == "weight" and labels.step[node] is None)

    return [number[node] for node in run.nodes if node in reached and listed(node)]


def _times(run: Pass, labels: Labels, number: dict[Node, int]) -> list[dict[str, Any]]:
    """Return the states of each layer by time step, of which the page shows how large their gradients are."""
    states: dict[str, dict[int, list[int]]] = {}
    for node in run.nodes:
        step, name = labels.step[node], labels.carry.get(node)
        if step is not None and name is not None:
            unit = labels.cell.get(node, "")
            name = f"{unit}.{name}" if unit else name
            states.setdefault(name, {}).setdefault(step, []).append(number[node])
    return [
        {"name": name, "steps": [[time, found[time]] for time in sorted(found)]}
        for name, found in states.items()
    ]
