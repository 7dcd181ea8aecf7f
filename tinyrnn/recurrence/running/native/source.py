"""The writer: the loop of a partitioned program as a Python function, to read and to compile."""

from __future__ import annotations

import dataclasses
import keyword
import re

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import Shape
from tinyrnn.recurrence.compiler.partition import Partition, Stage
from tinyrnn.recurrence.compiler.program import Line
from tinyrnn.recurrence.running.buffers import Buffers
from tinyrnn.recurrence.running.native.columns import COLUMNS, columns, made_in_loop, written
from tinyrnn.recurrence.running.native.expressions import expression
from tinyrnn.recurrence.running.native.functions import NAMES
from tinyrnn.recurrence.running.native.nests import VARIABLES, Access, nest
from tinyrnn.recurrence.running.native.places import OUT, ROWS, TURNED, Key, Place, Places
from tinyrnn.recurrence.running.native.products import in_tiles, product
from tinyrnn.recurrence.running.native.reductions import reduction
from tinyrnn.recurrence.running.native.schedule import Nest, inner, known, schedule


@dataclasses.dataclass(frozen=True)
class Source:
    """A loop as code.

    Attributes
    ----------
    text : str
        The function ``loop(steps, *arrays)``.
    keys : list of Key
        Which buffers the arrays are.
    dtypes : tuple of str
        Those of the arrays.
    inner : frozenset of int
        The lines that need no memory.
    columns : frozenset of int
        The lines that sums over time find in columns.
    """

    text: str
    keys: list[Key]
    dtypes: tuple[str, ...]
    inner: frozenset[int]
    columns: frozenset[int]


def refusal(parted: Partition) -> str:
    """Return why a loop cannot be written as code; an empty string where it can."""
    lines = parted.scan.program.lines
    for i in parted.lines(Stage.LOOP):
        if not known(parted, i):
            line = lines[i]
            assert line.primitive is not None
            return f"{line.primitive.name} of {line.dtype} is not known to it"
    return ""


def write(parted: Partition, *, reverse: bool) -> Source:
    """Write the loop of a program."""
    return _Writer(parted, reverse=reverse).source()


class _Writer:
    def __init__(self, parted: Partition, *, reverse: bool) -> None:
        self.parted = parted
        self.lines = parted.scan.program.lines
        self.items = schedule(parted)
        self.inner = inner(parted, self.items)
        summed = made_in_loop(parted)
        self.buffers = Buffers(parted, 2, reverse=reverse, inner=self.inner, columns=summed)
        self.places = Places(self.buffers)
        self.names = _Names(parted)
        self.keys: list[Key] = []
        self.body: list[str] = []

    def source(self) -> Source:
        for item in self.items:
            if isinstance(item, Nest):
                self._nest(item.lines)
            else:
                self._other(item)
        self.body[:0] = [line for i in self.buffers.turned for line in self._turned(i)]
        for i in written(self.buffers):
            self.body += columns(self._array((i, COLUMNS)), self._access(self.places.of(i)))
        for i in self.buffers.outs:
            self._copy(i, self.lines[i].shape, self.places.out(i))
        self._hand_over()
        arrays = ", ".join(["steps", *(self.names.of_buffer(key) for key in self.keys)])
        steps = "range(steps - 1, -1, -1)" if self.buffers.reverse else "range(steps)"
        head = [f"def loop({arrays}):", f"    for t in {steps}:"]
        text = "\n".join([*head, *(f"        {line}" for line in self.body or ["pass"])]) + "\n"
        dtypes = tuple(self.lines[i].dtype.name for i, _ in self.keys)
        return Source(text, self.keys, dtypes, self.inner, self.buffers.columns)

    def _array(self, key: Key) -> str:
        if key not in self.keys:
            self.keys.append(key)
        return self.names.of_buffer(key)

    def _access(self, place: Place) -> Access:
        return Access(self._array(place.key), place)

    # --- lines ---------------------------------------------------------------------------------------------
    def _nest(self, members: list[int]) -> None:
        """Write a nest of loops: what it reads, its lines, what it stores."""
        shape = self.lines[members[0]].shape
        reads: dict[str, Access] = {}
        code: list[str] = []
        stores: list[tuple[Access, str]] = []
        for i in members:
            line = self.lines[i]
            names: list[str] = []
            for a in line.args:
                if self.lines[a].literal is not None or a in members:
                    names.append(self.names.of(a))
                else:
                    access = self._access(self.places.of(a, shape).spread(shape))
                    name = self.names.read(a)
                    reads[name] = access
                    names.append(name)
            write = expression(line, self.lines)
            assert write is not None
            code.append(f"{self.names.of(i)} = {write(names)}")
            if self._stored(i):
                stores.append((self._access(self.places.of(i)), self.names.of(i)))
        self.body += nest(shape, reads, code, stores)

    def _turned(self, i: int) -> list[str]:
        """Write the copy of a step's input from its row to where the loop wants it, if it does."""
        if (i, TURNED) not in self.keys:
            return []
        name, target = self.names.read(i), self._access(self.places.of(i))
        reads = {name: self._access(self.places.rows(i))}
        return nest(self.lines[i].shape, reads, [], [(target, name)])

    def _stored(self, i: int) -> bool:
        return i in self.buffers.places or i in self.buffers.becomes or i in self.buffers.parts

    def _other(self, i: int) -> None:
        line = self.lines[i]
        assert line.primitive is not None
        if line.primitive is p.matmul:
            self._product(i)
        elif line.primitive is p.concatenate:
            self._join(i)
        elif line.primitive is p.stack:
            self._stack(i)
        else:
            self.body.append(
                f"# {self.names.shown(i)} = {line.primitive.name}({self.names.shown(line.args[0])})"
            )
            x = self._access(self.places.of(line.args[0]))
            self.body += reduction(line, self._access(self.places.of(i)), x)

    def _stack(self, i: int) -> None:
        line, whole = self.lines[i], self.places.of(i)
        axis = line.params["axis"]
        for n, part in enumerate(line.args):
            shape, strides = list(whole.shape), list(whole.strides)
            del shape[axis], strides[axis]
            offset = whole.offset + n * whole.strides[axis]
            target = dataclasses.replace(whole, shape=tuple(shape), strides=tuple(strides), offset=offset)
            self._copy(part, tuple(shape), target)

    def _product(self, i: int) -> None:
        line = self.lines[i]
        turned = in_tiles(line.shape, self.lines[line.args[0]].shape[-1])  # BLAS takes rows as well
        a, b = (
            self._access(self.places.rows(k) if k in self.buffers.rows and not turned else self.places.of(k))
            for k in line.args
        )
        names = [self.names.shown(k) for k in (i, *line.args)]
        self.body.append("# {} = {} @ {}".format(*names))
        one_dtype = {self.lines[k].dtype for k in line.args} == {line.dtype}
        dot = f"dot{8 * line.dtype.itemsize}" if one_dtype and line.dtype.kind == "f" else ""
        self.body += product(self._access(self.places.of(i)), a, b, dot)

    def _join(self, i: int) -> None:
        """Copy the parts of a concatenation which were not written in their place straight away."""
        line = self.lines[i]
        axis, offsets = line.params["axis"], line.params["offsets"]
        whole = self.places.of(i)
        for part, low, high in zip(line.args, offsets, offsets[1:], strict=False):
            if self.buffers.parts.get(part) != (i, axis, low, high):
                shape = (*whole.shape[:axis], high - low, *whole.shape[axis + 1 :])
                target = dataclasses.replace(
                    whole, shape=shape, offset=whole.offset + low * whole.strides[axis]
                )
                self._copy(part, shape, target)

    def _hand_over(self) -> None:
        """Copy what becomes the next carry, but could not be written in its place."""
        scan = self.parted.scan
        for before, i in zip(scan.carry, scan.carry_out, strict=True):
            if self.buffers.becomes.get(i) != before:
                self._copy(i, self.lines[before].shape, self.places.next_carry(before))

    def _copy(self, i: int, shape: Shape, target: Place) -> None:
        line = self.lines[i]
        if line.literal is not None:
            self.body += nest(shape, {}, [], [(self._access(target), repr(line.literal))])
            return
        name = self.names.read(i)
        reads = {name: self._access(self.places.of(i, shape).spread(shape))}
        self.body += nest(shape, reads, [], [(self._access(target), name)])


class _Names:
    """Names for values: those of the step and the plan, made fit for code."""

    def __init__(self, parted: Partition) -> None:
        self.parted = parted
        self.lines = parted.scan.program.lines
        self._given = parted.scan.program.names
        self._names: dict[object, str] = {}
        self._taken = {"loop", "steps", "t", "x", "total", "top", "range", "abs", *VARIABLES, *NAMES}

    def of(self, i: int) -> str:
        """Return the name of a value; a number as it is."""
        line = self.lines[i]
        return repr(line.literal) if line.literal is not None else self._unique(i, self._wanted(line, i))

    def shown(self, i: int) -> str:
        """Return the name of a value in a comment, where it may be one that the code needs itself."""
        return self._wanted(self.lines[i], i)

    def read(self, i: int) -> str:
        """Return the name of the element of a value that a nest reads from memory."""
        return self._unique(("read", i), f"{self._wanted(self.lines[i], i)}_")

    def of_buffer(self, key: Key) -> str:
        i, form = key
        name = self._wanted(self.lines[i], i)
        endings = {None: "s", ROWS: "s", COLUMNS: "_columns", OUT: "_out", TURNED: "_turned"}
        return self._unique(("buffer", key), f"{name}{endings[form]}" if form in endings else "")

    def _wanted(self, line: Line, i: int) -> str:
        name = self._given.get(i) or line.name or f"v{i}"
        return re.sub(r"\W", "_", name)

    def _unique(self, key: object, wanted: str) -> str:
        if key not in self._names:
            wanted = wanted or f"once{len(self._names)}"
            if not wanted.isidentifier() or keyword.iskeyword(wanted) or not wanted.isascii():
                wanted = f"v_{wanted}" if f"v_{wanted}".isidentifier() and wanted.isascii() else "value"
            name, n = wanted, 1
            while name in self._taken:
                n += 1
                name = f"{wanted}{n}"
            self._taken.add(name)
            self._names[key] = name
        return self._names[key]
