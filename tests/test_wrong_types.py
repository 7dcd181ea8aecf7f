"""Every argument of every public function and constructor, given something that it cannot be.

The error names what was called, the argument, and what came. The table has one good call for each; the
rest is found by signature, so that a new argument is tried as soon as it is there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr


class Nonsense:
    """Nothing that any argument can be."""

    def __repr__(self) -> str:
        return "<nonsense>"


def x(*shape: int) -> tr.Tensor:
    return tr.ones(*shape, requires_grad=True)


def sgd(**options: Any) -> tr.optim.SGD:
    return tr.optim.SGD([x(2)], lr=0.1, **options)


def add(c: Any, x: Any) -> Any:
    return c + x, c


F, nn, optim = tr.nn.functional, tr.nn, tr.optim
GOOD: dict[Callable[..., Any], dict[str, Any]] = {
    # Tensors
    tr.tensor: {"data": [1.0]},
    tr.as_tensor: {"data": [1.0]},
    tr.zeros: {},
    tr.ones: {},
    tr.zeros_like: {"x": [1.0]},
    tr.ones_like: {"x": [1.0]},
    tr.randn: {},
    tr.manual_seed: {"seed": 0},
    tr.set_default_dtype: {"dtype": "float32"},
    tr.grad: {"outputs": x(1) * 2, "inputs": x(1), "allow_unused": True},
    # functions of arrays
    **{
        f: {"x": x(2, 3)}
        for f in (
            tr.abs, tr.exp, tr.log, tr.sqrt, tr.tanh, tr.sigmoid, tr.relu, tr.softplus,
            tr.sum, tr.mean, tr.max, tr.min, tr.argmax, tr.argmin,
            tr.logsumexp, tr.softmax, tr.log_softmax, tr.flatten, tr.squeeze,
            tr.transpose,
        )
    },
    tr.maximum: {"a": x(2), "b": x(2)},
    tr.minimum: {"a": x(2), "b": x(2)},
    tr.matmul: {"a": x(2, 2), "b": x(2, 2)},
    tr.where: {"condition": np.ones(2, bool), "a": x(2), "b": x(2)},
    tr.clip: {"x": x(2), "min": 0.0},
    tr.astype: {"x": x(2), "dtype": "float64"},
    tr.reshape: {"x": x(2), "shape": (2, 1)},
    tr.broadcast_to: {"x": x(2), "shape": (3, 2)},
    tr.swapaxes: {"x": x(2, 2), "axis1": 0, "axis2": 1},
    tr.expand_dims: {"x": x(2), "axis": 0},
    tr.concatenate: {"arrays": [x(2)]},
    tr.stack: {"arrays": [x(2)]},
    tr.split: {"x": x(2), "sections": 2},
    tr.take: {"x": x(2), "indices": [0]},
    # recurrence
    tr.scan: {"step": add, "carry": x(2), "xs": x(3, 2)},
    tr.TruncatedBPTT: {"k1": 2},
    tr.TruncatedBPTT(2).windows: {"x": np.ones((4, 1))},
    tr.TruncatedBPTT(2).stream: {"steps": iter(())},
    # modules
    **{f: {"input_size": 2, "hidden_size": 3} for f in (nn.RNN, nn.LSTM, nn.GRU)},
    **{f: {"input_size": 2, "hidden_size": 3} for f in (nn.RNNCell, nn.LSTMCell, nn.GRUCell)},
    **{f(2, 3): {"x": x(4, 1, 2)} for f in (nn.RNN, nn.LSTM, nn.GRU)},
    **{f(2, 3): {"x": x(4, 2)} for f in (nn.RNNCell, nn.LSTMCell, nn.GRUCell)},
    nn.Recurrent: {"cell": nn.GRUCell(2, 3)},
    nn.Recurrent(nn.LSTMCell(2, 3)): {"x": x(4, 1, 2)},
    nn.Linear: {"in_features": 2, "out_features": 3},
    nn.Linear(2, 3): {"x": x(2)},
    nn.Embedding: {"num_embeddings": 2, "embedding_dim": 3},
    nn.Embedding(2, 3): {"x": [1]},
    nn.LayerNorm: {"normalized_shape": 3},
    nn.LayerNorm(3): {"x": x(3)},
    nn.Dropout: {},
    nn.Dropout(): {"x": x(3)},
    nn.Parameter: {"data": [1.0]},
    nn.ModuleList: {},
    nn.Linear(2, 3).load_state_dict: {"state_dict": nn.Linear(2, 3).state_dict()},
    nn.Linear(2, 3).train: {},
    nn.Linear(2, 3).requires_grad_: {},
    # losses
    **{f: {} for f in (nn.MSELoss, nn.L1Loss, nn.CrossEntropyLoss, nn.NLLLoss, nn.BCEWithLogitsLoss)},
    **{f: {"input": x(2), "target": np.ones(2)} for f in (F.mse_loss, F.l1_loss)},
    F.binary_cross_entropy_with_logits: {"input": x(2), "target": np.ones(2)},
    F.cross_entropy: {"input": x(2, 3), "target": [0, 1]},
    F.nll_loss: {"input": x(2, 3), "target": [0, 1]},
    F.dropout: {"x": x(2)},
    # initialisers
    **{
        getattr(nn.init, name): {"tensor": tr.ones(2, 2)}
        for name in dir(nn.init)
        if name.endswith("_") and not name.startswith("_") and name != "constant_"
    },
    nn.init.constant_: {"tensor": tr.ones(2), "value": 1.0},
    nn.init.calculate_gain: {"nonlinearity": "tanh"},
    # optimisers and schedules
    **{f: {"params": [x(2)]} for f in (optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop)},
    sgd().step: {},
    sgd().add_param_group: {"param_group": {"params": [x(2)]}},
    sgd().load_state_dict: {"state_dict": sgd().state_dict()},
    optim.clip_grad_norm_: {"parameters": [x(2)], "max_norm": 1.0},
    optim.clip_grad_value_: {"parameters": [x(2)], "clip_value": 1.0},
    optim.StepLR: {"optimizer": sgd(), "step_size": 2},
    optim.ExponentialLR: {"optimizer": sgd(), "gamma": 0.5},
    optim.CosineAnnealingLR: {"optimizer": sgd(), "T_max": 3},
    optim.LinearLR: {"optimizer": sgd()},
    optim.LambdaLR: {"optimizer": sgd(), "lr_lambda": lambda t: 1.0},
    optim.ReduceLROnPlateau: {"optimizer": sgd()},
    tr.testing.check_grads: {"f": lambda: tr.ones(1, dtype="float64")},
}  # fmt: skip
# Whatever these are given may be meant: the truth of anything, and what is only handed on.
ANYTHING = {("TruncatedBPTT", "y"), ("grad", "grad_outputs")}


def label(f: Any) -> str:
    """Return what an error calls a function, or the class of a method."""
    owner = getattr(f, "__self__", f)
    return type(owner).__name__ if owner is not f or isinstance(f, nn.Module) else f.__name__


def signature(f: Any) -> inspect.Signature:
    return inspect.signature(f.forward if isinstance(f, nn.Module) else f)


def cases() -> Iterator[Any]:
    for f, good in GOOD.items():
        for name, argument in signature(f).parameters.items():
            variable = argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)
            if not variable and (label(f), name) not in ANYTHING:
                yield pytest.param(f, good, name, id=f"{label(f)}-{getattr(f, '__name__', 'call')}-{name}")


def call(f: Any, arguments: dict[str, Any]) -> None:
    result = f(**arguments)
    if isinstance(result, Iterator):
        list(result)


@pytest.mark.parametrize(("f", "good", "name"), list(cases()))
def test_nonsense_is_refused_by_name(f: Any, good: dict[str, Any], name: str) -> None:
    with pytest.raises((TypeError, ValueError, IndexError)) as caught:
        call(f, {**good, name: Nonsense()})
    text = str(caught.value).replace("h0", "state")
    assert name in text
    assert "Nonsense" in text or "nonsense" in text
    assert label(f).strip("_") in text


ROOMS = {"tr": tr, "nn": nn, "nn.functional": F, "optim": optim}
# Rooms, modes, classes to derive from, records that a call returns, and what other tests try.
LEFT = {
    "tr": {
        "Plan", "Tensor", "detect_anomaly", "draw", "enable_grad", "explain", "get_default_dtype", "nn",
        "no_grad", "optim", "scope", "testing", "unrolled",
    },
    "nn": {"Cell", "LSTMState", "Module", "Sequential", "functional", "init"},
    "nn.functional": set(),
    "optim": {"LRScheduler", "Optimizer", "SequentialLR", "lr_scheduler"},
}  # fmt: skip


def test_the_table_has_what_was_public_when_it_was_written() -> None:
    there = {label(f) for f in GOOD} | {getattr(f, "__name__", "") for f in GOOD}
    for where, room in ROOMS.items():
        assert LEFT[where] <= set(room.__all__)
        assert not LEFT[where] & there


EXAMPLES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a float for a size": (
        lambda: nn.GRU(4.0, 5),
        TypeError,
        r"GRU: input_size is 4\.0 \(float\); expected an int, at least 1",
    ),
    "a float for layers": (
        lambda: nn.GRU(4, 5, num_layers=1.5),
        TypeError,
        r"GRU: num_layers is 1\.5 \(float\); expected an int, at least 1",
    ),
    "True for a size": (lambda: nn.Linear(True, 2), TypeError, r"Linear: in_features is True \(bool\)"),
    "a word for a flag": (
        lambda: nn.LSTM(4, 5, bidirectional="no"),
        TypeError,
        r"LSTM: bidirectional is 'no' \(str\); expected True or False",
    ),
    "a negative eps": (
        lambda: nn.LayerNorm(3, eps=-1),
        ValueError,
        "LayerNorm: eps is -1; expected",
    ),
    "True for a rate": (
        lambda: optim.SGD([x(2)], lr=True),
        TypeError,
        r"SGD: lr is True \(bool\)",
    ),
    "a word for an option": (
        lambda: optim.Adam([x(2)], amsgrad="no"),
        TypeError,
        r"Adam: amsgrad is 'no' \(str\); expected True or False",
    ),
    "a module to optimise": (
        lambda: optim.SGD(nn.Linear(2, 2)),
        TypeError,
        r"SGD: params is .*Linear.*; expected an ordered iterable .*; for a module give its parameters\(\)",
    ),
    "a module to clip": (
        lambda: optim.clip_grad_norm_(nn.Linear(2, 2), 1.0),
        TypeError,
        r"clip_grad_norm_: parameters is .*Linear.*; for a module give its parameters\(\)",
    ),
    "ragged rows": (
        lambda: tr.tensor([[1.0], [1.0, 2.0]]),
        TypeError,
        r"tensor: data is \[\[1\.0\], \[1\.0, 2\.0\]\] \(list\); expected a Tensor or an array",
    ),
    "ragged rows for a layer": (
        lambda: nn.Linear(2, 2)([[1.0], [1.0, 2.0]]),
        ValueError,
        "Linear: x is a list whose parts differ in shape; expected rows of one length",
    ),
    "ragged rows for a function": (
        lambda: tr.sum([[1.0], [1.0, 2.0]]),
        TypeError,
        r"sum: x is \[\[1\.0\], \[1\.0, 2\.0\]\]",
    ),
    "random integers": (
        lambda: tr.randn(3, dtype=int),
        TypeError,
        "randn: dtype is the class int;",
    ),
    "a part of no dtype": (lambda: tr.zeros(3, dtype="real"), TypeError, r"zeros: dtype is 'real' \(str\)"),
    "an axis in a word": (lambda: x(2, 3).sum("a"), TypeError, r"sum: .*axis='a'"),
    "an axis between": (lambda: tr.stack([x(2)], axis=0.5), TypeError, r"stack: axis is 0\.5 \(float\)"),
    "a state of half": (
        lambda: nn.LSTM(2, 3)(x(4, 1, 2), (tr.zeros((1, 1, 3)), None)),
        TypeError,
        r"LSTM: c0 is None; expected both parts of the state, \(h0, c0\), or no state at all",
    ),
    "a cell's state of half": (
        lambda: nn.LSTMCell(2, 3)(x(4, 2), (None, tr.zeros((4, 3)))),
        TypeError,
        "LSTMCell: h0 is None; expected both parts",
    ),
    "a Recurrent's state of half": (
        lambda: nn.Recurrent(nn.LSTMCell(2, 3))(x(4, 1, 2), (tr.zeros((1, 3)), None)),
        TypeError,
        r"Recurrent: state is .* with the parts \['state\.h'\]; expected \['state\.h', 'state\.c'\]",
    ),
    "both directions and one": (
        lambda: nn.Recurrent([nn.GRUCell(2, 3), nn.GRUCell(2, 3)], bidirectional=True, reverse=True),
        ValueError,
        "Recurrent: reverse and bidirectional are both True",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    f, kind, text = EXAMPLES[name]
    with pytest.raises(kind, match=text):
        f()
