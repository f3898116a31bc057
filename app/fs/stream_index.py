"""Which files are being written: an index by directory, so that a listing asks for it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import AlreadyExists
from app.core.lifetimes import Lifetime, TtlAction
from app.core.paths import child_of, name_of, parent_of
from app.fs.stream_records import SPACE, OpenedFile

if TYPE_CHECKING:
    from app.core.paths import HdfsPath
    from app.fs.stream_records import Writer
    from app.state.store import Store, Value


class StreamIndex:
    """The files that write streams have open. An entry never outlives the record of its stream."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def at(self, path: HdfsPath) -> OpenedFile | None:
        """Return the file that is being written at `path`."""
        value = self._store.get(_space(parent_of(path)), name_of(path))
        return _opened(parent_of(path), name_of(path), value) if value else None

    def within(self, directory: HdfsPath) -> list[OpenedFile]:
        """Return the files that are being written in a directory, in the order of their names."""
        found = [_opened(directory, name, value)
                 for name, value in self._store.scan(_space(directory))]
        return sorted(found, key=lambda opened: opened.name)

    def add(self, stream_id: int, record: Writer, group: str) -> None:
        """Note that a stream writes a file. Raises AlreadyExists where another does."""
        path = record.path
        present = self.at(path)
        if present and self._store.get(SPACE, str(present.stream_id)) is None:
            self.remove(present.stream_id, path)
        value: Value = {
            "stream_id": stream_id, "owner": record.user, "group": group,
            "created": record.created, "permission": record.permission,
            "lifetime": record.lifetime._asdict(), **_known(record)}
        if not self._store.add(_space(parent_of(path)), name_of(path), value):
            raise AlreadyExists(path, "it is being written")

    def tell(self, stream_id: int, record: Writer, group: str = "") -> None:
        """Note what is known of a file by now: its sizes, directory and group."""

        def told(value: Value | None) -> Value | None:
            if not value or value["stream_id"] != stream_id:
                return value
            return {**value, "group": group or value["group"], **_known(record)}

        self._store.update(_space(parent_of(record.path)), name_of(record.path), told)

    def remove(self, stream_id: int, path: HdfsPath) -> None:
        """Remove the entry of a file, if it is this stream's."""

        def without(value: Value | None) -> Value | None:
            return None if value and value["stream_id"] == stream_id else value

        self._store.update(_space(parent_of(path)), name_of(path), without)


def _space(directory: HdfsPath) -> str:
    return f"writing:{directory}"


def _known(record: Writer) -> Value:
    return {"block_size": record.block_size, "replication": record.replication,
            "parent_id": record.parent_id}


def _opened(directory: HdfsPath, name: str, value: Value) -> OpenedFile:
    lifetime = Lifetime(**{**value["lifetime"], "action": TtlAction(value["lifetime"]["action"])})
    return OpenedFile(**{**value, "name": name, "path": child_of(directory, name),
                         "lifetime": lifetime})
