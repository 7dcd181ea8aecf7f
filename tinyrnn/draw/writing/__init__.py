"""From places to DOT text."""
