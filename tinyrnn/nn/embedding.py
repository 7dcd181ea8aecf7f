"""Embedding: a learnt vector for each index."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import COUNT, FLOATING, INTEGER, RNG, checked
from tinyrnn.autograd.functions import take, where
from tinyrnn.autograd.primitives import equal, less
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.state import get_default_dtype
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.inputs import as_integers, expect_range, is_symbol
from tinyrnn.nn.module import Module
from tinyrnn.nn.parameter import Parameter


class Embedding(Module):
    """A table of vectors, looked up by index: ``weight[x]``.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        The number of rows, and their length.
    padding_idx : int, optional
        A row that is zero at first and gets no gradient; a negative one counts from the end, as in PyTorch.
    rng : Generator or int, optional
        Where the first values come from: N(0, 1), as in PyTorch.
    dtype : dtype_like, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.Embedding(10, 4)([[1, 2, 3], [4, 5, 9]]).shape
    (2, 3, 4)
    """

    @checked(
        num_embeddings=COUNT, embedding_dim=COUNT, padding_idx=INTEGER.or_none(), rng=RNG, dtype=FLOATING
    )
    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"Embedding: padding_idx is {padding_idx}; expected {-num_embeddings} to "
                f"num_embeddings - 1 = {num_embeddings - 1}"
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        dtype = get_default_dtype() if dtype is None else np.dtype(dtype)
        self.weight = Parameter(generator(rng).standard_normal((num_embeddings, embedding_dim)), dtype=dtype)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Map indices of any shape (...) to (..., embedding_dim).

        Raises
        ------
        IndexError
            Where an index is outside 0 to num_embeddings - 1; the message names its place.
        """
        if is_symbol(x):
            # In a step that is being traced there are no values yet. While it runs, an index that is too
            # large is an IndexError of NumPy's; a negative one becomes such.
            x = where(less(x, 0), self.num_embeddings, x)
        else:
            x = as_integers("Embedding", "x", x, "indices of rows")
            expect_range("Embedding", "x", x, 0, self.num_embeddings - 1)
        y = take(self.weight, x, 0)
        if self.padding_idx is None:
            return y
        return where(equal(x, self.padding_idx)[..., None], y.detach(), y)

    def extra_repr(self) -> str:
        """Return the sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
