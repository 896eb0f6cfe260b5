"""What a launcher command prints: plain lines, flushed, so that they can be read through a pipe."""

import sys


def say(line: str) -> None:
    """One line on stdout."""
    print(line, flush=True)  # noqa: T201


def complain(line: str) -> None:
    """One line on stderr."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201
