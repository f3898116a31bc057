"""Who may do what: the permission checker of the NameNode (mode bits, sticky bit, ACLs)."""

from dataclasses import dataclass
from typing import Final

from app.embedded.errors import HdfsError
from app.embedded.inodes import Inode

EXECUTE: Final = 1
WRITE: Final = 2
READ: Final = 4
ALL: Final = 7

STICKY: Final = 0o1000

ACTIONS: Final = (
    "NONE",
    "EXECUTE",
    "WRITE",
    "WRITE_EXECUTE",
    "READ",
    "READ_EXECUTE",
    "READ_WRITE",
    "ALL",
)
"""FsAction's names, by their bits."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The effective user of a request."""

    name: str
    groups: frozenset[str]
    superuser: bool


def symbolic(mode: int) -> str:
    """Write permission bits as HDFS does, e.g. rwxr-xr-x or rwxrwxrwt."""
    text = "".join(
        letter if mode >> (8 - position) & 1 else "-" for position, letter in enumerate("rwxrwxrwx")
    )
    if mode & STICKY:
        text = text[:8] + ("t" if mode & 1 else "T")
    return text


def describe(inode: Inode) -> str:
    """Write owner, group and permission as error messages show them."""
    kind = "d" if inode.is_dir else "-"
    return f"{inode.owner}:{inode.group}:{kind}{symbolic(inode.mode)}"


def permits(caller: Caller, inode: Inode, wanted: int) -> bool:
    """Tell whether `inode` grants all of the wanted bits; the superuser has them all."""
    if caller.superuser:
        return True
    mode = inode.mode
    if inode.acl is not None and not inode.acl.startswith("default:"):
        return _permits_by_acl(caller, inode, wanted)
    if caller.name == inode.owner:
        granted = mode >> 6
    elif inode.group in caller.groups:
        granted = mode >> 3
    else:
        granted = mode
    return granted & wanted == wanted


def _permits_by_acl(caller: Caller, inode: Inode, wanted: int) -> bool:
    """Ask owner, named user, groups and others in that order; the group bits are the mask."""
    mode = inode.mode
    if caller.name == inode.owner:
        return mode >> 6 & wanted == wanted
    assert inode.acl is not None
    group_matched = False
    for entry in inode.acl.split(","):
        kind, name, permission = entry.rsplit(":", 2)
        granted = bits(permission) & (mode >> 3)
        if kind.startswith("default"):
            break
        if kind == "user" and name == caller.name:
            return granted & wanted == wanted
        if kind == "group" and (name or inode.group) in caller.groups:
            if granted & wanted == wanted:
                return True
            group_matched = True
    return not group_matched and mode & wanted == wanted


def bits(permission: str) -> int:
    """Read rwx letters as bits."""
    return sum(
        bit for bit, letter in ((READ, "r"), (WRITE, "w"), (EXECUTE, "x")) if letter in permission
    )


def require(caller: Caller, inode: Inode, path: str, wanted: int) -> None:
    """Raise AccessControlException unless the inode at `path` grants the wanted bits."""
    if permits(caller, inode, wanted):
        return
    raise HdfsError(
        "AccessControlException",
        f"Permission denied: user={caller.name}, access={ACTIONS[wanted]},"
        f' inode="{path}":{describe(inode)}',
    )


def require_unstuck(
    caller: Caller, parent: Inode, parent_path: str, inode: Inode, path: str
) -> None:
    """Raise AccessControlException where a sticky directory keeps the entry for its owner."""
    if caller.superuser or not parent.mode & STICKY:
        return
    if caller.name in {parent.owner, inode.owner}:
        return
    raise HdfsError(
        "AccessControlException",
        f'Permission denied by sticky bit: user={caller.name}, path="{path}":{describe(inode)},'
        f' parent="{parent_path}":{describe(parent)}',
    )


def require_owner(caller: Caller, inode: Inode, path: str) -> None:
    """Raise AccessControlException unless the caller owns the inode at `path`."""
    if caller.superuser or caller.name == inode.owner:
        return
    raise HdfsError(
        "AccessControlException",
        f"Permission denied. user={caller.name} is not the owner of inode={path}",
    )


def require_superuser(caller: Caller, operation: str) -> None:
    """Raise AccessControlException for anyone but the superuser."""
    if not caller.superuser:
        raise HdfsError(
            "AccessControlException",
            f"Access denied for user {caller.name}. Superuser privilege is required for operation"
            f" {operation}",
        )
