"""Access control lists: their rules (POSIX 1003.1e, as in HDFS) and the operations on them.

An inode keeps what mode bits cannot say: named users and groups with the unnamed group, then
the default entries. The mode's group bits are then the mask.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from app.embedded import access, inodes
from app.embedded.errors import HdfsError, invalid_parameter
from app.embedded.inodes import Inode
from app.embedded.paths import Located, resolve
from app.embedded.requests import Request, Response, as_json, empty

_MAX_ENTRIES: Final = 32
_KINDS: Final = ("user", "group", "mask", "other")
_SPEC: Final = re.compile(r"(default:)?(user|group|mask|other):([A-Za-z0-9._-]*):([rwx-]{3})?")
_DOMAIN: Final = (
    "^(default:)?(user|group|mask|other):[[A-Za-z_][A-Za-z0-9._-]]*:([rwx-]{3})?"
    "(,(default:)?(user|group|mask|other):[[A-Za-z_][A-Za-z0-9._-]]*:([rwx-]{3})?)*$"
)


class Entry(NamedTuple):
    """One entry; tuples of (is_default, kind's rank, name) sort as HDFS sorts entries."""

    default: bool
    rank: int
    name: str
    bits: int

    @property
    def key(self) -> tuple[bool, int, str]:
        """What may be in an ACL only once."""
        return self[:3]

    @property
    def scope(self) -> str:
        """The prefix of default entries."""
        return "default:" if self.default else ""

    def __str__(self) -> str:
        letters = access.symbolic(self.bits)[6:]
        return f"{self.scope}{_KINDS[self.rank]}:{self.name}:{letters}"


USER, GROUP, MASK, OTHER = range(4)


def parse(text: str, *, with_permission: bool) -> list[Entry]:
    """Read the `aclspec` parameter; the entries to remove come without permissions."""
    entries = []
    for part in text.split(","):
        match = _SPEC.fullmatch(part)
        if match is None:
            message = f'Invalid value: "{text}" does not belong to the domain {_DOMAIN}'
            raise invalid_parameter("aclspec", message)
        if with_permission and not match[4]:
            raise HdfsError("HadoopIllegalArgumentException", f"Invalid <aclSpec> : {part}")
        if match[4] and not with_permission:
            raise HdfsError("HadoopIllegalArgumentException", f"Invalid <aclSpec> : {text}")
        bits = access.bits(match[4] or "")
        entries.append(Entry(bool(match[1]), _KINDS.index(match[2]), match[3] or "", bits))
    return entries


def stored(acl: str | None) -> list[Entry]:
    """Read the entries that an inode keeps."""
    return parse(acl, with_permission=True) if acl else []


def full(inode: Inode) -> list[Entry]:
    """Give all entries of an inode, those that are mode bits included."""
    entries = stored(inode.acl)
    mode = inode.mode
    owner = Entry(False, USER, "", mode >> 6 & 7)
    other = Entry(False, OTHER, "", mode & 7)
    if any(not entry.default for entry in entries):
        return sorted([*entries, owner, Entry(False, MASK, "", mode >> 3 & 7), other])
    return sorted([*entries, owner, Entry(False, GROUP, "", mode >> 3 & 7), other])


def apply(mode: int, entries: Iterable[Entry]) -> tuple[int, str | None]:
    """Turn all entries into mode bits and what the inode keeps beside them."""
    by_key = {entry.key: entry for entry in entries}
    mask = by_key.get((False, MASK, ""))
    group = by_key[False, GROUP, ""]
    named = mask is not None
    mode = (
        mode & access.STICKY
        | by_key[False, USER, ""].bits << 6
        | (mask or group).bits << 3
        | by_key[False, OTHER, ""].bits
    )
    kept = [
        entry
        for entry in sorted(by_key.values())
        if entry.default or (named and entry.rank in {USER, GROUP} and entry.key != (False, 0, ""))
    ]
    return mode, ",".join(map(str, kept)) or None


def inherit(parent_acl: str | None, mode: int, *, is_dir: bool) -> tuple[int, str | None]:
    """Give mode and ACL of a new entry in a directory that may have default entries."""
    defaults = [entry for entry in stored(parent_acl) if entry.default]
    if not defaults:
        return mode, None
    minimal = all(entry.rank != MASK for entry in defaults)
    limits = {USER: mode >> 6 & 7, MASK: mode >> 3 & 7, OTHER: mode & 7}
    if minimal:
        limits[GROUP] = mode >> 3 & 7
    entries = [
        Entry(False, rank, name, bits & limits.get(rank, 7) if not name else bits)
        for _, rank, name, bits in defaults
    ]
    return apply(mode, [*entries, *(defaults if is_dir else [])])


def complete(entries: list[Entry], given: set[tuple[bool, int, str]]) -> list[Entry]:
    """Add what HDFS infers (default entries, masks), check the rules and sort.

    `given` are the keys of masks that the caller set, and of entries that were changed.
    """
    entries = _with_defaults(entries)
    _check_names(entries)
    for default in (False, True):
        scope = [entry for entry in entries if entry.default == default]
        mask = [entry for entry in scope if entry.rank == MASK]
        others = [entry for entry in scope if entry.rank != MASK]
        if mask and ((default, MASK, "") in given or not any(k[0] == default for k in given)):
            continue
        entries = [entry for entry in entries if entry not in mask]
        if any(entry.name for entry in others) and scope:
            union = 0
            for entry in others:
                if entry.rank == GROUP or entry.name:
                    union |= entry.bits
            entries.append(Entry(default, MASK, "", union))
    _check(entries)
    return sorted(entries)


def _with_defaults(entries: list[Entry]) -> list[Entry]:
    """Copy the unnamed access entries to a default ACL that lacks them."""
    if not any(entry.default for entry in entries):
        return entries
    keys = {entry.key for entry in entries}
    copies = [
        entry._replace(default=True)
        for entry in entries
        if not entry.default
        and not entry.name
        and entry.rank != MASK
        and (True, entry.rank, "") not in keys
    ]
    return entries + copies


def _check_names(entries: list[Entry]) -> None:
    for entry in entries:
        if entry.name and entry.rank in {MASK, OTHER}:
            raise HdfsError(
                "AclException",
                f"Invalid ACL: this entry type must not have a name: {entry}.",
            )


def _check(entries: list[Entry]) -> None:
    keys = [entry.key for entry in entries]
    for default in (False, True):
        count = sum(entry.default == default for entry in entries)
        if count > _MAX_ENTRIES:
            kind = "default " if default else ""
            raise HdfsError(
                "AclException",
                f"Invalid ACL: ACL has {count} {kind}entries, which exceeds maximum of"
                f" {_MAX_ENTRIES}.",
            )
    if len(set(keys)) < len(keys):
        raise HdfsError(
            "AclException", "Invalid ACL: multiple entries with same scope, type and name."
        )
    for rank in (USER, GROUP, OTHER):
        if (False, rank, "") not in keys:
            raise HdfsError(
                "AclException", "Invalid ACL: the user, group and other entries are required."
            )


Transformation = Callable[[list[Entry]], list[Entry]]


def _change(request: Request, transform: Transformation) -> Response:
    with request.store.change() as change:
        connection = change.connection
        located, inode = _owned(connection, request)
        try:
            changed = transform(full(inode))
            _check_scope(changed, inode, located.path)
        except HdfsError as error:
            raise HdfsError(error.name, f"{error.message} Path: {located.path}") from None
        mode, acl = apply(inode.mode, changed)
        inodes.update(connection, inode.id, mode=mode, acl=acl)
    return empty()


def _check_scope(entries: list[Entry], inode: Inode, path: str) -> None:
    if not inode.is_dir and any(entry.default for entry in entries):
        raise HdfsError(
            "AclException", f"Invalid ACL: only directories may have a default ACL. Path: {path}"
        )


def _owned(connection: sqlite3.Connection, request: Request) -> tuple[Located, Inode]:
    located = resolve(connection, request.path, request.caller, for_write=True)
    inode = located.inode
    if inode is None:
        raise HdfsError("FileNotFoundException", f"Directory/File does not exist {located.path}")
    access.require_owner(request.caller, inode, located.path)
    return located, inode


def _spec(request: Request, operation: str, *, with_permission: bool = True) -> list[Entry]:
    return parse(request.required("aclspec", operation), with_permission=with_permission)


def modify_entries(request: Request) -> Response:
    """MODIFYACLENTRIES: adds entries and replaces those of the same scope, kind and name."""
    spec = _spec(request, "MODIFYACLENTRIES")
    given = {entry.key for entry in spec}
    return _change(
        request,
        lambda existing: complete(
            [entry for entry in existing if entry.key not in given] + spec, given
        ),
    )


def set_acl(request: Request) -> Response:
    """SETACL: replaces the access entries, the default entries, or both, as far as given."""
    spec = _spec(request, "SETACL")
    scopes = {entry.default for entry in spec}
    return _change(
        request,
        lambda existing: complete(
            [entry for entry in existing if entry.default not in scopes] + spec,
            {entry.key for entry in spec},
        ),
    )


def remove_entries(request: Request) -> Response:
    """REMOVEACLENTRIES: a mask that is still needed is calculated again."""
    gone = {entry.key for entry in _spec(request, "REMOVEACLENTRIES", with_permission=False)}

    def transform(existing: list[Entry]) -> list[Entry]:
        kept = [entry for entry in existing if entry.key not in gone]
        for default in (False, True):
            named = any(entry.name for entry in kept if entry.default == default)
            if named and (default, MASK, "") in gone:
                raise HdfsError(
                    "AclException",
                    "Invalid ACL: mask is required and cannot be deleted.",
                )
        touched = {(entry[0], USER, "removed") for entry in existing if entry.key in gone}
        return complete(kept, touched)

    return _change(request, transform)


def remove_default(request: Request) -> Response:
    """REMOVEDEFAULTACL."""
    return _change(request, lambda existing: [entry for entry in existing if not entry.default])


def remove_all(request: Request) -> Response:
    """REMOVEACL: only what the mode bits say stays, with the unnamed group's own bits."""
    return _change(
        request,
        lambda existing: [
            entry
            for entry in existing
            if not entry.default and not entry.name and entry.rank != MASK
        ],
    )


def get_status(request: Request) -> Response:
    """GETACLSTATUS: entries beyond the mode bits."""
    with request.store.database.read() as connection:
        located = resolve(connection, request.path, request.caller)
    inode = located.inode
    if inode is None:
        raise HdfsError("FileNotFoundException", f"cannot find {located.path}")
    answer: dict[str, object] = {
        "entries": inode.acl.split(",") if inode.acl else [],
        "group": inode.group,
        "owner": inode.owner,
        "permission": f"{inode.mode:o}",
        "stickyBit": bool(inode.mode & access.STICKY),
    }
    return as_json({"AclStatus": answer})
