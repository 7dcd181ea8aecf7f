"""CTC against all alignments written out; its decoders; edit distance and error rate."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tests.oracles.ctc import log_probabilities

F = tr.nn.functional


def frames(steps: int, rows: int, classes: int, seed: int = 0, dtype: Any = np.float64) -> Any:
    z = np.random.default_rng(seed).normal(size=(steps, rows, classes))
    return tr.log_softmax(tr.tensor(z.astype(dtype))).numpy()


@given(st.data())
def test_loss_is_the_sum_over_all_alignments(data: st.DataObject) -> None:
    """Repeated labels, no labels, too many of them, padding of both kinds, any blank."""
    steps, rows = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
    classes = data.draw(st.integers(2, 3))
    blank = data.draw(st.integers(0, classes - 1))
    label = st.sampled_from([c for c in range(classes) if c != blank])
    labels = data.draw(st.lists(st.lists(label, max_size=4), min_size=rows, max_size=rows))
    lengths = data.draw(st.lists(st.integers(0, steps), min_size=rows, max_size=rows))
    x = frames(steps, rows, classes)
    expected = [
        -log_probabilities(x[:n, b], blank).get(tuple(labels[b]), -np.inf) for b, n in enumerate(lengths)
    ]
    counts = [len(row) for row in labels]
    padded = np.full((rows, max(*counts, 1, 0) + 1), data.draw(st.sampled_from([-1, blank, 99])))
    for row, given_labels in zip(padded, labels, strict=True):
        row[: len(given_labels)] = given_labels
    for b, n in enumerate(lengths):
        x[n:, b] = np.nan
    flat = np.array([c for row in labels for c in row], int)
    for targets in (padded, flat):
        loss = F.ctc_loss(x, targets, lengths, counts, blank, reduction="none")
        np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-10, atol=1e-12)
    zeroed = F.ctc_loss(x, padded, lengths, counts, blank, reduction="none", zero_infinity=True).numpy()
    np.testing.assert_allclose(zeroed, np.where(np.isinf(expected), 0, expected), rtol=1e-10, atol=1e-12)


CASES = {
    "plain": ([[1, 2, 1]], [6], [3]),
    "repeats": ([[1, 1, 2]], [6], [3]),
    "just long enough": ([[1, 1, 1]], [5], [3]),
    "no labels": ([[0, 0], [1, 2]], [6, 6], [0, 2]),
    "only no labels": ([[], []], [6, 3], [0, 0]),
    "padded": ([[1, 2, -1], [2, 2, 1], [1, -7, 9]], [6, 5, 1], [2, 3, 1]),
    "too many labels": ([[1, 1, 1], [1, 2, 1]], [4, 6], [3, 3]),
    "no frames": ([[1, 2], [1, 2], [1, 2]], [0, 6, 0], [0, 2, 1]),
}


@pytest.mark.parametrize("case", CASES)
def test_gradients_to_order_2(case: str) -> None:
    targets, lengths, counts = CASES[case]
    x = np.random.default_rng(1).normal(size=(6, len(lengths), 3))
    for zero in (True, False) if "too many" not in case and "no frames" not in case else (True,):
        tr.testing.check_grads(
            lambda x, zero=zero: F.ctc_loss(
                tr.log_softmax(x), np.array(targets, int), lengths, counts, zero_infinity=zero
            ),
            x,
            order=2,
        )


@pytest.mark.parametrize("case", CASES)
def test_compiled_recorded_and_without_a_warning(case: str) -> None:
    targets, lengths, counts = CASES[case]

    def run() -> Any:
        x = tr.tensor(np.random.default_rng(1).normal(size=(6, len(lengths), 3)), requires_grad=True)
        loss = F.ctc_loss(tr.log_softmax(x), np.array(targets, int), lengths, counts, reduction="none")
        loss.sum().backward()
        return loss.numpy(), x.grad.numpy()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled = run()
    with tr.unrolled():
        recorded = run()
    for a, b in zip(compiled, recorded, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)
    assert np.isfinite(compiled[1]).all()


def test_padding_and_impossible_rows_get_no_gradient() -> None:
    x = tr.tensor(frames(6, 3, 3), requires_grad=True)
    x.data[4:, 0] = np.nan
    loss = F.ctc_loss(x, [[1, 2, 1], [1, 1, 1], [1, 2, 2]], [4, 4, 6], [3, 3, 3], reduction="none")
    assert np.isinf(loss.numpy()).tolist() == [False, True, False]
    loss[::2].sum().backward()
    assert not x.grad.numpy()[4:, 0].any()
    assert not x.grad.numpy()[:, 1].any()
    np.testing.assert_allclose(x.grad.numpy()[:4, 0].sum(-1), -1)  # the share of each frame's classes
    np.testing.assert_allclose(x.grad.numpy()[:, 2].sum(-1), -1)


def test_probability_zero() -> None:
    """A class that cannot be is -inf, as log gives it; the ways around it are still counted."""
    x = frames(5, 1, 3)
    x[2, 0, 0] = x[0, 0, 2] = -np.inf
    x = tr.tensor(x, requires_grad=True)
    loss = F.ctc_loss(x, [[1, 2]], [5], [2], reduction="sum")
    expected = -log_probabilities(x.numpy()[:, 0])[1, 2]
    np.testing.assert_allclose(loss.item(), expected)
    loss.backward()
    assert np.isfinite(x.grad.numpy()).all()
    assert x.grad.numpy()[2, 0, 0] == x.grad.numpy()[0, 0, 2] == 0


def test_reductions_and_a_single_row() -> None:
    x, targets, lengths, counts = frames(6, 3, 4), [[1, 2, 3], [3, 3, 0], [0, 0, 0]], [6, 6, 5], [3, 2, 0]
    each = F.ctc_loss(x, targets, lengths, counts, reduction="none").numpy()
    total = F.ctc_loss(x, targets, lengths, counts, reduction="sum").item()
    mean = F.ctc_loss(x, targets, lengths, counts).item()
    np.testing.assert_allclose([total, mean], [each.sum(), (each / [3, 2, 1]).mean()])
    single = F.ctc_loss(x[:, 0], targets[0], 6, 3, reduction="none")
    assert single.shape == ()
    np.testing.assert_allclose(single.item(), each[0])
    module = tr.nn.CTCLoss(reduction="sum", zero_infinity=True)
    assert module(x, targets, lengths, counts).item() == total
    assert repr(module) == "CTCLoss(blank=0, reduction='sum', zero_infinity=True)"


def test_ten_thousand_steps_in_float32() -> None:
    """The weights of the three ways to a state add up to 1, however small their probabilities are."""
    steps, counts = 10_000, [100]
    targets = np.random.default_rng(0).integers(1, 5, (1, 100))
    x = tr.tensor(frames(steps, 1, 5, dtype=np.float32), requires_grad=True)
    loss = F.ctc_loss(x, targets, [steps], counts, reduction="sum")
    loss.backward()
    assert loss.dtype == x.grad.dtype == np.float32
    wide = tr.tensor(x.numpy().astype(float), requires_grad=True)
    expected = F.ctc_loss(wide, targets, [steps], counts, reduction="sum")
    expected.backward()
    np.testing.assert_allclose(loss.item(), expected.item(), rtol=1e-4)
    np.testing.assert_allclose(x.grad.numpy(), wide.grad.numpy(), rtol=0, atol=0.01)  # PyTorch is 0.11 off


BAD: list[tuple[Any, str]] = [
    (((6, 2, 3), [[1], [2]], [6], [1, 1]), r"input_lengths has shape \(1,\); expected \(B,\) = \(2,\)"),
    (((6, 2, 3), [[1], [2]], [6, 7], [1, 1]), r"input_lengths\[1\] is 7; expected 0 to 6"),
    (((6, 2, 3), [[1], [2]], [6, -1], [1, 1]), r"input_lengths\[1\] is -1; expected 0 to 6"),
    (((6, 2, 3), [[1], [2]], [6, 6], [1, 2]), r"target_lengths\[1\] is 2; expected 0 to 1"),
    (((6, 2, 3), [[1], [3]], [6, 6], [1, 1]), r"targets\[1, 0\] is 3; expected 0 to 2"),
    (((6, 2, 3), [[1], [0]], [6, 6], [1, 1]), r"targets\[1, 0\] is 0, the blank"),
    (((6, 2, 3), [1, 2, 1], [6, 6], [1, 1]), r"targets has 3 labels, .* sum of target_lengths, 2"),
    (((6, 2, 3), [[1]], [6, 6], [1, 1]), r"targets has shape \(1, 1\); expected \(B, L\) = \(2, 1\)"),
    (((6, 3), [[1]], [6], [1]), r"targets has shape \(1, 1\); expected \(L,\)"),
    (((6, 2, 3), [[1.5], [2.0]], [6, 6], [1, 1]), "targets has dtype float64; expected integers"),
    (((0, 2, 3), [[1], [2]], [0, 0], [1, 1]), r"log_probs has shape \(0, 2, 3\)"),
    (((6, 2, 3), [[1], [2]], [6, 6], [1, 1], 3), "blank is 3; expected a class, 0 to C - 1 = 2"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_what_does_not_fit_is_refused_by_name(arguments: Any, message: str) -> None:
    shape, *rest = arguments
    with pytest.raises((ValueError, TypeError, IndexError), match="ctc_loss: " + message):
        F.ctc_loss(np.zeros(shape), *rest)


def test_half_precision_is_refused() -> None:
    with pytest.raises(TypeError, match="float16"):
        F.ctc_loss(np.zeros((3, 1, 2), np.float16), [[1]], [3], [1])


# --- decoding -----------------------------------------------------------------------------------------------
@given(st.integers(1, 5), st.integers(2, 4), st.integers(0, 10), st.data())
def test_a_wide_beam_finds_the_best_labels(steps: int, classes: int, seed: int, data: st.DataObject) -> None:
    blank = data.draw(st.integers(0, classes - 1))
    x = frames(steps, 2, classes, seed)
    lengths = [steps, data.draw(st.integers(1, steps))]
    for row, n, found in zip(
        range(2), lengths, tr.nn.ctc_beam_decode(x, lengths, blank, beam_width=5000), strict=True
    ):
        truth = log_probabilities(x[:n, row], blank)
        assert len(found) == len(truth)
        assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)
        for labels, log_p in found:
            np.testing.assert_allclose(log_p, truth[tuple(labels.tolist())], rtol=1e-9)


def test_a_narrow_beam_is_close_to_a_wide_one() -> None:
    x = tr.log_softmax(tr.tensor(5 * frames(30, 4, 6, seed=3))).numpy()  # as sure as a network is
    for width in (1, 8):
        for row in tr.nn.ctc_beam_decode(x, beam_width=width):
            assert len(row) <= width
    wide, narrow = (tr.nn.ctc_beam_decode(x, beam_width=w) for w in (256, 16))
    for a, b in zip(wide, narrow, strict=True):
        assert b[0][1] <= a[0][1] + 1e-9
        assert b[0][1] > a[0][1] - 0.5


def test_greedy_merges_repeats_and_drops_blanks() -> None:
    ids = np.array([[2, 0, 0, 1], [2, 0, 1, 1], [0, 0, 0, 0], [2, 0, 1, 1], [1, 0, 1, 2]])  # (T, B)
    rows = tr.nn.ctc_greedy_decode(np.eye(3)[ids])
    assert [r.tolist() for r in rows] == [[2, 2, 1], [], [1, 1], [1, 1, 2]]
    assert tr.nn.ctc_greedy_decode(tr.tensor(np.eye(3)[ids]), [3, 1, 5, 0])[0].tolist() == [2]
    other = tr.nn.ctc_greedy_decode(np.eye(3)[ids], blank=1)
    assert [r.tolist() for r in other] == [[2, 0, 2], [0], [0, 0], [0, 2]]


def test_a_frame_that_allows_nothing() -> None:
    x = np.full((3, 1, 2), -np.inf)
    assert tr.nn.ctc_beam_decode(x) == [[]]


@pytest.mark.parametrize("decode", [tr.nn.ctc_greedy_decode, tr.nn.ctc_beam_decode])
def test_decoders_refuse_what_does_not_fit(decode: Any) -> None:
    x = np.zeros((4, 2, 3))
    with pytest.raises(ValueError, match=r"input_lengths\[1\] is 5"):
        decode(x, [4, 5])
    with pytest.raises(ValueError, match="blank is -1"):
        decode(x, blank=-1)
    with pytest.raises(ValueError, match="beam_width is 0"):
        tr.nn.ctc_beam_decode(x, beam_width=0)


# --- edit distance ------------------------------------------------------------------------------------------
def by_recursion(a: str, b: str) -> int:
    if not a or not b:
        return len(a) + len(b)
    return min(
        by_recursion(a[1:], b) + 1, by_recursion(a, b[1:]) + 1, by_recursion(a[1:], b[1:]) + (a[0] != b[0])
    )


@given(st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_edit_distance(a: str, b: str) -> None:
    expected = by_recursion(a, b)
    assert tr.nn.edit_distance(a, b) == expected
    assert tr.nn.edit_distance(list(b), tuple(a)) == expected
    assert tr.nn.edit_distance(np.array([ord(c) for c in a], int), [ord(c) for c in b]) == expected


def test_error_rate() -> None:
    assert tr.nn.error_rate(["abc", ""], ["abd", "x"]) == 0.5
    assert tr.nn.error_rate([np.array([1, 2])], [[1, 2]]) == 0
    assert tr.nn.error_rate(["aaaa"], ["b"]) == 4
    with pytest.raises(ValueError, match="1 predictions and 2 targets"):
        tr.nn.error_rate(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="empty"):
        tr.nn.error_rate(["a"], [""])
