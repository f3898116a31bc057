"""FileStreams: the streams of one principal. Who speaks Alluxio's dialect stands on it.

create, any number of writes, close; or open, any number of reads, close: each a request of its own
that any worker may get. Until close nothing has the name of the file, nor a change of it; a close
that HDFS refuses (another was quicker, the directory is gone) ends the stream and removes what was
written, while one that could not reach HDFS may be repeated.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from app.core.errors import (
    AccessDenied,
    Conflict,
    FileBusy,
    GatewayError,
    InvalidRequest,
    NotFound,
    PathNotFound,
    StorageFault,
    Unsupported,
)
from app.core.stream_errors import IncompleteFile, NoSuchStream, StreamBusy
from app.fs.publish import file_status
from app.fs.stream_creation import StreamCreation
from app.fs.stream_reading import StreamReading
from app.fs.stream_records import SPACE, Reader, reader_of
from app.fs.stream_removal import remove
from app.fs.stream_writing import StreamWriting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app.core.identity import Principal
    from app.core.model import ByteRange
    from app.fs.lifetimes import Lifetimes
    from app.fs.port import FileSystem
    from app.fs.staging import Staging
    from app.fs.stream_claims import Claims
    from app.fs.stream_reading import Reading
    from app.fs.stream_records import OpenedFile

_REFUSALS = (Conflict, NotFound, AccessDenied, InvalidRequest, Unsupported)
"""Errors at close that another try will not change: they end the stream."""
_PASSING = (StreamBusy, FileBusy)


class FileStreams(StreamCreation):
    """The streams of one principal; `idle` seconds without a request end one."""

    def __init__(
        self, principal: Principal, fs: FileSystem, staging: Staging, claims: Claims,
        lifetimes: Lifetimes, *, idle: float,
    ) -> None:
        super().__init__(principal, fs, staging, claims)
        self._idle = idle
        self._writing = StreamWriting(fs, staging, claims, lifetimes)
        self._reads = StreamReading(fs, self._store, idle)

    # --- writing

    def write(self, stream_id: int, body: Iterable[bytes]) -> int:
        """Append `body`, and return its length in bytes once HDFS has all of it.

        Raises NoSuchStream and StreamBusy before `body` is touched. Where it fails, nothing of it
        stays, and what earlier writes brought does.
        """
        with self._claims.claimed(stream_id, self._may_write) as claim:
            before = claim.record
            written = self._writing.append(claim, body)
        if written and not before.length:
            # What is told of the file meanwhile is no reason to say that nothing was written.
            with suppress(StorageFault):
                self._index.tell(stream_id, claim.record)
        return written

    def close(self, stream_id: int) -> None:
        """End a stream; the file of a write stream is in its place then."""
        reader = reader_of(self._store.get(SPACE, str(stream_id)))
        if reader:
            if not self._may_read(reader) or not self._claims.drop(
                    stream_id, reader.owner):
                raise NoSuchStream(stream_id)
            return
        refused: GatewayError | None = None
        with self._claims.claimed(stream_id, self._may_write, closing=True) as claim:
            try:
                self._writing.finish(claim)
                self._index.remove(stream_id, claim.record.path)
                claim.ended = True
            except _PASSING:
                raise
            except _REFUSALS as error:
                refused = error
                remove(self._fs, self._staging, stream_id, claim.record._replace(dirty=True))
                claim.ended = True
        if refused:
            raise refused

    # --- reading

    def open(self, path: str) -> int:
        """Return the id of a new stream that reads the file as it is now.

        Raises PathNotFound, NotAFile, AccessDenied, IncompleteFile where it is only being written.
        """
        real = self.real(path)
        try:
            status = file_status(self._fs, real)
        except PathNotFound:
            if self.written_at(path):
                raise IncompleteFile(real) from None
            raise
        self._fs.check_access(real, "r--")
        return self._claims.add(
            Reader(self._principal.name, real, status.file_id, status.length,
                   status.modification_time), ttl=self._idle)

    def reading(
        self, stream_id: int, choose: Callable[[int], ByteRange | None],
    ) -> Reading:
        """Return the rest of the file, which the stream then has behind it.

        `choose` gets the file's length and may pick a range, which moves nothing. Raises
        NoSuchStream, PathNotFound where the file is gone.
        """
        record = reader_of(self._store.get(SPACE, str(stream_id)))
        if record is None or not self._may_read(record):
            raise NoSuchStream(stream_id)
        return self._reads.reading(stream_id, record, choose)

    # --- what is being written

    def written_at(self, path: str) -> OpenedFile | None:
        """Return the file that a stream is writing at `path`.

        To be asked where HDFS has nothing there, so that it has said who may know.
        """
        opened = self._index.at(self.real(path))
        return opened if opened and self._has_directory(opened) else None

    def written_in(self, path: str) -> list[OpenedFile]:
        """Return the files that streams are writing in a directory, in the order of their names."""
        found = self._index.within(self.real(path))
        # Those of a directory have the same one; who has not, is of an earlier.
        there = {one.parent_id: self._has_directory(one) for one in found}
        return [one for one in found
                if there[one.parent_id] and self._principal.sees(one.path)]

    def _may_read(self, record: Reader) -> bool:
        return self._is_own(record.owner, record.path)
