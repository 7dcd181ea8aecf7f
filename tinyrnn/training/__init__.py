"""A training run: the loop, its progress and history, and the files it goes on from."""

from tinyrnn.training.callbacks import BestWeights, EarlyStopping
from tinyrnn.training.fit import fit
from tinyrnn.training.history import History
from tinyrnn.training.run import Run
from tinyrnn.training.saving import load, save

__all__ = ["BestWeights", "EarlyStopping", "History", "Run", "fit", "load", "save"]


def __dir__() -> list[str]:
    return sorted(__all__)
