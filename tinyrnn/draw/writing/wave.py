"""The backward pass as a wave: the arrows of gradients come one after the other, and then stay.

It is CSS inside of the SVG, so it runs wherever a browser shows the picture. It runs once. Who has asked for
less motion sees the picture as it is in the end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from html import unescape

from tinyrnn.draw.writing.shapes import ends_of, parts_of

__all__ = ["animated", "arrivals"]

EVERY, LONGEST = 0.45, 14.0  # seconds from one arrow to the next, and of the whole
GROUP = re.compile(r'<g id="[^"]*" class="(node|edge) ?([^"]*)">\s*<title>(.*?)</title>', re.DOTALL)
# The names are long, since a notebook has the styles of all its pictures on one page.
STYLE = """<style>
@keyframes tinyrnn-arrives {
  from { opacity: 0.06 } 60% { opacity: 1; filter: brightness(1.6) } to { opacity: 1 }
}
.tinyrnn-wave { animation: tinyrnn-arrives 0.8s ease-out 1 both }
@media (prefers-reduced-motion: reduce) { .tinyrnn-wave { animation: none } }
@media print { .tinyrnn-wave { animation: none } }
</style>
"""


def animated(svg: str) -> str:
    """Let the gradients of a picture arrive in the order of the backward pass."""
    names = {part.id for part in parts_of(svg) if part.kind == "node"}
    edges = [(m[2].split(), unescape(m[3])) for m in GROUP.finditer(svg) if m[1] == "edge"]
    of = dict(ends_of(title, names) for classes, title in edges if "weight" in classes)  # alias: its box
    when = arrivals(ends_of(title, names) for classes, title in edges if "backward" in classes)
    pace = min(EVERY, LONGEST / max(max(when.values(), default=0) + 1, 1))

    def marked(match: re.Match[str]) -> str:
        kind, classes, title = match[1], match[2].split(), unescape(match[3])
        if kind == "edge" and "backward" in classes:
            turn = when[ends_of(title, names)[0]]
        elif kind == "node" and "weight" in classes and of.get(title) in when:
            turn = when[of[title]]
        else:
            return match[0]
        classed = match[0].replace(f'class="{kind}', f'class="{kind} tinyrnn-wave', 1)
        return classed.replace(">", f' style="animation-delay:{0.6 + pace * turn:.2f}s">', 1)

    ground = re.search(r'<g id="[^"]*" class="graph"', svg)
    assert ground is not None
    svg = svg[: ground.start()] + STYLE + svg[ground.start() :]
    return GROUP.sub(marked, svg)


def arrivals(arrows: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return for each box at which turn its gradient is complete: when all arrows to it have come.

    Examples
    --------
    >>> arrivals([("L", "h2"), ("h2", "h1"), ("L", "h1")])
    {'L': 0, 'h2': 1, 'h1': 2}
    """
    after: dict[str, list[str]] = {}
    into = Counter[str]()
    for tail, head in arrows:
        after.setdefault(tail, [])
        after.setdefault(head, [])
        if tail != head:  # not the loop of a rolled picture
            after[tail].append(head)
            into[head] += 1
    waiting = {box: into[box] for box in after if into[box]}
    ready = [box for box in after if box not in waiting]
    turns = dict.fromkeys(ready, 0)
    while ready or waiting:
        if not ready:  # a circle, where two layers go both ways: the one that was met first begins
            ready = [next((b for b in waiting if b in turns), next(iter(waiting)))]
            turns.setdefault(ready[0], 0)
            del waiting[ready[0]]
        box = ready.pop(0)
        for head in after[box]:
            if head in waiting:
                turns[head] = max(turns.get(head, 0), turns[box] + 1)
                waiting[head] -= 1
                if not waiting[head]:
                    del waiting[head]
                    ready.append(head)
    return turns
