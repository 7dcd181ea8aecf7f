"""What a picture can be asked for, in words: as types, for editors, and as tuples, to check against."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, get_args

__all__ = [
    "LEVELS", "SHOWN", "STEPPER_LEVELS", "STYLES", "THEME_NAMES", "VALUES", "WEIGHTS", "Level", "Options",
    "Shown", "StepperLevel", "Style", "ThemeName", "Values", "Weights",
]  # fmt: skip

Level = Literal["op", "gate", "cell", "layer", "rolled"]  # from the finest to the coarsest
StepperLevel = Literal["cell", "gate", "op"]
Style = Literal["boxes", "textbook"]
Weights = Literal["alias", "tray"]
Values = Literal["summary", "full", "none"]
Shown = Literal["weights", "shapes", "dtypes", "values", "gradients"]
ThemeName = Literal["light", "dark"]

LEVELS: tuple[Level, ...] = get_args(Level)
STEPPER_LEVELS: tuple[StepperLevel, ...] = get_args(StepperLevel)
STYLES: tuple[Style, ...] = get_args(Style)
WEIGHTS: tuple[Weights, ...] = get_args(Weights)
VALUES: tuple[Values, ...] = get_args(Values)
SHOWN: tuple[Shown, ...] = get_args(Shown)
THEME_NAMES: tuple[ThemeName, ...] = get_args(ThemeName)


@dataclass(frozen=True)
class Options:
    """What is asked of a picture; see `tinyrnn.draw.unrolled`."""

    level: Level = "cell"
    expand: Collection[int] = ()
    weights: Weights = "alias"
    values: Values = "summary"
    gradients: bool = True
    max_nodes: int = 400
    windows: Any = None
    shown: frozenset[Shown] = frozenset(SHOWN)
    width: float | None = None
    style: Style = "boxes"
