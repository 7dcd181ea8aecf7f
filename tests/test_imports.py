"""Imports go in one direction: between rooms, and between the files of the package."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent / "tinyrnn"
FILES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
}
BELOW = {  # what a room may import from
    "autograd": set(),
    "recurrence": {"autograd"},
    "data": {"autograd", "recurrence", "files"},
    "nn": {"autograd", "recurrence"},
    "optim": {"autograd"},
    "generation": {"autograd", "recurrence"},
    "training": {"autograd", "optim", "nn", "recurrence", "files", "extras"},
    "draw": {"autograd", "recurrence", "graded", "extras"},
    "testing": {"autograd", "recurrence"},
    "dynamics": {"autograd", "recurrence", "draw", "nn", "graded"},
}


def imported(path: Path, *, everywhere: bool) -> set[str]:
    """The package's modules that a file imports; when it is imported, or also while its functions run.

    What only a type checker reads is left out.
    """
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not ast.unparse(node).startswith("if TYPE_CHECKING:")]
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in FILES else str(node.module) for name in names}
    return found & FILES.keys()


def test_no_circles() -> None:
    graph = {name: imported(path, everywhere=False) for name, path in FILES.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(FILES)  # raises where there is a circle


def test_rooms_import_downwards() -> None:
    checked = 0
    for name, path in FILES.items():
        parts = name.split(".")
        if len(parts) > 1 and parts[1] in BELOW:
            allowed = {parts[1], *BELOW[parts[1]]}
            for other in imported(path, everywhere=True) - {"tinyrnn"}:
                assert other.split(".")[1] in allowed, f"{name} imports {other}"
                checked += 1
    assert checked > 100


def test_the_compiler_knows_nothing_of_what_stands_on_it() -> None:
    """Inside ``recurrence/``: the compiler is below running, and both are below what a user meets."""
    rooms = {"compiler": {"compiler"}, "running": {"compiler", "running"}}
    for name, path in FILES.items():
        parts = name.split(".")
        if parts[1:2] == ["recurrence"] and len(parts) == 4 and parts[2] in rooms:
            for other in imported(path, everywhere=True):
                inside = other.split(".")
                assert inside[1] != "recurrence" or inside[2] in rooms[parts[2]], f"{name} imports {other}"


def test_recurrence_hides_no_import_in_a_function() -> None:
    for name, path in FILES.items():
        if name.startswith(("tinyrnn.recurrence", "tinyrnn.autograd")):
            assert imported(path, everywhere=True) == imported(path, everywhere=False), name
