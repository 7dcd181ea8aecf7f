"""Links from names in docstrings to where the reference describes them."""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from sphinx.environment import BuildEnvironment

from website.rooms import homes, rooms

__all__ = ["setup"]

# What a class of one's own may define, and the library calls: described at the class that says what it does.
_HOOKS = {"extra_repr": "Module", "get_lr": "LRScheduler", "slots": "Optimizer", "update": "Optimizer"}


@functools.cache
def _public() -> dict[str, str]:
    """Return the public names by what else they are called: by where they are defined, and in short."""
    known = homes()
    short: Counter[str] = Counter(path.rpartition(".")[2] for path in known.values())
    found: dict[str, str] = {}
    for room in rooms():
        for name in room.names:
            home = known[id(name.value)]
            found[name.path] = home
            where, what = (getattr(name.value, key, None) for key in ("__module__", "__qualname__"))
            found[f"{where}.{what}"] = home
            if short[name.short] == 1:
                found[name.short] = home
    return found


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Find the home of a public name that is called otherwise."""
    if node.get("refdomain") != "py":
        return None
    names = _public()
    target = str(node["reftarget"]).removesuffix("()").removeprefix("~")
    first, dot, member = target.removeprefix("tr.").partition(".")
    home = names.get(target) or (f"{names[first]}{dot}{member}" if first in names else None)
    found: Any = home and env.domains.python_domain.objects.get(home)
    if not found:
        return None
    uri = app.builder.get_relative_uri(node["refdoc"], found.docname) + f"#{found.node_id}"
    return nodes.reference("", "", content, internal=True, refuri=uri)


def only_classes(app: Sphinx, doctree: nodes.document) -> None:
    """Take back the links from words of a type that are no classes: T and shape in "ndarray, shape (T,)"."""
    classes = {name.path for room in rooms() for name in room.names if inspect.isclass(name.value)}
    for node in list(doctree.findall(pending_xref)):
        typed = node.get("refdomain") == "py" and node["reftype"] == "class"
        if typed and _public().get(node["reftarget"]) not in classes:
            node.replace_self(node.children)


def skip(app: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """Leave out the fields of named tuples, which their docstring lists, and hooks but where they begin."""
    owner, _, hook = getattr(value, "__qualname__", "").rpartition(".")
    own = hook in _HOOKS and owner != _HOOKS[hook]
    return True if own or type(value).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx what is public, and to say attributes where it would say variables."""
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
    app.connect("doctree-read", only_classes)
    app.connect("missing-reference", resolve)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
