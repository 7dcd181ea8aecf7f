"""What the page is told about a pass: its records in order, as numbers and text that JSON can hold."""

from __future__ import annotations

from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.tape import Constant, Node
from tinyrnn.draw.stepping.arrays import ArrayTable
from tinyrnn.draw.stepping.formula import Term, forward_text, vjp_text
from tinyrnn.draw.stepping.labels import Labels
from tinyrnn.draw.stepping.replay import Contribution, Pass

__all__ = ["page_data"]


def page_data(run: Pass, labels: Labels) -> dict[str, Any]:
    """Return the data of a page.

    Parameters
    ----------
    run : Pass
    labels : Labels
        Names and time steps of its records.

    Returns
    -------
    dict
        ``nodes``, ``records`` (forward, then backward, in the engine's order), ``arrays``, ``ledgers`` (for
        each weight the records that add to its gradient), ``times`` (the states of each time step),
        ``root`` and ``summary``.
    """
    number = {node: i for i, node in enumerate(run.nodes)}
    arrays = ArrayTable()
    terms = {node: Term(labels.text[node], node.shape, node.dtype) for node in run.nodes}
    nodes = [_node(node, number, labels, terms, arrays) for node in run.nodes]
    forward = [
        {"kind": "forward", "node": number[node], "formula": nodes[number[node]]["formula"]}
        for node in run.nodes
        if node.primitive is not None
    ]
    seed = {"kind": "seed", "node": number[run.root], "after": arrays.add(run.seed)}
    backward = [_backward(c, number, terms, arrays) for c in run.contributions]
    records = [*forward, seed, *backward]
    steps = {step for step in labels.step.values() if step is not None}
    return {
        "root": number[run.root],
        "summary": (f"{len(steps)} time steps, " if steps else "") + f"{len(forward)} records forward, "
        f"{len(backward) + 1} backward, from {labels.text[run.root]}",
        "nodes": nodes,
        "records": records,
        "arrays": arrays.entries,
        "ledgers": _ledgers(run, labels, number, len(forward) + 1),
        "times": _times(run, labels, number),
    }


def _node(
    node: Node, number: dict[Node, int], labels: Labels, terms: dict[Node, Term], arrays: ArrayTable
) -> dict[str, Any]:
    inputs = [source for source in node.inputs if source is not None]
    formula = ""
    if node.primitive is not None:
        formula = forward_text(node.primitive, [terms[s] for s in inputs], node.params, len(node.shape))
    return {
        "label": labels.text[node],
        "op": node.primitive.name if node.primitive is not None else "",
        "formula": formula,
        "step": labels.step[node],
        "role": labels.role[node],
        "inputs": [number[source] for source in inputs],
        "value": arrays.add(node.value),
        "cut": node.primitive is p.detach,
    }


def _backward(
    c: Contribution, number: dict[Node, int], terms: dict[Node, Term], arrays: ArrayTable
) -> dict[str, Any]:
    node, primitive = c.node, c.node.primitive
    assert primitive is not None
    args = [terms[source] for source in node.inputs if source is not None]
    g = Term(f"∂{terms[node].text}", node.shape, node.dtype)
    record: dict[str, Any] = {
        "kind": "backward",
        "node": number[node],
        "position": c.position,
        "source": number[c.source],
        "formula": vjp_text(primitive, c.position, g, terms[node], args, node.params),
        "upstream": arrays.add(c.upstream),
        "part": arrays.add(c.part),
        "after": arrays.add(c.after),
    }
    if c.before is not None:
        record["before"] = arrays.add(c.before)
    if c.local is not None:
        one = Term("1", node.shape, node.dtype)
        record["local"] = arrays.add(c.local)
        record["localFormula"] = vjp_text(primitive, c.position, one, terms[node], args, node.params)
        if c.product is not None:
            record["product"] = arrays.add(c.product)
    else:
        record["needs"] = [number[source] for source in _needed(node, c.position)]
    return record


def _needed(node: Node, position: int) -> list[Node]:
    """Return the records whose values the VJP asks for."""
    rule = node.primitive.rule(position) if node.primitive is not None else None
    origins = [] if rule is None else [o for o in rule.sources if o is not None]
    found = [node if origin == -1 else node.inputs[origin] for origin in origins]
    return [source for source in found if source is not None]


def _ledgers(run: Pass, labels: Labels, number: dict[Node, int], offset: int) -> list[dict[str, Any]]:
    """Return for each weight, and for what is made of weights once for all steps, which records add to it."""
    rows: dict[Node, list[int]] = {}
    for i, c in enumerate(run.contributions):
        leaf = c.source.primitive is None and not isinstance(c.source, Constant)
        if leaf or (labels.role[c.source] == "weight" and labels.step[c.source] is None):
            rows.setdefault(c.source, []).append(i + offset)
    return [{"node": number[node], "rows": rows[node]} for node in run.nodes if node in rows]


def _times(run: Pass, labels: Labels, number: dict[Node, int]) -> dict[str, Any]:
    """Return the states of each time step, of which the page shows how large their gradients are."""
    names = list(dict.fromkeys(labels.carry[node] for node in run.nodes if node in labels.carry))
    if not names:
        return {"title": "", "steps": []}
    states: dict[int, list[int]] = {}
    for node in run.nodes:
        step = labels.step[node]
        if step is not None and labels.carry.get(node) == names[-1]:
            states.setdefault(step, []).append(number[node])
    name = names[-1]
    title = f"‖∂{labels.text[run.root]}/∂{name}‖ at each time step, on a log scale"
    return {"title": title, "steps": [{"step": step, "nodes": states[step]} for step in sorted(states)]}
