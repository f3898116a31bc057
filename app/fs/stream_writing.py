"""What a write stream does to HDFS: a hidden file that grows, and its one RENAME at the end.

The first write creates the hidden file, later ones append to it. A write that broke off is cut
away before the next: the file gets a new hidden name first, so that a request that is still on its
way to a DataNode finds nothing to append to, then TRUNCATE takes it back to what was acknowledged.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

from app.core.errors import (
    FileBusy,
    InvalidRequest,
    IsADirectory,
    PathError,
    PathNotFound,
    Unsupported,
    UpstreamFault,
)
from app.core.lifetimes import Lifetime
from app.core.paths import parent_of
from app.fs.placing import Placing, status_or_none
from app.fs.publish import Counted
from app.fs.stream_claims import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.core.model import FileStatus
    from app.core.paths import HdfsPath
    from app.fs.lifetimes import Lifetimes
    from app.fs.port import FileSystem
    from app.fs.staging import Staging
    from app.fs.stream_claims import Claim, Claims
    from app.fs.stream_records import Writer

PATIENCE_SECONDS = 20.0
"""How long a request waits for HDFS to give up the lease of one that broke off."""
OWN_TIME_SECONDS = 5.0
"""After so long the lease is taken: the DataNode that has it is gone, too, or waits for more."""
_POLL_SECONDS = 0.1
_OWNER_BOTH = 0o600


class StreamWriting:
    """Writes of one user's claimed streams."""

    def __init__(
        self, fs: FileSystem, staging: Staging, claims: Claims, lifetimes: Lifetimes,
    ) -> None:
        self._fs = fs
        self._staging = staging
        self._claims = claims
        self._lifetimes = lifetimes
        self._placing = Placing(fs)

    def append(self, claim: Claim, body: Iterable[bytes]) -> int:
        """Write `body` after what is there, and return its length in bytes.

        Nothing is asked of HDFS before the first byte has come. Raises what `body` does,
        FileBusy, PathNotFound where the directory or the hidden file is gone, UpstreamError.
        """
        pieces = iter(body)
        first = next((piece for piece in pieces if piece), b"")
        with shown(claim.record):
            self._repair(claim)
            if not first:
                return 0
            claim.touched = True
            counted = Counted(chain((first,), pieces))
            self._send(claim.record, counted)
            self._check(claim, claim.record.length + counted.total)
        return counted.total

    def finish(self, claim: Claim) -> None:
        """Make the hidden file what the stream is for. Raises what `Placing.put` does.

        Nothing happens where an earlier request did it, and died before it could say so.
        """
        claim.touched = True
        with shown(claim.record):
            if not self._is_done(claim):
                self._complete(claim)
                self._put(claim.record)

    def _complete(self, claim: Claim) -> None:
        """See to it that the hidden file is there and all that it shall be."""
        record = claim.record
        if not record.length:
            self._send(record, ())
            # A close that is repeated must know its own file.
            self._claims.note(claim, self._described(record, self._fs.status(record.hidden)))
        if record.lifetime != Lifetime():
            since = record.lifetime.since or now()
            self._lifetimes.keep(
                self._fs, record.hidden, self._fs.status(record.hidden),
                record.lifetime._replace(since=since), known_as=record.path,
                owner=record.owner)
        if record.permission != _working_mode(record):
            self._fs.set_permission(record.hidden, record.permission)

    def _put(self, record: Writer) -> None:
        stage = self._staging.stage(self._fs, parent_of(record.path), record.path)

        def replaces() -> bool:
            return record.overwrite and self._replaces(record.path)

        if self._fs.flavor_of(record.path).rename_options:
            self._placing.put(stage, record.path, replaces, record.hidden)
            return
        with stage:  # the journal must know of the old file that is moved aside
            self._placing.put(stage, record.path, replaces, record.hidden)
            stage.done()

    def _replaces(self, path: HdfsPath) -> bool:
        if self._fs.flavor_of(path).rename_options:
            return True
        current = status_or_none(self._fs, path)
        if current and current.is_directory:
            raise IsADirectory(path)
        return current is not None

    def _send(self, record: Writer, body: Iterable[bytes]) -> None:
        if record.length:
            self._fs.append(record.hidden, body)
            return
        # CREATE would make the directory again, had it been removed meanwhile.
        directory = self._fs.status(parent_of(record.path))
        if directory.file_id != record.parent_id > 0:
            raise PathNotFound(record.path, "its directory was replaced")
        self._fs.create(record.hidden, body, permission=_working_mode(record),
                        replication=_exactly(record), block_size=record.block_size or None)

    def _check(self, claim: Claim, length: int) -> None:
        """Note the new length, if the hidden file has it."""
        status = self._fs.status(claim.record.hidden)
        if status.length != length:
            raise UpstreamFault(f"HDFS has {status.length} bytes where {length} were written")
        record = claim.record
        if not record.length:
            record = self._described(record, status)
        claim.record = record._replace(length=length)

    def _described(self, record: Writer, status: FileStatus) -> Writer:
        """Return the record of a file just created, which is as it was asked for by now."""
        mode = _working_mode(record)
        if not status.acl and int(status.permission, 8) != int(mode, 8):
            self._fs.set_permission(record.hidden, mode)
        factor = record.factor(status.replication)
        if factor != status.replication and not status.erasure_coded:
            self._fs.set_replication(record.hidden, factor)
        return record._replace(file_id=status.file_id, replication=factor,
                               block_size=status.block_size)

    # --- after a request that broke off

    def _is_done(self, claim: Claim) -> bool:
        """Repair what needs it; tell whether the file is in its place already."""
        was_closing = claim.was_closing and claim.record.dirty
        try:
            self._repair(claim)
        except PathNotFound:
            if was_closing and self._is_in_place(claim.record):
                return True
            raise
        return was_closing and not claim.record.length and self._is_in_place(claim.record)

    def _is_in_place(self, record: Writer) -> bool:
        there = status_or_none(self._fs, record.path)
        return there is not None and there.file_id == record.file_id > 0

    def _repair(self, claim: Claim) -> None:
        """Take the hidden file back to what was acknowledged, if it may be otherwise."""
        record = claim.record
        if not record.dirty:
            return
        if record.length:
            self._regain(record)
            self._cut(record)
        else:
            for name in record.former:
                self._staging.discard(self._fs, name, record.path)
        claim.record = record._replace(dirty=False, former=[])

    def _regain(self, record: Writer) -> None:
        """Rename the file to its new hidden name; PathNotFound says that it is gone."""
        for name in reversed(record.former):
            try:
                self._placing.move_new(name, record.hidden)
            except PathNotFound as error:
                if error.path != name:
                    raise
            else:
                return
        raise PathNotFound(record.path)

    def _cut(self, record: Writer) -> None:
        """Truncate, when HDFS lets us: first others' leases end, then it recovers the block."""
        now = time.monotonic()
        deadline, take_at = now + PATIENCE_SECONDS, now + OWN_TIME_SECONDS
        while True:
            try:
                if self._is_cut(record):
                    return
            except FileBusy:
                if time.monotonic() > take_at:
                    take_at = self._next_take(record)
            if time.monotonic() > deadline:
                raise FileBusy(record.path)
            time.sleep(_POLL_SECONDS)

    def _next_take(self, record: Writer) -> float:
        """Take the lease, and return when to try that again: never if HDFS agrees."""
        try:
            self._fs.take_lease(record.hidden)
        except FileBusy:  # a block that too few DataNodes have told of; they may, soon
            return time.monotonic() + OWN_TIME_SECONDS
        return math.inf

    def _is_cut(self, record: Writer) -> bool:
        try:
            return self._fs.truncate(record.hidden, record.length)
        except InvalidRequest as error:
            raise UpstreamFault("HDFS has fewer bytes than were written") from error
        except Unsupported:
            # Erasure-coded files cannot be cut; the write that was refused there wrote nothing.
            if self._fs.status(record.hidden).length == record.length:
                return True
            raise


def _working_mode(record: Writer) -> str:
    """Return the mode until close: the owner has to append, whatever they may do then."""
    mode = int(record.permission, 8)
    return record.permission if mode & _OWNER_BOTH == _OWNER_BOTH else f"{mode | _OWNER_BOTH:03o}"


def _exactly(record: Writer) -> int | None:
    """Return the replication factor where only one will do."""
    return record.replication_min if record.replication_min == record.replication_max > 0 else None


@contextmanager
def shown(record: Writer) -> Iterator[None]:
    """Have errors name the file that the stream is for, not its hidden one."""
    try:
        yield
    except PathError as error:
        if error.path in (record.hidden, *record.former):
            error.path = record.path
        raise
