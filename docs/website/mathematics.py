"""Mathematics as MathML, made when the site is built: no script, and no request, when it is read."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

__all__ = ["mathml", "setup"]

SAME = {"aligned": "align*", "gathered": "gather*"}  # what latex2mathml knows by another name
BETTER = {
    # A name before a bracket is a function, with no space between the two; and a bracket of a given size
    # stands as close to what is inside as any other.
    r"<mo>([A-Za-z]+)</mo>(?=<mo stretchy)": r'<mi mathvariant="normal">\1</mi>',
    r"<mo>(&#x02202;)</mo>": r"<mi>\1</mi>",  # a partial derivative, and no operator that wants space
    # A slash and bars of no given size want neither space nor more height than their line.
    r'<mo(?: fence="false")?(?: stretchy="false")?>(/|&#x0002F;|\||&#x0007C;|&#x02016;)</mo>': (
        r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>'
    ),
    r'(minsize="[^"]*" maxsize="[^"]*")': r'\1 lspace="0" rspace="0"',
}
LEFT_OVER = ("\\", "<mi>&</mi>")  # what it did not understand stands in its output as it was


def mathml(tex: str, display: bool = False) -> str:
    """Return a formula as MathML.

    Raises
    ------
    ValueError
        Something in it is not understood.
    """
    for name, known in SAME.items():
        for word in ("begin", "end"):
            tex = tex.replace(f"\\{word}{{{name}}}", f"\\{word}{{{known}}}")
    try:
        written = convert(tex, display="block" if display else "inline")
    except Exception as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    written = re.sub(r">\\(\w+|[|{}])</mo>", _sign, written)
    if any(mark in written for mark in LEFT_OVER):
        raise ValueError("latex2mathml does not know a command of it")
    for pattern, better in BETTER.items():
        written = re.sub(pattern, better, written)
    return written


def _sign(sized: re.Match[str]) -> str:
    """Return a delimiter with a size, which was left as a command, as the sign that it is without one."""
    alone = re.search(r"<m[io][^>]*>(&#x\w+;|[|{}])</m", convert(f"\\{sized[1]}"))
    return f">{alone[1]}</mo>" if alone else sized[0]


def _write(writer: Any, node: nodes.Element, before: str, after: str, display: bool) -> None:
    try:
        writer.body.append(before + mathml(node.astext(), display) + after)
    except ValueError as error:
        logging.getLogger(__name__).warning("formula %r: %s", node.astext(), error, location=node)
    raise nodes.SkipNode


def inline(writer: Any, node: nodes.math) -> None:
    """Write a formula that stands in a line."""
    _write(writer, node, "", "", False)


def block(writer: Any, node: nodes.math_block) -> None:
    """Write a formula that stands by itself; one that is too wide for a phone scrolls in its own frame."""
    _write(writer, node, '<div class="formula">', "</div>", True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of this way to write mathematics."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
