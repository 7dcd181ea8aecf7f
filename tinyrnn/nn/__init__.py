"""Modules: PyTorch's names, shapes, gate order and state-dict keys."""

from tinyrnn.nn import init
from tinyrnn.nn.cell import Cell
from tinyrnn.nn.cells import GRUCell, LSTMCell, LSTMState, RNNCell
from tinyrnn.nn.containers import ModuleList, Sequential
from tinyrnn.nn.dropout import Dropout
from tinyrnn.nn.layer_norm import LayerNorm
from tinyrnn.nn.layers import GRU, LSTM, RNN
from tinyrnn.nn.linear import Linear
from tinyrnn.nn.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.nn.recurrent import Recurrent
