"""The public functions: NumPy's names and meanings, on Tensors, arrays and numbers.

Given plain arrays they compute plain arrays; given a Tensor they record. What NumPy has in many forms is
composed here of the operations in the table (`primitives`), so that each has one rule.
"""

from tinyrnn.autograd.functions import (
    activations,
    diagonals,
    differences,
    einstein,
    elementwise,
    exponentials,
    facts,
    indexing,
    joining,
    moving,
    numeric,
    products,
    reductions,
    shaping,
    sorting,
    trigonometry,
)
from tinyrnn.autograd.functions import (
    linalg as linalg,
)
from tinyrnn.autograd.functions.activations import *
from tinyrnn.autograd.functions.diagonals import *
from tinyrnn.autograd.functions.differences import *
from tinyrnn.autograd.functions.einstein import *
from tinyrnn.autograd.functions.elementwise import *
from tinyrnn.autograd.functions.exponentials import *
from tinyrnn.autograd.functions.facts import *
from tinyrnn.autograd.functions.indexing import *
from tinyrnn.autograd.functions.joining import *
from tinyrnn.autograd.functions.moving import *
from tinyrnn.autograd.functions.numeric import *
from tinyrnn.autograd.functions.products import *
from tinyrnn.autograd.functions.reductions import *
from tinyrnn.autograd.functions.shaping import *
from tinyrnn.autograd.functions.sorting import *
from tinyrnn.autograd.functions.trigonometry import *

MYPY = False  # but True for mypy, which reads no list that is put together, and without one takes all names
if not MYPY:
    __all__ = ["linalg"]
    __all__ += activations.__all__
    __all__ += diagonals.__all__
    __all__ += differences.__all__
    __all__ += einstein.__all__
    __all__ += elementwise.__all__
    __all__ += exponentials.__all__
    __all__ += facts.__all__
    __all__ += indexing.__all__
    __all__ += joining.__all__
    __all__ += moving.__all__
    __all__ += numeric.__all__
    __all__ += products.__all__
    __all__ += reductions.__all__
    __all__ += shaping.__all__
    __all__ += sorting.__all__
    __all__ += trigonometry.__all__
