"""Extended attributes: user.* for whoever may write, trusted.* for the superuser."""

import base64
import binascii
import json
import sqlite3
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from app.embedded import access
from app.embedded.access import Caller
from app.embedded.errors import HdfsError, invalid_parameter
from app.embedded.inodes import Inode
from app.embedded.paths import Located, require_path, resolve
from app.embedded.requests import Request, Response, as_json, empty

_NAMESPACES: Final = ("user", "trusted", "security", "system", "raw")
_QUOTED: Final = 2
_DECODER: Final = "org.apache.commons.codec.DecoderException"


def _checked_name(name: str) -> str:
    """Normalise a name's prefix; raises where it is missing or unknown."""
    if len(name) < 3:  # noqa: PLR2004 - a prefix, a dot and a name
        raise HdfsError("HadoopIllegalArgumentException", "XAttr name cannot be null or empty.")
    prefix, dot, rest = name.partition(".")
    if not dot:
        raise HdfsError(
            "HadoopIllegalArgumentException",
            "An XAttr name must be prefixed with user/trusted/security/system/raw, followed"
            " by a '.'",
        )
    if prefix.lower() not in _NAMESPACES:
        raise HdfsError(
            "HadoopIllegalArgumentException",
            "An XAttr name must be prefixed with user/trusted/security/system/raw, followed"
            " by a '.'",
        )
    if not rest:
        raise HdfsError("HadoopIllegalArgumentException", "XAttr name cannot be empty.")
    return f"{prefix.lower()}.{rest}"


def _may_see(caller: Caller, name: str) -> bool:
    return name.startswith("user.") or (caller.superuser and name.startswith("trusted."))


def _require_namespace(caller: Caller, name: str) -> None:
    if not _may_see(caller, name):
        raise HdfsError(
            "AccessControlException",
            f"User doesn't have permission for xattr: {name}",
        )


def decode(value: str) -> bytes:
    """Read a value as XAttrCodec does: "text", 0xHEX, 0sBASE64, or the text itself."""
    if value[:2] in {"0x", "0X"}:
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            message = "Odd number of characters." if len(value) % 2 else "Illegal character."
            raise HdfsError("IOException", f"{_DECODER}: {message}") from None
    if value[:2] in {"0s", "0S"}:
        try:
            return base64.b64decode(value[2:])
        except binascii.Error:
            raise HdfsError("IOException", f"{_DECODER}: {value!r} is not base64") from None
    if len(value) >= _QUOTED and value[0] == value[-1] == '"':
        value = value[1:-1]
    return value.encode()


_ENCODERS: Final[dict[str, Callable[[bytes], str]]] = {
    "TEXT": lambda value: f'"{value.decode(errors="replace")}"',
    "HEX": lambda value: "0x" + value.hex(),
    "BASE64": lambda value: "0s" + base64.b64encode(value).decode(),
}


def set_xattr(request: Request) -> Response:
    """SETXATTR: `flag` says CREATE (not there yet), REPLACE (there already) or both."""
    name = _checked_name(request.required("xattr.name", "SETXATTR"))
    value = decode(request.parameters.get("xattr.value", ""))
    flags = {flag.strip().upper() for flag in request.required("flag", "SETXATTR").split(",")}
    for flag in flags - {"CREATE", "REPLACE"}:
        raise invalid_parameter(
            "flag", f"No enum constant org.apache.hadoop.fs.XAttrSetFlag.{flag}"
        )
    _check_size(request, name, value)
    with request.store.change() as change:
        connection = change.connection
        inode = _writable(connection, request, name)
        present = _find(connection, inode, name) is not None
        if present and "REPLACE" not in flags:
            raise HdfsError(
                "IOException",
                f"XAttr: {name.partition('.')[2]} already exists. The REPLACE flag must be"
                " specified.",
            )
        if not present and "CREATE" not in flags:
            raise HdfsError(
                "IOException",
                f"XAttr: {name.partition('.')[2]} does not exist. The CREATE flag must be"
                " specified.",
            )
        _put(connection, request, inode, name, value, present=present)
    return empty()


def _check_size(request: Request, name: str, value: bytes) -> None:
    size = len(name.partition(".")[2].encode()) + len(value)
    limit = request.store.options.max_xattrs_bytes
    if size > limit:
        raise HdfsError(
            "HadoopIllegalArgumentException",
            "The XAttr is too big. The maximum combined size of the name and value is"
            f" {limit}, but the total size is {size}",
        )


def _put(
    connection: sqlite3.Connection,
    request: Request,
    inode: Inode,
    name: str,
    value: bytes,
    *,
    present: bool,
) -> None:
    (count, last) = connection.execute(
        "SELECT count(*), coalesce(max(seq), 0) FROM xattrs WHERE inode = ?", (inode.id,)
    ).fetchone()
    limit = request.store.options.max_xattrs
    if not present and count >= limit:
        raise HdfsError(
            "IOException",
            f"Cannot add additional XAttr to inode, would exceed limit of {limit}",
        )
    connection.execute(
        "INSERT INTO xattrs (inode, name, value, seq) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET value = excluded.value",
        (inode.id, name, value, last + 1),
    )


def remove_xattr(request: Request) -> Response:
    """REMOVEXATTR."""
    name = _checked_name(request.required("xattr.name", "REMOVEXATTR"))
    with request.store.change() as change:
        connection = change.connection
        inode = _writable(connection, request, name)
        if _find(connection, inode, name) is None:
            raise HdfsError("IOException", "No matching attributes found for remove operation")
        connection.execute("DELETE FROM xattrs WHERE inode = ? AND name = ?", (inode.id, name))
    return empty()


def get_xattrs(request: Request) -> Response:
    """GETXATTRS: those named, or all that the caller may see; `encoding` of the values."""
    encode = _encoder(request)
    names = [_checked_name(name) for name in _names(request)]
    for name in names:
        _require_namespace(request.caller, name)
    with request.store.database.read() as connection:
        located = _readable(connection, request)
        found = _all(connection, request, _found(located))
    if names:
        missing = set(names) - found.keys()
        if missing:
            raise HdfsError(
                "XAttrNotFoundException",
                "At least one of the attributes provided was not found.",
            )
        found = {name: found[name] for name in names}
    values = [
        {"name": name, "value": encode(value) if value else None} for name, value in found.items()
    ]
    return as_json({"XAttrs": values})


def _encoder(request: Request) -> Callable[[bytes], str]:
    encoding = request.required("encoding", "GETXATTRS").upper()
    if encoding not in _ENCODERS:
        raise invalid_parameter(
            "encoding", f"No enum constant org.apache.hadoop.fs.XAttrCodec.{encoding}"
        )
    return _ENCODERS[encoding]


def _names(request: Request) -> list[str]:
    """Give the values of `xattr.name`, which may come several times."""
    query = parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True)
    return [value for name, value in query if name.lower() == "xattr.name" and value]


def list_xattrs(request: Request) -> Response:
    """LISTXATTRS: the names, as JSON in a JSON string."""
    with request.store.database.read() as connection:
        located = _readable(connection, request)
        names = list(_all(connection, request, _found(located)))
    return as_json({"XAttrNames": json.dumps(names, ensure_ascii=False, separators=(",", ":"))})


def _found(located: Located) -> Inode:
    if located.inode is None:
        raise HdfsError("FileNotFoundException", f"cannot find {located.path}")
    return located.inode


def _readable(connection: sqlite3.Connection, request: Request) -> Located:
    located = resolve(connection, request.path, request.caller)
    require_path(located, request.caller, access.READ)
    return located


def _writable(connection: sqlite3.Connection, request: Request, name: str) -> Inode:
    _require_namespace(request.caller, name)
    located = resolve(connection, request.path, request.caller, for_write=True)
    inode = _found(located)
    if name.startswith("user.") and inode.is_dir and inode.mode & access.STICKY:
        access.require_owner(request.caller, inode, located.path)
    else:
        require_path(located, request.caller, access.WRITE)
    return inode


def _all(connection: sqlite3.Connection, request: Request, inode: Inode) -> dict[str, bytes]:
    rows = connection.execute(
        "SELECT name, value FROM xattrs WHERE inode = ? ORDER BY seq", (inode.id,)
    )
    return {name: value for name, value in rows if _may_see(request.caller, name)}


def _find(connection: sqlite3.Connection, inode: Inode, name: str) -> bytes | None:
    row = connection.execute(
        "SELECT value FROM xattrs WHERE inode = ? AND name = ?", (inode.id, name)
    ).fetchone()
    return row[0] if row else None
