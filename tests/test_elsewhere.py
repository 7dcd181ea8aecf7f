"""PyTorch's words: where one is an error here, the error says ours; and errors name what the user called."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr
import tinyrnn.nn.functional as F
from tinyrnn.autograd import elsewhere

x = tr.ones((2, 3))
linear, gru = tr.nn.Linear(3, 4), tr.nn.GRU(3, 4)

CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "a method of tensors": (lambda: x.view(6), "Tensor has no attribute 'view'; PyTorch's view is here: res"),
    "a function": (lambda: x.flip(0), "there is tr.flip"),
    "a function of a room": (lambda: x.norm(), "there is tr.linalg.norm"),
    "in place": (lambda: x.add_(1), "nothing is changed in place: use the result of add"),
    "a device": (lambda: linear.cuda(), "Linear has no attribute 'cuda'; PyTorch's cuda is here: nothing"),
    "to": (lambda: gru.to("cuda"), "GRU has no attribute 'to'; PyTorch's to is here: nothing for a device"),
    "NumPy's": (lambda: tr.arange(3), "NumPy has np.arange"),
    "another room": (lambda: tr.Adam, "there is tr.optim.Adam"),
    "data": (lambda: tr.data.DataLoader, "PyTorch's DataLoader is here: tr.data.batches"),
    "a module that is a function": (lambda: tr.nn.LogSoftmax(), "there is tr.log_softmax"),
    "functional": (lambda: F.one_hot(x), "PyTorch's one_hot is here: np.eye"),
    "a keyword": (lambda: x.sum(dim=1), "Tensor.sum() got an unexpected keyword argument 'dim'; PyTorch's"),
    "of a layer": (lambda: gru(x, hx=x), "GRU() got an unexpected keyword argument 'hx'; PyTorch's hx="),
    "of a cell": (lambda: tr.nn.GRUCell(3, 4)(x, hx=x), "GRUCell() got an unexpected keyword argument 'hx'"),
    "misspelt": (lambda: gru(x, lenghts=[1]), "GRU() got an unexpected keyword argument 'lenghts'"),
    "too many": (lambda: gru(x, x, x), "GRU() takes from 2 to 3 positional arguments but 4 were given"),
    "of a constructor": (lambda: tr.nn.Conv1d(3, 4, 3, pading=1), "Conv1d() got an unexpected keyword"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_error_says_ours(case: str) -> None:
    call, words = CASES[case]
    with pytest.raises((AttributeError, TypeError)) as raised:
        call()
    assert words in str(raised.value)


def test_what_nobody_knows_is_only_missing() -> None:
    for where in (x, tr, tr.nn, tr.data, linear):
        with pytest.raises(AttributeError, match=r"has no attribute 'gibberish'$"):
            where.gibberish


@pytest.mark.parametrize(
    ("names", "owners"),
    [
        (elsewhere.NAMES, [x, tr]), (elsewhere.NN_NAMES, [tr.nn, F]), (elsewhere.MODULE_NAMES, [linear, gru]),
        (elsewhere.DATA_NAMES, [tr.data]),
    ],
)  # fmt: skip
def test_no_word_of_the_table_is_there_after_all(names: dict[str, str], owners: list[Any]) -> None:
    for name in names:
        assert not all(hasattr(owner, name) for owner in owners), name


def test_an_error_inside_of_a_forward_is_left_as_it_is() -> None:
    class Mine(tr.nn.Module):
        def forward(self, x: Any) -> Any:
            return np.sum(x, wrong=1)

    with pytest.raises(TypeError, match="wrong") as raised:
        Mine()(np.ones(2))
    assert "Mine" not in str(raised.value)
