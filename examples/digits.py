"""One to one: a handwritten digit is named, by a feed-forward network.

    python examples/digits.py [--quick] [--seed N] [--out DIR]

Data: the images of `digit_images`. Baseline: the digit whose mean image is nearest. For comparison: the
nearest of all the images, which have to be kept for that.
"""

import digit_images
import numpy as np
import task

import tinyrnn as tr


class Network(tr.nn.Module):
    """A layer of convolutions, and one of everything with everything."""

    def __init__(self):
        self.conv = tr.nn.Conv2d(1, 16, 3, padding=1)
        self.pool = tr.nn.MaxPool2d(2)
        self.dropout = tr.nn.Dropout(0.3)
        self.head = tr.nn.Linear(16 * 4 * 4, 10)

    def forward(self, images):
        seen = self.pool(tr.relu(self.conv(images[:, None])))
        return self.head(self.dropout(seen.reshape((len(images), -1))))

    def loss(self, images, digits):
        return tr.nn.cross_entropy(self(images), digits)


def nearest(known, names, images):
    distances = ((images[:, None] - known) ** 2).sum((2, 3))
    return names[distances.argmin(1)]


def main():
    given = task.arguments(__doc__)
    x, y, x_test, y_test = digit_images.load()
    model = Network()
    task.train(model, tr.data.batches(x, y, 32, rng=given.seed), epochs=20 if given.quick else 60)
    with tr.no_grad():
        named = model(x_test).numpy().argmax(1)
    with tr.unrolled():
        loss = model.loss(x_test[:2], y_test[:2])
    task.draw(loss, given.out, "digits")

    means = np.stack([x[y == digit].mean(0) for digit in range(10)])
    task.conclude(
        f"digits named wrongly, % of {len(y_test)}",
        {
            "nearest mean": 100 * np.mean(nearest(means, np.arange(10), x_test) != y_test),
            "this network": 100 * np.mean(named != y_test),
            "nearest image": 100 * np.mean(nearest(x, y, x_test) != y_test),
        },
        model="this network",
    )


if __name__ == "__main__":
    main()
