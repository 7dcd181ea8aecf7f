"""Backpropagation through time from the textbook equations, in plain NumPy.

The third source that the engine and the compiled scan are held against. It imports nothing of tinyrnn and
is as plain as it can be: float64, one row at a time, one step at a time, every derivative written down. A
padded row is simply a shorter loop, so that there is no mask that could be wrong.

- ``cells``: the equations of one step, forward and backward (tanh and relu RNN, LSTM, GRU in PyTorch's form).
- ``bptt``: one layer over time.
- ``layers``: several layers, both directions.
- ``truncated``: windows of truncated backpropagation through time.
- ``problems``: random problems, for hypothesis; ``differences``: central differences.

The oracles are proved in ``test_oracles.py``.
"""
