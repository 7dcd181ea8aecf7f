"""PyTorch's words for what is called something else here; errors and the page on porting say ours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# Functions and methods.
NAMES = {
    "argwhere": "np.argwhere",
    "bmm": "matmul, or @",
    "cat": "concatenate",
    "chunk": "split",
    "clamp": "clip",
    "clone": "copy",
    "contiguous": "copy, if at all: arrays are in order already",
    "cpu": "nothing: everything is on the CPU",
    "cuda": "nothing: there is only the CPU",
    "dim": "ndim",
    "double": 'astype("float64")',
    "expand": "broadcast_to",
    "float": 'astype("float32")',
    "from_numpy": "as_tensor",
    "gather": "take_along_axis",
    "index_select": "take, or an index",
    "long": 'astype("int64")',
    "masked_fill": "where",
    "mm": "matmul, or @",
    "movedim": "moveaxis",
    "mv": "matmul, or @",
    "numel": "size",
    "permute": "transpose",
    "rand": "tr.tensor(rng.random(shape))",
    "size": "shape",
    "to": "astype, for a dtype",
    "type": "astype",
    "unsqueeze": "expand_dims, or an index of None",
    "view": "reshape",
}
# Of `nn`.
NN_NAMES = {
    "BatchNorm1d": "nothing: nn.LayerNorm does not mix the rows of a batch",
    "Flatten": "reshape",
    "ParameterDict": "attributes, or nn.ModuleDict for modules",
    "ParameterList": "attributes, or nn.ModuleList for modules",
    "SmoothL1Loss": "nn.HuberLoss",
    "Softmax": "tr.softmax, in nn.Sequential too",
    "Transformer": "nothing: this library is for recurrence",
    "utils": "tr.optim.clip_grad_norm_ and clip_grad_value_; tr.data.pad_sequence, and lengths= for packing",
}
# Keywords.
WORDS = {
    "device": "nothing: there is only the CPU",
    "dim": "axis=",
    "dims": "axis=",
    "generator": "rng=",
    "hx": "state, by position",
    "input": "the first argument, by position",
    "keepdim": "keepdims=",
    "other": "the second argument, by position",
}


def instead(where: str, name: str, names: dict[str, str] = NAMES) -> str:
    """Return the words for a name that is not there, and what it is called here if it is PyTorch's."""
    ours = f"; PyTorch's {name} is here: {names[name]}" if name in names else ""
    return f"{where} has no attribute {name!r}{ours}"


def of_words(error: TypeError, words: Iterable[str]) -> TypeError:
    """Return the error of a call, with our words where it was called with PyTorch's."""
    for word in words:
        if word in WORDS and str(error).endswith(f"unexpected keyword argument '{word}'"):
            return TypeError(f"{error}; PyTorch's {word}= is here: {WORDS[word]}")
    return error


def translated(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function with options say ours where it is called with PyTorch's."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if not kwargs or (ours := of_words(error, kwargs)) is error:
                raise
            raise ours from None

    return wrapper
