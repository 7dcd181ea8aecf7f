"""Handwritten digits for the examples: 1,797 images of 8x8 from scikit-learn, in their order."""

import numpy as np
from sklearn.datasets import load_digits

TEST = 500  # the last ones, which are by other hands


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return images (N, 8, 8), from 0 to 1, and their digits; then those for the test."""
    data = load_digits()
    images, digits = (data.images / 16).astype(np.float32), data.target
    return images[:-TEST], digits[:-TEST], images[-TEST:], digits[-TEST:]
