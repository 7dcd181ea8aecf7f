"""Shape, dtype and place: what moves elements, or drops some, and changes none."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd import forwards
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.shapes import (
    concatenated_shape,
    given_shape,
    indexed_shape,
    same_shape,
    stacked_shape,
    transposed_shape,
)


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(axes.index, range(len(axes))))


reshape = Primitive(
    "reshape",
    lambda x, shape: x.reshape(shape),
    shape=given_shape,
    x=lambda g, x_shape: g.reshape(x_shape),
)
transpose = Primitive(
    "transpose",
    lambda x, axes: x.transpose(axes),
    shape=transposed_shape,
    x=lambda g, axes: g.transpose(_inverse(axes)),
)
# Its VJP is only the sum over the broadcast axes, and that the engine does for every operation.
broadcast_to = Primitive("broadcast_to", forwards.broadcast_to, shape=given_shape, x=lambda g: g)
copy = Primitive("copy", np.copy, elementwise=True, x=lambda g: g)
astype = Primitive(
    "astype",
    lambda x, dtype: x.astype(dtype),
    dtype=lambda *_, dtype: np.dtype(dtype),
    elementwise=True,
    x=lambda g: g,
)
rounded = Primitive(  # to integers or booleans, which carry no gradient
    "astype",
    lambda x, dtype: x.astype(dtype),
    operands="x",
    dtype=lambda *_, dtype: np.dtype(dtype),
    elementwise=True,
)
# Stands in drawings for a cut gradient; where that is taken, there is nothing left to do.
detach = Primitive("detach", lambda x: x, operands="x", elementwise=True, lower=lambda x: x)
concatenate = Primitive(
    "concatenate",
    lambda *xs, axis, offsets: np.concatenate(xs, axis),
    shape=concatenated_shape,
    variadic=lambda i: (
        lambda g, axis, offsets: g[(slice(None),) * axis + (slice(offsets[i], offsets[i + 1]),)]
    ),
)
stack = Primitive(
    "stack",
    lambda *xs, axis: np.stack(xs, axis),
    shape=stacked_shape,
    variadic=lambda i: lambda g, axis: g[(slice(None),) * axis + (i,)],
)

# --- triangles of the last two axes; zeros elsewhere, whatever stood there ----------------------------------
tril = Primitive("tril", lambda x, k: np.tril(x, k), shape=same_shape, x=lambda g, k: tril(g, k=k))
triu = Primitive("triu", lambda x, k: np.triu(x, k), shape=same_shape, x=lambda g, k: triu(g, k=k))

# --- indexing: index arrays are operands, the rest of the index is static -----------------------------------
getitem = Primitive(
    "getitem",
    forwards.getitem,
    operands="x",
    shape=indexed_shape,
    dtype=lambda x, *_, **__: x,
    accumulate=forwards.accumulate_index,
    variadic=lambda i: None,
    x=lambda g, x_shape, rest, index: scatter(g, *rest, index=index, shape=x_shape),
)
scatter = Primitive(
    "scatter",
    forwards.scatter,
    operands="x",
    shape=given_shape,
    dtype=lambda x, *_, **__: x,
    variadic=lambda i: None,
    x=lambda g, rest, index: getitem(g, *rest, index=index),
)


# --- order along the last axis ------------------------------------------------------------------------------
def _index_dtype(*_: Any, **__: Any) -> Any:
    return np.dtype(np.intp)


argsort = Primitive(
    "argsort",
    lambda x: np.argsort(x, -1, kind="stable"),
    operands="x",
    shape=same_shape,
    dtype=_index_dtype,
)
argpartition = Primitive(
    "argpartition",
    lambda x, kth: np.argpartition(x, kth, -1),
    operands="x",
    shape=same_shape,
    dtype=_index_dtype,
)
pick = Primitive(  # along the last axis, an index for each element that comes out
    "pick",
    lambda x, indices: np.take_along_axis(x, indices, -1),
    operands="x indices",
    shape=lambda x, indices: (*np.broadcast_shapes(x[:-1], indices[:-1]), indices[-1]),
    dtype=lambda x, _: x,
    x=lambda g, x_shape, indices: place(g, indices, length=x_shape[-1]),
)
place = Primitive(  # the other way: zeros, with each element added at its index
    "place",
    forwards.place,
    operands="x indices",
    shape=lambda x, indices, length: (*x[:-1], length),
    dtype=lambda x, _, **__: x,
    x=lambda g, indices: pick(g, indices),
)
