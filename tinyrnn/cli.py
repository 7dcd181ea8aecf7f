"""The command ``tinyrnn``: what it understands, and how it fails."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tinyrnn import info
from tinyrnn.draw.choices import LEVELS, STEPPER_LEVELS, STYLES, THEME_NAMES, VALUES, WEIGHTS
from tinyrnn.draw.command import CELLS, LOSSES, PAGES, PICTURES, draw_command, step_command
from tinyrnn.draw.drawing import format_of
from tinyrnn.draw.layout import LayoutError
from tinyrnn.recurrence.truncation.truncated import TruncatedBPTT

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
def _failing(kind: type[Exception] | tuple[type[Exception], ...]) -> Generator[None]:
    """Take an error of a kind, inside, for one of the user's."""
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
    with _failing((ValueError, LayoutError)):  # what the picture refuses, or no engine that draws it
        print(
            draw_command(
                options.output,
                level=options.level,
                expand=options.expand,
                theme=options.theme,
                weights=options.weights,
                values=options.values,
                style=options.style,
                width=options.width,
                dpi=options.dpi,
                animate=options.animate,
                **_model(options),
            )
        )


def _step(options: argparse.Namespace) -> None:
    with _failing(ValueError):  # more records than a page holds
        print(step_command(options.output, level=options.level, **_model(options)))


def _model(options: argparse.Namespace) -> dict[str, Any]:
    """Return what `small_model` is to be made of."""
    names = ("cell", "steps", "layers", "bidirectional", "batch", "loss", "windows", "seed")
    return {name: getattr(options, name) for name in names} | {"hidden_size": options.hidden}


def _info(_: argparse.Namespace) -> None:
    print(info.report())


def _parser() -> Parser:
    parser = Parser(prog="tinyrnn", description="Train recurrent networks, and draw them unrolled in time.")
    parser.add_argument(
        "--version", action="version", version=f"tinyrnn {info.version('tinyrnn') or 'unknown'}"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="demo|draw|step|info")

    def command(name: str, run: Callable[[argparse.Namespace], None], says: str) -> Parser:
        sub = commands.add_parser(name, help=says, description=says)
        sub.set_defaults(run=run)
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
    demo.add_argument("--cell", choices=tuple(CELLS), default="gru", help="the recurrent layer (gru)")
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
    draw.add_argument(
        "--expand", type=_steps, default=(), metavar="T,T", help="steps to show operation by operation"
    )
    draw.add_argument(
        "--weights", choices=WEIGHTS, default="alias", help="a copy at each use, or once (alias)"
    )
    draw.add_argument("--values", choices=VALUES, default="summary", help="what boxes say (summary)")
    draw.add_argument("--theme", choices=THEME_NAMES, default="light", help="colours (light)")
    draw.add_argument(
        "--style", choices=STYLES, default="boxes", help="boxes, or as a textbook has it (boxes)"
    )
    draw.add_argument(
        "--width", type=_centimetres, metavar="CM", help="centimetres, for print: no letter below 7 points"
    )
    draw.add_argument("--dpi", type=_positive, metavar="N", help="dots per inch of a .png (96)")
    draw.add_argument("--animate", action="store_true", help="gradients arrive one by one, in a .svg")
    step = command(
        "step", _step, "Write a page on which backpropagation through time can be stepped through."
    )
    step.add_argument("--level", choices=STEPPER_LEVELS, default="cell", help="what it begins with (cell)")
    for sub, output, kinds in ((draw, "unrolled.svg", PICTURES), (step, "bptt.html", PAGES)):
        sub.add_argument(
            "-o", "--output", type=_ending(kinds), default=output, metavar="FILE",
            help=f"{' '.join(f'.{kind}' for kind in kinds)} ({output})",
        )  # fmt: skip
        sub.add_argument("--cell", choices=tuple(CELLS), default="rnn", help="the recurrent layer (rnn)")
        sub.add_argument("--steps", type=_positive, default=4, metavar="N", help="time steps (4)")
        sub.add_argument("--hidden", type=_positive, default=3, metavar="N", help="hidden units (3)")
        sub.add_argument("--layers", type=_positive, default=1, metavar="N", help="layers (1)")
        sub.add_argument("--bidirectional", action="store_true", help="both directions")
        sub.add_argument("--batch", type=_positive, default=1, metavar="N", help="sequences (1)")
        sub.add_argument("--loss", choices=LOSSES, default="last", help="of the last step, or of all (last)")
        sub.add_argument(
            "--windows", type=_windows, metavar="K1[,K2]",
            help="truncated: windows of K1 steps, gradients over K2; the last window's loss",
        )  # fmt: skip
    for sub in (demo, draw, step):
        sub.add_argument("--seed", type=_natural, default=0, metavar="N", help="same seed, same result (0)")
    command("info", _info, "Say what it runs on: versions, BLAS, threads, extras; for a report of a fault.")
    return parser


# --- arguments: argparse shows the message of an ArgumentTypeError ------------------------------------------
def _centimetres(word: str) -> float:
    try:
        width = float(word)
    except ValueError:
        width = math.nan
    if not 1 <= width < math.inf:
        raise argparse.ArgumentTypeError(f"got {word!r}; expected centimetres, 1 or more")
    return width


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


def _steps(word: str) -> tuple[int, ...]:
    return tuple(_positive(part) for part in word.split(","))


def _windows(word: str) -> TruncatedBPTT:
    parts = _steps(word)
    try:
        return TruncatedBPTT(*parts)
    except (TypeError, ValueError):
        raise argparse.ArgumentTypeError(
            f"got {word!r}; expected K1 or K1,K2: whole numbers, K2 at least K1"
        ) from None


def _ending(formats: Sequence[str]) -> Callable[[str], str]:
    """Return a check, before anything is computed, that a file's suffix says one of some formats."""

    def path(word: str) -> str:
        try:
            format_of("", word, formats)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error).removeprefix(": ")) from None
        return word

    return path
