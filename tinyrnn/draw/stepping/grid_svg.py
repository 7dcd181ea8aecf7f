"""The stepper's picture as SVG text. What changes from record to record, the page's script writes into it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.tape import Node
from tinyrnn.draw.stepping.formula import INFIX, index_text
from tinyrnn.draw.stepping.grid import HEIGHT, MOST, Box, Grid, Link
from tinyrnn.draw.stepping.labels import Labels

__all__ = ["grid_svg", "symbol"]

LANE = 8  # height at which edges pass over the steps


def grid_svg(grid: Grid, labels: Labels, number: Callable[[Node], int]) -> str:
    """Return the picture.

    Parameters
    ----------
    grid : Grid
    labels : Labels
    number : callable
        The number of a record on the page; the ids are made with it.
    """
    hues = {node: i % 7 for i, node in enumerate(n for n in labels.text if labels.role[n] == "weight")}
    top, height = 30.0, grid.height + 30.0
    note = "The unrolled graph, a column for each time step; the table of all records below says the same."
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" id="picture" role="img" aria-label="{note}" '
        f'viewBox="0 0 {grid.width:g} {height:g}" width="{grid.width:g}" height="{height:g}">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>',
    ]
    for i, column in enumerate(grid.columns):
        kind = "band" if i % 2 else "band odd"
        middle = column.left + column.width / 2
        parts += [
            f'<rect class="{kind}" x="{column.left:g}" y="0" width="{column.width:g}" height="{height:g}"/>',
            f'<text class="time" x="{middle:g}" y="20">{escape(column.title)}</text>',
        ]
    parts.append(f'<g transform="translate(0 {top:g})">')
    parts += [_edge(link, labels, number) for link in grid.links]
    boxes = [box for column in grid.columns for box in column.boxes]
    uses = {id(link.start): link for link in grid.links}
    for box in boxes:
        name = f"n{number(box.node)}"
        if box.copy:
            link = uses[id(box)]
            name = f"c{number(link.end.node)}-{link.position}"
        parts.append(_box(box, name, labels, number(box.node), hues.get(box.node)))
    return "\n".join([*parts, "</g>", "</svg>"])


def _edge(link: Link, labels: Labels, number: Callable[[Node], int]) -> str:
    start, end = link.start, link.end
    kind = "edge"
    if labels.step[start.node] != labels.step[end.node] and not start.copy:
        kind += " carry" if labels.step[end.node] is not None else " late"
    if end.node.primitive is p.detach:
        kind += " cut"
    if link.inside:
        # Two edges between the same boxes (h * h) stand side by side.
        twins = (
            [i for i, s in enumerate(end.node.inputs) if s is start.node]
            if not start.copy
            else [link.position]
        )
        shift = (twins.index(link.position) - (len(twins) - 1) / 2) * 18
        x, y = start.x + shift, start.y - HEIGHT / 2
        path = f"M{x:g} {y:g}"
        for stop in (*link.bends, end):
            to, low = stop.x + shift, stop.y + HEIGHT / 2
            half = (y - low) / 2
            path += f"C{x:g} {y - half:g} {to:g} {low + half:g} {to:g} {low:g}"
            x, y = to, low
            if stop is not end:
                y -= HEIGHT
                path += f"V{y:g}"
    elif labels.step[end.node] is None:  # to what comes after all steps: above their boxes
        x1, x2 = start.x + start.width / 2, end.x - end.width / 2
        path = (
            f"M{x1:g} {start.y:g}C{x1 + 26:g} {start.y:g} {x1:g} {LANE:g} {x1 + 40:g} {LANE:g}"
            f"H{x2 - 40:g}C{x2:g} {LANE:g} {x2 - 26:g} {end.y:g} {x2:g} {end.y:g}"
        )
    else:
        side = 1 if end.x >= start.x else -1
        x1, y1, x2, y2 = start.x + side * start.width / 2, start.y, end.x - side * end.width / 2, end.y
        bend = max(40.0, abs(x2 - x1) / 2) * side
        path = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    return f'<path class="{kind}" id="e{number(end.node)}-{link.position}" d="{path}"/>'


def _box(box: Box, name: str, labels: Labels, number: int, hue: int | None) -> str:
    text, node = labels.text[box.node], box.node
    role = labels.role[node]
    kind = "box copy" if box.copy else "box"
    if hue is not None:
        kind += f" hue{hue}"
    if node.primitive is p.detach:
        kind += " detach"
    x, y, w, h = box.x - box.width / 2, box.y - HEIGHT / 2, box.width, HEIGHT
    note = f"{text}: {role}, shape {node.shape}" + (f", {node.primitive.name}" if node.primitive else "")
    sign = symbol(node.primitive, node) if node.primitive is not None and not box.copy else ""
    room = MOST if box.copy else MOST - len(sign)
    lines = [
        f'<g class="{kind}" id="{name}" data-node="{number}"><title>{escape(note)}</title>',
        f'<rect x="{x:g}" y="{y:g}" width="{w}" height="{h}" rx="{h / 2 if box.copy else 7:g}"/>',
    ]
    if box.copy:
        lines += [
            f'<text class="name middle" x="{box.x:g}" y="{y + 20:g}">{escape(_short(text, room))}</text>',
            f'<text class="value middle" x="{box.x:g}" y="{y + 36:g}"></text>',
        ]
    else:
        lines += [
            f'<text class="name" x="{x + 8:g}" y="{y + 16:g}">{escape(_short(text, room))}</text>',
            f'<text class="op" x="{x + w - 8:g}" y="{y + 16:g}">{escape(sign)}</text>',
            f'<text class="value" x="{x + 8:g}" y="{y + 29:g}"></text>',
            f'<text class="grad" x="{x + 8:g}" y="{y + 42:g}"></text>',
        ]
    return "".join([*lines, "</g>"])


def symbol(primitive: Primitive, node: Node) -> str:
    """Return a sign for an operation: ``+``, ``@``, ``[0:2]``, or its name."""
    if primitive is p.multiply:
        return "×"
    if primitive in INFIX:
        return INFIX[primitive][0]
    if primitive is p.negative:
        return "−"
    if primitive is p.transpose:
        return ".T"
    if primitive is p.getitem:
        return _short(f"[{index_text(node.params['index'])}]", 8)
    return _short(primitive.name, 8)


def _short(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
