"""tinyrnn: an autograd framework made for recurrence."""

from tinyrnn import draw, nn, optim, testing
from tinyrnn.autograd.creation import as_tensor, ones, ones_like, randn, tensor, zeros, zeros_like
from tinyrnn.autograd.functions import (
    abs,
    argmax,
    argmin,
    astype,
    broadcast_to,
    clip,
    concatenate,
    exp,
    expand_dims,
    flatten,
    log,
    log_softmax,
    logsumexp,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    relu,
    reshape,
    sigmoid,
    softmax,
    softplus,
    split,
    sqrt,
    squeeze,
    stack,
    sum,
    swapaxes,
    take,
    tanh,
    transpose,
    where,
)
from tinyrnn.autograd.gradient import grad
from tinyrnn.autograd.rng import manual_seed
from tinyrnn.autograd.state import enable_grad, get_default_dtype, no_grad, scope, set_default_dtype, unrolled
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.scan import scan
from tinyrnn.recurrence.truncated import TruncatedBPTT
