"""The functions behind the modules, where PyTorch's users look: ``import tinyrnn.nn.functional as F``."""

from tinyrnn.nn.class_losses import cross_entropy, nll_loss
from tinyrnn.nn.ctc.loss import ctc_loss
from tinyrnn.nn.dropout import dropout
from tinyrnn.nn.elementwise_losses import binary_cross_entropy_with_logits, l1_loss, mse_loss

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "l1_loss",
    "mse_loss",
    "nll_loss",
]
