"""Random cells: programs that a user could have written, run compiled and recorded, and compared.

``python -m tests.random_cells --cells 5000 --seed 0`` runs many, and prints each difference as the smallest
cell that still shows it, as Python to paste and run. In reading order: `cell` (what a cell is, and its text),
`forms` (the lines that a step is made of), `leaves` and `generate`, `execute`, `rounding` (how far two
results may differ), `compare`, `shrink`; `coverage` says which operations the
forms reach, `faults` which of the old bugs the cells find.

It was built to find the bugs of commit 3c71701 (issue 8). Of the 5000 cells of seed 0, 602 differ there; this
many show each fault, as ``python -m tests.random_cells.faults --cells 1000 --first N --seed 0`` counts them
in five runs (`faults` says how that is told). Regrouped sums are too rare to be among these.

====================================  =====  =================================================================
fault                                 cells  what finds it
====================================  =====  =================================================================
carries passed on, delayed, swapped   30     a memory of several steps, each part read by something learnt
rewrites of mixed dtypes              53     carries, inputs, closures of every dtype; sums, products, resets
``(1-z)*a + z*b``                     8      mixtures of extreme values
products regrouped                    5      chains of extreme values
sums regrouped                        0      chains of extreme values
``u*k1 + u*k2``                       2      chains of extreme values
softmax over several axes             38     axes are drawn from all that NumPy takes
randomness                            66     generators, counters, a number that is another one before
the form of the carry                 139    a run before, on a carry of another form
outputs, gradients that are numbers   95     scalar inputs, constants as outputs, ``return c, c``
booleans negated, subtracted          110    every dtype, and ``h - h * done``
rewrites of integers                  12     integer carries; ``c*2 + c``, ``c - (-c)``
values in another dtype               12     outputs of every dtype
else, or several of them at once      40     keys of dicts and errors of axes are among them
====================================  =====  =================================================================
"""

from .execute import show

__all__ = ["show"]
