"""Failures that end a launcher command with one line for its reader."""


class LauncherError(Exception):
    """Something the reader can mend; the message says what happened and what to do next."""
