"""How long to wait between attempts."""

from __future__ import annotations

import random


class Backoff:
    """Exponential, with jitter: ``first``, ``first * factor`` … up to ``last`` seconds."""

    def __init__(self, first: float, last: float, factor: float = 1.5, jitter: float = 0.2) -> None:
        self._first = first
        self._last = last
        self._factor = factor
        self._jitter = jitter
        self._next = first

    def reset(self) -> None:
        """Something worked: begin again at ``first``."""
        self._next = self._first

    def next(self) -> float:
        """Seconds to wait now; the following wait is longer."""
        wait = self._next
        self._next = min(self._next * self._factor, self._last)
        return wait * (1 + random.uniform(0, self._jitter))
