"""What is done to one path: directories made, things removed, told, renamed, freed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from werkzeug import Response

from app.core.errors import (
    AlreadyExists,
    DirectoryNotEmpty,
    InvalidParameter,
    InvalidPath,
    PathNotFound,
    printable,
)
from app.core.lifetimes import TtlAction, lifetime_of
from app.fs.entry_changes import EntryChange
from app.streams.call import normalised
from app.streams.errors import JSON_TYPE, AlluxioError
from app.streams.file_info import encoded, file_info, opened_info

if TYPE_CHECKING:
    from app.streams.call import AlluxioCall

_ACTIONS = {"NONE": "---", "EXECUTE": "--x", "WRITE": "-w-", "WRITE_EXECUTE": "-wx",
            "READ": "r--", "READ_EXECUTE": "r-x", "READ_WRITE": "rw-", "ALL": "rwx"}


def json_answer(text: bytes) -> Response:
    """Return 200 with JSON."""
    return Response(text, content_type=JSON_TYPE)


def done() -> Response:
    """Return 200 with nothing, as Alluxio answers where there is nothing to tell."""
    response = Response()
    del response.headers["Content-Type"]
    return response


def refuse_written(call: AlluxioCall, path: str) -> None:
    """Raise AlreadyExists if a stream is writing `path`: its writer could not close it then."""
    opened = call.streams.written_at(path)
    if opened:
        # First HDFS says whether this user may know.
        with suppress(PathNotFound):
            call.files.status(path)
        raise AlreadyExists(opened.path)


def create_directory(call: AlluxioCall) -> Response:
    """Make a directory, which may have a ttl; one that is there already keeps what it has."""
    streams, options = call.services.settings.streams, call.options
    refuse_written(call, call.path)
    made = call.files.make_directory(
        call.path, options.get("mode", streams.directory_permission),
        recursive=options.get("recursive", False),
        allow_exists=options.get("allowExists", False),
        parents_permission=streams.directory_permission)
    if made and options.get("ttl", -1) >= 0:
        lifetime = EntryChange(ttl=options["ttl"], action=TtlAction(options["ttlAction"]))
        call.files.change(call.path, lifetime, call.services.lifetimes, recursive=False)
    return done()


def delete(call: AlluxioCall) -> Response:
    """Remove a file or directory for good; a mount point is unmounted."""
    path, recursive = call.path, call.options.get("recursive", False)
    if call.options.get("deleteMountPoint") and _unmounted(call, path, recursive=recursive):
        return done()
    try:
        call.files.remove(path, recursive=recursive)
    except PathNotFound:
        # What this user is writing there is there for Alluxio's clients.
        if not call.streams.discard(path):
            raise
    return done()


def _unmounted(call: AlluxioCall, path: str, *, recursive: bool) -> bool:
    """Unmount what is mounted at and below `path`; tell whether that was all that was there."""
    real, table = call.files.real(path), call.services.mounts.table()
    if not table.inside(real) or path == "/":
        return False
    if not table.at(real) and not recursive:
        raise DirectoryNotEmpty(real)
    is_mount = table.at(real) is not None
    call.services.mounting_of(call.principal).unmount_below(path)
    call.look_again()
    return is_mount


def exists(call: AlluxioCall) -> Response:
    """Answer whether there is such a file or directory; nothing can be where no path leads."""
    try:
        call.files.status(call.path)
        found = True
    except PathNotFound:
        found = call.written() is not None
    except InvalidPath:
        found = False
    return json_answer(b"true" if found else b"false")


def get_status(call: AlluxioCall) -> Response:
    """Answer the FileInfo of a file or directory."""
    mounts = call.services.mounts
    try:
        entry = call.files.entry(call.path)
    except PathNotFound:
        opened = call.written()
        if not opened:
            raise
        return json_answer(encoded(opened_info(opened, call.principal, mounts)))
    if "accessMode" in call.options:
        call.files.check_access(call.path, _ACTIONS[call.options["accessMode"]])
    return json_answer(encoded(file_info(entry, call.principal, mounts)))


def rename(call: AlluxioCall) -> Response:
    """Rename to a name that nothing has."""
    source, destination = call.path, normalised(call.required("dst"))
    if source == "/":
        raise AlluxioError("INVALID_ARGUMENT", "The root directory cannot be renamed")
    if destination == "/":
        raise AlluxioError("INVALID_ARGUMENT", "Cannot rename a path to the root directory")
    if destination.startswith(f"{source}/"):
        raise AlluxioError("INVALID_ARGUMENT", f"Cannot rename because {printable(source)} is a"
                                               f" prefix of {printable(destination)}")
    refuse_written(call, destination)
    call.files.move(source, destination)
    return done()


def free(call: AlluxioCall) -> Response:
    """Free nothing, since there is no second copy; refuse what Alluxio refuses."""
    path = call.path
    entry = call.files.check_freeable(path, recursive=call.options.get("recursive", False))
    if lifetime_of(entry.xattrs).pinned and not call.options.get("forced", False):
        raise AlluxioError("UNKNOWN", (
            f"Cannot free file {printable(path)} which is pinned. Please unpin it first or set the"
            ' "forced" flag of free operation to true'))
    return done()


def set_attribute(call: AlluxioCall) -> Response:
    """Set owner, group, mode, replication and lifetime, of a whole tree if that is asked for."""
    options = call.options
    action = options.get("ttlAction")
    change = EntryChange(
        owner=options.get("owner"), group=options.get("group"), permission=options.get("mode"),
        least=options.get("replicationMin"), most=_most(call),
        pinned=options.get("pinned"), ttl=options.get("ttl"),
        action=TtlAction(action) if action else None)
    _check_replication(call, change)
    call.files.change(call.path, change, call.services.lifetimes,
                      recursive=options.get("recursive", False))
    return done()


def _most(call: AlluxioCall) -> int | None:
    most: int | None = call.options.get("replicationMax")
    return None if most == -1 else most


def _check_replication(call: AlluxioCall, change: EntryChange) -> None:
    """Raise InvalidParameter for factors that are not configured to be possible."""
    bounds = call.services.settings.files
    for name, factor in (("replicationMin", change.least), ("replicationMax", change.most)):
        # The other way about each is a bound that is kept anyway.
        if factor and not bounds.replication_min <= factor <= bounds.replication_max:
            raise InvalidParameter(name, str(factor), f"a whole number from"
                                   f" {bounds.replication_min} to {bounds.replication_max}")
    if change.least and change.most is not None and change.least > change.most:
        raise InvalidParameter("replicationMin", str(change.least),
                               "no more than replicationMax")


def mount(call: AlluxioCall) -> Response:
    """Show a directory of a cluster at a path; admins may."""
    call.services.mounting_of(call.principal).mount(
        call.path, call.required("src"), read_only=call.options.get("readOnly", False))
    return done()


def unmount(call: AlluxioCall) -> Response:
    """Take a mount away; admins may."""
    call.services.mounting_of(call.principal).unmount(call.path)
    return done()
