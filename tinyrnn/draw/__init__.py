"""Drawings of the unrolled graph: DOT text, pictures, and a page to step through."""

from tinyrnn.draw.drawing import Drawing
from tinyrnn.draw.stepping import Stepper, stepper
from tinyrnn.draw.unrolled import graph, unrolled

__all__ = ["Drawing", "Stepper", "graph", "stepper", "unrolled"]
