"""SnAp-1: real-time recurrent learning that keeps what a parameter does within one step, and no more."""

from __future__ import annotations

import numpy as np

from tinyrnn.autograd.mapped import Array
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.dynamics.rtrl import RTRL
from tinyrnn.dynamics.sensitivity import differs, sent_to, state_size


class SnAp1(RTRL):
    """SnAp-1 (Menick et al. 2021): RTRL that keeps only what a parameter does to a state number in one step.

    ``M_t = J_t M_{t-1} + D_t``, with each entry dropped where D has none: what a weight does to units other
    than its own is forgotten. It is biased, and it is exact where the state numbers do not influence each
    other (a diagonal J). The entries that are kept are those where D has not been zero so far.

    **Cost**: a parameter acts at once on k state numbers of a row, its own unit's: k is 1 in an RNN or a GRU,
    2 in an LSTM. M has ``B k P`` numbers, where RTRL has ``B S P``; and ``B k`` VJPs give all of D, since
    state numbers that share no parameter are sent back together. J costs S VJPs without the parameters.
    Where D is dense, as of an embedding inside of the cell, k is S, and nothing is saved.

    Parameters
    ----------
    cell, parameters, memory_limit
        As in `RTRL`.

    Notes
    -----
    J. Menick, E. Elsen, U. Evci, S. Osindero, K. Simonyan and A. Graves (2021), "Practical real
    time recurrent learning with a sparse approximation", ICLR. Sending back together what does not overlap:
    Curtis, Powell and Reid (1974), "On the estimation of sparse Jacobian matrices". Which entries there are
    is read off the derivatives, state number by state number; one more VJP a step, of a random seed, shows
    whether any have come since.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor(0.5, requires_grad=True)
    >>> snap = tr.dynamics.SnAp1(lambda h, x: (w * h + x,) * 2, [w])
    >>> snap.start(tr.zeros(()))
    >>> for _ in range(3):
    ...     w.grad = None
    ...     snap.backward(snap.step(tr.ones(())))
    >>> w.grad.item()  # exact here: the state is one number
    2.0
    """

    _instead = "tr.dynamics.UORO, or "

    # owners, (k, P): the state number of a row whose derivative by a parameter stands in each slot, or -1.
    _owners: Array = np.zeros((0, 0), int)

    def _bytes(self, states: int, parameters: int, itemsize: int) -> int:
        rows = self._rows
        slots = max(1, len(self._owners))
        return (4 * rows * slots * parameters + states**2) * itemsize + 8 * slots * parameters

    def _begin(self, leaves: list[Tensor]) -> None:
        count = sum(p.size for p in self._parameters)
        self._owners = np.full((1, count), -1)
        self._sensitivities = np.zeros((self._rows, 1, count), np.result_type(*(x.dtype for x in leaves)))
        self._rng = generator(0)
        self._sensitivities = self._immediate(leaves)

    def _advance(self, after: list[Tensor]) -> None:
        immediate = self._immediate(after)  # which may add slots
        self._sensitivities = self._kept(self._jacobian(after)) + immediate

    def _kept(self, J: Array) -> Array:
        """Return the entries of ``J M`` that there is a slot for, (B, k, P)."""
        M, owners = self._sensitivities, self._owners
        B, slots = M.shape[:2]
        S = J.shape[-1] // (1 if J.shape[0] == B else B)
        blocks = J if J.shape[0] == B else J.reshape((B, S, B, S))
        result = np.zeros_like(M)
        for to in range(slots):
            for source in range(slots):
                if blocks.ndim == 3:
                    result[:, to] += blocks[:, owners[to], owners[source]] * M[:, source]
                else:  # the step mixes the rows
                    factors = blocks[:, owners[to], :, owners[source]]  # (P, B, B): a list in front
                    result[:, to] += np.einsum("pab,bp->ap", factors, M[:, source])
        return np.where(owners >= 0, result, 0)

    def _gradient(self, g: Array) -> Array:
        return (np.where(self._owners >= 0, g[:, self._owners], 0) * self._incoming).sum(axis=(0, 1))

    # --- D, by its slots ------------------------------------------------------------------------------------
    def _immediate(self, leaves: list[Tensor]) -> Array:
        """Return the derivatives of a state by the parameters, as recorded, by slot: (B, k, P)."""
        found, seed, whole = self._by_slot(leaves)
        terms = np.where(self._owners >= 0, seed[:, self._owners], 0) * found
        missed = differs(terms.sum((0, 1)), whole, np.abs(terms).sum((0, 1)))
        if missed.any() and self._find_slots(leaves):
            found, _, _ = self._by_slot(leaves)
        return found

    def _by_slot(self, leaves: list[Tensor]) -> tuple[Array, Array, Array]:
        """Return D by slot, a random seed, and what D makes of it, all in one pass."""
        rows, slots = self._rows, len(self._owners)
        size = state_size(leaves) // rows
        seeds = np.zeros((rows, slots, rows, size))
        for slot, owners in enumerate(self._owners):
            for row in range(rows):
                seeds[row, slot, row, np.unique(owners[owners >= 0])] = 1
        seed = self._rng.standard_normal((rows, size))
        all_seeds = np.concatenate([seeds.reshape((-1, rows, size)), seed[None]])
        found = sent_to(self._parameters, leaves, all_seeds)
        return np.where(self._owners >= 0, found[:-1].reshape((rows, slots, -1)), 0), seed, found[-1]

    def _find_slots(self, leaves: list[Tensor]) -> bool:
        """Look for entries of D that have no slot yet, and give them one; whether there were any."""
        rows = self._rows
        size = state_size(leaves) // rows
        owners = [np.full_like(self._owners[0], -1)]
        news = False
        weigh = self._rng.standard_normal(rows)  # all rows at once: none cancels another
        for s in range(size):
            seed = np.zeros((1, rows, size))
            seed[0, :, s] = weigh
            before = (self._owners == s).any(axis=0)
            now = before | (sent_to(self._parameters, leaves, seed)[0] != 0)
            news = news or bool((now & ~before).any())
            for slot in owners:
                if (slot[now] < 0).all():
                    break
            else:
                slot = np.full_like(owners[0], -1)
                owners.append(slot)
            slot[now] = s
        if news:
            old, M = self._owners, self._sensitivities
            self._owners = np.stack(owners)
            self._sensitivities = np.zeros((rows, len(owners), M.shape[-1]), M.dtype)
            for slot, own in enumerate(self._owners):
                for before, values in zip(old, M.swapaxes(0, 1), strict=True):
                    same = (own == before) & (own >= 0)
                    self._sensitivities[:, slot, same] = values[:, same]
            self._incoming = self._sensitivities  # those that the step began from, in their new slots
            self._check_memory(rows * size, M.shape[-1], M.dtype)
        return news
