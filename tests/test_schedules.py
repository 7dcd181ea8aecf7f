"""Schedules of the learning rate against their closed forms, and against PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn import optim

BASES = [0.1, 0.4]
Make = Callable[[Any, Any], Any]  # (module of schedules, optimizer) -> schedule


def two_groups() -> optim.SGD:
    return optim.SGD([{"params": [tr.ones(2)], "lr": lr} for lr in BASES], lr=0.0)


def lrs(optimizer: Any) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]


def cosine(t: int, T_max: int) -> float:
    return (1 + math.cos(math.pi * t / T_max)) / 2


# The schedule, and the learning rate of its documentation for a first rate and an epoch.
CLOSED: list[tuple[str, Make, Callable[[float, int], float]]] = [
    ("step", lambda m, o: m.StepLR(o, step_size=3, gamma=0.5), lambda lr, t: lr * 0.5 ** (t // 3)),
    (
        "milestones",
        lambda m, o: m.MultiStepLR(o, [7, 2, 7], gamma=0.5),
        lambda lr, t: lr * 0.5 ** ((t >= 2) + 2 * (t >= 7)),
    ),
    ("exponential", lambda m, o: m.ExponentialLR(o, gamma=0.9), lambda lr, t: lr * 0.9**t),
    ("exponential-to-0", lambda m, o: m.ExponentialLR(o, gamma=0.0), lambda lr, t: lr * (t == 0)),
    ("cosine", lambda m, o: m.CosineAnnealingLR(o, T_max=8), lambda lr, t: lr * cosine(t, 8)),
    (
        "cosine-to-a-floor",
        lambda m, o: m.CosineAnnealingLR(o, T_max=7, eta_min=0.05),
        lambda lr, t: 0.05 + (lr - 0.05) * cosine(t, 7),
    ),
    ("linear", lambda m, o: m.LinearLR(o), lambda lr, t: lr * (1 / 3 + 2 / 3 * min(t, 5) / 5)),
    (
        "linear-down",
        lambda m, o: m.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=10),
        lambda lr, t: lr * (1 - min(t, 10) / 10),
    ),
    ("lambda", lambda m, o: m.LambdaLR(o, lambda t: min(1.0, t / 4)), lambda lr, t: lr * min(1.0, t / 4)),
    (
        "warm-up-then-cosine",
        lambda m, o: m.SequentialLR(
            o,
            [m.LinearLR(o, 0.25, total_iters=4), m.CosineAnnealingLR(o, 10), m.StepLR(o, 2)],
            milestones=[4, 12],
        ),
        lambda lr, t: (
            lr * (0.25 + 0.75 * t / 4)
            if t < 4
            else lr * (cosine(t - 4, 10) if t < 12 else 0.1 ** ((t - 12) // 2))
        ),
    ),
]
each = pytest.mark.parametrize(("make", "closed"), [c[1:] for c in CLOSED], ids=[c[0] for c in CLOSED])


@each
def test_forty_epochs_follow_the_closed_form(make: Make, closed: Callable[[float, int], float]) -> None:
    optimizer = two_groups()
    schedule = make(optim.lr_scheduler, optimizer)
    for t in range(40):
        wanted = [closed(lr, t) for lr in BASES]
        np.testing.assert_allclose(lrs(optimizer), wanted, rtol=1e-11, atol=1e-14)
        assert schedule.get_last_lr() == lrs(optimizer)
        schedule.step()


@pytest.mark.optional
@each
def test_forty_epochs_go_where_pytorch_goes(make: Make, closed: Any) -> None:
    torch = pytest.importorskip("torch")
    optimizer = two_groups()
    reference = torch.optim.SGD(
        [{"params": [torch.nn.Parameter(torch.ones(2))], "lr": lr} for lr in BASES], lr=0.0
    )
    schedule = make(optim, optimizer)
    theirs = make(torch.optim.lr_scheduler, reference)
    for _ in range(40):
        np.testing.assert_allclose(lrs(optimizer), lrs(reference), rtol=1e-6, atol=1e-12)
        reference.step()
        schedule.step()
        theirs.step()


ONE_CYCLES: list[dict[str, Any]] = [
    {"total_steps": 20},
    {"epochs": 4, "steps_per_epoch": 5, "pct_start": 0.5, "anneal_strategy": "linear"},
    {"total_steps": 21, "three_phase": True, "div_factor": 10.0, "final_div_factor": 50.0},
    {"total_steps": 9, "pct_start": 0.4, "base_momentum": 0.5, "max_momentum": 0.6},
]
each_cycle = pytest.mark.parametrize("o", ONE_CYCLES)


@each_cycle
def test_one_cycle_goes_up_and_down_while_the_momentum_goes_down_and_up(o: dict[str, Any]) -> None:
    optimizer = optim.SGD([tr.ones(2)], lr=1.0, momentum=0.9)
    schedule = optim.OneCycleLR(optimizer, 0.5, **o)
    group, rates, momenta = optimizer.param_groups[0], [], []
    for t in range(schedule.total_steps):
        rates.append(group["lr"])
        momenta.append(group["momentum"])
        if t < schedule.total_steps - 1:
            schedule.step()
    top = int(np.argmax(rates))
    first = 0.5 / o.get("div_factor", 25.0)
    np.testing.assert_allclose([rates[0], rates[-1]], [first, first / o.get("final_div_factor", 1e4)])
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()
    assert (np.diff(momenta[: top + 1]) < 0).all()
    assert momenta[0] == momenta[-1] == o.get("max_momentum", 0.95)
    again = optim.OneCycleLR(optim.SGD([tr.ones(2)], lr=1.0, momentum=0.9), 0.5, **o)
    again.load_state_dict(schedule.state_dict())
    again.step()  # after the last update, as `fit` and most loops do
    assert group["lr"] == again.get_last_lr()[0]
    with pytest.raises(ValueError, match=rf"call {schedule.total_steps + 1} of step\(\) in a cycle of"):
        again.step()


@pytest.mark.optional
@each_cycle
def test_one_cycle_goes_where_pytorchs_goes(o: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    for name in ("SGD", "Adam"):
        more = {"momentum": 0.9} if name == "SGD" else {}
        ours = getattr(optim, name)([{"params": [tr.ones(2)]}, {"params": [tr.ones(1)]}], lr=1.0, **more)
        weights = [torch.nn.Parameter(torch.ones(n)) for n in (2, 1)]
        theirs = getattr(torch.optim, name)([{"params": [w]} for w in weights], lr=1.0, **more)
        mine = optim.OneCycleLR(ours, [0.5, 0.1], **o)
        reference = torch.optim.lr_scheduler.OneCycleLR(theirs, [0.5, 0.1], **o)
        for t in range(mine.total_steps):
            np.testing.assert_allclose(lrs(ours), lrs(theirs), rtol=1e-9)
            for a, b in zip(ours.param_groups, theirs.param_groups, strict=True):
                if name == "SGD":
                    assert a["momentum"] == pytest.approx(b["momentum"])
                else:
                    assert a["betas"] == pytest.approx(b["betas"])
            theirs.step()
            if t < mine.total_steps - 1:
                mine.step()
                reference.step()


@given(steps=st.integers(1, 60), T_max=st.integers(1, 30), eta_min=st.floats(0, 0.1), lr=st.floats(0.1, 10))
def test_cosine_stays_between_its_ends(steps: int, T_max: int, eta_min: float, lr: float) -> None:
    optimizer = optim.SGD([tr.ones(2)], lr=lr)
    schedule = optim.CosineAnnealingLR(optimizer, T_max, eta_min)
    for _ in range(steps):
        schedule.step()
        assert eta_min * (1 - 1e-9) <= lrs(optimizer)[0] <= lr * (1 + 1e-9)
    np.testing.assert_allclose(
        lrs(optimizer)[0], eta_min + (lr - eta_min) * cosine(steps, T_max), atol=1e-9 * lr
    )


# --- several at once ----------------------------------------------------------------------------------------
def test_schedules_of_one_optimizer_multiply() -> None:
    optimizer = two_groups()
    chain = [optim.LinearLR(optimizer, 0.5, total_iters=4), optim.ExponentialLR(optimizer, 0.9)]
    for t in range(10):
        wanted = [lr * (0.5 + 0.5 * min(t, 4) / 4) * 0.9**t for lr in BASES]
        np.testing.assert_allclose(lrs(optimizer), wanted, rtol=1e-12)
        for schedule in chain:
            schedule.step()


@pytest.mark.optional
def test_chains_multiply_as_pytorchs_do() -> None:
    torch = pytest.importorskip("torch")
    optimizer = two_groups()
    reference = torch.optim.SGD(
        [{"params": [torch.nn.Parameter(torch.ones(2))], "lr": lr} for lr in BASES], lr=0.0
    )

    def chain(m: Any, o: Any) -> list[Any]:
        return [m.LinearLR(o, 0.3, total_iters=4), m.CosineAnnealingLR(o, 30, 0.01), m.StepLR(o, 5, 0.5)]

    ours, theirs = chain(optim, optimizer), chain(torch.optim.lr_scheduler, reference)
    for _ in range(25):
        np.testing.assert_allclose(lrs(optimizer), lrs(reference), rtol=1e-6)
        reference.step()
        for schedule in ours + theirs:
            schedule.step()


def test_a_rate_changed_by_hand_stays_changed() -> None:
    optimizer = optim.SGD([tr.ones(2)], lr=1.0)
    schedule = optim.StepLR(optimizer, 2, 0.1)
    optimizer.param_groups[0]["lr"] = 8.0
    schedule.step()
    assert lrs(optimizer) == [8.0]
    schedule.step()
    np.testing.assert_allclose(lrs(optimizer), [0.8])


# --- plateaus -----------------------------------------------------------------------------------------------
def plateau(metrics: list[float], lr: float, **o: Any) -> list[float]:
    """The learning rates by PyTorch's documentation, for mode 'min' and a relative threshold."""
    best, bad, rest, out = math.inf, 0, 0, []
    for metric in metrics:
        if metric < best * (1 - o.get("threshold", 1e-4)):
            best, bad = metric, 0
        else:
            bad += 1
        if rest > 0:
            rest, bad = rest - 1, 0
        if bad > o.get("patience", 10):
            new = max(lr * o.get("factor", 0.1), o.get("min_lr", 0.0))
            lr = new if lr - new > 1e-8 else lr
            rest, bad = o.get("cooldown", 0), 0
        out.append(lr)
    return out


PLATEAUS: list[dict[str, Any]] = [
    {},
    {"patience": 0, "factor": 0.5},
    {"patience": 2, "cooldown": 3, "min_lr": 0.02},
    {"patience": 1, "threshold": 0.3, "factor": 0.9},
]


@given(seed=st.integers(0, 10_000), o=st.sampled_from(PLATEAUS))
def test_a_plateau_reduces_the_rate(seed: int, o: dict[str, Any]) -> None:
    metrics = np.random.default_rng(seed).uniform(0.5, 2, size=40).tolist()
    optimizer = optim.SGD([tr.ones(2)], lr=0.4)
    schedule = optim.ReduceLROnPlateau(optimizer, **o)
    got = []
    for metric in metrics:
        schedule.step(tr.tensor(metric, dtype="float64"))
        got += lrs(optimizer)
    assert got == plateau(metrics, 0.4, **o)
    assert schedule.get_last_lr() == lrs(optimizer)


@pytest.mark.optional
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("o", PLATEAUS)
def test_plateaus_are_pytorchs(mode: Any, threshold_mode: Any, o: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    metrics = np.random.default_rng(3).normal(size=60).tolist()
    metrics[7] = math.nan
    optimizer = optim.SGD([tr.ones(2)], lr=0.4)
    reference = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.4)
    o = {"mode": mode, "threshold_mode": threshold_mode, **o}
    ours = optim.ReduceLROnPlateau(optimizer, **o)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(reference, **o)
    for metric in metrics:
        ours.step(metric)
        theirs.step(metric)
        np.testing.assert_allclose(lrs(optimizer), lrs(reference), rtol=1e-6)


def test_max_mode_and_a_bound_for_each_group() -> None:
    optimizer = two_groups()
    schedule = optim.ReduceLROnPlateau(optimizer, "max", factor=0.5, patience=0, min_lr=[0.09, 0.0])
    for metric in [1.0, 2.0, 2.0, 1.5]:
        schedule.step(metric)
    np.testing.assert_allclose(lrs(optimizer), [0.09, 0.1])


# --- saving and loading -------------------------------------------------------------------------------------
RESUMED = [c[:2] for c in CLOSED] + [("plateau", lambda m, o: m.ReduceLROnPlateau(o, patience=1, factor=0.5))]


def advance(schedule: Any, epochs: range) -> None:
    for t in epochs:
        schedule.step(*([1.0 + t % 3] if isinstance(schedule, optim.ReduceLROnPlateau) else []))


@pytest.mark.parametrize("cut", [0, 3, 5, 13])
@pytest.mark.parametrize("make", [c[1] for c in RESUMED], ids=[c[0] for c in RESUMED])
def test_a_loaded_state_continues_the_identical_rates(make: Make, cut: int) -> None:
    first = two_groups()
    schedule = make(optim, first)
    advance(schedule, range(cut))
    saved, saved_optimizer = schedule.state_dict(), first.state_dict()
    advance(schedule, range(cut, 20))

    second = two_groups()
    again = make(optim, second)
    second.load_state_dict(saved_optimizer)
    again.load_state_dict(saved)
    advance(again, range(cut, 20))
    assert lrs(second) == lrs(first)
    assert again.state_dict() == schedule.state_dict()


def test_last_epoch_resumes_from_the_optimizers_state_alone() -> None:
    first = two_groups()
    schedule = optim.ExponentialLR(first, 0.5)
    schedule.step()
    second = two_groups()
    second.load_state_dict(first.state_dict())
    resumed = optim.ExponentialLR(second, 0.5, last_epoch=1)
    schedule.step()
    assert lrs(second) == lrs(first)
    assert resumed.base_lrs == BASES


@pytest.mark.optional
@pytest.mark.parametrize("make", [c[1] for c in RESUMED], ids=[c[0] for c in RESUMED])
def test_a_state_dict_of_pytorch_is_continued(make: Make) -> None:
    torch = pytest.importorskip("torch")
    reference = torch.optim.SGD(
        [{"params": [torch.nn.Parameter(torch.ones(2))], "lr": lr} for lr in BASES], lr=0.0
    )
    theirs = make(torch.optim.lr_scheduler, reference)
    optimizer = two_groups()
    ours = make(optim, optimizer)

    def onwards(*schedules: Any) -> None:
        for t in range(6):
            reference.step()
            for schedule in schedules:
                plateaus = (optim.ReduceLROnPlateau, torch.optim.lr_scheduler.ReduceLROnPlateau)
                schedule.step(*([1.0 + t % 3] if isinstance(schedule, plateaus) else []))

    onwards(theirs)
    optimizer.load_state_dict(reference.state_dict())
    ours.load_state_dict(theirs.state_dict())
    onwards(theirs, ours)
    np.testing.assert_allclose(lrs(optimizer), lrs(reference), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"T_max": 3}, "got the names .*T_max.*; expected .*step_size"),
        ({"base_lrs": [0.1]}, "'base_lrs' has 1 entries; expected 2"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    schedule = optim.StepLR(two_groups(), 3)
    before = schedule.state_dict()
    with pytest.raises(ValueError, match=message):
        schedule.load_state_dict({**before, **change})
    assert schedule.state_dict() == before


# --- misuse -------------------------------------------------------------------------------------------------
nan, inf = math.nan, math.inf


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda o: optim.StepLR([0.1], 3),
            TypeError,
            "StepLR: optimizer is of type list; expected an Optimizer",
        ),
        (lambda o: optim.LambdaLR(0.1, abs), TypeError, "LambdaLR: optimizer is of type float"),
        (lambda o: optim.StepLR(o, 0), ValueError, "StepLR: step_size is 0; expected an int, at least 1"),
        (lambda o: optim.StepLR(o, 2.5), TypeError, r"StepLR: step_size is 2.5 \(float\); expected an int"),
        (lambda o: optim.StepLR(o, 3, nan), ValueError, "StepLR: gamma is nan; expected a finite number"),
        (
            lambda o: optim.StepLR(o, 3, last_epoch=-2),
            ValueError,
            "last_epoch is -2; expected an int, at least -1",
        ),
        (lambda o: optim.ExponentialLR(o, -0.5), ValueError, "ExponentialLR: gamma is -0.5"),
        (lambda o: optim.ExponentialLR(o, 0.5, last_epoch=3), ValueError, "load the optimizer's state"),
        (lambda o: optim.CosineAnnealingLR(o, 0), ValueError, "CosineAnnealingLR: T_max is 0"),
        (lambda o: optim.CosineAnnealingLR(o, 5, -1), ValueError, "CosineAnnealingLR: eta_min is -1"),
        (
            lambda o: optim.LinearLR(o, start_factor=0.0),
            ValueError,
            "LinearLR: .*expected 0 < start_factor <= 1",
        ),
        (lambda o: optim.LinearLR(o, end_factor=1.5), ValueError, "LinearLR: .*0 <= end_factor <= 1"),
        (lambda o: optim.LinearLR(o, total_iters=0), ValueError, "LinearLR: total_iters is 0"),
        (
            lambda o: optim.LambdaLR(o, [abs]),
            ValueError,
            "LambdaLR: .*expected a function, or 2, one for each group",
        ),
        (
            lambda o: optim.LambdaLR(o, lambda t: nan),
            ValueError,
            "LambdaLR: lr of group 0 at epoch 0 is nan",
        ),
        (
            lambda o: optim.ReduceLROnPlateau(o, "least"),
            ValueError,
            "mode is 'least'; expected 'min' or 'max'",
        ),
        (lambda o: optim.ReduceLROnPlateau(o, factor=1.0), ValueError, "factor is 1.0; .* below 1"),
        (lambda o: optim.ReduceLROnPlateau(o, patience=-1), ValueError, "patience is -1"),
        (lambda o: optim.ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "threshold_mode is 'x'"),
        (lambda o: optim.ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "min_lr has 1 entries; expected 2"),
        (
            lambda o: optim.SequentialLR(o, [optim.StepLR(o, 2)], [3]),
            ValueError,
            "got 1 milestones, 1 schedulers; expected one milestone fewer",
        ),
        (
            lambda o: optim.SequentialLR(o, [optim.StepLR(o, 2)] * 3, [5, 3]),
            ValueError,
            r"milestones are \[5, 3\]; expected rising numbers",
        ),
        (
            lambda o: optim.SequentialLR(o, [optim.StepLR(two_groups(), 2)], []),
            ValueError,
            "scheduler 0 drives another optimizer",
        ),
        (
            lambda o: optim.SequentialLR(o, [optim.ReduceLROnPlateau(o)], []),
            TypeError,
            "scheduler 0 is of type ReduceLROnPlateau; expected one that follows the count",
        ),
    ],
)
def test_misuse_says_what_was_expected(
    make: Callable[[Any], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make(two_groups())
