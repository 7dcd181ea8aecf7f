"""The windows of truncated backpropagation through time, as a picture shades them."""

from __future__ import annotations

from typing import Any

from tinyrnn.autograd.arguments import ITERABLE, Kind, check

__all__ = ["windows_of"]

Window = tuple[int, int, int]


def windows_of(windows: Any, steps: list[int]) -> list[Window]:
    """Return (replay_start, start, stop) of each window that has a step in the picture.

    Windows are those of a TruncatedBPTT, objects with these three attributes, or triples.

    Raises
    ------
    TypeError, ValueError
        Where a window is neither, or its bounds do not rise.
    """
    if windows is None or not steps:
        return []
    if hasattr(windows, "k1") and hasattr(windows, "k2"):
        k1, k2 = int(windows.k1), int(windows.k2)
        starts = range(0, steps[-1] + 1, k1)
        found = [(max(0, start + k1 - k2), start, min(start + k1, steps[-1] + 1)) for start in starts]
    else:
        check("unrolled", "windows", windows, Kind("a TruncatedBPTT, or windows", ITERABLE.of_type))
        found = [_triple(window) for window in windows]
    return [window for window in found if window[0] <= steps[-1] and window[2] > steps[0]]


def _triple(window: Any) -> Window:
    if hasattr(window, "replay_start"):
        window = (window.replay_start, window.start, window.stop)
    try:
        replay, start, stop = (int(t) for t in window)
    except (TypeError, ValueError):
        raise TypeError(
            f"unrolled: a window is {window!r}; expected (replay_start, start, stop), or a window of "
            "TruncatedBPTT"
        ) from None
    if not replay <= start < stop:
        raise ValueError(
            f"unrolled: a window is {(replay, start, stop)}; expected replay_start <= start < stop"
        )
    return replay, start, stop
