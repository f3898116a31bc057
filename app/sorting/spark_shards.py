"""Shards, read and written member by member: tar, gzipped tar, zip. Names in them are only names.

Nothing is ever unpacked to files of these names. Members that are no regular files have no content
to sort: directories are left out, for links and devices the sort fails.
"""

from __future__ import annotations

import gzip
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from app.sorting.spark_errors import SortError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

TAR, TGZ, TAR_GZ, ZIP = EXTENSIONS = (".tar", ".tgz", ".tar.gz", ".zip")
_TAR_BLOCK = 512
_PIECE = 1024 * 1024
_TAR_FIELDS = ("mode", "mtime", "uid", "gid", "uname", "gname", "pax_headers")
_ZIP_FIELDS = ("date_time", "external_attr", "create_system", "compress_type")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile,
           NotImplementedError)


class Unsortable(Exception):
    """Something in a shard cannot be sorted."""


class Member(NamedTuple):
    """One file of a shard; `about` is what the archive says of it beside name and content."""

    name: str
    about: dict[str, Any]
    data: bytes


def split_name(name: str) -> tuple[str, str]:
    """Return the record that a file belongs to and its extension: from the first dot of its name.

    `a.b/pic.jpg.txt` is `.jpg.txt` of the record `a.b/pic` (AIStore's extract.Ext).
    """
    folder, slash, last = name.rpartition("/")
    stem, dot, rest = last.partition(".")
    return f"{folder}{slash}{stem}", f"{dot}{rest}"


def size_in_shard(member: Member, extension: str) -> int:
    """Return the bytes that a member takes in a shard before compression, headers included."""
    if extension == ZIP:
        return len(member.data)
    return _TAR_BLOCK + -(-len(member.data) // _TAR_BLOCK) * _TAR_BLOCK


def read_shard(
    shard: str, source: IO[bytes], extension: str, *, most: int, room: int,
) -> Iterator[Member]:
    """Yield the files of a shard in their order.

    No file may have more than `most` bytes, all together no more than `room`. Raises SortError.
    """
    files = _zip_files if extension == ZIP else _tar_files
    try:
        for name, size, about, read in files(source, extension):
            room -= size
            _check_size(name, size, most, room)
            data = read(size)
            if len(data) != size:
                raise EOFError(f"file '{name}' is cut short")
            yield Member(name, about, data)
    except _BROKEN as error:
        raise SortError(f"shard {shard} cannot be read as {extension}: {error}") from error
    except Unsortable as error:
        raise SortError(f"shard {shard}: {error}") from None


def _check_size(name: str, size: int, most: int, room: int) -> None:
    if size > most:
        raise Unsortable(f"file '{name}' has {size} bytes; with sort.memory as it is set, at most"
                         f" {most} can be sorted")
    if room < 0:
        raise Unsortable("unpacked it has more bytes than sort.max_bytes allows")


_File = tuple[str, int, dict[str, Any], "Callable[[int], bytes]"]


def _tar_files(source: IO[bytes], extension: str) -> Iterator[_File]:
    if extension == TAR:
        yield from _unpacked_files(source)
        return
    # tarfile's own reading of gzip compares no checksum.
    with gzip.GzipFile(fileobj=source, mode="rb") as unpacked:
        yield from _unpacked_files(unpacked)
        while unpacked.read(_PIECE):
            pass


def _unpacked_files(source: IO[bytes] | gzip.GzipFile) -> Iterator[_File]:
    with tarfile.open(fileobj=source, mode="r|", bufsize=_PIECE) as archive:
        for info in archive:
            _forget(archive)
            if info.isdir():
                continue
            if not info.isreg():
                raise Unsortable(f"'{info.name}' is no regular file, but a link or a device")
            content = archive.extractfile(info)
            assert content
            yield (info.name, info.size, {name: getattr(info, name) for name in _TAR_FIELDS},
                   content.read)


def _zip_files(source: IO[bytes], _extension: str) -> Iterator[_File]:
    # The directory of a zip is at its end.
    with tempfile.TemporaryFile() as whole:
        while piece := source.read(_PIECE):
            whole.write(piece)
        with zipfile.ZipFile(whole) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                if info.flag_bits & 1:
                    raise Unsortable(f"'{info.filename}' is encrypted")
                with archive.open(info) as content:
                    yield (info.filename, info.file_size,
                           {name: getattr(info, name) for name in _ZIP_FIELDS}, content.read)


@contextmanager
def shard_writer(target: IO[bytes], extension: str) -> Iterator[Callable[[Member], None]]:
    """Give what adds a member to a new shard, which is written to `target` as it grows.

    The same members always make the same bytes.
    """
    if extension == ZIP:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            yield lambda member: _add_to_zip(archive, member)
    elif extension == TAR:
        with tarfile.open(fileobj=target, mode="w|", bufsize=_PIECE) as tar:
            yield lambda member: _add_to_tar(tar, member)
    else:
        with gzip.GzipFile("", "wb", 6, target, mtime=0) as packed, \
                tarfile.open(fileobj=packed, mode="w|", bufsize=_PIECE) as tar:
            yield lambda member: _add_to_tar(tar, member)


def _add_to_tar(archive: tarfile.TarFile, member: Member) -> None:
    info = tarfile.TarInfo(member.name)
    info.size = len(member.data)
    for name, value in member.about.items():
        setattr(info, name, value)
    archive.addfile(info, _Once(member.data))  # type: ignore[arg-type]
    _forget(archive)


def _forget(archive: tarfile.TarFile) -> None:
    """Have an archive not remember every member that it has seen."""
    archive.members = []  # type: ignore[attr-defined]


def _add_to_zip(archive: zipfile.ZipFile, member: Member) -> None:
    info = zipfile.ZipInfo(member.name)
    for name, value in member.about.items():
        setattr(info, name, value)
    if info.compress_type != zipfile.ZIP_STORED:
        info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, member.data)


class _Once:
    """The bytes of a member as a file that is read once, without a copy of them all."""

    def __init__(self, data: bytes) -> None:
        self._rest = memoryview(data)

    def read(self, size: int) -> memoryview:
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def write_shard(target: IO[bytes], extension: str, members: Iterable[Member]) -> int:
    """Write a whole shard; return how many members it has."""
    count = 0
    with shard_writer(target, extension) as add:
        for member in members:
            add(member)
            count += 1
    return count
