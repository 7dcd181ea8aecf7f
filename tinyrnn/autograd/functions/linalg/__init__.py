"""Linear algebra, `tinyrnn.linalg`: names and meanings of `numpy.linalg`, on the last two axes.

Integers are taken as floats. A matrix that has no inverse is a `numpy.linalg.LinAlgError`, as in NumPy.
"""

from tinyrnn.autograd.functions.linalg import decompositions, diagonals, equations, norms
from tinyrnn.autograd.functions.linalg.decompositions import *
from tinyrnn.autograd.functions.linalg.diagonals import *
from tinyrnn.autograd.functions.linalg.equations import *
from tinyrnn.autograd.functions.linalg.norms import *
from tinyrnn.autograd.functions.products import cross, matmul, outer, tensordot
from tinyrnn.autograd.functions.shaping import matrix_transpose

MYPY = False  # but True for mypy, which reads no list that is put together, and without one takes all names
if not MYPY:
    __all__ = ["cross", "matmul", "matrix_transpose", "outer", "tensordot"]
    __all__ += diagonals.__all__
    __all__ += equations.__all__
    __all__ += decompositions.__all__
    __all__ += norms.__all__


def __dir__() -> list[str]:
    return sorted(__all__)
