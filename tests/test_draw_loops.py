"""A loop written by hand is drawn as the same loop with a scope around each step."""

import pytest
from random_loops import PLAIN, run, structure

from tinyrnn.draw.choices import LEVELS

LOOPS = {
    "two layers, a head": {"cells": ["plain", "plain"], "head": "plain"},
    "gates": {"cells": ["gates"], "head": "MLP", "loss": "listed"},
    "an output that is fed back": {"cells": ["GRUCell"], "head": "Linear", "back": True},
    "an input that is looked up": {"cells": ["plain", "GRUCell"], "x": "embedded", "loss": "stacked"},
    "an input that is projected": {"cells": ["LSTMCell", "plain"], "x": "projected", "head": "plain"},
    "a loss before the step": {"cells": ["plain"], "head": "plain", "early": True},
    "a cut": {"cells": ["plain", "plain"], "start": "features", "head": "Linear", "cut": 2},
    "a learned beginning": {"cells": ["leaky"], "start": "learned", "loss": "last"},
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_by_hand_is_drawn_as_with_scopes(name, level):
    loop = PLAIN | LOOPS[name]
    assert structure(run(loop, scoped=False), level) == structure(run(loop, scoped=True), level)


def test_a_projection_before_a_cell_is_a_box_and_the_input_of_a_step_stands_in_it():
    loop = PLAIN | {"steps": 4, "cells": ["GRUCell"], "x": "projected", "head": "Linear", "back": True}
    boxes, _ = structure(run(loop, scoped=False), "cell")
    columns = {title: sorted(box[4] for box in boxes if box[1] == title) for title in ("x", "GRU h")}
    assert columns == {"x": [0, 1, 2, 3], "GRU h": [0, 1, 2, 3]}
    del loop["back"]
    boxes, _ = structure(run(PLAIN | loop, scoped=False), "cell")
    assert sorted(box[4] for box in boxes if box[1] == "relu") == [0, 1, 2, 3]
