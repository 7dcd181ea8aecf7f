"""All schedules, where PyTorch has them: ``tr.optim.lr_scheduler.StepLR`` is ``tr.optim.StepLR``."""

from tinyrnn.optim.plateau import ReduceLROnPlateau
from tinyrnn.optim.schedules import CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, LRScheduler, StepLR
from tinyrnn.optim.sequential import SequentialLR

__all__ = [
    "LRScheduler",
    "StepLR",
    "ExponentialLR",
    "CosineAnnealingLR",
    "LinearLR",
    "LambdaLR",
    "SequentialLR",
    "ReduceLROnPlateau",
]
