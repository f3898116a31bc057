"""Every operation of Alluxio's proxy in one table: what its URL ends in, and what serves it.

Names, methods and types are those of Alluxio 2.9's REST API.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from app.streams import info, listing, paths, transfers
from app.streams.errors import JSON_TYPE

if TYPE_CHECKING:
    from werkzeug import Response

    from app.streams.call import AlluxioCall

View = Callable[["AlluxioCall"], "Response"]
OCTETS = "application/octet-stream"
ANY = "*/*"


class Operation(NamedTuple):
    """One operation below `kind`: "paths", "streams" (of an id) or "proxy".

    `takes` is the type of its body: options where that is JSON. `gives` is the type of its answer.
    `harmless` ones change nothing that anybody sees.
    """

    kind: str
    action: str
    view: View
    methods: tuple[str, ...] = ("POST",)
    takes: str = JSON_TYPE
    gives: str = JSON_TYPE
    harmless: bool = False


OPERATIONS: tuple[Operation, ...] = (
    Operation("paths", "create-directory", paths.create_directory),
    Operation("paths", "create-file", transfers.create_file),
    Operation("paths", "delete", paths.delete),
    Operation("paths", "download-file", transfers.download_file, ("GET", "HEAD"), ANY, OCTETS,
              harmless=True),
    Operation("paths", "exists", paths.exists, harmless=True),
    Operation("paths", "free", paths.free, harmless=True),
    Operation("paths", "get-status", paths.get_status, harmless=True),
    Operation("paths", "list-status", listing.list_status, harmless=True),
    Operation("paths", "mount", paths.mount),
    Operation("paths", "rename", paths.rename),
    Operation("paths", "set-attribute", paths.set_attribute),
    Operation("paths", "unmount", paths.unmount),
    Operation("paths", "open-file", transfers.open_file),
    Operation("streams", "close", transfers.close, takes=ANY, gives=ANY),
    Operation("streams", "read", transfers.read, takes=ANY, gives=OCTETS),
    Operation("streams", "write", transfers.write, takes=OCTETS),
    Operation("proxy", "info", info.info, ("GET", "HEAD"), ANY, harmless=True),
)
_BY_NAME = {(operation.kind, operation.action): operation for operation in OPERATIONS}


def find(kind: str, action: str) -> Operation | None:
    """Return the operation of this name; None: there is no such URL."""
    return _BY_NAME.get((kind, action))
