"""The training loop, and that a killed run goes on bit for bit."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr
from tinyrnn.training import BestWeights, EarlyStopping, History

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [-2.0], [0.5]], np.float32)


def loss(model: Any, batch: Any) -> Any:
    return tr.nn.mse_loss(model(batch[0]), batch[1])


def parts(lr: float = 0.05) -> Any:
    model = tr.nn.Linear(3, 1, rng=1)
    return model, tr.optim.SGD(model.parameters(), lr=lr)


def test_what_would_train_nothing_is_refused() -> None:
    model, other = tr.nn.Linear(2, 1, rng=0), tr.nn.Linear(2, 1, rng=1)
    batches = [(np.ones((3, 2)), np.ones((3, 1)))]

    def fit(loss: Any, optimizer: Any, schedule: Any = None) -> None:
        tr.fit(model, loss, batches, optimizer, epochs=1, schedule=schedule)

    def error(model: Any, batch: Any) -> Any:
        return tr.nn.mse_loss(model(batch[0]), batch[1])

    mine, others = tr.optim.SGD(model.parameters(), lr=0.1), tr.optim.SGD(other.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="the optimizer has none of the model's parameters"):
        fit(error, others)
    with pytest.raises(ValueError, match="the schedule is that of another optimizer"):
        fit(error, mine, tr.optim.StepLR(others, 1))
    for wrong, message in (
        (
            lambda model, b: model(b[0]),
            r"loss of batch 1 of epoch 1 has shape \(3, 1\); expected a Tensor",
        ),
        (lambda model, b: 3.0, "is a float; expected a Tensor of one number"),
        (lambda model, b: None, "is a NoneType"),
    ):
        with pytest.raises(TypeError, match=message):
            fit(wrong, mine)
    with pytest.raises(ValueError, match="was not recorded"):
        fit(lambda model, b: error(model, b).detach(), mine)


def test_it_is_the_loop_written_out() -> None:
    model, optimizer = parts()
    schedule = tr.optim.ExponentialLR(optimizer, 0.9)
    history = tr.fit(
        model, loss, tr.data.batches(X, Y, 16, rng=2), optimizer, epochs=3, clip=0.5, schedule=schedule
    )

    other, optimizer = parts()
    schedule = tr.optim.ExponentialLR(optimizer, 0.9)
    batches = tr.data.batches(X, Y, 16, rng=2)
    for epoch in range(3):
        losses, norms, lr = [], [], optimizer.param_groups[0]["lr"]
        for batch in batches:
            optimizer.zero_grad()
            value = loss(other, batch)
            value.backward()
            norms.append(tr.optim.clip_grad_norm_(other.parameters(), 0.5))
            optimizer.step()
            losses.append(value.item())
        schedule.step()
        assert history[epoch] == {"loss": np.mean(losses), "lr": lr, "gradient_norm": np.mean(norms)}
    np.testing.assert_array_equal(model.weight.data, other.weight.data)


def test_validation_is_in_evaluation_mode_and_not_recorded() -> None:
    model = tr.nn.Sequential(tr.nn.Linear(3, 1), tr.nn.Dropout(0.5))
    modes = []

    def validate(model: Any) -> Any:
        modes.append((model.training, model(X).requires_grad))
        return {"a": 1.0, "b": tr.tensor(2.0)}

    optimizer = tr.optim.SGD(model.parameters(), lr=0.01)
    history = tr.fit(model, loss, [(X, Y)], optimizer, epochs=2, validate=validate)
    assert modes == [(False, False)] * 2
    assert model.training
    assert (history[1]["a"], history[1]["b"]) == (1.0, 2.0)
    history = tr.fit(model, loss, [(X, Y)], optimizer, epochs=1, validate=[(X, Y), (X, Y)])
    model.eval()
    assert history[0]["validation"] == pytest.approx(loss(model, (X, Y)).item())


def test_early_stopping_and_best_weights() -> None:
    model, optimizer = parts()
    values, weights = iter([3.0, 2.0, math.nan, 2.5, 2.0, 1.0]), []

    def validate(model: Any) -> float:
        weights.append(model.weight.data.copy())
        return next(values)

    history = tr.fit(
        model,
        loss,
        [(X, Y)],
        optimizer,
        epochs=9,
        validate=validate,
        callbacks=[EarlyStopping(3), BestWeights()],
    )
    np.testing.assert_array_equal(history["validation"], [3.0, 2.0, math.nan, 2.5, 2.0])
    np.testing.assert_array_equal(model.weight.data, weights[1])

    model, optimizer = parts()
    best = BestWeights("score", mode="max")
    scores = iter([1, 3, 2])
    tr.fit(
        model,
        loss,
        [(X, Y)],
        optimizer,
        epochs=3,
        validate=lambda m: {"score": next(scores)},
        callbacks=[best],
    )
    assert best.best == -3


def test_best_weights_come_back_where_the_run_is_interrupted() -> None:
    model, optimizer = parts()
    after_one: list[Any] = []

    def stop(run: Any) -> None:
        after_one.append(run.model.weight.data.copy())
        if run.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tr.fit(
            model,
            loss,
            [(X, Y)],
            optimizer,
            epochs=9,
            validate=_counting(),
            callbacks=[BestWeights(), stop],
        )
    np.testing.assert_array_equal(model.weight.data, after_one[0])


def _counting() -> Any:
    values = iter([1.0, 2.0, 3.0])
    return lambda model: next(values)


def test_schedules_by_epoch_update_and_plateau() -> None:
    for each, expected in (("epoch", 0.5), ("update", 0.5**4)):
        model, optimizer = parts(1e-3)
        schedule = tr.optim.ExponentialLR(optimizer, 0.5)
        data = tr.data.batches(X, Y, 15)
        tr.fit(model, loss, data, optimizer, epochs=1, schedule=schedule, schedule_each=each)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 * expected)
    model, optimizer = parts(1e-3)
    plateau = tr.optim.ReduceLROnPlateau(optimizer, factor=0.1, patience=0)
    tr.fit(model, loss, [(X, Y)], optimizer, epochs=2, validate=lambda m: 1.0, schedule=plateau)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-4)


def test_a_loss_that_is_not_finite_stops_before_the_weights() -> None:
    model, optimizer = parts()
    before = model.weight.data.copy()
    with pytest.raises(FloatingPointError, match="loss of batch 1 of epoch 1 is nan"):
        tr.fit(model, loss, [(X * np.nan, Y)], optimizer, epochs=1)
    np.testing.assert_array_equal(model.weight.data, before)


def test_misuse() -> None:
    model, optimizer = parts()
    with pytest.raises(ValueError, match="no batch in epoch 2"):
        tr.fit(model, loss, iter([(X, Y)]), optimizer, epochs=2)
    with pytest.raises(ValueError, match="schedule_each is 'day'"):
        tr.fit(model, loss, [(X, Y)], optimizer, epochs=2, schedule_each="day")
    with pytest.raises(ValueError, match="mode is 'best'"):
        BestWeights(mode="best")
    with pytest.raises(ValueError, match="patience is 0"):
        EarlyStopping(0)
    with pytest.raises(KeyError, match=r"no 'accuracy'; it has \['loss', 'lr'\]"):
        tr.fit(model, loss, [(X, Y)], optimizer, epochs=1, callbacks=[BestWeights("accuracy")])


def test_checkpoints_that_do_not_fit_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    model, optimizer = parts()
    tr.fit(model, loss, [(X, Y)], optimizer, epochs=2, callbacks=[EarlyStopping(3, "loss")], checkpoint=path)
    other, optimizer = parts()
    before = other.weight.data.copy()
    with pytest.raises(ValueError, match=r"callbacks \[\]; the file is of one with \['EarlyStopping'\]"):
        tr.fit(other, loss, [(X, Y)], optimizer, epochs=4, checkpoint=path)
    np.testing.assert_array_equal(other.weight.data, before)
    stops = [EarlyStopping(3, "loss")]
    history = tr.fit(other, loss, [(X, Y)], optimizer, epochs=2, callbacks=stops, checkpoint=path)
    assert len(history) == 2  # nothing was left to do
    np.testing.assert_array_equal(other.weight.data, model.weight.data)


def test_the_history_plots_itself() -> None:
    pytest.importorskip("matplotlib")
    history = History()
    for i in range(3):
        history.append({"loss": 1 / (i + 1), "lr": 0.1, "validation": 2 / (i + 1)})
    ax = history.plot()
    assert [line.get_label() for line in ax.lines] == ["loss", "validation"]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [2, 1, 2 / 3])
    assert len(history.plot("lr", ax=ax).lines) == 3
    assert repr(history) == "History(3 epochs: loss 0.3333, lr 0.1, validation 0.6667)"


@pytest.mark.parametrize(("kind", "updates", "killed_at"), [("shuffled", 4, 14), ("windows", 5, 18)])
def test_a_killed_run_goes_on_bit_for_bit(kind: str, updates: int, killed_at: int, tmp_path: Path) -> None:
    def run(folder: str, *at: int) -> int:
        (tmp_path / folder).mkdir(exist_ok=True)
        program = Path(__file__).with_name("killed_run.py")
        done = subprocess.run(
            [sys.executable, "-W", "error", str(program), str(tmp_path / folder), kind, *map(str, at)],
            capture_output=True,
            check=False,
            timeout=300,
        )
        assert done.returncode in (0, -9), done.stderr.decode()
        return done.returncode

    assert run("whole") == 0
    assert run("killed", killed_at) == -9  # in the middle of the fourth epoch
    assert killed_at % updates not in (0, 1)
    assert tr.load(tmp_path / "killed" / "run.npz")["run"]["epoch"] == (killed_at - 1) // updates == 3
    assert run("killed") == 0
    whole, killed = (tr.load(tmp_path / folder / "end.npz") for folder in ("whole", "killed"))
    np.testing.assert_equal(killed, whole)
    assert len(whole["history"]["rows"]) > 3
