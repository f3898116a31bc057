"""The end of a stream that is given up: nothing of it stays.

What cannot be removed now, or may still be on its way to HDFS, is left to the journal of staged
files, whose sweep keeps looking for it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from app.core.errors import GatewayError
from app.core.mounts import split_id
from app.core.paths import child_of, name_of
from app.fs.content import inode
from app.fs.stream_index import StreamIndex
from app.fs.stream_records import SPACE

if TYPE_CHECKING:
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem
    from app.fs.staging import Staging
    from app.fs.stream_records import Writer
    from app.state.store import Store, Value


def remove(fs: FileSystem, staging: Staging, stream_id: int, record: Writer) -> None:
    """Remove the hidden file, the directories made for it, and the index entry; not the record.

    A `dirty` record may have a hidden file that it does not know of. Where another mount, or none,
    has the path by now, what is there stays.
    """
    StreamIndex(staging.store).remove(stream_id, record.path)
    if record.parent_id and split_id(record.parent_id)[1] != fs.mount_of(record.path):
        return
    for name in record.former:
        staging.discard(fs, name, record.path)
    if not (record.dirty or record.length or record.made):
        return
    found = staging.discard(
        fs, record.hidden, record.path, _unused(staging.store, record.made),
        certain=not record.dirty)
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


def _unused(store: Store, made: list[HdfsPath]) -> list[HdfsPath]:
    """Return the directories that were made, below the last one that others write in.

    That one, and those above, become the others' to remove.
    """
    index = StreamIndex(store)
    for number in reversed(range(len(made))):
        heirs = index.within(made[number])
        if heirs:
            _bequeath(store, heirs[0].stream_id, made[:number + 1])
            return made[number + 1:]
    return made


def _bequeath(store: Store, stream_id: int, made: list[HdfsPath]) -> None:
    def richer(value: Value | None) -> Value | None:
        return value and {**value, "made": list(dict.fromkeys([*made, *value["made"]]))}

    store.update(SPACE, str(stream_id), richer)
