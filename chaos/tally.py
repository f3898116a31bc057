"""Counts of what happened, from many threads."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


class Tally:
    """Operations by kind and outcome, and what no promise allows; `log` gets a line per failure."""

    def __init__(self, log: TextIO) -> None:
        self._log = log
        self.operations: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        """By what broke lately (a fault's kind), and whether it was a read or a write."""
        self.acknowledged = 0
        self.ambiguous = 0
        self.refused = 0
        self.wrong: list[str] = []
        self.during = "quiet"
        """The kind of the fault that is being made."""
        self._lock = threading.Lock()

    def did(self, kind: str) -> None:
        """Count an operation that was answered as it must be."""
        with self._lock:
            self.operations[kind] += 1

    def failed(self, kind: str, sort: str, how: str) -> None:
        """Count an operation that was answered by an honest error, or not at all."""
        with self._lock:
            self.operations[kind] += 1
            self.failures[f"{self.during}: {sort}"] += 1
            self._note(f"{kind}: {how}")

    def wrote(self) -> None:
        """Count a write that was acknowledged."""
        with self._lock:
            self.acknowledged += 1

    def doubted(self) -> None:
        """Count a write of which it is not known whether it happened."""
        with self._lock:
            self.ambiguous += 1

    def turned_away(self) -> None:
        """Count a request that found nobody listening."""
        with self._lock:
            self.refused += 1

    def saw_wrong(self, what: str) -> None:
        """Note an answer that no promise allows."""
        with self._lock:
            self.wrong.append(self._note(f"wrong: {what}"))

    def _note(self, what: str) -> str:
        line = f"{time.strftime('%H:%M:%S')} ({self.during}) {what}"
        print(line, file=self._log, flush=True)
        return line
