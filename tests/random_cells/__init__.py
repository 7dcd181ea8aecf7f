"""Random cells: programs that a user could have written, run compiled and recorded, and compared.

``python -m tests.random_cells --cells 5000 --seed 0`` runs many, and prints each difference as the smallest
cell that still shows it, as Python to paste and run. In reading order: `cell` (what a cell is, and its text),
`forms` (the lines that a step is made of), `leaves` and `generate`, `execute`, `rounding` (how far two
results may differ), `compare`, `shrink`; `coverage` says which operations the
forms reach, `faults` which of the old bugs the cells find.

It was built to find the bugs of commit 3c71701 (issue 8). Of 3000 cells of seed 0 (0 to 1999 and 3000 to
3999), 370 differ there; this many show each fault, as ``python -m tests.random_cells.faults --cells 1000
--first N --seed 0`` counts them (`faults` says how that is told). Regrouped sums are too rare to be among
these.

====================================  =====  =================================================================
fault                                 cells  what finds it
====================================  =====  =================================================================
carries passed on, delayed, swapped   16     a memory of several steps, each part read by something learnt
rewrites of mixed dtypes              33     carries, inputs, closures of every dtype; sums, products, resets
``(1-z)*a + z*b``                     3      mixtures of extreme values
products regrouped                    2      chains of extreme values
sums regrouped                        0      chains of extreme values
``u*k1 + u*k2``                       1      chains of extreme values
softmax over several axes             25     axes are drawn from all that NumPy takes
randomness                            30     generators, counters, a number that is another one before
the form of the carry                 84     a run before, on a carry of another form
outputs, gradients that are numbers   62     scalar inputs, constants as outputs, ``return c, c``
booleans negated, subtracted          77     every dtype, and ``h - h * done``
rewrites of integers                  8      integer carries; ``c*2 + c``, ``c - (-c)``
values in another dtype               10     outputs of every dtype
else, or several of them at once      22     keys of dicts are among them
====================================  =====  =================================================================
"""

from .execute import show

__all__ = ["show"]
