"""`generate`: one token after another, from any model that gives the scores of the next one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import ARRAY, COUNT, FUNCTION, RNG, checked, count, number
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.generation.choosing import chooser
from tinyrnn.generation.following import Following, Model

Array = np.ndarray[Any, Any]


SHARE = number(math.ulp(0.0), high=1.0, words="a number above 0, up to 1")


@checked(
    model=FUNCTION,
    prompt=ARRAY,
    length=count(0).or_none(),
    temperature=number(),
    top_k=COUNT.or_none(),
    top_p=SHARE.or_none(),
    end=count(0).or_none(),
    rng=RNG,
)
def generate(
    model: Model,
    prompt: Any,
    state: Any = None,
    *,
    length: int | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    end: int | None = None,
    rng: np.random.Generator | int | None = None,
) -> Iterator[Any]:
    """Read a prompt, then write token after token, each one step on from the state.

    Parameters
    ----------
    model : callable
        ``model(tokens, state) -> (logits, state)``, from (T, B) to (T, B, C): a `Decoder`, or any cell
        between an embedding and a head.
    prompt : array_like of int, shape (T, B), or (T,) for one row
        What is read first, at least one token.
    state : optional
        What the model begins from; None where it begins by itself.
    length : int, optional
        How many tokens at most; without end by default.
    temperature : float
        The logits are divided by it: below 1 the likely becomes likelier. 0 takes the likeliest (greedy).
    top_k : int, optional
        Draw only among the k likeliest.
    top_p : float, optional
        Draw only among the likeliest, as many as it takes for their probabilities to sum up to this much
        (nucleus sampling, Holtzman et al. 2020).
    end : int, optional
        The token that ends a row. It is written too, and again in that row while others go on.
    rng : Generator or int, optional
        Where the draws come from; the library's generator by default.

    Yields
    ------
    ndarray of int, shape (B,), or int for a prompt of one row
        As soon as each is drawn.

    Raises
    ------
    ValueError, TypeError
        Where an argument is out of its range, or the model gives no logits (T, B, C), or NaN.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> def count_up(tokens, state):  # after n comes n + 1
    ...     return np.eye(5)[(np.asarray(tokens) + 1) % 5] * 9.0, state
    >>> list(generate(count_up, [0, 1], length=5, temperature=0))
    [2, 3, 4, 0, 1]
    >>> [tokens.tolist() for tokens in generate(count_up, [[0, 2]], temperature=0, end=4)]
    [[1, 3], [2, 4], [3, 4], [4, 4]]
    """
    tokens, single = read_prompt("generate", prompt)
    choose = chooser(temperature, top_k, top_p, generator(rng))
    return _generate(model, tokens, state, length, choose, end, single)


def _generate(
    model: Model, tokens: Array, state: Any, length: int | None, choose: Any, end: int | None, single: bool
) -> Iterator[Any]:
    if length == 0:
        return
    ended = np.zeros(tokens.shape[1], bool)
    following = Following("generate", model, tokens, state)
    for n in itertools.count(1):
        chosen = choose(following.logits)
        if end is not None:
            chosen[ended] = end
            ended |= chosen == end
        yield int(chosen[0]) if single else chosen.copy()
        if n == length or (end is not None and ended.all()):
            return
        following.read(chosen)


def read_prompt(where: str, prompt: Any) -> tuple[Array, bool]:
    """Return a prompt as (T, B), and whether it was a single row."""
    array = np.array(prompt.data if isinstance(prompt, Tensor) else prompt)  # it may be read later
    if array.dtype.kind not in "iu" or array.ndim not in (1, 2) or not array.size:
        raise ValueError(
            f"{where}: prompt has dtype {array.dtype} and shape {array.shape}; expected integers, (T, B) or "
            "(T,), at least one token"
        )
    return (array[:, None], True) if array.ndim == 1 else (array, False)
