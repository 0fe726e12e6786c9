"""How many requests one token or browser may make: a counter a minute, in this process's memory."""

from __future__ import annotations

import threading
import time

from serving.problems import Problem

_KEPT = 10_000
"""Keys after which counters of past minutes are thrown out."""


class RateLimit:
    """Counts requests by key. Several server processes count for themselves."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._counts: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()

    def check(self, key: str) -> None:
        """Raises 429 with the seconds to wait."""
        instant = time.time()
        minute = int(instant // 60)
        with self._lock:
            if len(self._counts) > _KEPT:
                self._counts = {at: n for at, n in self._counts.items() if at[1] == minute}
            count = self._counts.get((key, minute), 0) + 1
            self._counts[key, minute] = count
        if count > self._per_minute:
            wait = str(60 - int(instant % 60))
            raise Problem(429, f"more than {self._per_minute} requests in a minute", headers={"Retry-After": wait})
