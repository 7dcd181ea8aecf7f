"""What an editor knows of functions and Tensors."""

from typing import assert_type

import numpy as np

import tinyrnn as tr

t = tr.tensor([[1.0, 2.0]], requires_grad=True)
a = np.zeros((1, 2))

assert_type(tr.tanh(t), tr.Tensor)
assert_type(tr.sum(t, axis=0, keepdims=True), tr.Tensor)
assert_type(tr.softmax(t), tr.Tensor)
assert_type(tr.reshape(t, (2,)), tr.Tensor)
assert_type(tr.matmul(t, a.T), tr.Tensor)
assert_type(tr.matmul(a, t.T), tr.Tensor)
assert_type(tr.maximum(0, t), tr.Tensor)
assert_type(tr.where(t > 0, t, 0), tr.Tensor)
assert_type(tr.where(a > 0, 0, t), tr.Tensor)
assert_type(tr.stack([t, t]), tr.Tensor)
assert_type(tr.concatenate((t, t), axis=-1), tr.Tensor)
assert_type(tr.split(t, 2, axis=1), list[tr.Tensor])
assert_type(tr.linalg.norm(t), tr.Tensor)
assert_type(tr.linalg.solve(t @ t.T, t), tr.Tensor)
assert_type(tr.tanh(tr.nn.Parameter(a)), tr.Tensor)

assert_type(tr.einsum("ij,kj->ik", t, a), tr.Tensor)
assert_type(tr.einsum("ij,kj", a, t), tr.Tensor)
assert_type(tr.jacobian(tr.tanh, t), tr.Tensor)
assert_type(tr.hessian(tr.tanh, [1.0]), tr.Tensor)
assert_type(list(t), list[tr.Tensor])
tr.tensor([[1, 2], [3.0, 4]])

assert_type(t + 1, tr.Tensor)
assert_type(2.0 * t @ t.T, tr.Tensor)
assert_type(-t[0], tr.Tensor)
assert_type(t > 0, tr.Tensor)
assert_type(t.sum(axis=0), tr.Tensor)
assert_type(t.detach().reshape((2,)).T, tr.Tensor)
assert_type(t.grad, tr.Tensor | None)
assert_type(t.shape, tuple[int, ...])
assert_type(t.ndim, int)
t.numpy().mean()
tr.tanh(a).mean()

tr.tanh(t, 2)  # expected-error
tr.sum(t, axes=0)  # expected-error
tr.sum(t, dim=0)  # expected-error
tr.gelu(t, approximate="sigmoid")  # expected-error
tr.tanh({"t": t})  # expected-error
t.reshape("a")  # expected-error
tr.set_backend("cuda")  # expected-error
model, adam = tr.nn.Linear(1, 1), tr.optim.Adam([])
tr.fit(model, tr.nn.mse_loss, [], adam, epochs=1, schedule="StepLR")  # expected-error
t.view(2)  # expected-error
t.grads  # expected-error
