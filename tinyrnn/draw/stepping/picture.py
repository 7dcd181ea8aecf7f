"""The picture as the page's script draws it: columns, each by a template that alike time steps share."""

from __future__ import annotations

import json
from typing import Any

from tinyrnn.draw.stepping.grid import HEIGHT, Column, Grid, Link

__all__ = ["picture_data"]

LANE = 8  # height at which edges pass over the steps


def picture_data(grid: Grid) -> dict[str, Any]:
    """Return where all boxes and edges are.

    Returns
    -------
    dict
        ``width``, ``height``; ``columns``, each with ``left``, ``width``, ``title``, the number of its
        ``template``, and for each box of that the ``nodes``; ``templates``, each with its ``boxes`` (centre,
        width, and of a copy beside its use which box uses it and as which operand) and the ``edges`` that
        end in it (path, kind, box, operand), measured from the left of the column.
    """
    templates: dict[str, int] = {}
    columns: list[dict[str, Any]] = []
    uses = {id(link.start): link for link in grid.links}
    ending: dict[int, list[Link]] = {}
    for link in grid.links:
        ending.setdefault(id(link.end), []).append(link)
    for column in grid.columns:
        template = _template(column, uses, ending)
        columns.append(
            {
                "left": round(column.left, 1),
                "width": round(column.width, 1),
                "title": column.title,
                "template": templates.setdefault(json.dumps(template), len(templates)),
                "nodes": [box.node.key for box in column.boxes],
            }
        )
    return {
        "width": round(grid.width, 1),
        "height": round(grid.height, 1),
        "columns": columns,
        "templates": [json.loads(text) for text in templates],
    }


def _template(column: Column, uses: dict[int, Link], ending: dict[int, list[Link]]) -> dict[str, Any]:
    place = {id(box): i for i, box in enumerate(column.boxes)}
    boxes: list[list[Any]] = []
    for box in column.boxes:
        boxes.append([round(box.x - column.left, 1), round(box.y, 1), round(box.width, 1)])
        if box.copy:
            use = uses[id(box)]
            boxes[-1] += [place[id(use.end)], use.position]
    edges = [
        [_path(link, column.left), _kind(link), i, link.position]
        for i, box in enumerate(column.boxes)
        for link in ending.get(id(box), [])
    ]
    return {"boxes": boxes, "edges": edges}


def _kind(link: Link) -> str:
    start, end = link.start, link.end
    kind = "edge"
    if start.node.place != end.node.place and not start.copy:
        kind += " carry" if end.node.place is not None else " late"
    return kind + " cut" if end.node.cut else kind


def _path(link: Link, left: float) -> str:
    """Return the way of an edge as SVG writes it, measured from the left of the column in which it ends."""
    start, end = link.start, link.end
    x, x2 = start.x - left, end.x - left
    if link.inside:
        # Two edges between the same boxes (h * h) stand side by side.
        both = [i for i, s in enumerate(end.node.inputs) if s is start.node]
        twins = [link.position] if start.copy else both
        shift = (twins.index(link.position) - (len(twins) - 1) / 2) * 18
        x, y = x + shift, start.y - HEIGHT / 2
        path = f"M{x:.0f} {y:.0f}"
        for stop in (*link.bends, end):
            to, low = stop.x - left + shift, stop.y + HEIGHT / 2
            half = (y - low) / 2
            path += f"C{x:.0f} {y - half:.0f} {to:.0f} {low + half:.0f} {to:.0f} {low:.0f}"
            x, y = to, low
            if stop is not end:
                y -= HEIGHT
                path += f"V{y:.0f}"
        return path
    if end.node.place is None:  # to what comes after all steps: above their boxes
        x1, up, x2, y = x + start.width / 2, start.exit - left, x2 - end.width / 2, start.y
        r = min(16.0, (y - LANE) / 2)
        return (
            f"M{x1:.0f} {y:.0f}C{up:.0f} {y:.0f} {up:.0f} {y:.0f} {up:.0f} {y - r:.0f}V{LANE + r:.0f}"
            f"Q{up:.0f} {LANE} {up + r:.0f} {LANE}"
            f"H{x2 - 40:.0f}C{x2:.0f} {LANE} {x2 - 26:.0f} {end.y:.0f} {x2:.0f} {end.y:.0f}"
        )
    side = 1 if x2 >= x else -1
    x1, x2 = x + side * start.width / 2, x2 - side * end.width / 2
    bend = max(40.0, abs(x2 - x1) / 2) * side
    y, y2 = start.y, end.y
    return f"M{x1:.0f} {y:.0f}C{x1 + bend:.0f} {y:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
