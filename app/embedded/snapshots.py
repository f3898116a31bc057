"""Snapshots: copies of a directory's inodes and blocks; the data files are shared."""

import sqlite3
from datetime import UTC, datetime
from typing import Any, Final

from app.embedded import access, inodes, status
from app.embedded.errors import HdfsError
from app.embedded.inodes import Inode
from app.embedded.paths import Located, resolve
from app.embedded.removal import detach
from app.embedded.requests import Request, Response, as_json, empty
from app.embedded.schema import DETACHED, NOWHERE, ROOT_ID

_QUOTA: Final = 65536

_COPIED: Final = (
    "is_dir, owner, grp, mode, replication, blocksize, length, mtime, atime, children, acl"
)


def refuse_snapshotted(connection: sqlite3.Connection, inode: Inode, path: str) -> None:
    """Raise SnapshotException where a subtree has a directory with snapshots."""
    if not inode.is_dir:
        return
    for (directory,) in connection.execute("SELECT DISTINCT inode FROM snapshots").fetchall():
        suffix = _suffix_below(connection, directory, inode.id)
        if suffix is not None:
            held = path.rstrip("/") + suffix
            raise HdfsError(
                "SnapshotException",
                f"The directory {held} cannot be deleted since {held} is snapshottable and"
                " already has snapshots",
            )


def _suffix_below(connection: sqlite3.Connection, inode: int, top: int) -> str | None:
    suffix = ""
    while inode != top:
        if inode in {ROOT_ID, DETACHED}:
            return None
        row = inodes.parent_and_key(connection, inode)
        if row is None or row[1] is None:
            return None
        inode, suffix = row[0], f"/{inodes.name_of(row[1])}{suffix}"
    return suffix


def allow(request: Request) -> Response:
    """ALLOWSNAPSHOT: for the superuser; no snapshottable directory may hold another."""
    access.require_superuser(request.caller, "allowSnapshot")
    with request.store.change() as change:
        connection = change.connection
        located, inode = _directory(connection, request)
        if not inode.snapshottable:
            _refuse_nesting(connection, located, inode)
            inodes.update(connection, inode.id, snapshottable=1)
    return empty()


def _refuse_nesting(connection: sqlite3.Connection, located: Located, inode: Inode) -> None:
    for index, above in enumerate(located.ancestors):
        if above.snapshottable:
            raise HdfsError(
                "SnapshotException",
                "Nested snapshottable directories not allowed: path="
                f"{located.path}, the ancestor {located.path_of(index)} is already a"
                " snapshottable directory.",
            )
    for (other,) in connection.execute("SELECT id FROM inodes WHERE snapshottable").fetchall():
        suffix = _suffix_below(connection, other, inode.id)
        if suffix is not None:
            raise HdfsError(
                "SnapshotException",
                "Nested snapshottable directories not allowed: path="
                f"{located.path}, the subdirectory {located.path.rstrip('/')}{suffix} is"
                " already a snapshottable directory.",
            )


def disallow(request: Request) -> Response:
    """DISALLOWSNAPSHOT: for the superuser, once all snapshots are gone."""
    access.require_superuser(request.caller, "disallowSnapshot")
    with request.store.change() as change:
        connection = change.connection
        located, inode = _directory(connection, request)
        if _names(connection, inode):
            raise HdfsError(
                "SnapshotException",
                f"The directory {located.path} has snapshot(s). Please redo the operation after"
                " removing all the snapshots.",
            )
        inodes.update(connection, inode.id, snapshottable=0)
    return empty()


def create(request: Request) -> Response:
    """CREATESNAPSHOT: answers the snapshot's path."""
    name = request.text("snapshotname") or _default_name()
    with request.store.change() as change:
        connection = change.connection
        located, inode = _owned(connection, request)
        _check_name(connection, inode, name)
        root = _copy(connection, inode)
        connection.execute(
            "INSERT INTO snapshots (inode, name, root, mtime) VALUES (?, ?, ?, ?)",
            (inode.id, name, root, inodes.now()),
        )
        inodes.update(connection, inode.id, mtime=inodes.now())
    return as_json({"Path": f"{located.path.rstrip('/')}/.snapshot/{name}"})


def _default_name() -> str:
    return datetime.now(UTC).strftime("s%Y%m%d-%H%M%S.") + f"{inodes.now() % 1000:03d}"


def _check_name(connection: sqlite3.Connection, inode: Inode, name: str) -> None:
    if "/" in name or ":" in name or name in {".", "..", ".snapshot"}:
        raise HdfsError("InvalidPathException", f"Invalid path name Invalid snapshot name: {name}")
    names = _names(connection, inode)
    if name in names:
        raise HdfsError(
            "SnapshotException",
            f'Failed to add snapshot: there is already a snapshot with the same name "{name}".',
        )
    if len(names) >= _QUOTA:
        raise HdfsError(
            "SnapshotException",
            f"Failed to add snapshot: there are already {len(names)} snapshot(s) and the"
            f" snapshot quota is {_QUOTA}",
        )


def rename(request: Request) -> Response:
    """RENAMESNAPSHOT."""
    old = request.required("oldsnapshotname", "RENAMESNAPSHOT")
    new = request.required("snapshotname", "RENAMESNAPSHOT")
    with request.store.change() as change:
        connection = change.connection
        located, inode = _owned(connection, request)
        if old not in _names(connection, inode):
            raise HdfsError(
                "SnapshotException",
                f"The snapshot {old} does not exist for directory {located.path}",
            )
        if old != new and new in _names(connection, inode):
            raise HdfsError(
                "SnapshotException",
                f"The snapshot {new} already exists for directory {located.path}",
            )
        if old != new:
            _check_name(connection, inode, new)
        connection.execute(
            "UPDATE snapshots SET name = ? WHERE inode = ? AND name = ?", (new, inode.id, old)
        )
    return empty()


def delete(request: Request) -> Response:
    """DELETESNAPSHOT: gives back the data that nothing else refers to."""
    name = request.required("snapshotname", "DELETESNAPSHOT")
    with request.store.change() as change:
        connection = change.connection
        located, inode = _owned(connection, request)
        row = connection.execute(
            "SELECT id, root FROM snapshots WHERE inode = ? AND name = ?", (inode.id, name)
        ).fetchone()
        if row is None:
            raise HdfsError(
                "SnapshotException",
                f"Cannot delete snapshot {name} from path {located.path}: the snapshot does not"
                " exist.",
            )
        connection.execute("DELETE FROM snapshots WHERE id = ?", (row[0],))
        detach(connection, row[1])
        change.detached = True
    return empty()


def get_list(request: Request) -> Response:
    """GETSNAPSHOTLIST: the snapshots of one directory."""
    with request.store.database.read() as connection:
        located, inode = _owned(connection, request)
        rows = connection.execute(
            "SELECT id, name, root FROM snapshots WHERE inode = ?", (inode.id,)
        ).fetchall()
        rows.sort(key=lambda row: inodes.key_of(row[1]))
        entries = [_entry(connection, located, *row) for row in rows]
    return as_json({"SnapshotList": entries})


def _entry(
    connection: sqlite3.Connection, located: Located, number: int, name: str, root: int
) -> dict[str, Any]:
    copied = inodes.by_id(connection, root)
    assert copied is not None
    return {
        "deletionStatus": "ACTIVE",
        "dirStatus": status.describe(copied._replace(children=located.existing().children), name),
        "fullPath": f"{located.path.rstrip('/')}/.snapshot/{name}",
        "snapshotID": number - 1,
    }


def get_directories(request: Request) -> Response:
    """GETSNAPSHOTTABLEDIRECTORYLIST: those of the caller, all for the superuser."""
    with request.store.database.read() as connection:
        found = connection.execute(
            f"SELECT {inodes.COLUMNS} FROM inodes WHERE snapshottable ORDER BY id"  # noqa: S608 - constant
        ).fetchall()
        entries = []
        for inode in map(Inode._make, found):
            suffix = _suffix_below(connection, inode.id, ROOT_ID)
            visible = request.caller.superuser or request.caller.name == inode.owner
            if visible and suffix is not None:
                entries.append(_directory_entry(connection, inode, suffix))
    return as_json({"SnapshottableDirectoryList": entries})


def _directory_entry(connection: sqlite3.Connection, inode: Inode, path: str) -> dict[str, Any]:
    return {
        "dirStatus": status.describe(inode._replace(snapshottable=0), inode.name),
        "parentFullPath": path.rpartition("/")[0] or "/",
        "snapshotNumber": len(_names(connection, inode)),
        "snapshotQuota": _QUOTA,
    }


def _names(connection: sqlite3.Connection, inode: Inode) -> list[str]:
    rows = connection.execute("SELECT name FROM snapshots WHERE inode = ?", (inode.id,))
    return [name for (name,) in rows]


def _directory(connection: sqlite3.Connection, request: Request) -> tuple[Located, Inode]:
    located = resolve(connection, request.path, request.caller, for_write=True)
    inode = located.inode
    if inode is None:
        raise HdfsError("FileNotFoundException", f"Directory does not exist: {located.path}")
    if not inode.is_dir:
        raise HdfsError("PathIsNotDirectoryException", f"`{located.path}': Is not a directory")
    return located, inode


def _owned(connection: sqlite3.Connection, request: Request) -> tuple[Located, Inode]:
    located, inode = _directory(connection, request)
    access.require_owner(request.caller, inode, located.path)
    if not inode.snapshottable:
        raise HdfsError(
            "SnapshotException",
            f"Directory is not a snapshottable directory: {located.path}",
        )
    return located, inode


def _copy(connection: sqlite3.Connection, inode: Inode) -> int:
    """Copy the rows of a subtree under negative ids; returns the id of the copied root."""
    connection.execute("DROP TABLE IF EXISTS temp.copied")
    connection.execute(
        "CREATE TEMP TABLE copied (number INTEGER PRIMARY KEY, inode INTEGER UNIQUE)"
    )
    connection.execute(
        """WITH RECURSIVE tree (id, is_dir) AS (
            SELECT ?, 1 UNION ALL
            SELECT i.id, i.is_dir FROM tree JOIN inodes i ON i.parent = tree.id WHERE tree.is_dir
        ) INSERT INTO temp.copied (inode) SELECT id FROM tree""",
        (inode.id,),
    )
    (base,) = connection.execute("SELECT value FROM counters WHERE name = 'copy'").fetchone()
    connection.execute(
        "UPDATE counters SET value = value + (SELECT count(*) FROM temp.copied) WHERE name = 'copy'"
    )
    _copy_rows(connection, base, inode.id)
    connection.execute("DROP TABLE temp.copied")
    return -int(base) - 1


def _copy_rows(connection: sqlite3.Connection, base: int, root: int) -> None:
    values = {"base": base, "root": root, "nowhere": NOWHERE}
    connection.execute(
        f"""INSERT INTO inodes (id, origin, parent, name, {_COPIED})
            SELECT -(:base + c.number), i.id,
                CASE i.id WHEN :root THEN :nowhere ELSE -(:base + p.number) END,
                CASE i.id WHEN :root THEN NULL ELSE i.name END, {_COPIED}
            FROM temp.copied c JOIN inodes i ON i.id = c.inode
            LEFT JOIN temp.copied p ON p.inode = i.parent""",  # noqa: S608 - constants
        values,
    )
    connection.execute(
        """INSERT INTO blocks (inode, seq, block, data, start, length)
            SELECT -(:base + c.number), seq, block, data, start, length
            FROM temp.copied c JOIN blocks b ON b.inode = c.inode""",
        values,
    )
    connection.execute(
        """INSERT INTO xattrs (inode, name, value, seq)
            SELECT -(:base + c.number), name, value, seq
            FROM temp.copied c JOIN xattrs x ON x.inode = c.inode""",
        values,
    )
