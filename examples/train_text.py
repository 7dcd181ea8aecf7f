"""A character model, trained by truncated backpropagation through time: the whole loop, by hand."""

import numpy as np

import tinyrnn as tr
from tinyrnn import text

K1, K2, BATCH = 32, 48, 16  # an update every 32 characters, whose gradient goes back 48

contents = text.read_text()
vocabulary = tr.data.Vocabulary(contents)
x, y = tr.data.streams(vocabulary.encode(contents), BATCH)  # (T, B): y is the character after x

tr.manual_seed(0)
embedding = tr.nn.Embedding(len(vocabulary), 32)
lstm = tr.nn.LSTM(32, 64)
head = tr.nn.Linear(64, len(vocabulary))
parameters = [p for part in (embedding, lstm, head) for p in part.parameters()]
optimizer = tr.optim.Adam(parameters, lr=0.01)


def model(x, carry):
    y, carry = lstm(embedding(x), carry)
    return head(y), carry


for window in tr.TruncatedBPTT(K1, K2).windows(x[:16000], y[:16000]):
    logits = window.run(model)
    loss = tr.nn.cross_entropy(logits, window.y)
    optimizer.zero_grad()
    loss.backward()
    norm = tr.optim.clip_grad_norm_(parameters, max_norm=1.0)
    optimizer.step()
    if window.stop % 3200 == 0:
        bits = loss.item() / np.log(2)
        print(f"{window.stop:6} steps: {bits:.2f} bits a character, gradient norm {norm:.2f}")
