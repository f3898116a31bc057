"""list-status: directories of any size and depth, told while they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug import Response

from app.core.errors import AccessDenied, PathNotFound
from app.streams.errors import JSON_TYPE
from app.streams.file_info import encoded, file_info, opened_info

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from app.streams.call import AlluxioCall

_PIECE = 64 * 1024
_AT_ONCE = 4
"""So many pieces are made before the first is sent: what breaks by then still has a status."""


def list_status(call: AlluxioCall) -> Response:
    """Answer the FileInfo of each entry of a directory, or of the file itself."""
    if call.options.get("loadMetadataOnly", False):
        return Response(b"[]", content_type=JSON_TYPE)
    return _streamed(_joined(_infos(call)))


def _infos(call: AlluxioCall) -> Iterator[bytes]:
    """Yield the JSON of each entry; files being written come first in their directory."""
    recursive, path = call.options.get("recursive", False), call.path
    mounts = call.services.mounts
    try:
        entries = call.files.entries(
            path, recursive=recursive, details=call.services.settings.streams.list_details)
    except PathNotFound:
        opened = call.written()
        if not opened:
            raise
        yield encoded(opened_info(opened, call.principal, mounts))
        return
    yield from _written_in(call, path)
    for entry in entries:
        yield encoded(file_info(entry, call.principal, mounts))
        if recursive and entry.status.is_directory:
            yield from _written_in(call, call.principal.visible(entry.path))


def _written_in(call: AlluxioCall, directory: str) -> Iterator[bytes]:
    """Yield the JSON of files that are being written; where one is to be replaced, that is told.

    An empty directory has been told without looking into it: this caller may not, perhaps.
    """
    found = call.streams.written_in(directory)
    if not found or not _may_look(call, directory):
        return
    for opened in found:
        if call.files.is_missing(opened.path):
            yield encoded(opened_info(opened, call.principal, call.services.mounts))


def _may_look(call: AlluxioCall, directory: str) -> bool:
    try:
        call.files.check_access(directory, "r-x")
    except (AccessDenied, PathNotFound):
        return False
    return True


def _joined(infos: Iterable[bytes]) -> Generator[bytes]:
    """Yield the JSON list in pieces of some size: each costs a system call."""
    piece, mark = bytearray(b"["), b""
    for info in infos:
        piece += mark + info
        mark = b","
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece) + b"]"


def _resumed(first: list[bytes], pieces: Generator[bytes]) -> Iterator[bytes]:
    try:
        while first:
            yield first.pop(0)
        yield from pieces
    finally:
        pieces.close()


def _streamed(pieces: Generator[bytes]) -> Response:
    """Return 200; what is short has a length."""
    first: list[bytes] = []
    for piece in pieces:
        first.append(piece)
        if len(first) == _AT_ONCE:
            return Response(_resumed(first, pieces), content_type=JSON_TYPE)
    return Response(b"".join(first), content_type=JSON_TYPE)
