"""A training run: the loop, its progress and history, and the files it goes on from."""

from tinyrnn.training.saving import load, save

__all__ = ["load", "save"]
