"""Truncated backpropagation through time: a stream too long for one backward pass, window by window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import INTEGER, ITERABLE, checked
from tinyrnn.recurrence.truncation.sources import ArraySource, Source, StreamSource
from tinyrnn.recurrence.truncation.window import Beginning, Window, constant


class TruncatedBPTT:
    """Every ``k1`` steps one update, whose gradient flows back ``k2`` steps.

    It cuts the stream into windows, hands the carry from each to the next, and leaves model, loss, optimiser
    and clipping to the loop that uses it::

        for window in tr.TruncatedBPTT(k1=32, k2=64).windows(x, y):
            outputs = window.run(model)  # model(x, carry) -> (outputs, carry), such as an nn.GRU
            loss = tr.nn.cross_entropy(outputs, window.y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    The window of the steps ``[start, stop)``, with ``stop = start + k1`` or the end, is this computation::

        replay_start = start - (k2 - k1) if stop > k2 else 0
        _, carry = model(x[replay_start:start], carry)  # the replay: only where k2 > k1
        outputs, carry = model(x[start:stop], carry)    # what run() returns, and what the loss should count

    Everything in it is computed under the parameters as they are when ``run`` is called, the part before
    ``start`` too, although an earlier window has been over those steps. The carry at ``replay_start`` is a
    constant. So the gradient of the window's loss is the exact derivative of that computation by the present
    parameters. Two things are missing from the full gradient, and nothing else: what flows to steps before
    ``replay_start`` is cut, and the carry at ``replay_start`` is stale, for the windows before came to it
    under the parameters of their time. It is as fresh as it can be without more work: the window just before
    was the last to pass there. With ``k2 >= T`` nothing is cut or stale.

    Each window costs ``k2`` steps, and one carry is kept between windows, whatever the length of the
    stream. The steps are run in pieces, cut where the counted part begins, where the next window is going to
    begin, and at resets; the carry passes from piece to piece with its gradient.

    Parameters
    ----------
    k1 : int
        Steps from one update to the next; the loss counts each step once.
    k2 : int, optional
        Steps that the gradient flows back from the end of a window, at least ``k1``; ``k1`` by default.
    batch_axis : int
        The axis of the batch in the leaves of the carry, for resets of single rows. The default, -2, is right
        for the state of a cell, (B, H), and of a layer, (layers, B, H).

    Raises
    ------
    ValueError
        Where ``k1`` or ``k2`` is not a positive integer, or ``k2 < k1``.

    Notes
    -----
    R. J. Williams and J. Peng (1990), "An efficient gradient-based algorithm for on-line training of
    recurrent network trajectories", Neural Computation 2(4), 490-501, call this BPTT(h; h'), with h = ``k2``
    and h' = ``k1``. Theirs goes back over the values that it kept from under older parameters: cheaper where
    k2 > k1, and then not an exact gradient of anything. The names k1 and k2 are from I. Sutskever's thesis,
    "Training recurrent neural networks" (Toronto, 2013).

    Examples
    --------
    A leaky sum, h[t] = w h[t-1] + x[t], whose loss is the sum over h, at w = 1/2. Only steps 2 and 3 are
    counted in the second window; its gradient stops before step 1, at the constant h[0] = 1.

    >>> import tinyrnn as tr
    >>> w = tr.tensor(0.5, requires_grad=True)
    >>> def model(x, carry):
    ...     def step(h, x_t):
    ...         h = w * h + x_t
    ...         return h, h
    ...     carry, outputs = tr.scan(step, carry, x)
    ...     return outputs, carry
    >>> bptt = tr.TruncatedBPTT(k1=2, k2=3)
    >>> for window in bptt.windows(np.ones(4, np.float32), initial_state=tr.zeros(())):
    ...     outputs = window.run(model)
    ...     (gradient,) = tr.grad(outputs.sum(), w)
    ...     print(window, outputs.numpy(), gradient.item())
    Window(replay_start=0, start=0, stop=2) [1.  1.5] 1.0
    Window(replay_start=1, start=2, stop=4) [1.75  1.875] 4.75
    """

    @checked(batch_axis=INTEGER)
    def __init__(self, k1: int, k2: int | None = None, *, batch_axis: int = -2) -> None:
        k2 = k1 if k2 is None else k2
        for name, k in (("k1", k1), ("k2", k2)):
            if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
                raise ValueError(f"TruncatedBPTT: {name} is {k!r}; expected a number of steps, at least 1")
        if k2 < k1:
            raise ValueError(
                f"TruncatedBPTT: k2 = {k2} is less than k1 = {k1}; expected k2 >= k1. The loss of a window "
                "counts its last k1 steps, and k2 is how far back the gradient of that loss flows: with k2 "
                f"< k1 the first {k1 - k2} of the counted steps would teach nothing. For shorter windows "
                "lower k1"
            )
        self.k1 = int(k1)
        self.k2 = int(k2)
        self.batch_axis = batch_axis

    def windows(
        self,
        x: Any,
        y: Any = None,
        *,
        resets: npt.ArrayLike | None = None,
        initial_state: Any = None,
        carry: Any = None,
    ) -> Windows:
        """Go over arrays.

        Parameters
        ----------
        x : structure of array_like or Tensor, each of shape (T, ...)
            The inputs, time first.
        y : structure of array_like or Tensor, each of shape (T, ...), optional
            What the loss will need; it is only cut into windows.
        resets : array_like of bool, shape (T,) or (T, B), optional
            True where a new document begins: before that step the carry, or that row of it, becomes the
            initial state, and no gradient crosses. It needs ``initial_state``.
        initial_state : structure of Tensor, or callable that returns one, optional
            The carry at step 0. Where it is computed, as from a learned parameter, give the function that
            computes it (``lambda: cell.initial_state(32)``): it is then called in each window that begins
            there, and gets its gradient. By default the model is called with None as its first carry, for
            which layers take their own.
        carry : structure of Tensor, optional
            Begin with this one, as a constant, instead of ``initial_state``: the ``final_carry`` of the last
            epoch's last window goes on where that epoch ended. Without it an epoch begins anew.

        Returns
        -------
        iterator of Window
            Each must be run before the next is asked for. The last one is shorter where ``k1`` does not
            divide T. Its ``len`` is the number of all of them.

        Raises
        ------
        ValueError
            Where the parts differ in length, or ``resets`` are not booleans of a fitting shape.
        RuntimeError
            Where a window was not run, so that the next has no carry.
        """
        beginning = self._beginning(initial_state)
        source = ArraySource(x, y, resets)
        return Windows(self._over(source, beginning, constant(carry)), -(-source.steps // self.k1))

    @checked(steps=ITERABLE)
    def stream(
        self, steps: Iterable[tuple[Any, ...]], *, initial_state: Any = None, carry: Any = None
    ) -> Iterator[Window]:
        """Go over an iterable that gives one time step at a time, and may never end.

        At most ``k1 + k2`` steps are held, and none is read before its window is asked for.

        Parameters
        ----------
        steps : iterable of (x, y) or (x, y, reset)
            One time step: structures of arrays without the time axis, such as (B, features), and ``reset`` a
            bool, or booleans of shape (B,). ``y`` may be None.
        initial_state, carry
            As in `windows`.

        Returns
        -------
        iterator of Window

        Raises
        ------
        TypeError
            Where an item is not a tuple of two or three.
        RuntimeError
            Where a window was not run, so that the next has no carry.
        """
        beginning = self._beginning(initial_state)
        return self._over(StreamSource(steps), beginning, constant(carry))

    def __repr__(self) -> str:
        axis = "" if self.batch_axis == -2 else f", batch_axis={self.batch_axis}"
        return f"TruncatedBPTT(k1={self.k1}, k2={self.k2}{axis})"

    def _beginning(self, initial_state: Any) -> Beginning:
        beginning = Beginning(initial_state, self.batch_axis)
        if not callable(initial_state):
            beginning.state()  # says now what is wrong with it
        return beginning

    def _over(self, source: Source, beginning: Beginning, first_carry: Any) -> Iterator[Window]:
        start, window = 0, None
        while (stop := source.read(start + self.k1)) > start:
            carry = first_carry if window is None else window.next_carry
            replay_start = self._replay_start(start, stop)
            if replay_start == 0:
                carry = first_carry
            chunk = source.since(replay_start)
            next_replay_start = self._replay_start(stop, stop + self.k1)
            window = Window(chunk, replay_start, start, next_replay_start, carry, beginning)
            yield window
            start = stop

    def _replay_start(self, start: int, stop: int) -> int:
        return 0 if stop <= self.k2 else start + self.k1 - self.k2


class Windows(Iterator[Window]):
    """The windows over arrays: an iterator that says how many there are in all."""

    def __init__(self, windows: Iterator[Window], count: int) -> None:
        self._windows, self._count = windows, count

    def __next__(self) -> Window:
        return next(self._windows)

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<{self._count} windows of truncated BPTT>"
