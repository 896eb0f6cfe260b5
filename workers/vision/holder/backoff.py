"""How long to wait before connecting again."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Full jitter: a random share of base × 2^failures, capped; never less than a quarter of base."""

    def __init__(
        self, base: float = 1.0, cap: float = 60.0, chance: Callable[[], float] = random.random
    ) -> None:
        self._base, self._cap, self._chance = base, cap, chance
        self.failures = 0

    def next(self) -> float:
        """Seconds to wait now; counts one more failure."""
        ceiling = min(self._cap, self._base * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return max(self._base / 4, ceiling * self._chance())

    def reset(self) -> None:
        """The connection held: start small again."""
        self.failures = 0
