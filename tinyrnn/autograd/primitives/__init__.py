"""The table: every operation with its forward and its VJPs, a line or two each, by family.

How to read it: ``multiply(a, b)`` has the rule ``a=lambda g, b: g * b``, that is, the gradient of its operand
``a`` is the incoming gradient times ``b``. Where operands broadcast, the engine sums a gradient back to the
operand's shape, and where dtypes differ it casts, so no rule here does. What a rule names is saved; nothing
else is. What can be composed of these operations as well is not in the table, but in `functions`.
"""

from tinyrnn.autograd.primitives.comparisons import *
from tinyrnn.autograd.primitives.elementwise import *
from tinyrnn.autograd.primitives.linalg import *
from tinyrnn.autograd.primitives.products import *
from tinyrnn.autograd.primitives.reductions import *
from tinyrnn.autograd.primitives.shaping import *
from tinyrnn.autograd.primitives.windows import *
