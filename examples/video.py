"""Video: which digit moves, and which way? A convolutional network sees each frame, a GRU puts them together.

    python examples/video.py [--quick] [--seed N] [--out DIR]

Data: the images of `digit_images`, each moving through eight noisy frames of 20x20, one pixel a frame, in
one of eight directions; at a wall it turns round, and its first way is asked for. Baseline: the same network,
which is shown the first frame alone. That says nothing of the way, so that at best one in eight is right.
"""

import digit_images
import numpy as np
import task

import tinyrnn as tr

SIZE, STEPS, NOISE = 20, 8, 0.1
WAYS = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j])


def videos(images, digits, rng, count, steps=STEPS):
    """Return frames (T, B, 1, SIZE, SIZE), and for each row its digit and its way."""
    chosen, way = rng.integers(len(images), size=count), rng.integers(len(WAYS), size=count)
    room, box = SIZE - images.shape[-1], np.arange(images.shape[-1])
    path = rng.integers(1, room, size=(count, 2)) + np.arange(steps)[:, None, None] * WAYS[way]
    corner = room - abs(room - abs(path))  # (T, B, 2): at a wall it turns round
    rows, columns = (corner[..., k, None] + box for k in (0, 1))
    frames = NOISE * rng.standard_normal((steps, count, SIZE, SIZE), np.float32)
    t, b = np.arange(steps)[:, None, None, None], np.arange(count)[:, None, None]
    frames[t, b, rows[..., None], columns[..., None, :]] += images[chosen]
    return frames[:, :, None], digits[chosen], way


class Network(tr.nn.Module):
    """All frames at once through the convolutions; then step by step."""

    def __init__(self):
        self.conv1 = tr.nn.Conv2d(1, 8, 4, stride=2, padding=1)
        self.conv2 = tr.nn.Conv2d(8, 32, 4, stride=2, padding=1)
        self.what = tr.nn.MaxPool2d(5)  # wherever it is
        self.where = tr.nn.Linear(32 * 5 * 5, 32)
        self.gru = tr.nn.GRU(64, 64)
        self.digit = tr.nn.Linear(64, 10)
        self.way = tr.nn.Linear(64, len(WAYS))

    def forward(self, frames):
        y = tr.relu(self.conv2(tr.relu(self.conv1(frames))))
        what, where = self.what(y).reshape((*y.shape[:2], -1)), self.where(y.reshape((*y.shape[:2], -1)))
        _, h = self.gru(tr.concatenate([what, where], axis=-1))
        return self.digit(h[0]), self.way(h[0])

    def loss(self, frames, digit, way):
        digit_scores, way_scores = self(frames)
        return tr.nn.cross_entropy(digit_scores, digit) + tr.nn.cross_entropy(way_scores, way)


def wrong(model, frames, digit, way):
    """Return the shares of videos of which the digit, the way, and one of the two is wrong, in %."""
    with tr.no_grad():
        a, b = (scores.numpy().argmax(-1) for scores in model(frames))
    return 100 * np.mean([a != digit, b != way, (a != digit) | (b != way)], axis=1)


def main():
    given = task.arguments(__doc__)
    x, y, x_test, y_test = digit_images.load()
    rng = np.random.default_rng(given.seed)
    test = videos(x_test, y_test, np.random.default_rng(1), 1000)
    updates, epochs = (50, 6) if given.quick else (100, 30)

    def train(steps):
        model = Network()
        fresh = task.Fresh(lambda: videos(x, y, rng, 32, steps), updates)
        task.train(model, fresh, epochs, lr=6e-3)
        return model, wrong(model, test[0][:steps], *test[1:])

    model, (digit, way, either) = train(STEPS)
    _, (*_, one_frame) = train(1)
    with tr.unrolled():
        loss = model.loss(test[0][:4, :2], test[1][:2], test[2][:2])
    task.draw(loss, given.out, "video")
    task.conclude(
        "videos of which the digit or the way is named wrongly, % of 1000",
        {
            "one frame alone": one_frame,
            "this network": either,
            "this network: the digit": digit,
            "this network: the way": way,
            "best possible from one frame": 100 * (1 - 1 / len(WAYS)),
        },
        model="this network",
    )


if __name__ == "__main__":
    main()
