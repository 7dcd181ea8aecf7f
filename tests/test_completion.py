"""What an editor offers behind a dot: the public names of each room, all of them, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

import tinyrnn as tr

ROOMS: dict[str, Any] = {
    "tinyrnn": tr,
    "tinyrnn.data": tr.data,
    "tinyrnn.draw": tr.draw,
    "tinyrnn.dynamics": tr.dynamics,
    "tinyrnn.generation": __import__("tinyrnn.generation", fromlist=["generate"]),
    "tinyrnn.linalg": tr.linalg,
    "tinyrnn.nn": tr.nn,
    "tinyrnn.nn.functional": tr.nn.functional,
    "tinyrnn.nn.init": tr.nn.init,
    "tinyrnn.optim": tr.optim,
    "tinyrnn.optim.lr_scheduler": tr.optim.lr_scheduler,
    "tinyrnn.testing": tr.testing,
    "tinyrnn.training": tr.training,
}


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_lists_its_public_names(name: str) -> None:
    room = ROOMS[name]
    listed = [each for each in dir(room) if not each.startswith("__")]
    assert listed == sorted(set(room.__all__))
    for each in listed:
        getattr(room, each)
    assert {"nn", "optim", "scan", "draw"} <= set(listed) or room is not tr


@pytest.mark.parametrize("name", [name for name in ROOMS if name != "tinyrnn.linalg"])  # an attribute
def test_a_star_brings_these_and_no_more(name: str) -> None:
    found: dict[str, Any] = {}
    exec(f"from {name} import *", found)
    del found["__builtins__"]
    assert set(found) == set(ROOMS[name].__all__)
