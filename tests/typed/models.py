"""What an editor knows of models, loops and training of a user's own."""

from typing import assert_type

import numpy as np

import tinyrnn as tr


class Tagger(tr.nn.Module):
    """Two results, and an option."""

    def __init__(self) -> None:
        self.rnn = tr.nn.GRU(8, 16)
        self.out = tr.nn.Linear(16, 5)

    def forward(self, x: tr.Tensor, *, steps: int = 1) -> tuple[tr.Tensor, int]:
        """Tag."""
        y, _ = self.rnn(x)
        return self.out(y), steps


class Leaky(tr.nn.Cell):
    """A cell."""

    def __init__(self) -> None:
        self.hidden_size = 4
        self.w = tr.nn.Parameter(np.zeros((4, 4)))

    def step(self, h: tr.Tensor, x: tr.Tensor, /) -> tuple[tr.Tensor, tr.Tensor]:
        """Take one step."""
        h = 0.9 * h + tr.tanh(x @ self.w)
        return h, h.sum(axis=-1)


x = tr.zeros((5, 2, 8))
tagger = Tagger()
logits, steps = tagger(x, steps=2)
assert_type(logits, tr.Tensor)
assert_type(steps, int)
tagger.train().eval()
assert_type(next(tagger.parameters()), tr.nn.Parameter)

leaky = Leaky()
carry, sums = tr.scan(leaky.step, tr.zeros((2, 4)), np.zeros((5, 2, 4)), lengths=[5, 3])
assert_type(carry, tr.Tensor)
assert_type(sums, tr.Tensor)


def counted(c: tuple[tr.Tensor, tr.Tensor], x: tr.Tensor) -> tuple[tuple[tr.Tensor, tr.Tensor], None]:
    """A carry of two, and no output."""
    return (c[1], c[0] + x), None


pair, nothing = tr.scan(counted, (x[0], x[0]), x)
assert_type(pair, tuple[tr.Tensor, tr.Tensor])
assert_type(nothing, None)

loss = tr.nn.mse_loss(logits, np.zeros((5, 2, 5)))
loss.backward()
optimizer = tr.optim.Adam(tagger.parameters(), lr=1e-3)
optimizer.step()
assert_type(tr.optim.clip_grad_norm_(tagger.parameters(), 1.0), float)
assert_type(tr.grad(loss, list(tagger.parameters())), tuple[tr.Tensor | None, ...])
for window in tr.TruncatedBPTT(k1=5).windows(x.data, x.data):
    assert_type(window.run(tr.nn.GRU(8, 16)), tr.Tensor)
    assert_type(window.start, int)
with tr.no_grad(), tr.unrolled(), tr.scope("encoder"):
    pass
assert_type(tr.draw.unrolled(loss, "gate", style="textbook", show=["weights"]), tr.draw.Drawing)
assert_type(tr.draw.stepper(loss, level="op"), tr.draw.Stepper)

tagger(x, step=2)  # expected-error
tagger.foward(x)  # expected-error
tr.optim.Adam(tagger.parameters(), learning_rate=1.0)  # expected-error
tr.fit(tagger, tr.nn.mse_loss, [], optimizer, epochs=1, schedule_each="step")  # expected-error
tr.draw.unrolled(loss, "gates")  # expected-error
tr.draw.unrolled(loss, values="all")  # expected-error
tr.draw.compare(loss, loss, show=["norms"])  # expected-error
tr.draw.stepper(loss, level="rolled")  # expected-error
