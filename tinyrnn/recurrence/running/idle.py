"""Idle blocks: kept for the next call, as fresh memory costs more than the arithmetic in it; in bounds."""

from __future__ import annotations

import collections
import ctypes
import threading
from collections.abc import Hashable

from tinyrnn.recurrence.running.block import Block

LIMIT = 128 << 20  # bytes of all that is idle
LATEST = 16  # stay in any case: a deep model comes back to its blocks in the next training step


class IdleBlocks:
    """Blocks that nobody runs in, of all scans. Where they are too much, those that idle longest go."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.nbytes = 0
        self._blocks: collections.OrderedDict[Block, tuple[Hashable, int]] = collections.OrderedDict()
        self._of: dict[Hashable, list[Block]] = {}
        self._lock = threading.Lock()

    def take(self, key: Hashable) -> Block | None:
        """Take a block that was given back under a key, the latest first; None where there is none."""
        with self._lock:
            blocks = self._of.get(key)
            return self._remove(blocks[-1]) if blocks else None

    def give_back(self, key: Hashable, block: Block) -> None:
        """Keep a block for the next call with its key."""
        with self._lock:
            self._blocks[block] = key, block.nbytes  # the oldest come first
            self._of.setdefault(key, []).append(block)
            self.nbytes += block.nbytes
            while self.nbytes > self.limit and len(self._blocks) > LATEST:
                self._remove(next(iter(self._blocks)))

    def clear(self) -> None:
        """Free them all, and ask the allocator to hand the memory back to the system."""
        with self._lock:
            while self._blocks:
                self._remove(next(iter(self._blocks)))
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; others have no such call
        if trim is not None:
            trim(0)

    def _remove(self, block: Block) -> Block:
        key, nbytes = self._blocks.pop(block)
        self.nbytes -= nbytes
        self._of[key].remove(block)
        if not self._of[key]:
            del self._of[key]
        return block


idle = IdleBlocks()
