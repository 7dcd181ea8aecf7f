"""Random cells: programs that a user could have written, run compiled and recorded, and compared.

``python -m tests.random_cells --cells 5000 --seed 0`` runs many, and prints each difference as the smallest
cell that still shows it, as Python to paste and run. In reading order: `cell` (what a cell is, and its text),
`forms` (the lines that a step is made of), `leaves` and `generate`, `execute`, `rounding` (how far two
results may differ), `compare`, `shrink`; `coverage` says which operations the forms reach.

The bugs that this generator was built to find, all of them in commit 3c71701 (issue 8), and what finds them:

===============================================  ===========================================================
carries passed on, delayed, swapped              new carries are often old ones, in any order
rewrites that ignore dtypes                      carries, inputs, closures of every dtype; chains of ``+, *``
rewrites that change what floats do              extreme values; ``(1-z)*a + z*b``; `rounding`, no flat bound
softmax with ``axis=None`` or a tuple            axes are drawn from all that NumPy takes
the carry's form, checked for new traces only    first the same step on a carry of another form
outputs and gradients that are numbers           scalar inputs, constants as outputs, ``return c, c``
booleans and integers in a compiled backward     as above: every dtype, and ``h - h * done``
keys of dicts, and their order                   ``"it's"``, ``True``, a backslash; dicts in another order
===============================================  ===========================================================
"""

from .execute import show

__all__ = ["show"]
