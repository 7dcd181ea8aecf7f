"""`fit`: a training loop to keep, or to copy and change."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence, Sized
from pathlib import Path
from typing import Any, Literal, Protocol

from tinyrnn.autograd.arguments import FUNCTION, ITERABLE, PATH, REAL, Kind, checked, count, instance, one_of
from tinyrnn.autograd.state import no_grad
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.module import Module
from tinyrnn.optim.clip import clip_grad_norm_
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.plateau import ReduceLROnPlateau
from tinyrnn.training.history import History
from tinyrnn.training.progress import Progress
from tinyrnn.training.run import Run

Loss = Callable[[Any, Any], Any]


class Schedule(Protocol):
    """What `fit` asks of a schedule."""

    @property
    def step(self) -> Callable[..., Any]:
        """Called after each epoch, or update."""
        ...


BATCHES = Kind(
    "an iterable of batches, or a function that returns one",
    lambda value: ITERABLE.of_type(value) or callable(value),
)


@checked(
    model=instance(Module, "a Module"),
    loss=FUNCTION,
    batches=BATCHES,
    optimizer=instance(Optimizer, "an Optimizer"),
    epochs=count(0),
    validate=Kind("batches, or a function of the model", BATCHES.of_type).or_none(),
    clip=Kind("a number above 0, or inf", REAL.of_type, lambda value: value > 0).or_none(),
    schedule=Kind("a schedule", lambda value: hasattr(value, "step")).or_none(),
    schedule_each=one_of("epoch", "update"),
    callbacks=Kind(
        "a sequence of functions",
        lambda value: isinstance(value, Sequence) and all(map(callable, value)),
    ),
    checkpoint=PATH.or_none(),
)
def fit(
    model: Module,
    loss: Loss,
    batches: Iterable[Any] | Callable[[], Iterable[Any]],
    optimizer: Optimizer,
    *,
    epochs: int,
    validate: Callable[[Any], Any] | Iterable[Any] | None = None,
    clip: float | None = None,
    schedule: Schedule | None = None,
    schedule_each: Literal["epoch", "update"] = "epoch",
    callbacks: Sequence[Any] = (),
    checkpoint: str | os.PathLike[str] | None = None,
) -> History:
    """Train a model.

    Parameters
    ----------
    model : Module
    loss : callable
        ``loss(model, batch)`` returns a number (a Tensor), from which one update is made.
    batches : iterable, or callable that returns one
        Gone over once an epoch, such as `tinyrnn.data.batches`; or called once an epoch:
        ``lambda: bptt.windows(x, y)`` with a loss that runs ``batch.run(model)``.
    optimizer : Optimizer
    epochs : int
        How many in all, those before a checkpoint counted.
    validate : iterable, or callable, optional
        Batches, of which the mean loss is measured; or ``validate(model)`` that returns a number, or a dict
        of them. It runs in evaluation mode and without recording; the result stands in the history under
        ``validation``, or under the names of the dict.
    clip : float, optional
        Bound on the norm of the gradient; ``inf`` only measures it.
    schedule : LRScheduler or ReduceLROnPlateau, optional
        The latter follows the first number that ``validate`` gives, or the loss.
    schedule_each : {"epoch", "update"}
        When the schedule goes on.
    callbacks : sequence of callable
        Called with the `Run` after each epoch, such as `EarlyStopping`, `BestWeights`, or any function;
        and its ``end(run)``, where there is one, at the end, however that comes.
    checkpoint : path-like, optional
        A file for `tinyrnn.save`, written after each epoch. Where it is there already, the run goes on from
        it bit for bit: weights, optimiser, schedule, history, callbacks, the library's generator, and those
        of ``batches`` and of the model's parts.

    Returns
    -------
    History
        ``loss`` (the mean over the updates), ``lr``, ``gradient_norm`` where there is ``clip``, and what was
        validated.

    Raises
    ------
    FloatingPointError
        Where the loss is NaN or infinite, before it reaches the weights.
    ValueError
        Where an argument is out of its range, or the checkpoint does not fit.

    Examples
    --------
    >>> import numpy as np, tinyrnn as tr
    >>> x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    >>> model = tr.nn.Linear(3, 1, rng=0)
    >>> data = tr.data.batches(x, x.sum(1, keepdims=True), size=16, rng=0)
    >>> history = tr.fit(model, lambda model, b: tr.nn.mse_loss(model(b[0]), b[1]), data,
    ...                  tr.optim.Adam(model.parameters(), lr=0.1), epochs=30)
    >>> len(history), bool(history["loss"][-1] < 0.01)
    (30, True)
    """
    _check_optimizer(model, optimizer, schedule)
    run = Run(model, optimizer, schedule, batches, callbacks)
    if checkpoint is not None and Path(checkpoint).exists():
        run.load(checkpoint)
    with Progress(None) as progress, _at_the_end(run):
        while run.epoch < epochs and not run.stop:
            model.train()
            losses: list[float] = []
            norms: list[float] = []
            turn = batches() if callable(batches) else batches
            if isinstance(turn, Sized):
                progress.expect(progress.done + len(turn) * (epochs - run.epoch))
            for batch in turn:
                optimizer.zero_grad()
                value = _loss(loss(model, batch), run.epoch, len(losses))
                losses.append(value.item())
                value.backward()
                if clip is not None:
                    norms.append(clip_grad_norm_(model.parameters(), clip))
                optimizer.step()
                if schedule_each == "update":
                    _advance(schedule, losses[-1])
                progress.update(f"epoch {run.epoch + 1}/{epochs}, loss {losses[-1]:.4g}")
            if not losses:
                raise ValueError(f"fit: there is no batch in epoch {run.epoch + 1}; batches must begin anew")
            row = {"loss": sum(losses) / len(losses), "lr": optimizer.param_groups[0]["lr"]}
            row |= {"gradient_norm": sum(norms) / len(norms)} if norms else {}
            measured = _validated(model, loss, validate)
            run.history.append(row | measured)
            run.epoch += 1
            if schedule_each == "epoch":
                _advance(schedule, next(iter(measured.values()), row["loss"]))
            for callback in callbacks:
                callback(run)
            if checkpoint is not None:
                run.save(checkpoint)
    return run.history


@contextlib.contextmanager
def _at_the_end(run: Run) -> Generator[None]:
    """Call the callbacks' ``end``, however the end comes."""
    try:
        yield
    finally:
        for callback in run.callbacks:
            if hasattr(callback, "end"):
                callback.end(run)


def _number(value: Any) -> float:
    return float(value.item() if isinstance(value, Tensor) else value)


def _loss(value: Any, epoch: int, batch: int) -> Tensor:
    """Return the loss of a batch, checked."""
    where = f"fit: the loss of batch {batch + 1} of epoch {epoch + 1}"
    if not isinstance(value, Tensor) or value.size != 1:
        got = f"has shape {value.shape}" if isinstance(value, Tensor) else f"is a {type(value).__name__}"
        raise TypeError(f"{where} {got}; expected a Tensor of one number, such as a loss's mean")
    if not value.requires_grad:
        raise ValueError(f"{where} was not recorded: it depends on no parameter, or was cut from them")
    if not math.isfinite(value.item()):
        raise FloatingPointError(f"{where} is {value.item()}; the weights are those before it")
    return value


def _check_optimizer(model: Module, optimizer: Optimizer, schedule: Any) -> None:
    """Refuse an optimizer, or a schedule, that would leave the model as it is."""
    known = {id(parameter) for parameter in model.parameters()}
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    if known and held and not known & held:
        raise ValueError("fit: the optimizer has none of the model's parameters; expected model.parameters()")
    if getattr(schedule, "optimizer", optimizer) is not optimizer:
        raise ValueError("fit: the schedule is that of another optimizer")


def _validated(model: Module, loss: Loss, validate: Any) -> dict[str, float]:
    """Measure in evaluation mode, without recording."""
    if validate is None:
        return {}
    model.eval()
    measured: Any
    try:
        with no_grad():
            if callable(validate):
                measured = validate(model)
            else:
                losses = [_number(loss(model, batch)) for batch in validate]
                measured = sum(losses) / len(losses)
    finally:
        model.train()
    if isinstance(measured, Mapping):
        return {str(name): _number(value) for name, value in measured.items()}
    return {"validation": _number(measured)}


def _advance(schedule: Any, metric: float) -> None:
    if isinstance(schedule, ReduceLROnPlateau):
        schedule.step(metric)
    elif schedule is not None:
        schedule.step()
