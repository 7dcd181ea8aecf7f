"""Losses of padded rows: what is real counts as if it stood alone, and the padding does not count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn import nn

LOSSES: dict[str, Any] = {
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "bce": nn.BCEWithLogitsLoss,
    "classes": nn.CrossEntropyLoss,
    "weighted classes": lambda **o: nn.CrossEntropyLoss([1.0, 2.0, 0.5], label_smoothing=0.1, **o),
    "probabilities": nn.CrossEntropyLoss,
    "nll": nn.NLLLoss,
}


def data(kind: str, T: int, B: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(T, B, 3))
    if kind in ("classes", "weighted classes", "nll"):
        return x, rng.integers(0, 3, (T, B))
    return x, rng.dirichlet(np.ones(3), (T, B))


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    by_mask=st.booleans(),
    seed=st.integers(0, 99),
)
def test_only_what_is_real_counts(
    kind: str, reduction: str, lengths: list[int], by_mask: bool, seed: int
) -> None:
    if not any(lengths):
        lengths[0] = 2
    T, B = 5, len(lengths)
    x, y = data(kind, T, B, seed)
    real = np.arange(T)[:, None] < np.array(lengths)
    loss_of = LOSSES[kind](reduction=reduction)
    alone = tr.tensor(x[real], requires_grad=True)
    expected = loss_of(alone, y[real])
    expected.sum().backward()
    x, y = x.copy(), y.copy()
    x[~real] = np.nan
    y[~real] = 77 if y.dtype.kind == "i" else np.inf  # no class, and no probability
    padded = tr.tensor(x, requires_grad=True)
    how: dict[str, Any] = {"mask": real} if by_mask else {"lengths": lengths}
    loss = loss_of(padded, y, **how)
    loss.sum().backward()
    got = loss.numpy()[real] if reduction == "none" else loss.numpy()
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-12)
    if reduction == "none":
        assert not loss.numpy()[~real].any()
    np.testing.assert_allclose(padded.grad.numpy()[real], alone.grad.numpy(), rtol=1e-12)
    assert not padded.grad.numpy()[~real].any()


def test_a_mask_of_single_elements() -> None:
    x, real = np.arange(12.0).reshape(3, 4), np.arange(12).reshape(3, 4) % 5 == 0
    assert nn.mse_loss(tr.tensor(x), np.zeros((3, 4)), mask=real).item() == pytest.approx(
        (x[real] ** 2).mean()
    )


def test_masks_join_ignored_targets() -> None:
    x, y = data("classes", 4, 2, 0)
    y[1, 0] = -100
    real = np.arange(4)[:, None] < [3, 2]
    both = real & (y != -100)
    expected = nn.cross_entropy(tr.tensor(x[both]), y[both]).item()
    assert nn.cross_entropy(tr.tensor(x), y, lengths=[3, 2]).item() == pytest.approx(expected)


def test_the_mask_of_lengths() -> None:
    assert nn.mask([2, 0, 3]).T.astype(int).tolist() == [[1, 1, 0], [0, 0, 0], [1, 1, 1]]
    assert nn.mask(tr.tensor([1]), 4).shape == (4, 1)
    assert nn.mask(np.array([], int)).shape == (0, 0)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: nn.mask([1.5]), TypeError, "lengths has dtype float64"),
        (lambda: nn.mask([[1]]), ValueError, r"shape \(1, 1\)"),
        (lambda: nn.mask([2, 5], 4), IndexError, r"lengths\[1\] is 5; expected 0 to 4"),
        (lambda: loss(lengths=[1]), ValueError, r"lengths has shape \(1,\); expected \(batch,\) = \(3,\)"),
        (lambda: loss(lengths=[1, 2, 3]), IndexError, r"lengths\[2\] is 3; expected 0 to 2"),
        (lambda: loss(lengths=[1, 2, 2], mask=np.ones((2, 3), bool)), TypeError, "one of them"),
        (lambda: loss(mask=np.ones((3, 2), bool)), ValueError, r"mask has shape \(3, 2\)"),
        (lambda: loss(mask=np.ones((2, 3))), TypeError, "expected booleans"),
        (lambda: loss(lengths=[0, 0, 0]), ValueError, "no target counts"),
    ],
)
def test_masks_that_do_not_fit(call: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()


def loss(**options: Any) -> Any:
    return nn.mse_loss(tr.zeros((2, 3, 4)), np.zeros((2, 3, 4)), **options)
