"""Every operation of WebHDFS in one table: those of Hadoop 3.4's NameNode, by method and `op`.

Each module of the dialect lists its own in `OPERATIONS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import MethodNotAllowed, Unsupported
from app.webhdfs import attributes, names, policies, reading, snapshots, tokens, transfers
from app.webhdfs.given import invalid

if TYPE_CHECKING:
    from app.webhdfs.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *transfers.OPERATIONS,
    *reading.OPERATIONS,
    *names.OPERATIONS,
    *attributes.OPERATIONS,
    *policies.OPERATIONS,
    *snapshots.OPERATIONS,
    *tokens.OPERATIONS,
)
_BY_NAME = {(one.method, one.name): one for one in OPERATIONS}
METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")


def find(method: str, name: str) -> Operation:
    """Return what serves `op=name`, in upper case, of a method; HEAD is for what GET answers.

    Raises MethodNotAllowed, Unsupported for none, InvalidRequest for one of another method.
    """
    if method not in METHODS:
        raise MethodNotAllowed(method, METHODS)
    method = "GET" if method == "HEAD" else method
    if name in ("", "NULL"):
        raise Unsupported("op=NULL is not supported")
    operation = _BY_NAME.get((method, name))
    if operation is None:
        raise invalid("op", f"{name[:100]} is not a valid {method} operation.")
    return operation


def markdown_table() -> str:
    """Return the operations by their methods, as the page on WebHDFS has them."""
    rows = ["| method | operations |\n| --- | --- |\n"]
    for method in ("GET", "PUT", "POST", "DELETE"):
        names = ", ".join(f"`{one.name}`" for one in OPERATIONS if one.method == method)
        rows.append(f"| {method} | {names} |\n")
    return "".join(rows)
