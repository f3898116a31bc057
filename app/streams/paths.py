"""What is done to one path: directories made, things removed, told, renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug import Response

from app.core.errors import InvalidPath, PathNotFound
from app.streams.errors import JSON_TYPE
from app.streams.file_info import encoded, file_info

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


def create_directory(call: AlluxioCall) -> Response:
    """Make a directory."""
    streams, options = call.services.settings.streams, call.options
    call.files.make_directory(
        call.path, options.get("mode", streams.directory_permission),
        recursive=options.get("recursive", False),
        allow_exists=options.get("allowExists", False),
        parents_permission=streams.directory_permission)
    return done()


def delete(call: AlluxioCall) -> Response:
    """Remove a file or directory for good."""
    call.files.remove(call.path, recursive=call.options.get("recursive", False))
    return done()


def exists(call: AlluxioCall) -> Response:
    """Answer whether there is such a file or directory; nothing can be where no path leads."""
    try:
        call.files.status(call.path)
    except (PathNotFound, InvalidPath):
        return json_answer(b"false")
    return json_answer(b"true")


def get_status(call: AlluxioCall) -> Response:
    """Answer the FileInfo of a file or directory."""
    entry = call.files.entry(call.path)
    if "accessMode" in call.options:
        call.files.check_access(call.path, _ACTIONS[call.options["accessMode"]])
    info = file_info(entry, call.principal, call.services.mounts)
    return json_answer(encoded(info))
