"""Modules: PyTorch's names, shapes, gate order and state-dict keys."""

from typing import TYPE_CHECKING, Any

from tinyrnn.autograd.elsewhere import NN_NAMES, instead
from tinyrnn.nn import functional, init
from tinyrnn.nn.activations import (
    ELU,
    GELU,
    SELU,
    Hardsigmoid,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softsign,
    Tanh,
)
from tinyrnn.nn.buffer import Buffer
from tinyrnn.nn.cell import Cell
from tinyrnn.nn.cells import GRUCell, LSTMCell, LSTMState, RNNCell
from tinyrnn.nn.containers import ModuleDict, ModuleList, Sequential
from tinyrnn.nn.convolution.conv import Conv1d, Conv2d
from tinyrnn.nn.convolution.pooling import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from tinyrnn.nn.ctc.decoding import ctc_beam_decode, ctc_greedy_decode
from tinyrnn.nn.dropout import Dropout
from tinyrnn.nn.embedding import Embedding
from tinyrnn.nn.error_rates import edit_distance, error_rate
from tinyrnn.nn.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    ctc_loss,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
)
from tinyrnn.nn.layer_norm import LayerNorm
from tinyrnn.nn.layers import GRU, LSTM, RNN
from tinyrnn.nn.linear import Linear
from tinyrnn.nn.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    CTCLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)
from tinyrnn.nn.masks import mask
from tinyrnn.nn.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.nn.recurrent import Recurrent
from tinyrnn.nn.seq2seq.attention import AdditiveAttention, DotAttention
from tinyrnn.nn.seq2seq.decoder import Decoder, DecoderState
from tinyrnn.nn.seq2seq.scheduled_sampling import (
    exponential_decay,
    inverse_sigmoid_decay,
    linear_decay,
    scheduled_sampling,
)

__all__ = [
    "AdditiveAttention",
    "AvgPool1d",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "Buffer",
    "CTCLoss",
    "Cell",
    "Conv1d",
    "Conv2d",
    "CrossEntropyLoss",
    "Decoder",
    "DecoderState",
    "DotAttention",
    "Dropout",
    "ELU",
    "Embedding",
    "GELU",
    "GRU",
    "GRUCell",
    "HuberLoss",
    "Hardsigmoid",
    "Hardtanh",
    "L1Loss",
    "LSTM",
    "LSTMCell",
    "LSTMState",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "RNN",
    "RNNCell",
    "ReLU",
    "Recurrent",
    "SELU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softsign",
    "Tanh",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "ctc_beam_decode",
    "ctc_greedy_decode",
    "ctc_loss",
    "edit_distance",
    "error_rate",
    "exponential_decay",
    "functional",
    "init",
    "inverse_sigmoid_decay",
    "huber_loss",
    "l1_loss",
    "linear_decay",
    "mask",
    "mse_loss",
    "nll_loss",
    "scheduled_sampling",
]

if not TYPE_CHECKING:  # to whom all names would seem to be there

    def __getattr__(name: str) -> Any:
        raise AttributeError(instead("module 'tinyrnn.nn'", name, NN_NAMES, ("tr", "optim", "data")))


def __dir__() -> list[str]:
    return sorted(__all__)
