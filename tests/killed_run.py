"""A run with all kinds of chance, killed at an update: ``killed_run.py FOLDER KIND [UPDATE]``."""

import os
import signal
import sys
from pathlib import Path

import numpy as np

import tinyrnn as tr

folder, kind, kill_at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else -1

tr.manual_seed(7)
data = np.random.default_rng(1)
x, y = data.normal(size=(40, 12, 3)).astype(np.float32), data.integers(0, 4, (40, 12))


class Model(tr.nn.Module):
    def __init__(self) -> None:
        self.rnn = tr.nn.GRU(3, 8, num_layers=2, dropout=0.3, rng=5)  # a generator of its own
        self.drop = tr.nn.Dropout(0.2)  # the library's
        self.head = tr.nn.Linear(8, 4)

    def forward(self, x, state=None):
        h, state = self.rnn(x, state)
        return self.head(self.drop(h)), state


model = Model()
optimizer = tr.optim.Adam(model.parameters(), lr=0.02)
schedule = tr.optim.ReduceLROnPlateau(optimizer, patience=0)
updates = 0


def loss(model, batch):
    global updates
    updates += 1
    if updates == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "windows":
        return tr.nn.cross_entropy(batch.run(model), batch.y)
    return tr.nn.cross_entropy(model(batch[0])[0], batch[1])


batches = (
    (lambda: tr.TruncatedBPTT(k1=8, k2=16).windows(x, y))
    if kind == "windows"
    else tr.data.batches(x, y, size=3, rng=9, axis=1)
)
history = tr.fit(
    model,
    loss,
    batches,
    optimizer,
    epochs=6,
    validate=lambda model: tr.nn.cross_entropy(model(x[:, :5])[0], y[:, :5]),
    clip=1.0,
    schedule=schedule,
    callbacks=[tr.training.EarlyStopping(4), tr.training.BestWeights()],
    checkpoint=folder / "run.npz",
)
tr.save(
    folder / "end.npz",
    model=model,
    optimizer=optimizer,
    schedule=schedule,
    history=history,
    rng=tr.get_rng_state(),
    dropout=model.rnn.rng,
)
