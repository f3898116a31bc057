"""From a path to the inodes along it: `.snapshot` and `/.reserved/.inodes` included."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from app.embedded import access, inodes
from app.embedded.access import Caller
from app.embedded.errors import HdfsError, file_not_found
from app.embedded.inodes import Inode
from app.embedded.schema import DETACHED, ROOT_ID

MAX_COMPONENT_BYTES: Final = 255
MAX_CHARACTERS: Final = 8000
MAX_LEVELS: Final = 1000
DOT_SNAPSHOT: Final = ".snapshot"
DOT_RESERVED: Final = ".reserved"
DOT_INODES: Final = ".inodes"


@dataclass(slots=True)
class Located:
    """A resolved path: `found` has the inodes from the root down, as far as they exist."""

    names: list[str]
    found: list[Inode]
    in_snapshot: bool = False
    is_dot_snapshot: bool = False

    @property
    def path(self) -> str:
        """The path in HDFS's writing, without double or trailing slashes."""
        return "/" + "/".join(self.names)

    @property
    def inode(self) -> Inode | None:
        """What is at the path, if anything."""
        if self.is_dot_snapshot or len(self.found) <= self._depth:
            return None
        return self.found[-1]

    @property
    def parent(self) -> Inode | None:
        """The directory (or file) that holds the last component, if it exists."""
        depth = self._depth
        return self.found[depth - 1] if 0 < depth <= len(self.found) else None

    @property
    def name(self) -> str:
        """The last component, empty for the root."""
        return self.names[-1] if self.names else ""

    @property
    def parent_path(self) -> str:
        """The path of the directory that holds the last component."""
        return "/" + "/".join(self.names[:-1])

    @property
    def ancestors(self) -> list[Inode]:
        """The inodes above the last component, as far as they exist."""
        return self.found[: self._depth]

    @property
    def _depth(self) -> int:
        # In a snapshot `.snapshot/<name>` are two components of one inode.
        return len(self.names) - (1 if self.in_snapshot else 0)

    def path_of(self, index: int) -> str:
        """Write the path of the index-th inode found."""
        return "/" + "/".join(self.names[:index])

    def existing(self) -> Inode:
        """Give what is at the path; raises FileNotFoundException."""
        inode = self.inode
        if inode is None:
            raise file_not_found(self.path)
        return inode

    def file(self) -> Inode:
        """Give the file at the path; raises FileNotFoundException for a directory too."""
        inode = self.existing()
        if inode.is_dir:
            raise HdfsError("FileNotFoundException", f"Path is not a file: {self.path}")
        return inode


def split(path: str) -> list[str]:
    """Cut a path into its components; repeated and trailing slashes do not count."""
    return [name for name in path.split("/") if name]


def is_valid(path: str) -> bool:
    """Tell whether HDFS lets something be created under this path."""
    if not path.startswith("/"):
        return False
    return not any(name in {".", ".."} or ":" in name for name in split(path))


def check_valid(path: str) -> None:
    """Raise the InvalidPathException for a path that nothing may be created under."""
    if not is_valid(path):
        raise HdfsError("InvalidPathException", f"Invalid path name Invalid file name: {path}")


def check_length(path: str, operation: str) -> None:
    """Raise the IOException for a path that is too long or too deep to be created."""
    if len(path) > MAX_CHARACTERS or path.count("/") > MAX_LEVELS:
        raise HdfsError(
            "IOException",
            f"{operation}: Pathname too long.  Limit {MAX_CHARACTERS} characters,"
            f" {MAX_LEVELS} levels.",
        )


def check_new_name(name: str, parent_path: str) -> None:
    """Raise what the NameNode throws for a component that may not be created."""
    if name == DOT_SNAPSHOT:
        raise HdfsError("HadoopIllegalArgumentException", f'"{name}" is a reserved name.')
    if name == DOT_RESERVED and parent_path == "/":
        raise HdfsError(
            "HadoopIllegalArgumentException",
            f'File name "{name}" is reserved and cannot be created. If this is during upgrade'
            " change the name of the existing file or directory to another name before upgrading"
            " to the new release.",
        )
    size = len(name.encode())
    if size > MAX_COMPONENT_BYTES:
        raise HdfsError(
            "PathComponentTooLongException",
            f"The maximum path component name limit of {name} in directory {parent_path} is"
            f" exceeded: limit={MAX_COMPONENT_BYTES} length={size}",
        )


def resolve(
    connection: sqlite3.Connection,
    path: str,
    caller: Caller,
    *,
    for_write: bool = False,
    creates: bool = False,
) -> Located:
    """Find the inodes along a path; the caller must be allowed to traverse its directories.

    `creates` is of operations that make a new entry: for them a file in the middle of the path
    is a ParentNotDirectoryException, for all others an AccessControlException, as in HDFS.
    """
    names = split(path)
    if names[:2] == [DOT_RESERVED, DOT_INODES] and len(names) > 2:  # noqa: PLR2004 - prefix and id
        names = _path_of_inode(connection, names[2], path) + names[3:]
    located = _walk(connection, names)
    if for_write and (located.in_snapshot or located.is_dot_snapshot):
        raise HdfsError(
            "SnapshotAccessControlException",
            "Modification on a read-only snapshot is disallowed",
        )
    _check_traversal(located, caller, creates=creates)
    return located


def _walk(connection: sqlite3.Connection, names: list[str]) -> Located:
    found = [inodes.root(connection)]
    located = Located(names, found)
    position = 0
    while position < len(names):
        name, directory = names[position], found[-1]
        if not directory.is_dir:
            break
        if name == DOT_SNAPSHOT and directory.snapshottable:
            if position + 1 == len(names):
                located.is_dot_snapshot = True
                break
            located.in_snapshot = True
            position += 1
            inode = _snapshot_root(connection, directory.id, names[position])
        else:
            inode = inodes.child(connection, directory.id, name)
        if inode is None:
            break
        found.append(inode)
        position += 1
    return located


def _snapshot_root(connection: sqlite3.Connection, directory: int, name: str) -> Inode | None:
    row = connection.execute(
        "SELECT root FROM snapshots WHERE inode = ? AND name = ?", (directory, name)
    ).fetchone()
    return inodes.by_id(connection, row[0]) if row else None


def _path_of_inode(connection: sqlite3.Connection, number: str, path: str) -> list[str]:
    if not (number.isascii() and number.isdigit()):
        raise HdfsError("FileNotFoundException", f"Invalid inode path: {path}")
    names = names_above(connection, int(number))
    if names is None:
        raise HdfsError(
            "FileNotFoundException",
            f"File for given inode path does not exist: {path}",
        )
    return names


def names_above(connection: sqlite3.Connection, inode: int) -> list[str] | None:
    """Give the components of a live inode's path, or None when it is not in the namespace."""
    names: list[str] = []
    while inode != ROOT_ID:
        row = inodes.parent_and_key(connection, inode)
        if row is None or row[0] == DETACHED:
            return None
        inode = row[0]
        names.append(inodes.name_of(row[1] or b""))
    return names[::-1]


def _check_traversal(located: Located, caller: Caller, *, creates: bool) -> None:
    for index, inode in enumerate(located.ancestors):
        if not inode.is_dir:
            name = "ParentNotDirectoryException" if creates else "AccessControlException"
            raise HdfsError(name, f"{located.path_of(index)} (is not a directory)")
        if not caller.superuser and not access.permits(caller, inode, access.EXECUTE):
            access.require(caller, inode, located.path_of(index), access.EXECUTE)


def require_parent(located: Located, caller: Caller, wanted: int) -> None:
    """Check the wanted bits on the parent, and its sticky bit where an entry may go away."""
    parent = located.parent
    if parent is None or caller.superuser:
        return
    inode = located.inode
    if wanted & access.WRITE and inode is not None:
        access.require_unstuck(caller, parent, located.parent_path, inode, located.path)
    access.require(caller, parent, located.parent_path, wanted)


def require_ancestor(located: Located, caller: Caller, wanted: int) -> None:
    """Check the wanted bits on the last directory that exists above the path."""
    if located.ancestors:
        index = len(located.ancestors) - 1
        access.require(caller, located.ancestors[index], located.path_of(index), wanted)


def require_path(located: Located, caller: Caller, wanted: int) -> None:
    """Check the wanted bits on what is at the path, if anything is."""
    inode = located.inode
    if inode is not None:
        access.require(caller, inode, located.path, wanted)
