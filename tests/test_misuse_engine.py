"""Misuse of the engine: each error names what was wrong, what was expected and what came."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr


def t(*shape: int) -> tr.Tensor:
    return tr.ones(*shape, requires_grad=True)


MISUSE: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    # the reverse pass
    "backward of an array": (
        lambda: (t(2, 3) * 2).backward(),
        RuntimeError,
        r"backward: output 0 has shape \(2, 3\); without a gradient it must be one number",
    ),
    "backward of a constant": (
        lambda: tr.ones(1).backward(),
        RuntimeError,
        r"backward: output 0, of shape \(1,\), was not recorded.*requires grad.*no_grad",
    ),
    "gradient of a wrong shape": (
        lambda: (t(2, 3) * 2).backward(np.ones(3)),
        ValueError,
        r"backward: the gradient has shape \(3,\); expected that of output 0, \(2, 3\)",
    ),
    "gradient that is no number": (
        lambda: tr.tensor(1.0, requires_grad=True).backward("one"),
        TypeError,
        r"backward: the gradient at output 0 has dtype <U3; expected real numbers",
    ),
    "grad of something unrelated": (
        lambda: tr.grad(t(1) * 2, t(4)),
        RuntimeError,
        r"grad: the outputs do not depend on input 0, of shape \(4,\); allow_unused=True",
    ),
    "grad of a constant": (
        lambda: tr.grad(t(1) * 2, [tr.ones(4)]),
        RuntimeError,
        r"grad: input 0, of shape \(4,\), does not require grad",
    ),
    "grad of an array": (
        lambda: tr.grad(t(1) * 2, np.ones(4)),
        TypeError,
        "grad: the inputs are of type ndarray; expected Tensors",
    ),
    "grad of a list of numbers": (
        lambda: tr.grad(t(1) * 2, [1.0]),
        TypeError,
        "grad: input 0 is of type float; expected a Tensor",
    ),
    "grad from a number": (
        lambda: tr.grad(2.0, t(1)),
        TypeError,
        "grad: the outputs are of type float; expected Tensors",
    ),
    "too many grad_outputs": (
        lambda: tr.grad(t(1) * 2, t(1), [1.0, 2.0]),
        ValueError,
        "grad: got 2 grad_outputs; expected one for each of 1 outputs",
    ),
    "a .grad of a wrong shape": (
        lambda: setattr(t(2), "grad", tr.ones(3)),
        TypeError,
        r"grad: got shape \(3,\); expected None or a Tensor of shape \(2,\)",
    ),
    "a .grad of a constant": (
        lambda: setattr(tr.ones(2), "grad", tr.ones(2)),
        RuntimeError,
        "does not require grad",
    ),
    # shapes
    "add": (
        lambda: t(2, 3) + t(4),
        ValueError,
        r"add: the operands have shapes \(2, 3\) and \(4,\); expected shapes that broadcast",
    ),
    "add an array": (lambda: np.ones(4) + t(2, 3), ValueError, r"add: .*\(4,\) and \(2, 3\)"),
    "where": (lambda: tr.where(np.ones(2, bool), t(3), 0.0), ValueError, r"where: .*\(2,\), \(3,\), \(\)"),
    "matmul": (
        lambda: t(2, 3) @ t(4, 5),
        ValueError,
        r"matmul: the operands have shapes \(2, 3\) and \(4, 5\); expected \(\.\.\., n, k\) @ \(\.\.\., k, m",
    ),
    "matmul of a stack": (lambda: t(5, 2, 3) @ t(4, 5), ValueError, r"matmul: .*\(5, 2, 3\) and \(4, 5\)"),
    "matmul of batches": (
        lambda: t(5, 2, 3) @ t(4, 3, 2),
        ValueError,
        r"matmul: .*\(5, 2, 3\) and \(4, 3, 2\)",
    ),
    "matmul by a number": (lambda: t(2, 3) @ 2.0, ValueError, r"matmul: .*\(2, 3\) and \(\); expected"),
    "matmul of 1-D": (lambda: t(2) @ t(3), ValueError, r"matmul: .*\(2,\) and \(3,\)"),
    "reshape": (
        lambda: t(2, 3).reshape(4, 2),
        ValueError,
        r"reshape: an array of shape \(2, 3\) has 6 elements and cannot take the shape \(4, 2\)",
    ),
    "reshape with two -1": (lambda: t(2, 3).reshape(-1, -1), ValueError, r"reshape: .*\(-1, -1\)"),
    "reshape that does not divide": (lambda: t(2, 3).reshape(4, -1), ValueError, r"reshape: .*\(4, -1\)"),
    "broadcast_to": (
        lambda: t(3).broadcast_to(2, 4),
        ValueError,
        r"broadcast_to: shape \(3,\) does not broadcast to \(2, 4\)",
    ),
    "broadcast_to fewer axes": (lambda: t(1, 1).broadcast_to(3), ValueError, r"broadcast_to: shape \(1, 1\)"),
    "concatenate": (
        lambda: tr.concatenate([t(2, 3), t(2, 4)]),
        ValueError,
        r"concatenate: the shapes are \[\(2, 3\), \(2, 4\)\]; expected shapes that differ only in axis 0",
    ),
    "concatenate axes": (lambda: tr.concatenate([t(2, 3), t(3)]), ValueError, r"concatenate: .*\(3,\)"),
    "concatenate nothing": (lambda: tr.concatenate([]), ValueError, "concatenate: got no arrays"),
    "stack": (
        lambda: tr.stack([t(2), t(3)]),
        ValueError,
        r"stack: the arrays have shapes \[\(2,\), \(3,\)\]; expected one shape",
    ),
    "stack nothing": (lambda: tr.stack([]), ValueError, "stack: got no arrays"),
    "split": (
        lambda: tr.split(t(2, 7), 3, axis=1),
        ValueError,
        "split: sections is 3; expected a divisor of 7, the length of axis 1",
    ),
    "split into none": (lambda: tr.split(t(2), 0), ValueError, "split: sections is 0"),
    "transpose as PyTorch": (
        lambda: t(2, 3, 4).transpose(0, 1),
        ValueError,
        r"transpose: axes are \(0, 1\); expected each of the 3 axes once \(swapaxes exchanges two\)",
    ),
    "squeeze": (
        lambda: t(2, 3).squeeze(0),
        ValueError,
        r"squeeze: axis 0 of shape \(2, 3\) is not of length 1",
    ),
    "sum axis": (
        lambda: t(2, 3).sum(2),
        ValueError,
        "sum: axis is 2 .*; expected -2 to 1",
    ),
    "softmax axis": (lambda: tr.softmax(t(2, 3), 5), ValueError, "softmax: axis 5 is out of bounds"),
    "swapaxes axis": (lambda: t(2, 3).swapaxes(0, 2), ValueError, "axis2 is 2 .*; expected -2 to 1"),
    "max of nothing": (lambda: t(0).max(), ValueError, "max: .*zero-size.*"),
    # operands
    "a string": (lambda: t(2) + "a", TypeError, "add: an operand is 'a'; expected real numbers"),
    "None": (lambda: t(2) * None, TypeError, "multiply: an operand is None; expected real numbers"),
    "a complex number": (lambda: t(2) * 1j, TypeError, "multiply: an operand is 1j; expected real numbers"),
    "a complex array": (
        lambda: t(2) * np.ones(2, complex),
        TypeError,
        "an operand is an array of dtype complex128",
    ),
    "the class itself": (
        lambda: tr.Tensor([1.0]),
        TypeError,
        r"Tensor: the data are of type list; tr\.tensor",
    ),
    "a list of Tensors": (lambda: tr.tensor([t(2), t(2)]), TypeError, r"holds Tensors.*tr\.stack"),
    "complex data": (
        lambda: tr.tensor([1j]),
        TypeError,
        r"tensor: data is \[1j\] \(list\); expected a Tensor or an array of real",
    ),
    "text data": (
        lambda: tr.tensor("abc"),
        TypeError,
        r"tensor: data is 'abc' \(str\); expected a Tensor or an array of real",
    ),
    "a dtype by position": (
        lambda: tr.zeros((2, 3), "float64"),
        TypeError,
        r"zeros: the shape is .*; expected whole",
    ),
    "a negative length": (lambda: tr.ones(2, -1), TypeError, r"ones: the shape is \(2, -1\)"),
    "clip by nothing": (lambda: tr.clip(t(2)), ValueError, "clip: min and max are both None"),
    # indices
    "an index out of bounds": (
        lambda: t(3)[3],
        IndexError,
        "getitem: index 3 is out of bounds for axis 0 with size 3",
    ),
    "an index array out of bounds": (lambda: t(3)[[0, 3]], IndexError, "getitem: index 3 is out of bounds"),
    "too many indices": (lambda: t(3)[0, 0], IndexError, "getitem: too many indices"),
    "a float index": (
        lambda: t(3)[1.0],
        IndexError,
        "getitem: a part of the index is 1.0; expected integers",
    ),
    "a float array": (
        lambda: t(3)[np.ones(2)],
        IndexError,
        "an array of dtype float64; expected integers",
    ),
    "a string index": (lambda: t(3)["a"], IndexError, "a part of the index is 'a'; expected integers"),
    "a short mask": (
        lambda: t(3, 2)[np.array([True, False])],
        IndexError,
        r"getitem: the mask has shape \(2,\); expected \(3,\), that of axes 0 to 0 of the Tensor.*\(3, 2\)",
    ),
    "a mask after an axis": (
        lambda: t(3, 2)[:, np.ones(3, bool)],
        IndexError,
        r"mask has shape \(3,\); expected \(2,\)",
    ),
    "a mask after ...": (
        lambda: t(3, 2)[..., np.ones(3, bool)],
        IndexError,
        r"mask has shape \(3,\); expected \(2,\)",
    ),
    "a mask of too many axes": (lambda: t(3)[np.ones((3, 1), bool)], IndexError, r"mask has shape \(3, 1\)"),
    "take out of bounds": (lambda: tr.take(t(3, 2), [6]), IndexError, "getitem: index 6 is out of bounds"),
    "take by floats": (lambda: tr.take(t(3, 2), [1.0]), IndexError, "take: indices is .*; expected integers"),
    "take by a mask": (
        lambda: tr.take(t(3), [True, False, True]),
        IndexError,
        "take: the indices are booleans",
    ),
    # Python
    "iteration over a number": (lambda: list(tr.tensor(1.0)), TypeError, "no axes cannot be iterated over"),
    "len of a number": (lambda: len(tr.tensor(1.0)), TypeError, r"len\(\) of a Tensor with no axes"),
    "truth of an array": (lambda: bool(t(2)), ValueError, "truth value of an array"),
    "item of an array": (lambda: t(2).item(), ValueError, "expected one element"),
    "format of an array": (lambda: f"{t(2):.2f}", TypeError, r"a Tensor of shape \(2,\) has no format '.2f'"),
    "seed of check_grads": (
        lambda: tr.testing.check_grads(tr.exp, [1, 2]),
        TypeError,
        "argument 0 has dtype int64",
    ),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse(name: str) -> None:
    f, error, message = MISUSE[name]
    with pytest.raises(error, match=message):
        f()


def test_an_axis_error_is_numpys() -> None:
    with pytest.raises(np.exceptions.AxisError):
        t(2).sum(3)


def test_a_failed_operation_leaves_nothing_behind() -> None:
    x = t(2)
    y = x * 3
    with pytest.raises(ValueError, match="add"):
        y + t(5)
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_what_python_expects_of_a_number() -> None:
    x = tr.tensor(2.5, requires_grad=True)
    assert x.item() == 2.5
    with tr.no_grad():
        assert float(x) == 2.5
        assert int(x) == 2
    assert f"{x:.2f}" == "2.50"
    assert round(x).item() == 2
    assert bool(x > 2)
    assert list(range(tr.tensor(3))) == [0, 1, 2]
    assert [row.tolist() for row in tr.tensor([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]
    assert 3 in tr.tensor([1, 3])
    assert len(tr.zeros(4, 2)) == 4
    assert {x: "hashable"}[x] == "hashable"


def test_repr() -> None:
    assert repr(tr.tensor([1.0, 2.0])) == "tensor([1., 2.])"
    assert repr(tr.tensor(np.ones(1))) == "tensor([1.], dtype=float64)"
    assert repr(tr.ones(1, requires_grad=True)) == "tensor([1.], requires_grad=True)"
    assert repr(tr.exp(tr.zeros(1, requires_grad=True))) == "tensor([1.], op=exp)"
    assert repr(tr.tensor([[1, 2], [3, 4]])) == "tensor([[1, 2],\n        [3, 4]])"


LEAVING: dict[str, Callable[[tr.Tensor], Any]] = {
    "float": float,
    "int": int,
    "math.sqrt": math.sqrt,
    "numpy.float64": np.float64,
    "numpy.fromiter": lambda x: np.fromiter([x, x], float),
    "ndarray.fill": lambda x: np.zeros(2).fill(x),
    "a[i] = t": lambda x: np.zeros(2).__setitem__(0, x),
    "tr.tensor(t)": tr.tensor,
    "numpy.unique": np.unique,
    "a[i] = t[j]": lambda x: np.zeros(2).__setitem__(0, x.reshape(1)[0]),
}


@pytest.mark.parametrize("way", LEAVING)
def test_a_recorded_tensor_that_becomes_a_number_says_so(way: str) -> None:
    x = tr.tensor(2.0, requires_grad=True)
    for recorded in (x, x * x):
        with pytest.warns(tr.LostGradientWarning, match=r"tr\.stack.*\.item\(\)") as caught:
            LEAVING[way](recorded)
        assert caught[0].filename == __file__
    LEAVING[way](x.detach())  # and nothing is said where no gradient is lost
    with tr.no_grad():
        LEAVING[way](x * x)
    assert (x * x).item() == 4.0
    assert f"{x * x:.1f}" == "4.0"


def test_arrays_that_mean_more_than_their_numbers_are_refused() -> None:
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.asmatrix(np.eye(2))
    x, square = t(2), t(2, 2)
    for f in (
        lambda: x * masked,
        lambda: tr.sum(masked),
        lambda: tr.tensor(masked),
        lambda: tr.where(masked > 0, x, 0.0),
        lambda: tr.scan(lambda c, _: (c * masked, None), x, None, length=3),
        lambda: tr.nn.Linear(2, 3)(masked),
        lambda: tr.nn.mse_loss(x, masked),
    ):
        with pytest.raises(TypeError, match=r"MaskedArray: its mask would be dropped; use \.filled"):
            f()
    for f in (
        lambda: square * matrix,
        lambda: matrix * square,
        lambda: square @ matrix,
        lambda: tr.tensor(matrix),
        lambda: tr.tanh(matrix),
    ):
        with pytest.raises(TypeError, match=r"numpy matrix: its \* is a product of matrices"):
            f()
