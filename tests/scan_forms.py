"""One scan, run three ways: compiled, recorded under ``tr.unrolled()``, and as a Python loop written here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinyrnn as tr
from tinyrnn.recurrence.tree import flatten

Array = np.ndarray[Any, Any]
Make = Callable[[dict[str, Any]], Callable[[Any, Any], tuple[Any, Any]]]


def normal(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Array:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def tensors(structure: Any) -> Any:
    """A copy of a structure of arrays as Tensors; floats require grad."""
    leaves, tree = flatten(structure)
    arrays = [np.array(leaf) for leaf in leaves]
    return tree.unflatten(tr.tensor(a, dtype=a.dtype, requires_grad=a.dtype.kind == "f") for a in arrays)


def loop(
    step: Any, carry: Any, xs: Any, *, length: Any = None, lengths: Any = None, reverse: bool = False
) -> Any:
    """What `tr.scan` means."""
    leaves, tree = flatten(xs)
    steps = length if length is not None else leaves[0].shape[0]
    ys: dict[int, Any] = {}
    form: Any = None
    for t in range(steps)[::-1] if reverse else range(steps):
        new, y = step(carry, tree.unflatten(x[t] for x in leaves))
        parts, form = flatten(new)
        new = form.unflatten(tr.as_tensor(part) for part in parts)
        parts, form = flatten(y)
        if lengths is not None:
            (new_leaves, carry_tree), (old_leaves, _) = flatten(new), flatten(carry)
            new = carry_tree.unflatten(
                held(t < lengths, n, o) for n, o in zip(new_leaves, old_leaves, strict=True)
            )
            parts = [held(t < lengths, y, np.zeros(y.shape, y.dtype)) for y in parts]
        carry, ys[t] = new, [tr.as_tensor(y) for y in parts]
    return carry, form.unflatten(
        tr.stack(parts) for parts in zip(*(ys[t] for t in range(steps)), strict=True)
    )


def held(running: Array, new: Any, old: Any) -> Any:
    return tr.where(running.reshape((-1, *(1,) * (new.ndim - 1))), new, old)


def unrolled(*args: Any, **options: Any) -> Any:
    with tr.unrolled():
        return tr.scan(*args, **options)


FORMS: dict[str, Callable[..., Any]] = {"compiled": tr.scan, "unrolled": unrolled, "loop": loop}


def run(
    form: str, make: Make, params: dict[str, Array], carry: Any, xs: Any, **options: Any
) -> dict[str, Array]:
    """Values and gradients, by name, of ``sum(v * output)`` over all outputs with fixed random ``v``."""
    weights, state, inputs = tensors(params), tensors(carry), tensors(xs)
    outputs = dict(zip(("carry", "ys"), FORMS[form](make(weights), state, inputs, **options), strict=True))
    found: dict[str, Array] = {}
    loss = tr.tensor(0.0, dtype=np.float64)
    leaves, tree = flatten(outputs)
    for k, (leaf, path) in enumerate(zip(leaves, tree.paths("out"), strict=True)):
        found[path] = leaf.data.copy()
        if leaf.dtype.kind == "f":
            loss = loss + (leaf * normal(*leaf.shape, seed=k, dtype=leaf.dtype)).sum().astype(np.float64)
    if loss.requires_grad:
        loss.backward()
    leaves, tree = flatten({"params": weights, "carry": state, "xs": inputs})
    for leaf, path in zip(leaves, tree.paths("grad"), strict=True):
        if leaf.dtype.kind == "f":  # a gradient that is nowhere is zero
            found[path] = np.zeros(leaf.shape, leaf.dtype) if leaf.grad is None else leaf.grad.data
    return found


def assert_same(actual: dict[str, Array], expected: dict[str, Array], rtol: float = 1e-12) -> None:
    """All values, of one shape and dtype; relative to the largest of an array, since elements may cancel."""
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        got = actual[name]
        assert (got.shape, got.dtype) == (value.shape, value.dtype), name
        scale = max(1.0, float(np.abs(value).max(initial=0)))
        np.testing.assert_allclose(got, value, rtol=rtol, atol=rtol * scale, err_msg=name)


def agree(
    make: Make, params: dict[str, Array], carry: Any, xs: Any, *, rtol: float = 1e-12, **options: Any
) -> None:
    """All three forms give the same values and gradients, and change none of their inputs."""
    before = [np.array(leaf) for leaf in flatten([params, carry, xs])[0]]
    expected = run("loop", make, params, carry, xs, **options)
    assert_same(run("unrolled", make, params, carry, xs, **options), expected, rtol)
    assert_same(run("compiled", make, params, carry, xs, **options), expected, rtol)
    for array, leaf in zip(before, flatten([params, carry, xs])[0], strict=True):
        np.testing.assert_array_equal(array, leaf)
