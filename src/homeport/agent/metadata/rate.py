"""A token bucket: so many requests a second, so many at once."""

from __future__ import annotations

import time
from collections.abc import Callable


class RateLimit:
    """``allow`` takes one request's token, if there is one."""

    def __init__(
        self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._filled_at = clock()

    def allow(self) -> bool:
        """Whether one more request may be answered now."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
