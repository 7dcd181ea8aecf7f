"""Nested structures of Tensors: taken apart into leaves, and put together again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple


class Tree(NamedTuple):
    """The form of a nested structure, without its leaves. Structures of the same form have equal trees.

    Attributes
    ----------
    kind : type or None
        The container: tuple, a named tuple's class, list or dict; None for a leaf or an empty place.
    keys : tuple of str
        How each child is reached, as it is written behind the container: ``.h``, ``[0]``, ``['h']``.
    children : tuple of Tree
    """

    kind: type | None
    keys: tuple[str, ...] = ()
    children: tuple[Tree, ...] = ()

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """Put leaves, in the order of `flatten`, back into the structure."""
        if self is LEAF:
            return next(iter(leaves))
        return self._build(iter(leaves))

    def _build(self, leaves: Iterator[Any]) -> Any:
        if self == LEAF:
            return next(leaves)
        if self.kind is None:
            return None
        parts = [child._build(leaves) for child in self.children]
        if self.kind is dict:
            return dict(zip(self._names(), parts, strict=True))
        return self.kind(*parts) if hasattr(self.kind, "_fields") else self.kind(parts)

    def _names(self) -> list[Any]:
        return [key[2:-2] if key[1] == "'" else int(key[1:-1]) for key in self.keys]

    def paths(self, root: str = "") -> list[str]:
        """Return how each leaf is reached from ``root``, such as ``carry.h`` or ``carry['memory'][0]``."""
        if self == LEAF:
            return [root]
        return [
            p for key, child in zip(self.keys, self.children, strict=True) for p in child.paths(root + key)
        ]

    def names(self) -> list[str]:
        """Return a short name for each leaf: the innermost field or key, or "" where there is none."""
        return [path.rsplit(".", 1)[-1].rsplit("[", 1)[-1].strip("'[]") for path in self.paths()]


LEAF = Tree(None, ("leaf",))
EMPTY = Tree(None)


def flatten(structure: Any) -> tuple[list[Any], Tree]:
    """Take a structure apart.

    Parameters
    ----------
    structure
        Tuples, named tuples, lists, dicts with string or integer keys, nested in any way; ``None`` is an
        empty place, and anything else a leaf.

    Returns
    -------
    leaves : list
    tree : Tree
        ``tree.unflatten(leaves)`` is the structure again.

    Examples
    --------
    >>> leaves, tree = flatten({"h": 1, "memory": (2, 3)})
    >>> leaves, tree.paths("carry")
    ([1, 2, 3], ["carry['h']", "carry['memory'][0]", "carry['memory'][1]"])
    >>> tree.unflatten([10, 20, 30])
    {'h': 10, 'memory': (20, 30)}
    """
    if structure is None:
        return [], EMPTY
    if isinstance(structure, dict):
        for key in structure:
            if not isinstance(key, (str, int)):
                raise TypeError(f"a dict in a carry has the key {key!r}; expected strings or integers")
        items = [(f"[{key!r}]", value) for key, value in structure.items()]
        kind: type = dict
    elif isinstance(structure, (tuple, list)):
        fields = getattr(structure, "_fields", None)
        keys = [f".{f}" for f in fields] if fields else [f"[{i}]" for i in range(len(structure))]
        items = list(zip(keys, structure, strict=True))
        kind = type(structure)
    else:
        return [structure], LEAF
    leaves: list[Any] = []
    children: list[Tree] = []
    for _, value in items:
        below, tree = flatten(value)
        leaves += below
        children.append(tree)
    return leaves, Tree(kind, tuple(key for key, _ in items), tuple(children))
