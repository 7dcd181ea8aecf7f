"""The page on which a picture is explored: one file, with nothing from the network."""

from __future__ import annotations

import json
import re
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
    style = (ASSETS / "explore.css").read_text("utf-8")
    script = "\n".join(path.read_text("utf-8") for path in SCRIPTS)
    data = {
        "boxes": behind.boxes, "arrays": behind.arrays, "stepper": stepper,
        "folds": {fold: f"picture{i + 1}" for i, fold in enumerate(opened)},
    }  # fmt: skip
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    pictures = "".join(
        f'<template id="picture{i}">{picture}</template>' for i, picture in enumerate([svg, *opened.values()])
    )
    parts = {
        "title": "The graph, to explore",
        "style": style,
        "style_hash": stepping.hashed(style),
        "pictures": pictures,
        "data": text.replace("<", "\\u003c"),  # no text of the model can end the element
        "script": script,
        "script_hash": stepping.hashed(script),
    }
    template = (ASSETS / "explore.html").read_text("utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)
