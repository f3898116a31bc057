"""A directory as one stream: tar (POSIX pax), tar.gz is tar compressed, or zip (ZIP64).

Nothing is held but one directory page a level and one chunk of content. Files that vanish while
the archive is made are left out; anything else that goes wrong ends the stream with an error, so
that the receiver sees a broken archive and not a complete one that lacks something.
"""

from __future__ import annotations

import io
import tarfile
import time
import zipfile
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import PathNotFound, UpstreamFault
from app.core.paths import child_of
from app.fs.listing import Listing
from app.fs.placing import status_or_none
from app.fs.publish import pieces

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from _typeshed import ReadableBuffer as Buffer

    from app.core.model import FileStatus
    from app.core.paths import HdfsPath
    from app.fs.port import ByteSource, FileSystem

_TRIES = 10
_BLOCK = 512
_ZIP_TIMES = 315532800, 4354819198  # 1980-01-01 to 2107-12-31: zip knows no other


class Entry(NamedTuple):
    """One member: `name` inside the archive, its status, and its content if it is a file."""

    name: str
    status: FileStatus
    source: ByteSource | None


class Archive:
    """The members of a directory (or of one file), all below `name`.

    The status and the first page of `path` are read by the constructor.
    """

    def __init__(self, fs: FileSystem, path: HdfsPath, name: str) -> None:
        self._fs = fs
        self._path = path
        self.name = harmless(name)
        self._status = fs.status(path)
        self._listing = Listing(fs, path, None, None) if self._status.is_directory else None

    def tar(self) -> Generator[bytes]:
        """Yield the archive in tar's pax format (POSIX.1-2001)."""
        for entry in self._entries():
            yield _tar_header(entry)
            yield from _contents(entry)
            yield bytes(-entry.status.length % _BLOCK)
        yield bytes(2 * _BLOCK)

    def zip(self) -> Generator[bytes]:
        """Yield the archive in zip's format, members deflated, sizes after the data."""
        sink = _Sink()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for entry in self._entries():
                with archive.open(_zip_info(entry), "w", force_zip64=True) as member:
                    for chunk in _contents(entry):
                        member.write(chunk)
                        yield sink.take()
                yield sink.take()
        yield sink.take()

    def _entries(self) -> Iterator[Entry]:
        if self._listing is None:
            yield from self._file(self.name, self._path, self._status)
            return
        yield Entry(f"{self.name}/", self._status, None)
        # A stack, as HDFS's trees may be deeper than Python recurses.
        opened = [(self.name, self._path, _statuses(self._listing))]
        while opened:
            prefix, directory, rest = opened[-1]
            status = next(rest, None)
            if status is None:
                opened.pop()
                continue
            path = child_of(directory, status.path_suffix)
            name = f"{prefix}/{harmless(status.path_suffix)}"
            if not status.is_directory:
                yield from self._file(name, path, status)
            elif (listing := self._listed(path)) is not None:
                yield Entry(f"{name}/", status, None)
                opened.append((name, path, _statuses(listing)))

    def _listed(self, path: HdfsPath) -> Listing | None:
        try:
            return Listing(self._fs, path, None, None)
        except PathNotFound:
            return None

    def _file(self, name: str, path: HdfsPath, status: FileStatus) -> Iterator[Entry]:
        entry = self._opened(name, path, status)
        if entry is None:
            return
        try:
            yield entry
        finally:
            if entry.source:
                entry.source.close()

    def _opened(self, name: str, path: HdfsPath, status: FileStatus) -> Entry | None:
        """Return the member with its content, None where the file is gone."""
        for _ in range(_TRIES):
            if not status.length:
                return Entry(name, status, None)
            try:
                return Entry(name, status, self._fs.open(path, 0, status.length, status.file_id))
            except PathNotFound:
                # Removed, or replaced by a file with a status of its own.
                fresh = status_or_none(self._fs, path)
            if fresh is None or fresh.is_directory:
                return None
            status = fresh
        raise UpstreamFault(f"{name} is replaced faster than it can be read")


def harmless(name: str) -> str:
    """Return a name as an archive may have it.

    A backslash is a letter in HDFS, and a separator where archives are unpacked on Windows: what
    would lead out of the directory there has `%5C` for it.
    """
    leads_out = name.startswith("\\") or ".." in name.split("\\")
    return name.replace("\\", "%5C") if leads_out else name


def _statuses(listing: Listing) -> Iterator[FileStatus]:
    for page in listing:
        yield from page


def _contents(entry: Entry) -> Iterator[bytes]:
    if entry.source:
        yield from pieces(entry.source, entry.status.length, entry.name)


def _tar_header(entry: Entry) -> bytes:
    info = tarfile.TarInfo(entry.name)
    info.type = tarfile.DIRTYPE if entry.status.is_directory else tarfile.REGTYPE
    info.size = entry.status.length
    info.mode = int(entry.status.permission, 8)
    info.mtime = entry.status.modification_time // 1000
    info.uname, info.gname = entry.status.owner, entry.status.group
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _zip_info(entry: Entry) -> zipfile.ZipInfo:
    first, last = _ZIP_TIMES
    seconds = min(max(entry.status.modification_time // 1000, first), last)
    info = zipfile.ZipInfo(entry.name, time.gmtime(seconds)[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    kind = 0o040000 if entry.status.is_directory else 0o100000
    info.external_attr = (kind | int(entry.status.permission, 8)) << 16
    if entry.status.is_directory:
        info.external_attr |= 0x10
    return info


class _Sink(io.RawIOBase):
    """A file that cannot seek, whose content is taken out as it grows."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """Tell that this can be written to."""
        return True

    def write(self, data: Buffer) -> int:
        """Keep a copy: zipfile reuses its buffers."""
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data
