"""How things look: palettes that colour-blind readers can tell apart, and the style of a gradient.

Kinds of boxes take the colours of Okabe and Ito ("Color Universal Design", 2008), gradients those of viridis,
by the logarithm of their norm. No meaning hangs on colour alone: a gradient has a width and its number too;
one that is zero, not finite, or clipped has a line and an arrowhead of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

__all__ = ["TEXTBOOK", "THEMES", "Gradient", "Scale", "Theme", "ink_on", "luminance", "theme_of"]

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
VIRIDIS = (
    "#440154", "#482878", "#3E4A89", "#31688E", "#26828E", "#1F9E89", "#35B779", "#6DCD59", "#B4DE2C",
    "#FDE725",
)  # fmt: skip


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.1)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ink_on(ground: str) -> str:
    """Return black or white, whichever is easier to read on a colour."""
    return BLACK if luminance(ground) > 0.179 else "#FFFFFF"


@dataclass(frozen=True)
class Theme:
    """The colours of a picture. ``fills`` has a colour for each kind of box."""

    name: str
    background: str
    panel: str
    border: str
    text: str
    faint: str
    edge: str
    alarm: str
    shade: tuple[str, str]
    fills: dict[str, str]
    ramp: tuple[str, ...]
    weights: tuple[str, ...]


def _mixed(colour: str, ground: str, share: float) -> str:
    pairs = [(int(colour[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02X}" for a, b in pairs)


def _readable(text: str, colour: str, ground: str, share: float) -> str:
    """Mix as much of a colour with the ground as text on it bears: a contrast of 4.5."""
    mixed = _mixed(colour, ground, share)
    dark, light = sorted(map(luminance, (text, mixed)))
    return mixed if light + 0.05 >= 4.5 * (dark + 0.05) else _readable(text, colour, ground, share - 0.02)


def _finer(ramp: tuple[str, ...]) -> tuple[str, ...]:
    """Return a ramp with a colour more between any two."""
    return tuple(c for a, b in pairwise(ramp) for c in (a, _mixed(a, b, 0.5))) + ramp[-1:]


_KINDS = {
    "op": "#999999", "product": BLUE, "gate": GREEN, "cell": SKY, "module": PURPLE, "input": YELLOW, "output":
    ORANGE, "loss": VERMILION, "state": "#BBBBBB", "fold": "#999999", "constant": "#BBBBBB",
}  # fmt: skip
_WEIGHTS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW)


def _theme(name: str, ground: str, text: str, share: float, ramp: tuple[str, ...], alarm: str) -> Theme:
    return Theme(
        name=name,
        background=ground,
        panel=_mixed(text, ground, 0.045),
        border=_mixed(text, ground, 0.35),
        text=text,
        faint=_mixed(text, ground, 0.72),
        edge=_mixed(text, ground, 0.8),
        alarm=alarm,
        shade=(_mixed(SKY, ground, 0.22), _mixed(ORANGE, ground, 0.2)),
        fills={kind: _mixed(colour, ground, share) for kind, colour in _KINDS.items()},
        ramp=ramp,
        weights=tuple(_readable(text, colour, ground, share + 0.12) for colour in _WEIGHTS),
    )


# The pale end of viridis cannot be seen on white, nor its dark end on black: each theme goes without, so
# that each line has a contrast of 3 at least with what it stands on; without colours, the order stays.
THEMES = {
    "light": _theme("light", "#FFFFFF", "#1A1A1A", 0.32, _finer(VIRIDIS[5::-1]), "#B03A00"),
    "dark": _theme("dark", "#14171A", "#ECECEC", 0.42, _finer(VIRIDIS[4:]), "#FF8A4C"),
}


def _printed(theme: Theme, greys: tuple[str, ...]) -> Theme:
    """Return a theme in black, white and greys, as of a book."""
    ground, text = theme.background, theme.text
    fills = {kind: _mixed(text, ground, share) for kind, share in {
        "op": 0.0, "product": 0.06, "gate": 0.14, "cell": 0.06, "module": 0.06, "input": 0.0, "output": 0.0,
        "loss": 0.0, "state": 0.0, "fold": 0.1, "constant": 0.0,
    }.items()}  # fmt: skip
    shade = _mixed(text, ground, 0.1), _mixed(text, ground, 0.04)
    weights = (_mixed(text, ground, 0.08),)
    return replace(
        theme, panel=_mixed(text, ground, 0.02), border=_mixed(text, ground, 0.75), alarm=text, shade=shade,
        fills=fills, ramp=greys, weights=weights,
    )  # fmt: skip


TEXTBOOK = {
    "light": _printed(THEMES["light"], _finer(("#8C8C8C", "#6A6A6A", "#4A4A4A", "#2A2A2A", "#000000"))),
    "dark": _printed(THEMES["dark"], _finer(("#767676", "#949494", "#B4B4B4", "#D6D6D6", "#FFFFFF"))),
}


def theme_of(name: str, style: str = "boxes") -> Theme:
    """Return a theme; in greys for the style of a textbook."""
    return (TEXTBOOK if style == "textbook" else THEMES)[name]


@dataclass(frozen=True)
class Gradient:
    """The size of a gradient, and what it was before it was clipped (None where it was not)."""

    norm: float
    before: float | None = None

    @property
    def kind(self) -> str:
        """One of ``finite``, ``zero``, ``non-finite`` and ``clipped``."""
        if not math.isfinite(self.norm):
            return "non-finite"
        if self.before is not None:
            return "clipped"
        return "zero" if self.norm == 0 else "finite"


class Scale:
    """The logarithmic scale of one picture: from a gradient's norm to a colour and a width."""

    def __init__(self, theme: Theme, norms: list[float]) -> None:
        usable = [math.log10(n) for n in norms if math.isfinite(n) and n > 0]
        self.theme = theme
        self.low = min(usable, default=0.0)
        self.high = max(usable, default=0.0)
        if self.high - self.low < 1:  # less than a factor of ten apart should not look like vanishing
            middle = (self.high + self.low) / 2
            self.low, self.high = middle - 0.5, middle + 0.5

    def place(self, norm: float) -> float:
        """Return where a norm stands, from 0 (the smallest) to 1 (the largest)."""
        if norm <= 0:
            return 0.0
        return min(max((math.log10(norm) - self.low) / (self.high - self.low), 0.0), 1.0)

    def colour(self, norm: float) -> str:
        """Return the colour of a norm, also for zero and what is not finite."""
        if not math.isfinite(norm):
            return self.theme.alarm
        if norm == 0:
            return self.theme.faint
        ramp = self.theme.ramp
        return ramp[round(self.place(norm) * (len(ramp) - 1))]

    def edge(self, gradient: Gradient) -> dict[str, str]:
        """Return the DOT attributes of a backward edge."""
        colour = self.colour(gradient.norm)
        line = {"color": colour, "fontcolor": colour if gradient.kind == "non-finite" else self.theme.text}
        if gradient.kind == "zero":
            return line | {"style": "dotted", "penwidth": "1", "arrowhead": "odot"}
        if gradient.kind == "non-finite":
            return line | {"style": "bold", "penwidth": "4", "arrowhead": "diamond"}
        line["penwidth"] = f"{0.8 + 3.2 * self.place(gradient.norm):.1f}"
        if gradient.kind == "clipped":
            return line | {"style": "dashed", "arrowhead": "normaltee"}
        return line | {"style": "dashed", "arrowhead": "normal"}
