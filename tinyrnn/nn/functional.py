"""The functions behind the modules, where PyTorch's users look: ``import tinyrnn.nn.functional as F``."""

from typing import TYPE_CHECKING, Any

from tinyrnn.autograd.elsewhere import NN_NAMES, instead
from tinyrnn.autograd.functions import (
    elu,
    gelu,
    hardsigmoid,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)
from tinyrnn.nn.class_losses import cross_entropy, nll_loss
from tinyrnn.nn.convolution.conv import conv1d, conv2d
from tinyrnn.nn.convolution.pooling import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from tinyrnn.nn.ctc.loss import ctc_loss
from tinyrnn.nn.dropout import dropout
from tinyrnn.nn.elementwise_losses import binary_cross_entropy_with_logits, huber_loss, l1_loss, mse_loss

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "elu",
    "gelu",
    "hardsigmoid",
    "hardtanh",
    "huber_loss",
    "l1_loss",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "max_pool1d",
    "max_pool2d",
    "mish",
    "mse_loss",
    "nll_loss",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]

if not TYPE_CHECKING:  # to whom all names would seem to be there

    def __getattr__(name: str) -> Any:
        raise AttributeError(instead("module 'tinyrnn.nn.functional'", name, NN_NAMES, ("tr", "nn")))


def __dir__() -> list[str]:
    return sorted(__all__)
