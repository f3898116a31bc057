"""The runs of this worker, so that its readers find them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.cache.chunks import Chunks
    from app.cache.figures import Counted
    from app.cache.run import Run

class Runs:
    """What this worker fetches."""

    def __init__(self, counted: Counted) -> None:
        self.counted = counted
        self._lock = threading.Lock()
        self._runs: dict[str, list[Run]] = {}

    def joined(self, chunks: Chunks, number: int) -> Run | None:
        """Return a run that brings the chunk soon, with one reader more; None if there is none."""
        with self._lock:
            for run in self._runs.get(chunks.name, ()):
                if run.reaches(number):
                    run.join()
                    return run
        return None

    def start(self, run: Run) -> None:
        """Have a run fetch, with one reader."""
        with self._lock:
            self._runs.setdefault(run.chunks.name, []).append(run)
            run.join()
        run.start(self._ended)

    def _ended(self, run: Run) -> None:
        with self._lock:
            left = [other for other in self._runs.get(run.chunks.name, ()) if other is not run]
            if left:
                self._runs[run.chunks.name] = left
            else:
                self._runs.pop(run.chunks.name, None)
