"""The end of a stream that is given up: nothing of it stays.

What cannot be removed now, or may still be on its way to HDFS, is left to the journal of staged
files, whose sweep keeps looking for it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from app.core.errors import GatewayError
from app.core.paths import child_of, name_of
from app.fs.content import inode
from app.fs.stream_index import StreamIndex

if TYPE_CHECKING:
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem
    from app.fs.staging import Staging
    from app.fs.stream_records import Writer


def remove(fs: FileSystem, staging: Staging, stream_id: int, record: Writer) -> None:
    """Remove the hidden file, the directories made for it, and the index entry; not the record.

    A `dirty` record may have a hidden file that it does not know of.
    """
    index = StreamIndex(staging.store)
    index.remove(stream_id, record.path)
    for name in record.former:
        staging.discard(fs, name, record.path)
    if not (record.dirty or record.length or record.made):
        return
    found = staging.discard(
        fs, record.hidden, record.path, _unused(index, record.made), certain=not record.dirty)
    if record.length and not found:
        _remove_moved(fs, record)


def _remove_moved(fs: FileSystem, record: Writer) -> None:
    """Remove the hidden file where its directory has another name by now.

    Never by the file's own inode number: that is the finished file's, if it was put in place.
    """
    if record.parent_id:
        for name in (record.hidden, *record.former):
            with suppress(GatewayError):
                fs.delete(child_of(inode(record.parent_id), name_of(name)))


def _unused(index: StreamIndex, made: list[HdfsPath]) -> list[HdfsPath]:
    """Return the directories that were made, below the last one that others write in."""
    kept = [number for number, directory in enumerate(made) if index.is_used(directory)]
    return made[kept[-1] + 1:] if kept else made
