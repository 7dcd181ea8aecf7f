"""Sequences written token by token: greedy, drawn, or searched for."""

from tinyrnn.generation.beam import Hypothesis, beam_search
from tinyrnn.generation.generate import generate

__all__ = ["Hypothesis", "beam_search", "generate"]


def __dir__() -> list[str]:
    return sorted(__all__)
