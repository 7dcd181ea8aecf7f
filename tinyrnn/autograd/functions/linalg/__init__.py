"""Linear algebra, `tinyrnn.linalg`: names and meanings of `numpy.linalg`, on the last two axes.

Integers are taken as floats. A matrix that has no inverse is a `numpy.linalg.LinAlgError`, as in NumPy.
"""

from typing import TYPE_CHECKING

from tinyrnn.autograd.functions.linalg import decompositions, diagonals, equations, norms
from tinyrnn.autograd.functions.linalg.decompositions import *
from tinyrnn.autograd.functions.linalg.diagonals import *
from tinyrnn.autograd.functions.linalg.equations import *
from tinyrnn.autograd.functions.linalg.norms import *
from tinyrnn.autograd.functions.products import cross, matmul, outer, tensordot
from tinyrnn.autograd.functions.shaping import matrix_transpose

if not TYPE_CHECKING:  # mypy reads no lists that are put together
    __all__ = ["cross", "matmul", "matrix_transpose", "outer", "tensordot"]
    __all__ += diagonals.__all__
    __all__ += equations.__all__
    __all__ += decompositions.__all__
    __all__ += norms.__all__
