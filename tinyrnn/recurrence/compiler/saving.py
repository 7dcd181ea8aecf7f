"""What a gradient keeps of the forward pass: a smallest cut between what is known and what is asked later.

A value that the gradient asks for is either saved, which costs its way to memory and back, or made again
from operands that are there, which costs one operation. Which of the values are which is a cut through the
graph of the lines, and the cheapest one is found as the largest flow through it (Ford and Fulkerson, 1956).
"""

from __future__ import annotations

import collections
import math

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.program import FIXED, OUTPUT_GRAD, Program

_VIEWS = (p.transpose, p.reshape, p.broadcast_to)  # cost nothing, and are never saved
_CHEAP = (p.add, p.subtract, p.multiply, p.divide, p.negative)
_SAVING = 4  # times what one of these costs: memory is far away
_SOURCE, _SINK, _NO_WAY = -1, -2, 1 << 62

_Network = dict[int, dict[int, int]]  # how much can flow from a node to another


def saved_values(program: Program, roots: list[int], given: set[int]) -> list[int]:
    """Return the values that the gradient needs from the forward pass.

    They stand between it and the lines that depend on an incoming gradient.

    Parameters
    ----------
    program : Program
        Of a scan, and of its gradient.
    roots : list of int
        What the gradient gives.
    given : set of int
        What is there in any case; so is what depends on parameters only.
    """
    lines = program.lines
    gradient = [i for i in program.needed(roots) if lines[i].level >= OUTPUT_GRAD]
    asked = {a for i in gradient for a in lines[i].args if lines[a].level < OUTPUT_GRAD}
    asked |= {i for i in roots if lines[i].level < OUTPUT_GRAD}
    return _cut(_network(program, asked, given))


def _network(program: Program, asked: set[int], given: set[int]) -> _Network:
    """Return a network in which each cut is a choice.

    A value is two nodes: cut between them, it is saved; cut from the source, it is made again, for which all
    its operands have to be on the side of the sink.
    """
    lines = program.lines
    network: _Network = collections.defaultdict(dict)
    for i in asked:
        network[2 * i + 1][_SINK] = _NO_WAY
    todo, seen = list(asked), set(asked)
    while todo:
        i = todo.pop()
        line = lines[i]
        if i in given or line.level == FIXED:
            continue
        size = math.prod(line.shape) * line.dtype.itemsize
        view = line.primitive in _VIEWS
        network[2 * i][2 * i + 1] = _NO_WAY if view else _SAVING * size
        network[_SOURCE][2 * i] = 0 if view else size if line.primitive in _CHEAP else _NO_WAY
        if view or line.primitive in _CHEAP:
            for a in line.args:
                network[2 * a + 1][2 * i] = _NO_WAY
                if a not in seen:
                    seen.add(a)
                    todo.append(a)
    return network


def _cut(network: _Network) -> list[int]:
    """Return the values that are cut through, in the smallest cut that is nearest to the sink."""
    while path := _path(network):
        flow = min(network[a][b] for a, b in path)
        for a, b in path:
            network[a][b] -= flow
            network[b][a] = network[b].get(a, 0) + flow
    into: dict[int, list[int]] = collections.defaultdict(list)
    for a, ways in network.items():
        for b, left in ways.items():
            if left > 0:
                into[b].append(a)
    later, todo = {_SINK}, [_SINK]  # whatever still leads to the sink
    while todo:
        new = [a for a in into[todo.pop()] if a not in later]
        later.update(new)
        todo += new
    return sorted(a // 2 for a in network if a % 2 == 0 and a not in later and a + 1 in later)


def _path(network: _Network) -> list[tuple[int, int]]:
    """Return a shortest way from the source to the sink along which more can flow; empty: there is none."""
    before: dict[int, int] = {_SOURCE: _SOURCE}
    todo = collections.deque([_SOURCE])
    while todo and _SINK not in before:
        a = todo.popleft()
        for b, left in network[a].items():
            if left > 0 and b not in before:
                before[b] = a
                todo.append(b)
    if _SINK not in before:
        return []
    path: list[tuple[int, int]] = []
    b = _SINK
    while b != _SOURCE:
        path.append((before[b], b))
        b = before[b]
    return path
