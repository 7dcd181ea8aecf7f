"""Drawings of the unrolled graph: DOT text, pictures, and a page to step through."""

from tinyrnn.draw.stepping import Stepper, stepper

__all__ = ["Stepper", "stepper"]
