"""All schedules, where PyTorch has them: ``tr.optim.lr_scheduler.StepLR`` is ``tr.optim.StepLR``."""

from tinyrnn.optim.one_cycle import OneCycleLR
from tinyrnn.optim.plateau import ReduceLROnPlateau
from tinyrnn.optim.scheduler import LRScheduler
from tinyrnn.optim.schedules import CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, MultiStepLR, StepLR
from tinyrnn.optim.sequential import SequentialLR

__all__ = [
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
]
