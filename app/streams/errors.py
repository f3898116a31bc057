"""Errors as Alluxio's proxy tells them: nearly all 500, with a message and a code of gRPC's.

The body has the code under two names, `statusCode` as Alluxio 2 writes it and `status` as 1.8 did,
so that clients of both read it. The words of the messages are in `wording.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from werkzeug import Response

from app.core import errors, limit_errors, mounts, stream_errors
from app.streams.wording import message_of
from app.web.dialects import Dialect, Row

if TYPE_CHECKING:
    from app.core.errors import GatewayError
    from app.web.exchange import Exchange

PREFIX = "/api/v1"
JSON_TYPE = "application/json"
"""Exactly this: Alluxio's Go client compares the header with it."""


class AlluxioError(errors.GatewayError):
    """Something that only Alluxio has a word for; `code` is one of gRPC's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotAcceptable(errors.GatewayError):
    """The client wants (Accept) another type than the answer would have."""


def _failed(code: str) -> Row:
    return Row(500, code)


ROWS: dict[type[GatewayError], Row] = {cls: _failed(code) for cls, code in {
    errors.GatewayError: "INTERNAL",
    errors.InvalidPath: "INVALID_ARGUMENT",
    errors.InvalidParameter: "INVALID_ARGUMENT",
    errors.InvalidParameters: "INVALID_ARGUMENT",
    errors.MissingParameter: "INTERNAL",
    errors.AccessDenied: "PERMISSION_DENIED",
    errors.QuotaExceeded: "RESOURCE_EXHAUSTED",
    errors.NotFound: "NOT_FOUND",
    errors.NotAFile: "UNKNOWN",
    errors.Conflict: "FAILED_PRECONDITION",
    errors.AlreadyExists: "ALREADY_EXISTS",
    errors.IsADirectory: "ALREADY_EXISTS",
    errors.NotADirectory: "INVALID_ARGUMENT",
    errors.Unsupported: "UNIMPLEMENTED",
    errors.UpstreamError: "UNAVAILABLE",
    errors.UpstreamTimeout: "DEADLINE_EXCEEDED",
    errors.UpstreamFault: "INTERNAL",
    errors.StorageFault: "UNAVAILABLE",
    mounts.CrossMount: "INVALID_ARGUMENT",
    stream_errors.NoSuchStream: "INTERNAL",
    stream_errors.StreamBusy: "ABORTED",
    stream_errors.IncompleteFile: "UNKNOWN",
}.items()} | {
    # What HTTP has a status for keeps it: such a request never reached a file.
    errors.InvalidRequest: Row(400, "INVALID_ARGUMENT"),
    stream_errors.MalformedOptions: Row(400, "INVALID_ARGUMENT"),
    errors.NotAuthenticated: Row(401, "UNAUTHENTICATED"),
    errors.InsecureTransport: Row(403, "UNAUTHENTICATED"),
    errors.RouteNotFound: Row(404, "NOT_FOUND"),
    errors.MethodNotAllowed: Row(405, "UNIMPLEMENTED"),
    NotAcceptable: Row(406, "INVALID_ARGUMENT"),
    errors.LengthRequired: Row(411, "INVALID_ARGUMENT"),
    errors.PreconditionFailed: Row(412, "FAILED_PRECONDITION"),
    errors.BodyTooLarge: Row(413, "RESOURCE_EXHAUSTED"),
    errors.UnsupportedMedia: Row(415, "INVALID_ARGUMENT"),
    errors.RangeNotSatisfiable: Row(416, "OUT_OF_RANGE"),
    errors.TooManyAttempts: Row(429, "RESOURCE_EXHAUSTED"),
    stream_errors.TooManyStreams: Row(429, "RESOURCE_EXHAUSTED"),
    limit_errors.UserLimitReached: Row(429, "RESOURCE_EXHAUSTED"),
    limit_errors.LimitReached: Row(503, "UNAVAILABLE"),
}
_UNKNOWN = {
    ("alluxio.free", errors.DirectoryNotEmpty), ("alluxio.mount", errors.AlreadyExists),
    ("alluxio.mount", errors.PathNotFound),
}
"""What Alluxio 2.9.4 has no better code for, by operation and class."""


def _own_row(error: GatewayError) -> Row | None:
    """Return the row of an error that brings its code along."""
    return _failed(error.code) if isinstance(error, AlluxioError) else None


def _render(error: GatewayError, row: Row, exchange: Exchange) -> Response:
    message = message_of(error, exchange)
    if isinstance(error, stream_errors.MalformedOptions):
        return Response(message.encode("ascii", "backslashreplace"), row.status,
                        content_type="text/plain")
    code = "UNKNOWN" if (exchange.operation, type(error)) in _UNKNOWN else row.code
    body = json.dumps({"message": message, "statusCode": code, "status": code},
                      separators=(",", ":"))
    return Response(body, row.status, content_type=JSON_TYPE)


ALLUXIO = Dialect(rows=ROWS, render=_render, own_row=_own_row)
