"""The NameNode's words for what the gateway itself finds wrong, as Hadoop 3.4 says it.

Paths are as the caller writes them: by now the error's own is, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import errors
from app.core.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.errors import GatewayError
    from app.web.exchange import Exchange

    Words = Callable[[Any, Exchange], str]


def message_of(error: GatewayError, exchange: Exchange) -> str:
    """Return what the caller is told."""
    for cls in type(error).__mro__:
        words = _WORDS.get((exchange.operation, cls)) or _WORDS.get(("", cls))
        if words:
            return words(error, exchange)
    return "; ".join(error.messages)


def has_own_words(error: GatewayError, exchange: Exchange) -> bool:
    """Tell whether HDFS says it otherwise than it was said to the gateway, which asked first."""
    return isinstance(error, errors.PathNotFound) and exchange.operation in _ASKING_FIRST


def _missing(error: errors.PathError, _exchange: Exchange) -> str:
    return f"File does not exist: {printable(error.path)}"


def _not_listed(error: errors.PathError, _exchange: Exchange) -> str:
    return f"File {printable(error.path)} does not exist."


def _not_found(error: errors.PathError, _exchange: Exchange) -> str:
    return f"File {printable(error.path)} not found."


def _no_parent(error: errors.PathError, _exchange: Exchange) -> str:
    return f"Parent directory doesn't exist: {printable(error.path)}"


def _no_file(error: errors.PathError, _exchange: Exchange) -> str:
    return f"Path is not a file: {printable(error.path)}"


def _denied(error: errors.PathError, exchange: Exchange) -> str:
    if error.told is None and type(error).text != errors.AccessDenied.text:
        return str(error)  # it has its own words, and perhaps no path
    who = exchange.principal.hadoop_user if exchange.principal else ""
    detail = f" ({error.detail})" if error.detail else ""
    return f'Permission denied: user={who}, inode="{printable(error.path)}"{detail}'


def _read_only(error: errors.PathError, exchange: Exchange) -> str:
    who = exchange.principal.hadoop_user if exchange.principal else ""
    return f'Permission denied: user={who}, access=WRITE, inode="{printable(error.path)}"'


def _unsupported(error: errors.Unsupported, exchange: Exchange) -> str:
    """Tell of an operation that the server behind does not have; else what it says."""
    if error.told is None:
        return str(error)
    return f"{exchange.operation.rpartition('.')[2]} is not supported"


def _said(error: errors.PathError, _exchange: Exchange) -> str:
    return str(error)


def _there(error: errors.PathError, exchange: Exchange) -> str:
    return f"{printable(error.path)} for client {exchange.origin.address} already exists"


def _taken(error: errors.PathError, _exchange: Exchange) -> str:
    return f"rename destination {printable(error.path)} already exists"


def _directory_there(error: errors.PathError, _exchange: Exchange) -> str:
    return f"{printable(error.path)} already exists as a directory"


def _not_appended(error: errors.PathError, _exchange: Exchange) -> str:
    return f"Cannot append to directory {printable(error.path)}; already exists as a directory."


def _not_a_directory(error: errors.PathError, _exchange: Exchange) -> str:
    return f"{printable(error.path)} (is not a directory)"


def _not_empty(error: errors.PathError, _exchange: Exchange) -> str:
    path = printable(error.path)
    return f"{path} is non empty': Directory is not empty"


def _invalid_path(error: errors.InvalidPath, _exchange: Exchange) -> str:
    return f"Invalid path name Invalid file name: {printable(error.value)} ({error.reason})"


_ASKING_FIRST = frozenset(
    f"webhdfs.{name}" for name in ("OPEN", "APPEND", "GETFILECHECKSUM"))
_WORDS: dict[tuple[str, type[GatewayError]], Words] = {
    ("", errors.PathNotFound): _missing,
    ("webhdfs.LISTSTATUS", errors.PathNotFound): _not_listed,
    ("webhdfs.LISTSTATUS_BATCH", errors.PathNotFound): _not_listed,
    ("webhdfs.OPEN", errors.PathNotFound): _not_found,
    ("webhdfs.APPEND", errors.PathNotFound): _not_found,
    ("webhdfs.GETFILECHECKSUM", errors.PathNotFound): _not_found,
    ("webhdfs.CREATE", errors.PathNotFound): _no_parent,
    ("", errors.NotAFile): _no_file,
    ("", errors.AccessDenied): _denied,
    ("", errors.InsecureTransport): _said,
    ("", errors.ReadOnlyPrincipal): _read_only,
    ("", errors.Unsupported): _unsupported,
    ("", errors.AlreadyExists): _there,
    ("webhdfs.RENAME", errors.AlreadyExists): _taken,
    ("", errors.IsADirectory): _directory_there,
    ("webhdfs.APPEND", errors.IsADirectory): _not_appended,
    ("", errors.NotADirectory): _not_a_directory,
    ("", errors.DirectoryNotEmpty): _not_empty,
    ("", errors.InvalidPath): _invalid_path,
}
"""By operation ("" is any) and class of the error."""
