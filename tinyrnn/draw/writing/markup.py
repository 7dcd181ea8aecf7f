"""The HTML-like labels of boxes: a title in bold, small print, and strips of colour for sizes over time."""

from __future__ import annotations

import math

from tinyrnn.draw.style import Scale, ink_on
from tinyrnn.draw.text import LINE, TITLE, Markup, html, number
from tinyrnn.draw.viewing.fold import Column
from tinyrnn.draw.viewing.view import Box

__all__ = ["fold_label", "label", "small", "tray_label"]

TABLE = '<table border="0" cellborder="0" cellspacing="0" cellpadding="1">'


def small(body: str, size: float = LINE) -> Markup:
    """Set markup in small letters."""
    return Markup(f'<<font point-size="{size:g}">{body}</font>>')


def label(title: str, lines: list[str], index: str = "") -> Markup:
    """Write a title in bold with its index, and lines of small print."""
    below = "".join(f'<br/><font point-size="{LINE:g}">{html(line)}</font>' for line in lines)
    beside = f'<font point-size="{LINE:g}">{html(index)}</font>' if index else ""
    return Markup(f"<<b>{html(title) or ' '}</b>{beside}{below}>")


def strip(norms: list[float], scale: Scale) -> str:
    """Write table cells, one for each size; exact zeros and what is not finite have a mark too."""

    def cell(norm: float) -> str:
        mark = "0" if norm == 0 else " " if math.isfinite(norm) else "!"
        colour = scale.colour(norm)
        body = f'<font color="{ink_on(colour)}">{mark}</font>' if mark != " " else mark
        return f'<td bgcolor="{colour}" width="6" height="10" fixedsize="true">{body}</td>'

    return "".join(map(cell, norms))


def fold_label(column: Column, scale: Scale) -> Markup:
    """Say which steps are folded, what is among them, and how their gradients run."""
    count = column.last - column.first + 1
    lines = [f"<b>{count} step{'s' * (count > 1)} folded</b>", column.title]
    if column.losses:
        lines.append(f"{column.losses} with a loss")
    if column.cuts:
        lines.append(f"{column.cuts} with a cut")
    if column.finite is not None:
        lines.append(f"‖∂L/∂state‖ {' … '.join(map(number, column.finite))}")
    broken = sum(not math.isfinite(n) for norms in column.norms.values() for n in norms)
    if broken:
        lines.append(f"<b>{broken} not finite</b>")
    rows = "".join(f'<tr><td colspan="17">{line}</td></tr>' for line in lines)
    for layer, carry in column.norms:
        name = html(f"{layer} {carry} ".lstrip())
        rows += f'<tr><td align="right">{name}</td>{strip(column.strip(layer, carry), scale)}</tr>'
    return small(f"{TABLE}{rows}</table>")


def tray_label(box: Box, scale: Scale) -> Markup:
    """Write a weight's name, its lines, and the sizes of its contributions over time."""
    rows = f'<tr><td colspan="16"><font point-size="{TITLE:g}"><b>{html(box.title)}</b></font></td></tr>'
    rows += "".join(f'<tr><td colspan="16">{html(line)}</td></tr>' for line in box.lines)
    cells = strip(box.strip, scale)
    return small(f"{TABLE}{rows}{f'<tr>{cells}</tr>' if cells else ''}</table>")
