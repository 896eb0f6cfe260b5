"""Work that kills the process which does it: told from work whose process was killed by something else."""

from __future__ import annotations

from typing import Any

MOST_CRASHES = 3
"""So often a piece of work may end its process; then it is put aside, and the log says so."""


def is_again(task: Any) -> bool:
    """Whether this message was handed out before: its process died, or ended without finishing."""
    return bool((task.request.delivery_info or {}).get("redelivered"))
