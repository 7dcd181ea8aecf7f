"""Who called: so that warnings point at the user's line, and errors name the user's argument."""

from __future__ import annotations

import sys
from types import FrameType


def own_frames() -> list[FrameType]:
    """Return the library's frames, from that of the function which asks outwards to the user's program."""
    frames: list[FrameType] = []
    frame = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("tinyrnn."):
        frames.append(frame)
        frame = frame.f_back
    return frames


def users_line() -> int:
    """Return the ``stacklevel`` by which a warning points at the line of the user's program."""
    return len(own_frames())  # this one stands for the user's
