"""The JSON envelope of the file API, and which status each error has in it.

Every JSON answer is {"status": "SUCCESS" | "FAILURE", "result": …, "error": [message, …] | null}.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from werkzeug import Response

from app.core import errors, limit_errors
from app.web.dialects import Dialect, Row

if TYPE_CHECKING:
    from app.core.errors import GatewayError
    from app.web.exchange import Exchange

JSON_TYPE = "application/json;charset=UTF-8"
_encode = json.JSONEncoder(separators=(",", ":")).encode

ROWS: dict[type[GatewayError], Row] = {
    errors.GatewayError: Row(500),
    errors.InvalidRequest: Row(400),
    errors.LengthRequired: Row(411),
    errors.UnsupportedMedia: Row(415),
    errors.BodyTooLarge: Row(413),
    errors.NotAuthenticated: Row(401),
    errors.TooManyAttempts: Row(429),
    errors.AccessDenied: Row(403),
    errors.NotFound: Row(404),
    errors.Conflict: Row(409),
    errors.PreconditionFailed: Row(412),
    errors.RangeNotSatisfiable: Row(416),
    errors.RouteNotFound: Row(404),
    errors.MethodNotAllowed: Row(405),
    errors.Unsupported: Row(501),
    errors.UpstreamUnavailable: Row(503),
    errors.UpstreamTimeout: Row(504),
    errors.UpstreamError: Row(502),
    errors.StorageFault: Row(503),
    limit_errors.LimitReached: Row(503),
    limit_errors.UserLimitReached: Row(429),
}


def success(result: Any) -> str:
    """Return the envelope of `result` as JSON text."""
    return f'{{"status":"SUCCESS","result":{encode(result)},"error":null}}'


def failure(messages: list[str]) -> str:
    """Return the envelope of an error as JSON text."""
    return encode({"status": "FAILURE", "result": None, "error": messages})


def encode(value: Any) -> str:
    """Return compact JSON; lone surrogates, which UTF-8 cannot hold, come out as escapes."""
    return _encode(value)


def _render(error: GatewayError, row: Row, _exchange: Exchange) -> Response:
    return Response(failure(error.messages), row.status, content_type=JSON_TYPE)


ENVELOPE = Dialect(rows=ROWS, render=_render)
