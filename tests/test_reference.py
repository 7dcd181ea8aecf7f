"""The reference: every public name, every operation with its gradients, every cell and every option."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from test_completion import ROOMS
from website import cells, command, operations, reference, rooms
from website.mathematics import mathml

import tinyrnn as tr
from tinyrnn.autograd import primitives
from tinyrnn.autograd.primitive import Primitive

PUBLIC = [
    (f"{room}.{name}", getattr(ROOMS[room], name))
    for room in ROOMS
    for name in ROOMS[room].__all__
    if not inspect.ismodule(getattr(ROOMS[room], name))
]
PAGES = reference.pages()
DESCRIBED = [
    line.split(":: ")[1] for page in PAGES.values() for line in page.splitlines() if ":: tinyrnn" in line
]


@pytest.mark.parametrize(("path", "value"), PUBLIC, ids=[path for path, _ in PUBLIC])
def test_help_begins_with_one_sentence_and_has_an_example(path: str, value: Any) -> None:
    said = inspect.getdoc(value) or ""
    first, _, rest = said.partition("\n")
    assert first.endswith((".", ":")), f"{path}: {first}"
    assert rest.startswith("\n") or not rest, f"{path}: the summary takes more than a line"
    assert ">>> " in said, path
    made = inspect.isfunction(value) or (inspect.isclass(value) and not issubclass(value, BaseException))
    if made and inspect.signature(value).parameters:
        assert "Parameters\n-----" in said or "Attributes\n-----" in said, path


def test_every_public_name_is_described_once() -> None:
    assert len(PUBLIC) > 400
    homes = rooms.homes()
    for path, value in PUBLIC:
        assert homes[id(value)] in DESCRIBED, path
    assert len(DESCRIBED) == len(set(DESCRIBED))
    rest = set(DESCRIBED) - set(homes.values())
    assert rest == {"tinyrnn.scan.plan", "tinyrnn.scan.cache_info", "tinyrnn.scan.cache_clear"}


def test_a_name_of_several_rooms_is_linked_from_each() -> None:
    assert "`mse_loss <tinyrnn.nn.mse_loss>`" in PAGES["tinyrnn.nn.functional"]
    assert ".. autofunction:: tinyrnn.nn.mse_loss" in PAGES["tinyrnn.nn"]


TABLE = {each.name: each for each in vars(primitives).values() if isinstance(each, Primitive)}


def test_every_operation_is_in_the_table_with_all_its_operands() -> None:
    page = operations.page()
    found = [each for family in operations.families() for each in operations.operations(family)]
    assert {id(each) for each in found} == {
        id(each) for each in vars(primitives).values() if isinstance(each, Primitive)
    }
    for each in found:
        assert f"``{each.name}" in page
        written = operations.gradients(each) if each.differentiable else {}
        if written is None:
            assert "lambda" in operations.code(each) or "_vjp" in operations.code(each)
        elif each.variadic is None:
            assert list(written) == [name for name, rule in zip(each.operands, each.rules) if rule]
    assert sum(operations.gradients(each) is not None for each in found if each.differentiable) > 60


@pytest.mark.parametrize(
    ("name", "written"),
    {
        "multiply": {"a": r"g \, b", "b": r"g \, a"},
        "divide": {"a": r"\frac{g}{b}", "b": r"-\frac{g \, y}{b}"},
        "tanh": {"x": "g \\, (1 - y^{2})"},
        "cos": {"x": r"-g \, \sin(x)"},
        "matmul": {"a": r"g b^{\top}", "b": r"a^{\top} g"},
        "arctan2": {"y": r"\frac{g \, x}{x^{2} + y^{2}}", "x": r"-\frac{g \, y}{x^{2} + y^{2}}"},
        "maximum": None,
        "inv": {"x": r"-y^{\top} g y^{\top}"},
        "sinc": None,
    }.items(),
)
def test_what_the_rules_write(name: str, written: dict[str, str] | None) -> None:
    found = operations.gradients(TABLE[name])
    if name == "maximum":
        assert found
        assert found["a"].count(r"\begin{cases}") == 1  # one choice in another is one of three
        assert r"0.5 \, g & a = b" in found["a"]
    else:
        assert found == written


@pytest.mark.parametrize(
    "written",
    [
        r"\frac{a}{b}",
        r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
        r"\Bigl\lVert x \Bigr\rangle",
        r"\sum_{t=1}^T \delta_t",
    ],
)
def test_mathematics_is_understood_whole(written: str) -> None:
    assert mathml(written).startswith("<math")


@pytest.mark.parametrize("written", [r"\nosuchcommand{a}", r"a & b", "a^"])
def test_what_is_not_understood_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        mathml(written)


def test_the_counts_are_those_of_the_plans() -> None:
    found = cells.counts()
    assert {"RNNCell", "LSTMCell", "GRUCell"} <= set(found)
    for name, plans in found.items():
        (scan,) = tr.explain(tr.nn.Recurrent(getattr(tr.nn, name)(3, 4)), tr.zeros((6, 1, 3))).scans
        (other,) = plans["all rows of one length"].scans
        assert scan.forward.calls_per_step == other.forward.calls_per_step  # whatever the sizes


def test_every_option_of_the_command_is_there(capsys: Any) -> None:
    page = command.page()
    for typed, parser in command.parsers().items():
        assert f"``{typed}``" in page
        for action in parser._actions:
            assert all(f"``{name}" in page for name in action.option_strings)
    assert set(command.parsers()) == {
        "tinyrnn",
        *(f"tinyrnn {name}" for name in ("demo", "draw", "step", "info")),
    }
