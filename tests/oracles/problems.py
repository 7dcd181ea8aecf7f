"""Random problems for hypothesis: a cell, sizes, parameters, inputs, states, and gradients that come in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from .bptt import Lengths, Params
from .cells import CELLS, Array, Cell, State
from .layers import NAMES, SUFFIXES


@dataclass
class Problem:
    cell: Cell
    seed: int
    x: Array
    state: State
    params: Params
    lengths: Lengths | None
    g_ys: Array
    g_final: State

    def inputs(self) -> Iterator[tuple[str, Array]]:
        """Everything that has a gradient, by name."""
        yield "x", self.x
        for k, s in enumerate(self.state):
            yield f"state[{k}]", s
        yield from self.params.items()

    def padding(self) -> npt.NDArray[np.bool_]:
        """True past each row's end: (T, B)."""
        T, B, _ = self.x.shape
        ends = np.full(B, T) if self.lengths is None else np.asarray(self.lengths)
        return np.arange(T)[:, None] >= ends


def weights(rng: np.random.Generator, cell: Cell, input_size: int, hidden_size: int) -> Params:
    """Parameters of one layer, of a size at which neither saturation nor vanishing hides an error."""
    rows = cell.gates * hidden_size
    return {
        "weight_ih": rng.normal(size=(rows, input_size)) / np.sqrt(input_size),
        "weight_hh": rng.normal(size=(rows, hidden_size)) / np.sqrt(hidden_size),
        "bias_ih": rng.normal(size=rows) / 2,
        "bias_hh": rng.normal(size=rows) / 2,
    }


@st.composite
def problems(
    draw: st.DrawFn,
    cell: str | None = None,
    max_steps: int = 6,
    max_size: int = 3,
    padded: bool | None = None,
) -> Problem:
    """One layer. ``padded``: with lengths always (True), never (False), or sometimes (None)."""
    chosen = CELLS[cell if cell is not None else draw(st.sampled_from(sorted(CELLS)))]
    T, B = draw(st.integers(1, max_steps)), draw(st.integers(1, max_size))
    input_size, H = draw(st.integers(1, max_size)), draw(st.integers(1, max_size))
    lengths = None
    if padded or (padded is None and draw(st.booleans())):
        lengths = draw(st.lists(st.integers(1, T), min_size=B, max_size=B))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    return Problem(
        cell=chosen,
        seed=seed,
        x=rng.normal(size=(T, B, input_size)),
        state=tuple(rng.normal(size=(B, H)) for _ in range(chosen.states)),
        params=weights(rng, chosen, input_size, H),
        lengths=lengths,
        g_ys=rng.normal(size=(T, B, H)),
        g_final=tuple(rng.normal(size=(B, H)) for _ in range(chosen.states)),
    )


@dataclass
class StackedProblem(Problem):
    num_layers: int
    directions: int


def random_stack(
    rng: np.random.Generator,
    cell: Cell,
    T: int,
    B: int,
    input_size: int,
    hidden_size: int,
    num_layers: int = 1,
    directions: int = 1,
    lengths: Lengths | None = None,
) -> StackedProblem:
    """Layers, of one or both directions, with the parameters' names as ``layers`` has them."""
    params: Params = {}
    for layer in range(num_layers):
        for d in range(directions):
            own = weights(rng, cell, hidden_size * directions if layer else input_size, hidden_size)
            params |= {f"{name}_l{layer}{SUFFIXES[d]}": own[name] for name in NAMES}
    shape = (num_layers * directions, B, hidden_size)
    return StackedProblem(
        cell=cell,
        seed=int(rng.integers(2**32)),
        x=rng.normal(size=(T, B, input_size)),
        state=tuple(rng.normal(size=shape) for _ in range(cell.states)),
        params=params,
        lengths=lengths,
        g_ys=rng.normal(size=(T, B, hidden_size * directions)),
        g_final=tuple(rng.normal(size=shape) for _ in range(cell.states)),
        num_layers=num_layers,
        directions=directions,
    )


@st.composite
def stacked_problems(
    draw: st.DrawFn,
    cell: str | None = None,
    max_steps: int = 5,
    padded: bool | None = None,
    num_layers: int | None = None,
    directions: int | None = None,
) -> StackedProblem:
    one = draw(problems(cell, max_steps, padded=padded))
    (T, B, input_size), H = one.x.shape, one.params["weight_hh"].shape[1]
    num_layers = draw(st.integers(1, 3)) if num_layers is None else num_layers
    directions = draw(st.integers(1, 2)) if directions is None else directions
    rng = np.random.default_rng(one.seed)
    return random_stack(rng, one.cell, T, B, input_size, H, num_layers, directions, one.lengths)
