"""A run: missing chunks of a file in a row, fetched by one read from HDFS for all who wait.

It goes on at HDFS's speed in a thread of its own, some way ahead of the fastest of its readers
here, whoever else is slow; and ends when nobody reads any more. Each chunk is claimed before the
one before it is shown, so that another worker does not come between and open the file, too.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app.cache.part import NotStored
from app.core.errors import GatewayError, UpstreamFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.cache.chunks import Chunks
    from app.cache.figures import Counted
    from app.cache.part import Part
    from app.fs.port import ByteSource

    Fetch = Callable[[int, int], ByteSource]

AHEAD_BYTES = 16 * 1024**2
IDLE_SECONDS = 20.0
"""How long a run that is ahead keeps its connection to HDFS."""
LONGEST = 256
"""Chunks that one read from HDFS may bring."""
_PIECE = 512 * 1024
_log = logging.getLogger(__name__)


class Run:
    """The chunks `first` (already claimed as `part`) to at most `last`, brought by `fetch`."""

    def __init__(
        self, chunks: Chunks, first: int, last: int, part: Part, *, fetch: Fetch,
        is_same: Callable[[], bool], counted: Counted,
    ) -> None:
        self.chunks = chunks
        self.next = self._first = first
        self.last = _end_of_run(chunks, first, last)
        self.error: GatewayError | None = None
        self.over = False
        self.stale = False
        self.received = 0
        self._part: Part | None = part
        self._fetch = fetch
        self._is_same = is_same
        self._counted = counted
        self._ahead = max(2, AHEAD_BYTES // chunks.size)
        self._readers = 0
        self._wanted = first
        self._changed = threading.Condition()
        self._ended: Callable[[Run], None] = lambda _: None

    def start(self, ended: Callable[[Run], None]) -> None:
        """Begin to fetch; `ended` is called when nothing more will come."""
        self._ended = ended
        threading.Thread(target=self._work, name="httpfs-proxy-cache", daemon=True).start()

    def join(self) -> None:
        """Have one reader more."""
        with self._changed:
            self._readers += 1

    def leave(self) -> None:
        """Have one reader less; without one the run ends after its present chunk."""
        with self._changed:
            self._readers -= 1
            self._changed.notify_all()

    def reaches(self, number: int) -> bool:
        """Tell whether a chunk is one of the next that this run brings."""
        return not self.over and self.next <= number <= min(self.last, self.next + self._ahead)

    def want(self, number: int) -> None:
        """Note that a reader has come to a chunk."""
        with self._changed:
            if number > self._wanted:
                self._wanted = number
                self._changed.notify_all()

    def wait(self, number: int, seconds: float) -> bool:
        """Wait for a chunk; tell False if it did not come in this time, and the run goes on."""
        with self._changed:
            return self._changed.wait_for(lambda: self.over or self.next > number, seconds)

    def _work(self) -> None:
        source: ByteSource | None = None
        try:
            offset = self.chunks.span(self.next)[0]
            end = sum(self.chunks.span(self.last))
            source = self._fetch(offset, end - offset)
            while self._part:
                self._bring(source, self._part)
        except NotStored as error:
            _log.debug("a chunk is not cached: %s", error)
        except GatewayError as error:
            self.error = error
        except Exception:  # noqa: BLE001 the readers are told
            _log.exception("fetching for the cache failed")
            self.error = UpstreamFault("fetching failed; the log has it")
        finally:
            self._end(source)

    def _bring(self, source: ByteSource, part: Part) -> None:
        """Write the next chunk, show it, and claim the one after it."""
        number = self.next
        left = self.chunks.span(number)[1]
        while left:
            piece = source.read(min(_PIECE, left))
            if not piece:
                raise UpstreamFault(f"the content ended {left} bytes early")
            left -= len(piece)
            self.received += len(piece)
            self._counted.count(bytes_fetched=len(piece))
            part.add(piece)
        self._part = self._claimed(number + 1) if self._is_wanted(number + 1) else None
        try:
            part.publish(self.chunks.identity, number)
        finally:
            with self._changed:
                self.next = number + 1
                self._changed.notify_all()
        if self._part is None and number < self.last and self._await_reader(number + 1):
            self._part = self._claimed(number + 1)

    def _claimed(self, number: int) -> Part | None:
        """Return a chunk to be written; None where another has it, or the disk takes nothing."""
        try:
            return self.chunks.claim(number)
        except NotStored as error:
            _log.debug("a chunk is not cached: %s", error)
            return None

    def _is_wanted(self, number: int) -> bool:
        return (number <= self.last and self._readers > 0
                and number <= self._wanted + self._ahead)

    def _await_reader(self, number: int) -> bool:
        """Wait until a reader comes near; tell False if none does."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_wanted(number) or self._readers <= 0, IDLE_SECONDS)
            return self._is_wanted(number)

    def _check(self) -> None:
        """Keep nothing that may be of another version; who reads it goes on without the cache."""
        if not self._is_same():
            self.stale = True
            self.chunks.drop()

    def _end(self, source: ByteSource | None) -> None:
        if self._part:
            self._part.abandon()
        if self.next > self._first:
            self._check()
        with self._changed:
            self.over = True
            self._changed.notify_all()
        self._ended(self)
        if source:
            source.close()


def _end_of_run(chunks: Chunks, first: int, last: int) -> int:
    """Return the last chunk of those that are missing in a row from `first`."""
    end = first
    while end < min(last, first + LONGEST - 1) and not chunks.is_here(end + 1):
        end += 1
    return end
