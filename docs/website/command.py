"""The page of the command line, from the parser that reads it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from tinyrnn.cli import _parser

__all__ = ["page", "parsers"]

TITLE = "The command tinyrnn"


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of the command, and of each of its subcommands, by what is typed."""
    top = _parser()
    found: dict[str, argparse.ArgumentParser] = {top.prog: top}
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= {parser.prog: parser for parser in action.choices.values()}
    return found


def page() -> str:
    """Return the page, as reStructuredText."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    yield from (TITLE, "=" * len(TITLE), "")
    for typed, parser in parsers().items():
        yield from (f"``{typed}``", "-" * (len(typed) + 4), "", parser.description or "", "")
        for action in parser._actions:
            if action.help != argparse.SUPPRESS and not isinstance(action, argparse._SubParsersAction):
                yield from (_typed(action), f"    {_said(action)}", "")


def _typed(action: argparse.Action) -> str:
    """Return an option with what follows it, such as ``--steps N``."""
    value = action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else "")
    return ", ".join(f"``{f'{name} {value}'.strip()}``" for name in action.option_strings or [action.dest])


def _said(action: argparse.Action) -> str:
    return (action.help or "").replace("*", r"\*")
