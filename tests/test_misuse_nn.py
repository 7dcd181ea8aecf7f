"""Misuse of the modules: each error names the argument, what was expected and what came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr
from tinyrnn import nn
from tinyrnn.nn import functional as F
from tinyrnn.nn import init


def z(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


x = z(5, 4, 3)  # T, batch, input_size
lstm, gru = nn.LSTM(3, 8), nn.GRU(3, 8, 2, bidirectional=True)
first = nn.LSTM(3, 8, batch_first=True)
cell = nn.LSTMCell(3, 8)
logits = tr.zeros(5, 4, 7)

MISUSE: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    # x
    "x of another size": (
        lambda: lstm(z(5, 4, 2)),
        ValueError,
        r"LSTM: x has shape (5, 4, 2); expected (T, batch, input_size) or (T, input_size), "
        r"with input_size = 3",
    ),
    "x of four axes": (
        lambda: first(z(1, 5, 4, 3)),
        ValueError,
        r"LSTM: x has shape (1, 5, 4, 3); expected (batch, T, input_size) or (T, input_size), "
        r"with input_size = 3",
    ),
    "x of another dtype": (
        lambda: gru(tr.tensor(np.zeros((5, 4, 3)))),
        TypeError,
        r"GRU: x is a Tensor of dtype float64; expected float32, that of the parameters: use "
        r"x.astype('float32'), or make the module with dtype='float64'",
    ),
    "x that is integers": (
        lambda: gru(tr.zeros(5, 4, 3).astype(np.int64)),
        TypeError,
        r"GRU: x is a Tensor of dtype int64; expected float32",
    ),
    "x that is text": (
        lambda: lstm([["a"]]),
        TypeError,
        r"LSTM: x is list of dtype <U1; expected real numbers",
    ),
    "x that is what another layer returned": (
        lambda: nn.Sequential(nn.GRU(3, 8), nn.Linear(8, 1))(x),
        TypeError,
        r"Linear: x is a tuple of 2; expected one Tensor or array. Did it come from a recurrent layer, "
        r"which returns (outputs, state)?",
    ),
    "x without steps": (lambda: lstm(z(0, 4, 3)), ValueError, r"0 steps; expected at least 1"),
    # states
    "h0 of another batch": (
        lambda: lstm(x, (z(1, 5, 8), z(1, 4, 8))),
        ValueError,
        r"LSTM: h0 has shape (1, 5, 8); expected (num_layers * directions, batch, hidden_size) = (1, 4, 8)",
    ),
    "h0 of other layers": (
        lambda: lstm(x, (z(2, 4, 8), z(2, 4, 8))),
        ValueError,
        r"LSTM: h0 has shape (2, 4, 8); expected (num_layers * directions, batch, hidden_size) = (1, 4, 8)",
    ),
    "c0 that would broadcast": (
        lambda: lstm(x, (z(1, 4, 8), z(1, 1, 8))),
        ValueError,
        r"LSTM: c0 has shape (1, 1, 8); expected (num_layers * directions, batch, hidden_size) = (1, 4, 8)",
    ),
    "h0 of two directions": (
        lambda: gru(x, z(2, 4, 8)),
        ValueError,
        r"GRU: h0 has shape (2, 4, 8); expected (num_layers * directions, batch, hidden_size) = (4, 4, 8)",
    ),
    "h0 with a batch axis, x without": (
        lambda: lstm(z(5, 3), (z(1, 1, 8), z(1, 1, 8))),
        ValueError,
        r"LSTM: h0 has shape (1, 1, 8); expected (num_layers * directions, hidden_size) = (1, 8)",
    ),
    "one state for an LSTM": (
        lambda: lstm(x, z(1, 4, 8)),
        TypeError,
        r"LSTM: the state is a ndarray of shape (1, 4, 8); expected a pair (h0, c0)",
    ),
    "a pair for a GRU": (
        lambda: gru(x, (z(4, 4, 8), z(4, 4, 8))),
        TypeError,
        r"GRU: h0 is a tuple of 2; expected one Tensor or array",
    ),
    "h0 of another dtype": (
        lambda: gru(x, tr.zeros(4, 4, 8, dtype=np.float64)),
        TypeError,
        r"GRU: h0 is a Tensor of dtype float64; expected float32",
    ),
    # lengths
    "a length of 0": (
        lambda: lstm(x, lengths=[5, 0, 2, 1]),
        ValueError,
        r"LSTM: lengths[1] is 0; expected 1 to T = 5",
    ),
    "a length beyond T": (
        lambda: first(z(4, 5, 3), lengths=[5, 1, 2, 6]),
        ValueError,
        r"LSTM: lengths[3] is 6; expected 1 to T = 5",
    ),
    "a negative length": (
        lambda: gru(x, lengths=[-1, 1, 2, 3]),
        ValueError,
        r"GRU: lengths[0] is -1; expected 1 to T = 5",
    ),
    "too few lengths": (
        lambda: lstm(x, lengths=[5, 3]),
        ValueError,
        r"LSTM: lengths has shape (2,); expected (batch,) = (4,)",
    ),
    "lengths of two axes": (
        lambda: lstm(x, lengths=np.ones((4, 1), int)),
        ValueError,
        r"LSTM: lengths has shape (4, 1); expected (batch,) = (4,)",
    ),
    "lengths that are no integers": (
        lambda: lstm(x, lengths=[5.0, 3.0, 2.0, 1.0]),
        TypeError,
        r"LSTM: lengths has dtype float64; expected integers, the true length of each row",
    ),
    "segment": (
        lambda: gru(x, segment=0),
        ValueError,
        r"GRU: segment is 0 (int); expected a number of steps >= 1, 'auto' or None",
    ),
    # cells
    "x of a cell": (
        lambda: cell(z(4, 2)),
        ValueError,
        r"LSTMCell: x has shape (4, 2); expected (batch, input_size) or (input_size,), with input_size = 3",
    ),
    "h0 of a cell": (
        lambda: cell(z(4, 3), (z(1, 8), z(4, 8))),
        ValueError,
        r"LSTMCell: h0 has shape (1, 8); expected (batch, hidden_size) = (4, 8)",
    ),
    "c0 of a cell without a batch": (
        lambda: cell(z(3), (z(8), z(1, 8))),
        ValueError,
        r"LSTMCell: c0 has shape (1, 8); expected (hidden_size,) = (8,)",
    ),
    "no pair for a cell": (
        lambda: cell(z(4, 3), [z(4, 8)]),
        TypeError,
        r"LSTMCell: the state is a list of 1; expected a pair (h0, c0)",
    ),
    # construction
    "no hidden units": (
        lambda: nn.GRU(3, 0),
        ValueError,
        r"GRU: hidden_size is 0; expected an int, at least 1",
    ),
    "no layers": (lambda: nn.GRU(3, 4, 0), ValueError, r"GRU: num_layers is 0; expected an int, at least 1"),
    "an unknown nonlinearity": (
        lambda: nn.RNN(3, 4, nonlinearity="selu"),
        ValueError,
        r"RNN: nonlinearity is 'selu'; expected 'tanh' or 'relu'",
    ),
    "dropout of 2": (
        lambda: nn.GRU(3, 4, 2, dropout=2),
        ValueError,
        r"GRU: dropout is 2; expected a probability, 0 to 1",
    ),
    "Dropout of -1": (
        lambda: nn.Dropout(-1),
        ValueError,
        r"Dropout: p is -1; expected a probability, 0 to 1",
    ),
    "forget_bias without bias": (
        lambda: nn.LSTM(3, 4, bias=False, forget_bias=1.0),
        ValueError,
        r"LSTMCell: forget_bias is 1.0, but bias is False",
    ),
    "parameters that are integers": (
        lambda: nn.Linear(3, 4, dtype=np.int32),
        TypeError,
        r"dtype is the class int32; expected a floating dtype, such as 'float32' or 'float64', or None",
    ),
    # Recurrent
    "no cell": (
        lambda: nn.Recurrent(nn.Linear(3, 4)),
        TypeError,
        r"Recurrent: Linear is no cell; expected an object with step(carry, x)",
    ),
    "no cells": (lambda: nn.Recurrent([]), ValueError, r"Recurrent: got 0 cells; expected at least one"),
    "cells without pairs": (
        lambda: nn.Recurrent([cell, nn.LSTMCell(3, 8), nn.LSTMCell(3, 8)], bidirectional=True),
        ValueError,
        r"Recurrent: got 3 cells; expected an even number, forward and reverse in turn",
    ),
    "a cell twice": (
        lambda: nn.Recurrent([cell, cell]),
        ValueError,
        r"Recurrent: the same cell object stands in two places",
    ),
    "states of a stack": (
        lambda: nn.Recurrent([nn.GRUCell(3, 3), nn.GRUCell(3, 3)])(x, tr.zeros(4, 3)),
        TypeError,
        r"Recurrent: the state is a Tensor of shape (4, 3); expected a sequence of 2 states, one for each of "
        r"l0, l1",
    ),
    "x of one axis": (
        lambda: nn.Recurrent(nn.GRUCell(3, 3))(z(3)),
        ValueError,
        r"Recurrent: x has shape (3,); expected (T, batch) as its first axes",
    ),
    # other modules
    "x of Linear": (
        lambda: nn.Linear(3, 2)(z(4, 2)),
        ValueError,
        r"Linear: x has shape (4, 2); expected in_features = 3 as its last axis",
    ),
    "x of LayerNorm": (
        lambda: nn.LayerNorm((2, 3))(z(2, 4)),
        ValueError,
        r"LayerNorm: x has shape (2, 4); expected normalized_shape = (2, 3) as its last axes",
    ),
    "an index too large": (
        lambda: nn.Embedding(65, 2)([[0, 1], [70, 2]]),
        IndexError,
        r"Embedding: x[1, 0] is 70; expected 0 to 64",
    ),
    "a negative index": (
        lambda: nn.Embedding(65, 2)(-1),
        IndexError,
        r"Embedding: x is -1; expected 0 to 64",
    ),
    "indices that are no integers": (
        lambda: nn.Embedding(65, 2)([1.0]),
        TypeError,
        r"Embedding: x has dtype float64; expected integers, indices of rows",
    ),
    "padding_idx": (
        lambda: nn.Embedding(4, 2, 4),
        ValueError,
        r"Embedding: padding_idx is 4; expected -4 to num_embeddings - 1 = 3",
    ),
    "a list that holds no module": (
        lambda: nn.ModuleList([3]),
        TypeError,
        r"ModuleList: got int; expected a Module",
    ),
    # targets
    "targets of another shape": (
        lambda: F.cross_entropy(logits, np.zeros((4, 5), int)),
        ValueError,
        r"cross_entropy: target has shape (4, 5); expected that of input without its last axis, which is the "
        r"classes: (5, 4)",
    ),
    "PyTorch's class axis": (
        lambda: F.cross_entropy(tr.zeros(2, 7, 5), np.zeros((2, 5), int)),
        ValueError,
        r"(2, 7); if the classes are on axis 1, as in PyTorch, move them: input.swapaxes(1, -1)",
    ),
    "a class too large": (
        lambda: F.cross_entropy(logits, np.full((5, 4), 7)),
        IndexError,
        r"cross_entropy: target[0, 0] is 7; expected 0 to 6",
    ),
    "a negative class": (
        lambda: F.nll_loss(tr.zeros(3, 7), [0, -100, -1]),
        IndexError,
        r"nll_loss: target[2] is -1; expected 0 to 6, or ignore_index = -100",
    ),
    "floats as class indices": (
        lambda: F.cross_entropy(tr.zeros(3, 7), [0.0, 1.0, 2.0]),
        ValueError,
        r"cross_entropy: target has shape (3,) and dtype float32; expected probabilities of the shape of "
        r"input, (3, 7), or class indices (integers) of shape (3,)",
    ),
    "floats for nll_loss": (
        lambda: F.nll_loss(tr.zeros(3, 7), [0.0, 1.0, 2.0]),
        TypeError,
        r"nll_loss: target has dtype float64; expected integers, class indices",
    ),
    "integer logits": (
        lambda: F.cross_entropy(tr.tensor([[1, 2]]), [0]),
        TypeError,
        r"cross_entropy: input has dtype int64; expected a floating dtype",
    ),
    "no class axis": (
        lambda: F.cross_entropy(tr.tensor(1.0), 0),
        ValueError,
        r"cross_entropy: input has shape (); expected (..., C), with the C classes last",
    ),
    "class weights": (
        lambda: F.cross_entropy(tr.zeros(3, 7), [0, 1, 2], weight=[1.0, 2.0]),
        ValueError,
        r"cross_entropy: weight has shape (2,); expected (C,) = (7,)",
    ),
    "everything ignored": (
        lambda: F.cross_entropy(tr.zeros(2, 7), [-100, -100]),
        ValueError,
        r"cross_entropy: no target counts",
    ),
    "nothing to average": (
        lambda: F.mse_loss(tr.zeros(0), np.zeros(0)),
        ValueError,
        r"mse_loss: no target counts",
    ),
    "label smoothing": (
        lambda: F.cross_entropy(tr.zeros(1, 7), [0], label_smoothing=1.5),
        ValueError,
        r"cross_entropy: label_smoothing is 1.5; expected a probability, 0 to 1",
    ),
    "an unknown reduction": (
        lambda: F.l1_loss(tr.zeros(2), tr.zeros(2), reduction="avg"),
        ValueError,
        r"l1_loss: reduction is 'avg'; expected 'mean', 'sum' or 'none'",
    ),
    "targets that would broadcast": (
        lambda: F.mse_loss(tr.zeros(4, 1), np.zeros(4)),
        ValueError,
        r"mse_loss: target has shape (4,); expected that of input, (4, 1)",
    ),
    "a target of another dtype": (
        lambda: F.mse_loss(tr.zeros(4), tr.zeros(4, dtype=np.float64)),
        TypeError,
        r"mse_loss: target is a Tensor of dtype float64; expected float32",
    ),
    "a target that is no probability": (
        lambda: F.binary_cross_entropy_with_logits(tr.zeros(3), [0, 1, -1]),
        ValueError,
        r"binary_cross_entropy_with_logits: target[2] is -1.0; expected 0.0 to 1.0",
    ),
    "a target that is not a number": (
        lambda: F.binary_cross_entropy_with_logits(tr.zeros(3), [0, np.nan, 1]),
        ValueError,
        r"binary_cross_entropy_with_logits: target[1] is nan; expected 0.0 to 1.0",
    ),
    "a weight that would broadcast the loss": (
        lambda: F.binary_cross_entropy_with_logits(tr.zeros(3), [0, 1, 1], weight=np.ones((2, 3))),
        ValueError,
        r"binary_cross_entropy_with_logits: weight has shape (2, 3); expected one that broadcasts to (3,)",
    ),
    # initialisers
    "fans of a vector": (
        lambda: init.xavier_uniform_(tr.zeros(3)),
        ValueError,
        r"xavier_uniform_: the tensor has shape (3,); expected at least two axes",
    ),
    "the identity of a vector": (
        lambda: init.identity_(tr.zeros(3)),
        ValueError,
        r"identity_: the tensor has shape (3,); expected two axes",
    ),
    "an unknown mode": (
        lambda: init.kaiming_normal_(tr.zeros(3, 3), mode="fan"),
        ValueError,
        r"kaiming_normal_: mode is 'fan'; expected 'fan_in' or 'fan_out'",
    ),
    "an unknown gain": (
        lambda: init.calculate_gain("selu"),
        ValueError,
        r"nonlinearity is 'selu'; expected 'linear', 'sigmoid', 'tanh', 'relu' or 'leaky_relu'",
    ),
    "an empty interval": (
        lambda: init.uniform_(tr.zeros(3), 1.0, 0.0),
        ValueError,
        r"uniform_: a = 1.0 and b = 0.0; expected a <= b",
    ),
    "a negative deviation": (
        lambda: init.normal_(tr.zeros(3), std=-1.0),
        ValueError,
        r"normal_: std is -1.0; expected a finite number, at least 0",
    ),
}


@pytest.mark.parametrize("name", MISUSE)
def test_each_error_says_what_was_expected_and_what_came(name: str) -> None:
    call, kind, message = MISUSE[name]
    with pytest.raises(kind) as error:
        call()
    assert message in str(error.value)


@pytest.mark.parametrize("name", MISUSE)
def test_a_failed_call_leaves_no_scope_and_no_mode_behind(name: str) -> None:
    call, kind, _ = MISUSE[name]
    with pytest.raises(kind):
        call()
    node = (tr.ones(1, requires_grad=True) * 2).node
    assert node is not None
    assert node.scope is None
