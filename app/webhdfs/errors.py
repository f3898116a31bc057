"""Errors as the NameNode tells them: RemoteException, with the class and the status of each.

Where HDFS itself said what is wrong, its own class and words go on, as far as the caller may see
the paths in them; else the tables here say it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from werkzeug import Response

from app.auth.delegation import BadToken
from app.core import errors, limit_errors
from app.core.paths import HIDDEN_MARK, ROOT
from app.web.dialects import Dialect, Row
from app.webhdfs.wording import has_own_words, message_of

if TYPE_CHECKING:
    from app.core.errors import GatewayError, Told
    from app.core.identity import Principal
    from app.web.exchange import Exchange

PREFIX = "/webhdfs/v1"
JSON_TYPE = "application/json"
_FS = "org.apache.hadoop.fs."
_PROTOCOL = "org.apache.hadoop.hdfs.protocol."
_ILLEGAL = "java.lang.IllegalArgumentException"
_UNSUPPORTED = "java.lang.UnsupportedOperationException"
_NOT_FOUND = "java.io.FileNotFoundException"
_IO = "java.io.IOException"
_ACCESS = "org.apache.hadoop.security.AccessControlException"
_AUTHENTICATION = "org.apache.hadoop.security.authentication.client.AuthenticationException"
_RETRY = "org.apache.hadoop.ipc.RetriableException"

ROWS: dict[type[GatewayError], Row] = {
    errors.GatewayError: Row(500, "java.lang.RuntimeException"),
    errors.InvalidRequest: Row(400, _ILLEGAL),
    errors.InvalidPath: Row(400, f"{_FS}InvalidPathException"),
    errors.LengthRequired: Row(411, _ILLEGAL),
    errors.UnsupportedMedia: Row(415, _ILLEGAL),
    errors.BodyTooLarge: Row(413, _IO),
    errors.NotAuthenticated: Row(401, _AUTHENTICATION),
    BadToken: Row(403, "org.apache.hadoop.security.token.SecretManager$InvalidToken"),
    errors.TooManyAttempts: Row(429, _AUTHENTICATION),
    errors.AccessDenied: Row(403, _ACCESS),
    errors.QuotaExceeded: Row(403, f"{_PROTOCOL}QuotaExceededException"),
    errors.NotFound: Row(404, _NOT_FOUND),
    errors.AttributeNotFound: Row(403, f"{_PROTOCOL}XAttrNotFoundException"),
    errors.Conflict: Row(403, _IO),
    errors.AlreadyExists: Row(403, f"{_FS}FileAlreadyExistsException"),
    errors.IsADirectory: Row(403, f"{_FS}FileAlreadyExistsException"),
    errors.NotADirectory: Row(403, f"{_FS}ParentNotDirectoryException"),
    errors.DirectoryNotEmpty: Row(403, f"{_FS}PathIsNotEmptyDirectoryException"),
    errors.FileBusy: Row(403, f"{_PROTOCOL}AlreadyBeingCreatedException"),
    errors.PreconditionFailed: Row(412, _ILLEGAL),
    errors.RangeNotSatisfiable: Row(403, _IO),
    errors.RouteNotFound: Row(404, _NOT_FOUND),
    errors.MethodNotAllowed: Row(405, _UNSUPPORTED),
    errors.Unsupported: Row(400, _UNSUPPORTED),
    errors.UpstreamError: Row(502, _IO),
    errors.UpstreamUnavailable: Row(503, _RETRY),
    errors.UpstreamTimeout: Row(504, "java.net.SocketTimeoutException"),
    errors.StorageFault: Row(503, _RETRY),
    limit_errors.LimitReached: Row(503, _RETRY),
    limit_errors.UserLimitReached: Row(429, _RETRY),
}
_STATUSES = {
    _ILLEGAL: 400,
    _UNSUPPORTED: 400,
    "org.apache.hadoop.HadoopIllegalArgumentException": 400,
    f"{_FS}InvalidPathException": 400,
    _NOT_FOUND: 404,
}
"""The NameNode's statuses (its ExceptionHandler); every other exception of HDFS is 403."""
_BOUNDARY = re.compile(r"""(?<![^\s"'`=(\[,;:<>])/""")
"""A slash that a path may begin with."""
_AFTER = ("", *"/\"' .;,:])")
_NO_SUCH_OPERATION = (_ILLEGAL, "com.sun.jersey.api.ParamException$QueryParamException")
"""How servers, by class, refuse an operation that they do not have."""
_STACK = "\n\tat "


class Refused(errors.GatewayError):
    """Something that only WebHDFS has a word for: Java's class, and its message."""

    def __init__(self, java_class: str, message: str) -> None:
        super().__init__(message)
        self.told = errors.Told(java_class, message)


def not_allowed(message: str) -> Refused:
    """Return the refusal to act as somebody else."""
    return Refused("org.apache.hadoop.security.authorize.AuthorizationException", message)


def io_error(message: str) -> Refused:
    """Return what has no class of its own."""
    return Refused(_IO, message)


def _own_row(error: GatewayError) -> Row | None:
    told = _heard(error)
    return Row(_STATUSES.get(told.java_class, 403), told.java_class) if told else None


def _heard(error: GatewayError) -> Told | None:
    """Return what HDFS said, if that is what the caller shall hear.

    Not of its own health, which the gateway tells of, and not HttpFS's names for what it has lost
    the name of.
    """
    told = error.told
    unwell = isinstance(error, errors.UpstreamUnavailable | errors.UpstreamTimeout)
    if told is None or unwell:
        return None
    if isinstance(error, errors.Unsupported) and told.java_class in _NO_SUCH_OPERATION:
        return None
    nameless = "." not in told.java_class or told.name == "RemoteException"
    return None if nameless else told


def shown(message: str, principal: Principal | None) -> str | None:
    """Return HDFS's message with the caller's paths; None if it names what they may not see."""
    text = message.partition(_STACK)[0]
    if HIDDEN_MARK in text:
        return None
    root = principal.root if principal else ROOT
    if root == ROOT:
        return text
    for match in _BOUNDARY.finditer(text):
        rest = text[match.start():]
        if not rest.startswith(root) or rest[len(root):][:1] not in _AFTER:
            return None
    return _below(text, root)


def _below(text: str, root: str) -> str:
    """Return `text` with each path below `root` as it is written below it."""
    inside = text.replace(f"{root}/", "/")
    return inside.replace(root, "/")


def _render(error: GatewayError, row: Row, exchange: Exchange) -> Response:
    told = _heard(error)
    message = shown(told.message, exchange.principal) if told else None
    if message is None or has_own_words(error, exchange):
        message = message_of(error, exchange)
    return remote_exception(row, message)


def remote_exception(row: Row, message: str) -> Response:
    """Return an answer that Hadoop's clients make an exception of."""
    name = row.code.rpartition(".")[2].rpartition("$")[2]
    body = json.dumps({"RemoteException": {
        "exception": name, "javaClassName": row.code, "message": message}}, separators=(",", ":"))
    return Response(body, row.status, content_type=JSON_TYPE)


WEBHDFS = Dialect(rows=ROWS, render=_render, own_row=_own_row)
