"""No alignment given: spoken digits are understood, by CTC.

    python examples/speech.py [--quick] [--seed N] [--out DIR]

Data: the recordings of the digits inside the package `captcha`, three to seven of them strung together, with
gaps, speed, pitch and noise drawn anew each time; read as a spectrogram. There is one recording of each
digit, so that what is tested is to hear it through the changes. Baseline: the best frame by frame, which
names each from five of them (0.1 seconds), and learns from sounds of which *every* frame is named.
"""

import importlib.util
import wave
from pathlib import Path

import ctc_reader
import numpy as np
import task

import tinyrnn as tr

RATE, WINDOW, BANDS = 8000, 256, 24


def recordings():
    """Return the sound of each digit, from -1 to 1, 8,000 numbers a second."""
    spec = importlib.util.find_spec("captcha")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit('the recordings are in a package that is not installed: pip install ".[examples]"')
    sounds = []
    for digit in range(10):
        with wave.open(
            str(Path(spec.submodule_search_locations[0]) / "data" / str(digit) / "default.wav")
        ) as f:
            sounds.append(np.frombuffer(f.readframes(f.getnframes()), np.uint8) / 128.0 - 1.0)
    return sounds


def bands():
    """Return weights (WINDOW / 2 + 1, BANDS): triangles, as wide as the ear tells pitches apart (mel)."""
    mel = np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1) / RATE * WINDOW
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    k = np.arange(WINDOW // 2 + 1)[:, None]
    return np.clip(np.minimum((k - low) / (middle - low), (high - k) / (high - middle)), 0, None)


EAR, SHAPE = bands(), np.hanning(WINDOW)


def utterance(sounds, rng):
    """Return the logarithm of a spectrogram (T, BANDS), the labels, and the label of each frame."""
    digits, pitch = rng.integers(10, size=rng.integers(3, 8)), rng.uniform(0.8, 1.25)
    parts, named = [], []
    for digit in digits:
        sound, silence = sounds[digit], np.zeros(rng.integers(200, 1200))
        said = np.interp(np.arange(0, len(sound) - 1, pitch), np.arange(len(sound)), sound)
        parts += [silence, said * rng.uniform(0.5, 1.5)]
        edge = len(said) // 5  # its middle has its label
        named += [np.zeros(len(silence) + edge), np.full(len(said) - 2 * edge, digit + 1), np.zeros(edge)]
    sound = np.concatenate([*parts, np.zeros(WINDOW)])
    sound = sound + rng.uniform(0.01, 0.1) * rng.standard_normal(len(sound))
    hop = rng.integers(112, 176)  # a longer one is a faster voice of the same pitch
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::hop]
    power = np.abs(np.fft.rfft(frames * SHAPE)) ** 2 @ EAR
    middles = np.minimum(np.arange(len(frames)) * hop + WINDOW // 2, len(sound) - WINDOW - 1)
    labels = np.concatenate(named).astype(int)[middles]
    return (np.log(power + 1e-2) / 3).astype(np.float32), digits + 1, labels


def utterances(sounds, rng, count):
    """Return a batch as `ctc_reader` wants it."""
    rows = [utterance(sounds, rng) for _ in range(count)]
    frames, lengths = tr.data.pad_sequence([row[0] for row in rows])
    return frames, lengths, [row[1] for row in rows], tr.data.pad_sequence([row[2] for row in rows])[0]


def main():
    given = task.arguments(__doc__)
    sounds, rng = recordings(), np.random.default_rng(given.seed)
    updates, epochs = (45, 4) if given.quick else (100, 10)
    test = utterances(sounds, np.random.default_rng(1), 50 if given.quick else 300)
    ctc_reader.compare(lambda: utterances(sounds, rng, 16), test, 2, updates, epochs, given, "speech")


if __name__ == "__main__":
    main()
