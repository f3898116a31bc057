"""What is known of a stream between its requests: records in the state store.

A stream is a handle of a file that is read or written in several requests, by any worker of any
gateway. Its record is all there is of it, beside the hidden file that a write stream fills.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.lifetimes import Lifetime, TtlAction
from app.core.paths import HIDDEN_MARK, HdfsPath, child_of, parent_of

if TYPE_CHECKING:
    from app.state.store import Value

SPACE = "streams"
"""Of the records, by the stream's id in decimal digits."""
MAX_ID = 2**31 - 1
"""Ids are positive Java ints, as Alluxio's are."""


class NewFile(NamedTuple):
    """How a file is to be written; None, or 0, leaves it to HDFS. `block_size` is in bytes.

    The cluster's replication factor is raised to `replication_min` or lowered to `replication_max`.
    `recursive` makes missing parents, with `directory_permission`; `overwrite` replaces a file when
    the stream is closed. The ttl of `lifetime` counts from then, where it says no `since`.
    """

    permission: str | None = None
    directory_permission: str | None = None
    replication_min: int = 0
    replication_max: int = 0
    block_size: int = 0
    recursive: bool = False
    overwrite: bool = False
    lifetime: Lifetime = Lifetime()


class OpenedFile(NamedTuple):
    """A file that a stream is writing, which has no such name in HDFS yet.

    `created` is in epoch milliseconds; `block_size` and `replication` are 0 while they are the
    cluster's defaults and nothing is written. `parent_id` is the inode of its directory, 0 while
    that is not known.
    """

    name: str
    path: HdfsPath
    stream_id: int
    owner: str
    group: str
    created: int
    permission: str
    block_size: int
    replication: int
    lifetime: Lifetime
    parent_id: int = 0


class Reader(NamedTuple):
    """A stream that reads `path` as it was when it was opened: its inode, its `length` then.

    `owner` is the gateway's user; the next read begins at `position`.
    """

    owner: str
    path: HdfsPath
    file_id: int
    length: int
    modified: int
    position: int = 0

    def as_value(self) -> Value:
        """Return the record as the store has it."""
        return {"kind": "read", **self._asdict()}


class Writer(NamedTuple):
    """A stream that writes what shall become `path`: so far `length` acknowledged bytes.

    They are the file `hidden`, whose inode is `file_id` (0: not known yet); nothing is there while
    `length` is 0. `former` are hidden names that it had before, `made` the directories made for it,
    the topmost first, `parent_id` is the parent's inode. `owner` is the gateway's user, `user`
    HDFS's. Whose request is at work is `worker`, with a `token` of its own; `dirty`: one broke off,
    and what it did is unknown; `closing`: one came to close it. `over`: it cannot be used, it
    is being made or removed. `used` is when a request came or went, in epoch milliseconds.
    """

    owner: str
    user: str
    path: HdfsPath
    hidden: HdfsPath
    made: list[HdfsPath]
    parent_id: int
    permission: str
    replication_min: int
    replication_max: int
    block_size: int
    overwrite: bool
    lifetime: Lifetime
    created: int
    used: int
    replication: int = 0
    length: int = 0
    file_id: int = 0
    former: list[HdfsPath] = []  # noqa: RUF012 - never changed, and JSON has no tuples
    worker: str = ""
    token: str = ""
    dirty: bool = False
    closing: bool = False
    over: bool = False

    def as_value(self) -> Value:
        """Return the record as the store has it."""
        return {"kind": "write", **self._asdict(), "lifetime": self.lifetime._asdict()}

    def factor(self, default: int) -> int:
        """Return the replication factor, where it is `default` for who asks for none."""
        raised = max(default, self.replication_min)
        return min(raised, self.replication_max) if self.replication_max else raised

    def renamed(self, key: str) -> Writer:
        """Return the stream with a new hidden name, the present one among the former."""
        return self._replace(
            hidden=hidden_path(self.path, key), former=[*self.former, self.hidden])


def reader_of(value: Value | None) -> Reader | None:
    """Return what the store has, if it is a read stream."""
    return Reader(**_fields(value)) if value and value["kind"] == "read" else None


def writer_of(value: Value | None) -> Writer | None:
    """Return what the store has, if it is a write stream."""
    if not value or value["kind"] != "write":
        return None
    lifetime = {**value["lifetime"], "action": TtlAction(value["lifetime"]["action"])}
    return Writer(**{**_fields(value), "lifetime": Lifetime(**lifetime)})


def hidden_path(path: HdfsPath, key: str) -> HdfsPath:
    """Return a hidden sibling of `path`."""
    return child_of(parent_of(path), f"{HIDDEN_MARK}stream-{key}")


def _fields(value: Value) -> dict[str, Any]:
    return {name: field for name, field in value.items() if name != "kind"}
