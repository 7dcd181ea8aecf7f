"""What an editor knows of layers, cells and losses. Checked by basedpyright and mypy, not run."""

from typing import assert_type

import numpy as np

import tinyrnn as tr

x = tr.zeros((5, 2, 3))
gru, lstm, rnn = tr.nn.GRU(3, 4), tr.nn.LSTM(3, 4), tr.nn.RNN(3, 4, nonlinearity="relu")

y, h = gru(x)
assert_type(y, tr.Tensor)
assert_type(h, tr.Tensor)
y, h = gru(np.zeros((5, 2, 3)), h, lengths=[5, 3], segment="auto")

y, state = lstm(x)
assert_type(state, tr.nn.LSTMState)
assert_type(state.h, tr.Tensor)
assert_type(state.detach(), tr.nn.LSTMState)
y, (h, c) = lstm(x, state)
assert_type(c, tr.Tensor)
assert_type(lstm.weight_ih_l0, tr.nn.Parameter)

assert_type(tr.nn.GRUCell(3, 4)(x[0]), tr.Tensor)
assert_type(tr.nn.LSTMCell(3, 4)(x[0]).c, tr.Tensor)
assert_type(tr.nn.Recurrent(tr.nn.GRUCell(3, 4))(x)[0], tr.Tensor)

assert_type(tr.nn.Linear(3, 4)(x), tr.Tensor)
assert_type(tr.nn.Embedding(3, 4)([1, 2]), tr.Tensor)
assert_type(tr.nn.Sequential(tr.nn.Linear(3, 4), tr.nn.Dropout(0.5))(x), tr.Tensor)
assert_type(tr.nn.Conv1d(3, 4, 2, padding_mode="circular")(x), tr.Tensor)
assert_type(tr.nn.DotAttention(4, 4)(h, y), tuple[tr.Tensor, tr.Tensor])

assert_type(tr.nn.CrossEntropyLoss(reduction="sum")(y, [[0, 1]] * 5), tr.Tensor)
assert_type(tr.nn.cross_entropy(y, [[0, 1]] * 5, lengths=[5, 3]), tr.Tensor)
assert_type(tr.nn.mse_loss(y, y), tr.Tensor)
assert_type(tr.nn.ctc_loss(y, [[1]], [5], [1]), tr.Tensor)

gru(x, lenghts=[5, 3])  # expected-error
gru(x, segment="automatic")  # expected-error
lstm(x)[1].g  # expected-error
tr.nn.MSELoss(reduction="avg")  # expected-error
tr.nn.mse_loss(y, y, reduction="avg")  # expected-error
tr.nn.RNN(3, 4, nonlinearity="sigmoid")  # expected-error
tr.nn.GRU(3, "4")  # expected-error
