"""Operations on names: make directories, rename, remove; and mode and replication."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import InvalidParameter
from app.files.api import (
    DESTINATION,
    NEW_MODE,
    NEW_REPLICATION,
    PATH,
    PERMISSION,
    RECURSIVE,
    SKIP_TRASH,
    api,
)
from app.web import conditions
from app.web.answers import created, no_content

if TYPE_CHECKING:
    from werkzeug import Response

    from app.web.operations import Call

_CREATED = {201: "Done; `Location` is the status URL."}
_DONE = {204: "Done."}


@api.operation("PUT", "/directory", "Create a directory and its parents.", PATH, PERMISSION,
               answers=_CREATED)
def create_directory(call: Call) -> Response:
    """Make the directory; one that exists is left as it is and is a success too."""
    permission = call[PERMISSION] or call.services.settings.files.directory_permission
    call.files.mkdirs(call[PATH], permission)
    return created(call, call[PATH])


@api.operation("PUT", "/name", "Rename a file or directory.", PATH, DESTINATION,
               answers=_CREATED)
def rename(call: Call) -> Response:
    """Rename, or move into a directory that exists; Location says where it is now."""
    path = call.files.rename(call[PATH], call[DESTINATION], conditions.for_write(call.headers))
    moved_inside = path != call.principal.visible(call.files.real(call[DESTINATION]))
    return created(call, path if moved_inside else call[DESTINATION])


@api.operation("DELETE", "/file", "Delete a file or directory.", PATH, RECURSIVE, SKIP_TRASH,
               answers=_DONE)
def delete(call: Call) -> Response:
    """Remove for good, or move to the trash."""
    call.files.delete(call[PATH], recursive=call[RECURSIVE], skip_trash=call[SKIP_TRASH],
                      precondition=conditions.for_write(call.headers))
    return no_content()


@api.operation("PUT", "/file/permission", "Set the mode of a file or directory.",
               PATH, NEW_MODE, answers=_DONE)
def set_permission(call: Call) -> Response:
    """Set the octal mode; HDFS lets the owner and superusers."""
    call.files.set_permission(call[PATH], call[NEW_MODE])
    return no_content()


@api.operation("PUT", "/file/replication", "Set the replication factor of a file.",
               PATH, NEW_REPLICATION, answers=_DONE)
def set_replication(call: Call) -> Response:
    """Set the factor; the copies are made or removed in the background."""
    replication = check_replication(call, call[NEW_REPLICATION])
    call.files.set_replication(call[PATH], replication)
    return no_content()


def check_replication(call: Call, factor: int) -> int:
    """Return `factor` if it is within the configured bounds. Raises InvalidParameter."""
    bounds = call.services.settings.files
    if not bounds.replication_min <= factor <= bounds.replication_max:
        raise InvalidParameter(
            "replication", str(factor),
            f"a whole number from {bounds.replication_min} to {bounds.replication_max}")
    return factor
