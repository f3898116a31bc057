"""Alluxio's words for errors: what clients, and people who know Alluxio, look for in a message.

Sentences are those of Alluxio 2.9.4's answers; an error that has none here says its own. Paths are
as the caller writes them: by now the error's own is, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import errors, mounts, stream_errors
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


def _missing(error: errors.PathError, _exchange: Exchange) -> str:
    return f'Path "{printable(error.path)}" does not exist.'


def _not_created(error: errors.PathError, exchange: Exchange) -> str:
    """Tell which name of the path is not there; for the thing itself, that it is not."""
    if error.path == exchange.path:
        return _missing(error, exchange)
    return f"File {printable(exchange.path)} creation failed. {_component(error)} does not exist"


def _component(error: errors.PathError) -> str:
    """Return a path as "Component 2(name)": its place among the names, and its last one."""
    return f"Component {error.path.count('/')}({printable(error.path.rpartition('/')[2])})"


def _in_the_way(error: errors.PathError, exchange: Exchange) -> str:
    if not exchange.path.startswith(f"{error.path}/"):
        return str(error)
    return (f"Traversal failed for path {printable(exchange.path)}. {_component(error)} is a file,"
            " not a directory.")


def _destination_taken(_error: errors.PathError, exchange: Exchange) -> str:
    destination = (exchange.query or {}).get("dst", [""])[0]
    return ("Cannot rename because destination already exists."
            f" src: {printable(exchange.path)} dst: {printable(destination)}")


def _not_empty(error: errors.PathError, _exchange: Exchange) -> str:
    name = printable(error.path.rpartition("/")[2])
    return f"Cannot delete non-empty directory {name} because recursive is set to false"


def _not_freed(error: errors.PathError, _exchange: Exchange) -> str:
    return (f"Cannot free directory {printable(error.path)} which is not empty."
            ' Please set the "recursive" flag of free operation to true')


def _file_exists(error: errors.PathError, _exchange: Exchange) -> str:
    return (f"{printable(error.path)} already exists. If you want to overwrite the file,"
            " you need to specify the overwrite option.")


def _directory_exists(error: errors.PathError, _exchange: Exchange) -> str:
    return f"Not allowed to create directory because path already exists: {printable(error.path)}"


def _not_mounted(error: errors.PathError, exchange: Exchange) -> str:
    source = (exchange.query or {}).get("src", [""])[0]
    if error.path == exchange.path or not exchange.path.startswith(f"{error.path}/"):
        return f"Ufs path {printable(source)} does not exist"
    return (f"Failed to mount {printable(source)} at {printable(exchange.path)}:"
            f" {_not_created(error, exchange)}")


def _is_mounted(error: errors.PathError, _exchange: Exchange) -> str:
    return (f"Mount point target path {printable(error.path)} already exists in Alluxio namespace."
            " Try mounting to another path.")


def _no_mount(error: errors.PathError, _exchange: Exchange) -> str:
    return f"Failed to unmount: Path {printable(error.path)} does not exist"


def _holds_mount(error: errors.PathError, _exchange: Exchange) -> str:
    return (f"Cannot delete path {printable(error.path)} which is or contains a mount point"
            " without --deleteMountPoint/-m option specified")


def _read_only(error: mounts.ReadOnlyMount, exchange: Exchange) -> str:
    mount = exchange.principal.visible(error.mount) if exchange.principal else error.mount
    # Found out at the directory that was to be written to, perhaps.
    inside = exchange.path.startswith(f"{error.path}/")
    path = exchange.path if inside else error.path
    return (f"A write operation on {printable(path)} under a readonly mount point"
            f" {printable(mount)} is not allowed")


def _incomplete(error: errors.PathError, _exchange: Exchange) -> str:
    return (f"Cannot read from {printable(error.path)} because it is incomplete. Wait for the file"
            " to be marked as complete by the writing thread or application.")


def _is_directory(error: errors.PathError, _exchange: Exchange) -> str:
    return f"Cannot read from {printable(error.path)} because it is a directory"


def _invalid_path(error: errors.InvalidPath, _exchange: Exchange) -> str:
    reason = f" {error.reason[:1].upper()}{error.reason[1:]}." if error.reason else ""
    return f'Path "{printable(error.value)}" is invalid.{reason}'


def _owner_refused(error: errors.PathError, _exchange: Exchange) -> str:
    return (f"Could not setOwner for UFS file {printable(error.path)} . Aborting the setAttribute"
            f" operation in Alluxio. {error.detail}").rstrip()


def _no_parameter(error: errors.MissingParameter, _exchange: Exchange) -> str:
    return f"required '{error.name}' parameter is missing"


_WORDS: dict[tuple[str, type[GatewayError]], Words] = {
    ("", errors.PathNotFound): _missing,
    ("alluxio.create-directory", errors.PathNotFound): _not_created,
    ("alluxio.create-file", errors.PathNotFound): _not_created,
    ("alluxio.mount", errors.PathNotFound): _not_mounted,
    ("alluxio.unmount", errors.PathNotFound): _no_mount,
    ("", errors.NotADirectory): _in_the_way,
    ("alluxio.rename", errors.AlreadyExists): _destination_taken,
    ("alluxio.rename", errors.IsADirectory): _destination_taken,
    ("alluxio.create-directory", errors.AlreadyExists): _directory_exists,
    ("alluxio.create-file", errors.AlreadyExists): _file_exists,
    ("alluxio.create-file", errors.IsADirectory): _file_exists,
    ("alluxio.mount", errors.AlreadyExists): _is_mounted,
    ("alluxio.delete", errors.DirectoryNotEmpty): _not_empty,
    ("alluxio.free", errors.DirectoryNotEmpty): _not_freed,
    ("", errors.NotAFile): _is_directory,
    ("", errors.InvalidPath): _invalid_path,
    ("", errors.MissingParameter): _no_parameter,
    ("", mounts.ReadOnlyMount): _read_only,
    ("", errors.OwnerRefused): _owner_refused,
    ("alluxio.delete", mounts.HoldsMount): _holds_mount,
    ("", stream_errors.IncompleteFile): _incomplete,
}
"""By operation ("" is any) and class of the error."""
