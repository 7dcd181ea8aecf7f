"""The command ``tinyrnn``: what it understands, and how it fails."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Generator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn

CELLS = ("rnn", "lstm", "gru")
LEVELS = ("op", "gate", "cell", "layer", "rolled")
PICTURES = (".svg", ".png", ".pdf", ".dot")

STEPS, QUICK_STEPS = 2000, 300  # updates of the demo


class CommandError(Exception):
    """What the user asked for cannot be done. The message is one line."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Leave with exit code 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code: 0, 2 for bad input, 130 where it was interrupted.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.
    """
    for stream in (sys.stdout, sys.stderr):  # a terminal may not know every character of a text
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # pyright: ignore
    options = _parser().parse_args(argv)
    try:
        options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (CommandError, OSError, MemoryError) as error:
        print(f"tinyrnn {options.command}: {_line(error)}", file=sys.stderr)
        return 2
    return 0


@contextlib.contextmanager
def _failing(kind: type[Exception]) -> Generator[None]:
    """Take an error of this kind, inside, for one of the user's."""
    try:
        yield
    except kind as error:
        raise CommandError(str(error)) from error


def _line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError):
        return f"not enough memory. {error}".strip()
    return str(error)


def _demo(options: argparse.Namespace) -> None:
    from tinyrnn import demo, text

    steps = options.steps or (QUICK_STEPS if options.quick else STEPS)
    with _failing(text.TextError):
        demo.run(
            text.read_shakespeare() if options.shakespeare else text.read_text(options.text),
            words=options.words,
            steps=steps,
            hidden_size=options.hidden,
            cell=options.cell,
            seed=options.seed,
            temperature=options.temperature,
            length=options.length,
            out=options.out,
        )


def _draw(options: argparse.Namespace) -> None:
    from tinyrnn.draw.command import draw_command
    from tinyrnn.draw.layout import LayoutError

    with _failing(LayoutError):
        draw_command(
            str(options.output),
            cell=options.cell,
            steps=options.steps,
            level=options.level,
            hidden_size=options.hidden,
            theme=options.theme,
            seed=options.seed,
        )
    print(options.output)


def _step(options: argparse.Namespace) -> None:
    from tinyrnn import draw
    from tinyrnn.draw.command import small_model

    loss = small_model(options.cell, options.steps, hidden_size=options.hidden, seed=options.seed)
    with _failing(ValueError):  # more records than a page holds
        page = draw.stepper(loss)
    page.save(options.output)
    print(options.output)


def _version() -> str:
    try:
        return version("tinyrnn")
    except PackageNotFoundError:
        return "(not installed)"


def _parser() -> Parser:
    parser = Parser(prog="tinyrnn", description="Train recurrent networks, and draw them unrolled in time.")
    parser.add_argument("--version", action="version", version=f"tinyrnn {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="demo|draw|step")

    def command(name: str, run: Callable[[argparse.Namespace], None], says: str) -> Parser:
        sub = commands.add_parser(name, help=says, description=says)
        sub.set_defaults(run=run)
        sub.add_argument("--seed", type=_natural, default=0, metavar="N", help="same seed, same result (0)")
        return sub

    demo = command(
        "demo",
        _demo,
        "Train a model of characters or words on a text, measure it, sample from it and draw it.",
    )
    source = demo.add_mutually_exclusive_group()
    source.add_argument("--text", metavar="FILE", help="a text in UTF-8 (default: Python's own help topics)")
    source.add_argument("--shakespeare", action="store_true", help="his plays; takes tinyrnn[examples]")
    demo.add_argument("--words", action="store_true", help="word by word, measured by perplexity")
    demo.add_argument("--steps", type=_positive, metavar="N", help=f"updates ({STEPS})")
    demo.add_argument(
        "--quick", action="store_true", help=f"{QUICK_STEPS} updates: seconds (a minute for words)"
    )
    demo.add_argument("--hidden", type=_positive, default=128, metavar="N", help="hidden units (128)")
    demo.add_argument("--cell", choices=CELLS, default="gru", help="the recurrent layer (gru)")
    demo.add_argument(
        "--temperature", type=_temperature, default=0.7, metavar="X", help="of the sample (0.7)"
    )
    demo.add_argument(
        "--length", type=_positive, default=400, metavar="N", help="characters or words in the sample (400)"
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("tinyrnn-demo"),
        metavar="DIR",
        help="folder for the pictures (tinyrnn-demo)",
    )

    draw = command("draw", _draw, "Draw a small recurrent model, unrolled in time, with its gradients.")
    draw.add_argument("--level", choices=LEVELS, default="cell", help="how much to show (cell)")
    draw.add_argument("--theme", choices=("light", "dark"), default="light", help="colours (light)")
    draw.add_argument(
        "-o", "--output", type=_picture, default=Path("unrolled.svg"), metavar="FILE", help=" ".join(PICTURES)
    )
    step = command(
        "step", _step, "Write a page on which backpropagation through time can be stepped through."
    )
    step.add_argument(
        "-o", "--output", type=Path, default=Path("bptt.html"), metavar="FILE", help="an HTML file"
    )
    for sub in (draw, step):
        sub.add_argument("--cell", choices=CELLS, default="rnn", help="the recurrent layer (rnn)")
        sub.add_argument("--steps", type=_positive, default=4, metavar="N", help="time steps (4)")
        sub.add_argument("--hidden", type=_positive, default=3, metavar="N", help="hidden units (3)")
    return parser


# --- arguments: argparse shows the message of an ArgumentTypeError ------------------------------------------
def _positive(word: str) -> int:
    return _integer(word, 1)


def _natural(word: str) -> int:
    return _integer(word, 0)


def _integer(word: str, least: int) -> int:
    try:
        number = int(word)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"got {word!r}; expected a whole number, at least {least}")
    return number


def _temperature(word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"got {word!r}; expected a number above 0")
    return number


def _picture(word: str) -> Path:
    path = Path(word)
    if path.suffix not in PICTURES:
        raise argparse.ArgumentTypeError(f"{word!r} does not end in one of {', '.join(PICTURES)}")
    return path
