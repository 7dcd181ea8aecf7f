"""The page on which a picture is explored: one file, with nothing from the network."""

from __future__ import annotations

from pathlib import Path

from tinyrnn.draw.exploring.behind import Behind
from tinyrnn.draw.stepping import page as stepping

__all__ = ["explore_page"]

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    stepping.ASSETS / "unpack.js",
    stepping.ASSETS / "values.js",
    ASSETS / "camera.js",
    ASSETS / "boxes.js",
    ASSETS / "explore.js",
)


def explore_page(svg: str, opened: dict[str, str], behind: Behind, stepper: str = "") -> str:
    """Return the page.

    Parameters
    ----------
    svg : str
        The picture.
    opened : dict of str to str
        By the id of a fold, the picture in which it is open.
    behind : Behind
    stepper : str
        The address of a stepper of the same pass, to which boxes link; empty for none.
    """
    data = {
        "boxes": behind.boxes, "arrays": behind.arrays, "stepper": stepper,
        "folds": {fold: f"picture{i + 1}" for i, fold in enumerate(opened)},
    }  # fmt: skip
    pictures = "".join(
        f'<template id="picture{i}">{picture}</template>' for i, picture in enumerate([svg, *opened.values()])
    )
    template = ASSETS / "explore.html"
    return stepping.filled(template, SCRIPTS, data, title="The graph, to explore", pictures=pictures)
