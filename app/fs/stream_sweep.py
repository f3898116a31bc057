"""The end of write streams that nobody closes: after their idle limit nothing of them is left."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from app.core.errors import GatewayError
from app.core.stream_errors import NoSuchStream, StreamBusy
from app.fs.rhythm import UNFINISHED
from app.fs.stream_claims import now
from app.fs.stream_records import SPACE, writer_of
from app.fs.stream_removal import remove

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.fs.port import Backend
    from app.fs.staging import Staging
    from app.fs.stream_claims import Claim, Claims
    from app.fs.stream_records import Writer

_BEAT_SECONDS = 5.0
"""How long one sweep may take, as others wait for it."""
_log = logging.getLogger(__name__)


class StreamSweep:
    """Removes write streams without a request for `idle` seconds; `clock` tells milliseconds.

    A stream that a living worker has claimed is never touched.
    """

    def __init__(
        self, backend: Backend, staging: Staging, claims: Claims, *, idle: float,
        clock: Callable[[], int] = now,
    ) -> None:
        self._backend = backend
        self._staging = staging
        self._claims = claims
        self._idle = idle
        self._clock = clock
        self._broken_off = False

    def beat(self) -> object:
        """Sweep, and say UNFINISHED where that took too long to do all."""
        self.sweep()
        return UNFINISHED if self._broken_off else None

    def sweep(self) -> int:
        """Remove the streams that are due; return how many."""
        ended = 0
        self._broken_off = False
        give_up = time.monotonic() + _BEAT_SECONDS
        for stream_id in self._due():
            ended += self._end(stream_id)
            if time.monotonic() > give_up:
                self._broken_off = True
                break
        return ended

    def _due(self) -> list[int]:
        """Return the streams that are due, the youngest first.

        Directories made for an older one may hold those made for a younger.
        """
        found: list[tuple[int, int]] = []
        for key, value in self._claims.store.scan(SPACE):
            record = writer_of(value)
            if record is not None and self._is_due(record):
                found.append((record.created, int(key)))
        return [stream_id for _, stream_id in sorted(found, reverse=True)]

    def _is_due(self, record: Writer) -> bool:
        idle = record.over or self._clock() - record.used > self._idle * 1000
        return idle and not self._claims.is_held(record)

    def _end(self, stream_id: int) -> bool:
        try:
            with self._claims.claimed(stream_id, self._is_due) as claim:
                claim.touched = True
                self._remove(stream_id, claim)
        except (NoSuchStream, StreamBusy):
            return False
        except GatewayError as problem:
            _log.warning("stream %d stays for now: %r", stream_id, problem)
            return False
        return True

    def _remove(self, stream_id: int, claim: Claim) -> None:
        record = claim.record
        fs = self._backend.as_user(record.user)
        remove(fs, self._staging, stream_id, record)
        claim.ended = True
        _log.info("removed the stream of %s that %s left open", record.path, record.user)
