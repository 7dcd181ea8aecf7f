"""Nested structures of Tensors: taken apart into leaves, and put together again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, NamedTuple


class Tree(NamedTuple):
    """The form of a nested structure, without its leaves. Structures of the same form have equal trees.

    Attributes
    ----------
    kind : type or None
        The container: tuple, a named tuple's class, list or dict; None for a leaf or an empty place.
    keys : tuple
        How each child is reached: a dict's key, a named tuple's field, a position.
    children : tuple of Tree
    """

    kind: type | None
    keys: tuple[Hashable, ...] = ()
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
            return dict(zip(self.keys, parts, strict=True))
        return self.kind(*parts) if hasattr(self.kind, "_fields") else self.kind(parts)

    def paths(self, root: str = "") -> list[str]:
        """Return how each leaf is reached from ``root``, such as ``carry.h`` or ``carry['memory'][0]``."""
        if self == LEAF:
            return [root]
        fields = hasattr(self.kind, "_fields")
        steps = [f".{key}" if fields else f"[{key!r}]" for key in self.keys]
        return [p for step, child in zip(steps, self.children, strict=True) for p in child.paths(root + step)]

    def names(self, above: str = "") -> list[str]:
        """Return a short name for each leaf: the innermost field or key that is a word, or "" without one."""
        if self == LEAF:
            return [above]
        return [
            name
            for key, child in zip(self.keys, self.children, strict=True)
            for name in child.names(key if isinstance(key, str) else above)
        ]


LEAF = Tree(None, ("leaf",))
EMPTY = Tree(None)


def state_names(names: Iterable[str]) -> list[str]:
    """Return what drawings call the leaves of a carry: `Tree.names`, h without one; alike, h1 and h2."""
    found = [name or "h" for name in names]
    return [
        name if found.count(name) == 1 else f"{name}{found[: i + 1].count(name)}"
        for i, name in enumerate(found)
    ]


def _tuples(*kinds: type | None) -> bool:
    return all(kind is not None and issubclass(kind, tuple) for kind in kinds)


def flatten(structure: Any, like: Tree | None = None) -> tuple[list[Any], Tree]:
    """Take a structure apart.

    Parameters
    ----------
    structure
        Tuples, named tuples, lists, dicts with string or integer keys, nested in any way; ``None`` is an
        empty place, and anything else a leaf.
    like : Tree, optional
        The form to read it in, where that is a matter of writing: dicts with the same keys in this order, and
        a tuple as the named tuple of as many parts that stands here (``(h, c)`` as an ``LSTMState``), or the
        other way round.

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
    >>> flatten({"memory": (2, 3), "h": 1}, like=tree)[0]
    [1, 2, 3]
    """
    if structure is None:
        return [], EMPTY
    keys: tuple[Any, ...]
    if isinstance(structure, dict):
        for key in structure:
            if not isinstance(key, (str, int)):
                raise TypeError(f"a dict in a carry has the key {key!r}; expected strings or integers")
        known = like is not None and like.kind is dict and set(like.keys) == structure.keys()
        keys = like.keys if like is not None and known else tuple(structure)
        values, kind = [structure[key] for key in keys], dict
    elif isinstance(structure, (tuple, list)):
        values, kind = list(structure), type(structure)
        keys = getattr(structure, "_fields", tuple(range(len(values))))
        if like is not None and tuple in (kind, like.kind) and len(keys) == len(like.keys):
            kind, keys = (like.kind, like.keys) if _tuples(kind, like.kind) else (kind, keys)
    else:
        return [structure], LEAF
    below = like.children if like is not None and len(like.children) == len(values) else [None] * len(values)
    leaves: list[Any] = []
    children: list[Tree] = []
    for value, form in zip(values, below, strict=True):
        parts, tree = flatten(value, form)
        leaves += parts
        children.append(tree)
    return leaves, Tree(kind, keys, tuple(children))
