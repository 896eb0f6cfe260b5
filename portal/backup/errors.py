"""What can go wrong with an archive."""


class BackupError(Exception):
    """The backup or restore did not happen, or did not hold; the message says why and what to do."""
