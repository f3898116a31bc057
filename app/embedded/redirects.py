"""The NameNode's part of operations whose data a DataNode moves: a redirect, here to ourselves."""

from typing import Final
from urllib.parse import quote, urlencode

from app.embedded import access
from app.embedded.errors import HdfsError
from app.embedded.paths import require_path, resolve
from app.embedded.requests import PREFIX, Operation, Request, Response, as_json, empty

MARK: Final = "namenoderpcaddress"
"""The parameter that tells a DataNode's request from a NameNode's."""

_NOT_UNWRAPPED: Final = frozenset(
    {"HadoopIllegalArgumentException", "PathComponentTooLongException"}
)
"""Exceptions of the NameNode that a DataNode cannot construct, and passes on as they came."""

_LEFT_OUT: Final = frozenset({"noredirect", "op", MARK})


def redirected(name: str, operation: Operation) -> Operation:
    """Make the two-step operation `name` of its DataNode's part."""

    def answer(request: Request) -> Response:
        if MARK in request.parameters:
            return _as_datanode(operation, request)
        if name == "OPEN":
            request.long("length", 0, 0)
        if name != "CREATE":
            _check_exists(request, name)
        location = _location(request, name)
        if request.flag("noredirect", False):
            return as_json({"Location": location})
        return empty(307, ("Location", location))

    return answer


def _as_datanode(operation: Operation, request: Request) -> Response:
    try:
        return operation(request)
    except HdfsError as error:
        if error.name in _NOT_UNWRAPPED:
            raise HdfsError("RemoteException", error.message) from error
        raise


def _check_exists(request: Request, name: str) -> None:
    with request.store.database.read() as connection:
        located = resolve(connection, request.path, request.caller)
    if located.is_dot_snapshot:
        return
    inode = located.inode
    if inode is None:
        raise HdfsError("FileNotFoundException", f"File {located.path} not found.")
    if inode.length:
        require_path(located, request.caller, access.READ)
    offset = request.long("offset", 0, 0)
    length = inode.length
    if name == "OPEN" and (offset < 0 or (offset >= length > 0)):
        raise HdfsError(
            "IOException",
            f"Offset={offset} out of the range [0, {length}); OPEN, path={located.path}",
        )


def _location(request: Request, name: str) -> str:
    environ = request.environ
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    scheme = environ.get("wsgi.url_scheme", "http")
    kept = {key: value for key, value in request.parameters.items() if key not in _LEFT_OUT}
    query = urlencode({"op": name, **kept, MARK: "embedded"}, quote_via=quote)
    return f"{scheme}://{host}{PREFIX}{quote(request.path)}?{query}"
