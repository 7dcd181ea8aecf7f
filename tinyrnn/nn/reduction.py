"""Reduction: from the losses of all elements to one number."""

from __future__ import annotations

from typing import Any, Literal

from tinyrnn.autograd.arguments import one_of
from tinyrnn.autograd.functions import mean

Reduction = Literal["mean", "sum", "none"]
REDUCTION = one_of("mean", "sum", "none")


def reduced(where: str, loss: Any, reduction: str, count: Any = None) -> Any:
    """Return the mean, the sum, or the losses as they are.

    Parameters
    ----------
    where : str
        The name of the loss, for errors.
    loss : Tensor
    reduction : {"mean", "sum", "none"}
    count : number, optional
        What the mean divides the sum by; the number of elements by default.

    Raises
    ------
    ValueError
        Where ``reduction`` is none of the three, or the mean would be over nothing.
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{where}: reduction is {reduction!r}; expected 'mean', 'sum' or 'none'")
    if reduction == "none":
        return loss
    if reduction == "sum":
        return loss.sum()
    if (loss.size if count is None else count) == 0:
        raise ValueError(
            f"{where}: no target counts (there is none, or all are ignored or have weight 0), and a mean "
            "over nothing is not defined; use reduction='sum'"
        )
    return mean(loss) if count is None else loss.sum() / count
