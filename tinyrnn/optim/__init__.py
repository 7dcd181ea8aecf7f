"""Optimisers, schedules of the learning rate, and clipping, under PyTorch's names."""

from tinyrnn.optim import lr_scheduler
from tinyrnn.optim.adagrad import Adagrad
from tinyrnn.optim.adam import Adam, AdamW
from tinyrnn.optim.clip import NonFiniteGradientWarning, clip_grad_norm_, clip_grad_value_
from tinyrnn.optim.one_cycle import OneCycleLR
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.plateau import ReduceLROnPlateau
from tinyrnn.optim.rmsprop import RMSprop
from tinyrnn.optim.scheduler import LRScheduler
from tinyrnn.optim.schedules import CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, MultiStepLR, StepLR
from tinyrnn.optim.sequential import SequentialLR
from tinyrnn.optim.sgd import SGD

__all__ = [
    # optimisers
    "Optimizer",
    "SGD",
    "Adam",
    "AdamW",
    "Adagrad",
    "RMSprop",
    # schedules
    "lr_scheduler",
    "LRScheduler",
    "StepLR",
    "MultiStepLR",
    "ExponentialLR",
    "CosineAnnealingLR",
    "LinearLR",
    "LambdaLR",
    "OneCycleLR",
    "SequentialLR",
    "ReduceLROnPlateau",
    # clipping
    "clip_grad_norm_",
    "clip_grad_value_",
    "NonFiniteGradientWarning",
]


def __dir__() -> list[str]:
    return sorted(__all__)
