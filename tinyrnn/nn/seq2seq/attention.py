"""Attention: a weighted mean of what an encoder wrote, with weights that a query asks for.

The projection of the keys knows nothing of the query. In a step of a `scan` it therefore leaves the loop by
itself, and is done once for all steps.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import COUNT, FLAG, FLOATING, RNG, checked
from tinyrnn.autograd.functions import softmax, tanh, where
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.inputs import as_input, expect_features
from tinyrnn.nn.linear import Linear
from tinyrnn.nn.masks import Mask, as_mask, cleaned
from tinyrnn.nn.module import Module
from tinyrnn.nn.parameter import Parameter

Rng = np.random.Generator | int | None


class Attention(Module):
    """What both attentions share: subclass it with `project`, once a sequence, and `score`, once a query.

    Attributes
    ----------
    query_size, key_size : int
    """

    query_size: int
    key_size: int

    def project(self, keys: Any) -> Any:
        """Return what `score` needs of keys (S, B, key_size), whatever the query: (S, B, ...)."""
        raise NotImplementedError

    def score(self, query: Any, projected: Any) -> Any:
        """Return how well queries (..., 1, B, query_size) and projected keys (S, B, ...) go together."""
        raise NotImplementedError

    def forward(
        self,
        query: npt.ArrayLike,
        keys: npt.ArrayLike,
        lengths: npt.ArrayLike | None = None,
        *,
        mask: npt.ArrayLike | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Look at the keys.

        Parameters
        ----------
        query : Tensor or array_like, shape (..., B, query_size)
        keys : Tensor or array_like, shape (S, B, key_size)
            Such as the outputs of an encoder.
        lengths : array_like of int, shape (B,), optional
            How many of the S keys of each row are real, at least one. The others get no weight, and what
            stands in them has no influence, not even as NaN.
        mask : array_like of bool, shape (S, B), optional
            The same for any places: True where a key is real.

        Returns
        -------
        context : Tensor, shape (..., B, key_size)
            The mean of the keys under the weights.
        weights : Tensor, shape (..., S, B)
            Each row's sum over S is 1.

        Raises
        ------
        ValueError, TypeError
            Where a shape or dtype does not fit, or a row has no real key.
        """
        where_ = type(self).__name__
        dtype = next(
            (p.dtype for p in self.parameters()), getattr(keys, "dtype", None) or np.dtype("float32")
        )
        keys = as_input(where_, "keys", keys, dtype)
        expect_features(where_, "keys", keys, self.key_size, "key_size")
        if len(keys.shape) != 3:
            raise ValueError(f"{where_}: keys has shape {keys.shape}; expected (S, B, key_size)")
        real = as_mask(where_, keys.shape[:2], lengths, mask)
        if real is not None:
            if (empty := ~real.any(0)).any():
                raise ValueError(
                    f"{where_}: row {int(empty.argmax())} has no real key; expected at least one"
                )
            real = None if real.all() else real
        keys = cleaned(keys, real)
        return self.attend(query, keys, self.project(keys), real)

    def attend(self, query: Any, keys: Any, projected: Any, real: Mask | None) -> tuple[Any, Any]:
        """Do the part of `forward` that needs the query; ``real`` has the shape (S, B)."""
        where_ = type(self).__name__
        query = as_input(where_, "query", query, keys.dtype)
        expect_features(where_, "query", query, self.query_size, "query_size")
        *lead, batch, size = query.shape
        if not query.shape[:-1] or batch != keys.shape[1]:
            raise ValueError(
                f"{where_}: query has shape {query.shape}; expected (..., B, query_size), with B = "
                f"{keys.shape[1]} as in keys"
            )
        scores = self.score(query.reshape((*lead, 1, batch, size)), projected)
        if real is not None:
            scores = where(real, scores, -math.inf)
        weights = softmax(scores, axis=-2)
        context = (weights[..., None] * keys).sum(axis=-3)
        weights.name, context.name = "attention", "context"
        return context, weights

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.query_size}, {self.key_size}"


class DotAttention(Attention):
    """``score = query · (W key)``, of Luong et al. (2015, "general"), or without W ("dot").

    Parameters
    ----------
    query_size, key_size : int
    weighted : bool
        Whether there is a W. Without it, the sizes must be the same.
    rng : Generator or int, optional
    dtype : dtype_like, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> attention = tr.nn.DotAttention(4, 6)
    >>> context, weights = attention(tr.zeros((2, 4)), tr.ones((5, 2, 6)), lengths=[5, 2])
    >>> context.shape, weights.numpy()[:, 1].tolist()
    ((2, 6), [0.5, 0.5, 0.0, 0.0, 0.0])
    """

    @checked(query_size=COUNT, key_size=COUNT, weighted=FLAG, rng=RNG, dtype=FLOATING)
    def __init__(
        self,
        query_size: int,
        key_size: int,
        weighted: bool = True,
        *,
        rng: Rng = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        if not weighted and query_size != key_size:
            raise ValueError(
                f"DotAttention: query_size is {query_size} and key_size {key_size}; without a weight they "
                "must be the same"
            )
        self.query_size, self.key_size = query_size, key_size
        self.key = Linear(key_size, query_size, bias=False, rng=rng, dtype=dtype) if weighted else None

    def project(self, keys: Any) -> Any:
        """Return ``W key``, or the keys."""
        return keys if self.key is None else self.key(keys)

    def score(self, query: Any, projected: Any) -> Any:
        """Return the dot products, (..., S, B)."""
        return (query * projected).sum(axis=-1)


class AdditiveAttention(Attention):
    """``score = v · tanh(W query + U key + b)``, of Bahdanau et al. (2015).

    Parameters
    ----------
    query_size, key_size : int
    hidden_size : int, optional
        Of the sum; ``query_size`` by default.
    rng : Generator or int, optional
    dtype : dtype_like, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> attention = tr.nn.AdditiveAttention(4, 6, hidden_size=8)
    >>> context, weights = attention(tr.zeros((2, 4)), tr.zeros((5, 2, 6)))
    >>> context.shape, weights.shape
    ((2, 6), (5, 2))
    """

    @checked(query_size=COUNT, key_size=COUNT, hidden_size=COUNT.or_none(), rng=RNG, dtype=FLOATING)
    def __init__(
        self,
        query_size: int,
        key_size: int,
        hidden_size: int | None = None,
        *,
        rng: Rng = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        hidden_size = query_size if hidden_size is None else hidden_size
        rng = None if rng is None else generator(rng)
        self.query_size, self.key_size = query_size, key_size
        self.query = Linear(query_size, hidden_size, bias=False, rng=rng, dtype=dtype)
        self.key = Linear(key_size, hidden_size, rng=rng, dtype=dtype)
        bound = 1 / math.sqrt(hidden_size)
        self.v = Parameter(generator(rng).uniform(-bound, bound, hidden_size), dtype=self.key.weight.dtype)

    def project(self, keys: Any) -> Any:
        """Return ``U key + b``."""
        return self.key(keys)

    def score(self, query: Any, projected: Any) -> Any:
        """Return ``v · tanh(W query + projected)``, (..., S, B)."""
        return tanh(self.query(query) + projected) @ self.v
