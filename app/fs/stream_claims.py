"""One request at a time writes to a stream: it claims the record, and gives it back when done.

A claim lasts as long as its worker lives. What the request of a dead worker did is unknown: who
claims the stream after it gives the hidden file a new name, so that nothing that is still on its
way to HDFS finds it, and cuts away what was not acknowledged.
"""

from __future__ import annotations

import logging
import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.core.errors import GatewayError, StorageFault
from app.core.stream_errors import NoSuchStream, StreamBusy
from app.fs.stream_records import MAX_ID, SPACE, Writer, writer_of
from app.fs.stream_room import StreamRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.fs.stream_records import Reader
    from app.fs.workers import Workers
    from app.state.store import Store, Value

_log = logging.getLogger(__name__)


class Claim:
    """A claimed stream: its record, to be replaced by what shall be kept.

    `taken_over`: the last request broke off, and `repaired` is yet to be done. `touched` says that
    HDFS was asked to change something; `ended` that the stream is over and its record goes.
    """

    def __init__(self, stream_id: int, record: Writer, *, was_closing: bool) -> None:
        self.stream_id = stream_id
        self.record = record
        self.was_closing = was_closing
        self.touched = record.dirty
        self.ended = False


class Claims:
    """The claims of this process, and the way to the records: `most` of each user, 0: no limit."""

    def __init__(self, store: Store, workers: Workers, *, most: int = 0) -> None:
        self.store = store
        self._room = StreamRoom(store, most)
        self._workers = workers
        self._active: set[str] = set()
        self._lost: set[int] = set()

    def add(self, record: Writer | Reader, ttl: float | None = None) -> int:
        """Write a new record, and return the id that it has got. Raises TooManyStreams."""
        self._room.enter(record.owner)
        try:
            while True:
                stream_id = 1 + secrets.randbelow(MAX_ID)
                if self.store.add(SPACE, str(stream_id), record.as_value(), ttl=ttl):
                    return stream_id
        except BaseException:
            self._room.leave(record.owner)
            raise

    @contextmanager
    def claimed(
        self, stream_id: int, may: Callable[[Writer], bool], *, closing: bool = False,
    ) -> Iterator[Claim]:
        """Have the stream to oneself. Raises NoSuchStream, StreamBusy.

        `may` tells whose stream it has to be. What breaks off inside leaves the stream for the
        next to repair, if HDFS was asked for anything. On leaving, the record is as `record`
        says: whoever is told so afterwards can rely on it.
        """
        claim = self._taken(stream_id, may, closing=closing)
        try:
            yield claim
        except BaseException:
            self._give_up(claim)
            raise
        else:
            self._settle(claim)
        finally:
            self._active.discard(claim.record.token)

    @contextmanager
    def opening(self, record: Writer) -> Iterator[Writer]:
        """Give a new record, claimed, that counts as over until it is `opened`.

        What is not by the end is the sweep's to remove.
        """
        token = secrets.token_hex(8)
        self._active.add(token)
        try:
            yield record._replace(over=True, worker=self._workers.own_id, token=token)
        finally:
            self._active.discard(token)

    def opened(self, stream_id: int, record: Writer) -> None:
        """Let a record that was `opening` be used."""
        claim = Claim(stream_id, record._replace(over=False), was_closing=False)
        self._give_back(claim, dirty=False)

    def note(self, claim: Claim, record: Writer) -> None:
        """Write a claimed record now, and go on."""
        if not self._replaced(claim, record):
            raise StreamBusy(record.path)
        claim.record = record

    def is_held(self, record: Writer) -> bool:
        """Tell whether a request is at work on a stream."""
        if record.worker == self._workers.own_id:
            return record.token in self._active
        return bool(record.worker) and self._workers.is_alive(record.worker)

    def free_lost(self) -> None:
        """Free the streams that could not be given back when the store did not serve."""
        for stream_id in list(self._lost):
            value = self.store.get(SPACE, str(stream_id))
            record = writer_of(value)
            if (record and record.worker == self._workers.own_id
                    and record.token not in self._active):
                self._swapped(stream_id, value, record._replace(worker="", token="", dirty=True))
            self._lost.discard(stream_id)

    def drop(self, stream_id: int, owner: str) -> bool:
        """Remove a record of `owner`, whoever has it; tell whether it was there."""
        dropped = self.store.delete(SPACE, str(stream_id))
        if dropped:
            self._room.leave(owner)
        return dropped

    def _taken(self, stream_id: int, may: Callable[[Writer], bool], *, closing: bool) -> Claim:
        while True:
            value = self.store.get(SPACE, str(stream_id))
            before = writer_of(value)
            if before is None or not may(before):
                raise NoSuchStream(stream_id)
            if self.is_held(before):
                raise StreamBusy(before.path)
            record = self._claimed(before)._replace(closing=before.closing or closing)
            self._active.add(record.token)
            try:
                mine = self._swapped(stream_id, value, record)
            except BaseException:
                self._active.discard(record.token)
                raise
            if mine:
                return Claim(stream_id, record, was_closing=before.closing)
            self._active.discard(record.token)

    def _claimed(self, before: Writer) -> Writer:
        token = secrets.token_hex(8)
        dirty = before.dirty or bool(before.worker)
        record = before.renamed(token) if dirty else before
        return record._replace(dirty=dirty, worker=self._workers.own_id, token=token, used=now())

    def _swapped(self, stream_id: int, before: Value | None, after: Writer) -> bool:
        def change(value: Value | None) -> Value | None:
            return after.as_value() if value == before else value

        stored = writer_of(self.store.update(SPACE, str(stream_id), change))
        return stored is not None and stored.token == after.token

    def _give_up(self, claim: Claim) -> None:
        try:
            self._give_back(claim, dirty=claim.touched)
        except GatewayError as problem:
            self._lost.add(claim.stream_id)
            _log.warning("stream of %s is left as it is: %r", claim.record.path, problem)

    def _settle(self, claim: Claim) -> None:
        try:
            self._give_back(claim, dirty=claim.record.dirty)
        except StorageFault:
            self._lost.add(claim.stream_id)
            raise

    def _give_back(self, claim: Claim, *, dirty: bool) -> None:
        """Free the stream, or remove the record of one that ended. Raises StreamBusy if lost."""
        free = claim.record._replace(worker="", token="", dirty=dirty, used=now())
        if not self._replaced(claim, None if claim.ended else free):
            raise StreamBusy(claim.record.path, "another has taken it over")
        if claim.ended:
            self._room.leave(claim.record.owner)

    def _replaced(self, claim: Claim, record: Writer | None) -> bool:
        """Write a claimed record, None removes it; tell whether it was still ours."""
        token = claim.record.token
        ours = [False]

        def change(value: Value | None) -> Value | None:
            ours[0] = value is not None and value.get("token") == token
            if value is None or not ours[0]:
                return value
            # The directories may have become more meanwhile.
            return record and {**record.as_value(), "made": value["made"]}

        self.store.update(SPACE, str(claim.stream_id), change)
        return ours[0]


def now() -> int:
    """Return the time in epoch milliseconds."""
    return time.time_ns() // 1_000_000
