"""Packages of the extras: imported when needed; where one is missing, the error says how to install it."""

from __future__ import annotations

import importlib
from typing import Any


def matplotlib(module: str) -> Any:
    """Return a module of Matplotlib's.

    Raises
    ------
    ImportError
        Where it is not installed.
    """
    try:
        return importlib.import_module(f"matplotlib.{module}")
    except ImportError:
        raise ImportError('plots need matplotlib: pip install "tinyrnn[plot]"') from None
