"""One link of the chain from camera to push."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Link:
    """One tile of the chain page. rate: per minute; delay: seconds the oldest has waited; state: ok, warning, down.

    `reason` and `next_step` are words for a duty officer; `details` are (words, URL) of the lists behind the numbers.
    """

    key: str
    name: str
    rate: float = 0.0
    rate_unit: str = ""
    backlog: int = 0
    delay: float = 0.0
    last_error: str = ""
    last_error_at: datetime | None = None
    state: str = "ok"
    reason: str = ""
    next_step: str = ""
    details: tuple[tuple[str, str], ...] = field(default=())

    @property
    def tone(self) -> str:
        """Colour of the tile."""
        return {"ok": "green", "warning": "amber", "down": "red"}[self.state]
