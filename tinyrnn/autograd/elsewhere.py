"""PyTorch's words for what is called something else here; errors and the page on porting say ours."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

_IN_ORDER = "nothing: arrays are in order already"
_NO_DEVICE = "nothing: there is only the CPU"

# Functions and methods.
NAMES = {
    "DataLoader": "tr.data.batches, or bucket_by_length",
    "Generator": "np.random.default_rng, and rng= where something is drawn",
    "allclose": "np.allclose, of x.numpy()",
    "argwhere": "np.argwhere",
    "bmm": "matmul, or @",
    "bool": 'astype("bool")',
    "cat": "concatenate",
    "chunk": "split",
    "clamp": "clip",
    "clone": "copy",
    "compile": "nothing to do: scan, and so every layer, compiles its step",
    "contiguous": _IN_ORDER,
    "cpu": _NO_DEVICE,
    "cuda": _NO_DEVICE,
    "detach_": "x = x.detach()",
    "device": _NO_DEVICE,
    "dim": "ndim",
    "div": "/",
    "double": 'astype("float64")',
    "empty": "zeros",
    "eq": "==",
    "equal": "np.array_equal, of x.numpy()",
    "expand": "broadcast_to",
    "expand_as": "broadcast_to, with other.shape",
    "float": 'astype("float32")',
    "from_numpy": "as_tensor",
    "gather": "take_along_axis",
    "grad_fn": "node, its record; tr.draw.graph draws what it was made from",
    "half": 'astype("float16")',
    "index_select": "take, or an index",
    "inference_mode": "no_grad",
    "int": 'astype("int32")',
    "is_cuda": _NO_DEVICE,
    "is_grad_enabled": "nothing: with tr.no_grad() and tr.enable_grad() say it",
    "is_tensor": "isinstance(x, tr.Tensor)",
    "jit": "nothing to do: scan, and so every layer, compiles its step",
    "long": 'astype("int64")',
    "masked_fill": "where",
    "masked_select": "x[mask]",
    "mm": "matmul, or @",
    "movedim": "moveaxis",
    "mul": "*",
    "multinomial": "rng.choice, of a NumPy generator",
    "mv": "matmul, or @",
    "narrow": "a slice",
    "ne": "!=",
    "neg": "-x",
    "new_ones": "tr.ones",
    "new_zeros": "tr.zeros",
    "numel": "size",
    "permute": "transpose",
    "pow": "**",
    "rand": "tr.tensor(rng.random(shape))",
    "randint": "rng.integers, of a NumPy generator",
    "randperm": "rng.permutation, of a NumPy generator",
    "register_hook": "retain_grad() and .grad; modules have register_full_backward_hook",
    "repeat_interleave": "repeat",
    "requires_grad_": "x.requires_grad = True",
    "seed": "manual_seed",
    "set_grad_enabled": "with tr.enable_grad(): or tr.no_grad():",
    "size": "shape",
    "sub": "-",
    "t": "T",
    "to": "astype, for a dtype",
    "topk": "np.argsort of x.numpy(), and x[places]",
    "type": "astype",
    "unbind": "list(x): its rows",
    "unsqueeze": "expand_dims, or an index of None",
    "utils": "tr.data.batches for a DataLoader; tr.optim.clip_grad_norm_",
    "view": "reshape",
    "view_as": "reshape, with other.shape",
    "vmap": "nothing: a batch axis",
}
# Of `nn`.
NN_NAMES = {
    "BCELoss": "nn.BCEWithLogitsLoss, of what comes before the sigmoid",
    "BatchNorm1d": "nothing: nn.LayerNorm does not mix the rows of a batch",
    "BatchNorm2d": "nothing: nn.LayerNorm does not mix the rows of a batch",
    "Flatten": "reshape",
    "Identity": "nothing: leave it out",
    "KLDivLoss": "written out: (p * (log_p - log_q)).sum(-1).mean()",
    "MultiheadAttention": "nn.Attention, of one head",
    "ParameterDict": "attributes, or nn.ModuleDict for modules",
    "ParameterList": "attributes, or nn.ModuleList for modules",
    "SmoothL1Loss": "nn.HuberLoss",
    "Transformer": "nothing: this library is for recurrence",
    "embedding": "weight[tokens]",
    "linear": "x @ weight.T + bias",
    "one_hot": "np.eye(classes)[tokens]; losses and nn.Embedding take the numbers of classes",
    "smooth_l1_loss": "nn.huber_loss",
    "utils": "tr.optim.clip_grad_norm_ and clip_grad_value_; tr.data.pad_sequence, and lengths= for packing",
}
# Of a module.
MODULE_NAMES = {
    "add_module": "setattr(module, name, part), or nn.ModuleDict",
    "apply": "for part in module.modules(): ...",
    "cpu": _NO_DEVICE,
    "cuda": _NO_DEVICE,
    "double": 'dtype="float64" where it is made',
    "flatten_parameters": _IN_ORDER,
    "float": 'dtype="float32" where it is made, and the default',
    "half": "nothing: float32 and float64",
    "to": 'nothing for a device; dtype="float64" where a module is made for a dtype',
}
# Of `data`.
DATA_NAMES = {
    "DataLoader": "tr.data.batches, or bucket_by_length",
    "Dataset": "arrays, as they are",
    "TensorDataset": "arrays, as they are",
}
# Keywords.
WORDS = {
    "device": _NO_DEVICE,
    "dim": "axis=",
    "dims": "axis=",
    "generator": "rng=",
    "hx": "state, by position",
    "inplace": "nothing: values are not changed in place",
    "input": "the first argument, by position",
    "keepdim": "keepdims=",
    "other": "the second argument, by position",
}


def instead(where: str, name: str, names: dict[str, str] = NAMES, rooms: Iterable[str] = ()) -> str:
    """Return the words for a name that is not there, and what it is called here if that is known.

    ``rooms`` are those in which it is looked for, such as "tr" and "nn"; then NumPy.
    """
    missing = f"{where} has no attribute {name!r}"
    if name in names:
        return f"{missing}; PyTorch's {name} is here: {names[name]}"
    if name[:1] == "_":
        return missing
    if name[-1:] == "_":
        return f"{missing}; nothing is changed in place: use the result of {name[:-1]}"
    here = importlib.import_module("tinyrnn")
    as_function = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()  # LogSoftmax
    for room in rooms:
        public = (here if room == "tr" else getattr(here, room)).__all__
        if found := next((word for word in (name, as_function) if word in public), ""):
            return f"{missing}; there is {room if room == 'tr' else f'tr.{room}'}.{found}"
    if rooms and hasattr(np, name):
        return f"{missing}; NumPy has np.{name}, and tr.as_tensor takes what it makes"
    return missing


def of_call(error: TypeError, function: Callable[..., Any], owner: Any, words: Iterable[str]) -> TypeError:
    """Return the error of a call: of what the user called, and with our words where it was with PyTorch's.

    A layer may have its ``forward``, and a Tensor its methods, from a class that the user has not met.
    """
    inner, text = function.__qualname__, str(error)
    if not text.startswith(f"{inner}() "):
        return error
    name = inner.rpartition(".")[2]
    if "." in inner and "<locals>" not in inner:
        called = type(owner).__name__ + (f".{name}" if name not in ("__init__", "forward") else "")
        text = f"{called}() {text.removeprefix(f'{inner}() ')}"
    for word in words:
        if word in WORDS and text.endswith(f"unexpected keyword argument '{word}'"):
            text = f"{text}; PyTorch's {word}= is here: {WORDS[word]}"
    return TypeError(text)


def translated(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function with options say ours where it is called with PyTorch's."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if (ours := of_call(error, function, args[0] if args else None, kwargs)) is error:
                raise
            raise ours from None

    return wrapper
