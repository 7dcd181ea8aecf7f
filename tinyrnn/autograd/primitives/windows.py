"""Windows that slide over the last axes, and convolution."""

from __future__ import annotations

from tinyrnn.autograd import sliding
from tinyrnn.autograd.primitive import Primitive

# --- windows that slide: each of the two is the other's adjoint ---------------------------------------------
unfold = Primitive(
    "unfold",
    sliding.unfold,
    shape=sliding.unfolded_shape,
    x=lambda g, x_shape, windows: fold(g, windows=windows, size=windows.size(x_shape)),
)
fold = Primitive(
    "fold", sliding.fold, shape=sliding.folded_shape, x=lambda g, windows: unfold(g, windows=windows)
)

# --- convolution: <y, w * x> is linear in x, w and y; its gradient by each is a product of the other two ----
conv = Primitive(
    "conv",
    sliding.conv,
    shape=sliding.conv_shape,
    x=lambda g, w, x_shape, windows: conv_transpose(g, w, windows=windows, size=windows.size(x_shape)),
    w=lambda g, x, windows: conv_weight(x, g, windows=windows, keep=0),
)
conv_transpose = Primitive(
    "conv_transpose",
    sliding.conv_transpose,
    shape=sliding.conv_transpose_shape,
    y=lambda g, w, windows: conv(g, w, windows=windows),
    w=lambda g, y, windows: conv_weight(g, y, windows=windows, keep=0),
)
conv_weight = Primitive(
    "conv_weight",
    sliding.conv_weight,
    shape=sliding.conv_weight_shape,
    x=lambda g, y, x_shape, windows: conv_transpose(y, g, windows=windows, size=windows.size(x_shape)),
    y=lambda g, x, windows: conv(x, g, windows=windows),
)
