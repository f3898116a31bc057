"""Errors as AIStore tells them: one JSON object, for HEAD in the header `Header-Error`.

The shape is that of AIStore's `cmn.HTTPError` (2020) and `cmn.ErrHTTP` (2021). `trace` names places
in AIStore's sources there and is always empty here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from werkzeug import Response
from werkzeug.wsgi import get_path_info

from app.aistore.wording import message_of
from app.core import (
    cache_errors,
    download_errors,
    errors,
    job_errors,
    limit_errors,
    mounts,
    node_errors,
    object_errors,
)
from app.web.dialects import Dialect, Row

if TYPE_CHECKING:
    from app.core.errors import GatewayError
    from app.web.exchange import Exchange

PREFIX = "/v1"
JSON_TYPE = "application/json"

ROWS: dict[type[GatewayError], Row] = {cls: Row(status) for cls, status in {
    errors.GatewayError: 500,
    errors.InvalidRequest: 400,
    errors.LengthRequired: 411,
    errors.UnsupportedMedia: 415,
    errors.BodyTooLarge: 413,
    errors.NotAuthenticated: 401,
    errors.TooManyAttempts: 429,
    errors.AccessDenied: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.RangeNotSatisfiable: 416,
    # AIStore has neither a 404 for URLs that it does not know nor a 405.
    errors.RouteNotFound: 400,
    errors.MethodNotAllowed: 400,
    errors.Unsupported: 501,
    errors.UpstreamError: 502,
    errors.UpstreamUnavailable: 503,
    errors.UpstreamTimeout: 504,
    errors.StorageFault: 503,
    limit_errors.LimitReached: 503,
    limit_errors.UserLimitReached: 429,
    mounts.CrossMount: 400,
    object_errors.MalformedDocument: 400,
    job_errors.NoSuchJob: 404,
    job_errors.JobRunning: 409,
    job_errors.JobTooLarge: 413,
    job_errors.TooManyJobs: 429,
    node_errors.NoSuchNode: 404,
    download_errors.SourceRefused: 403,
    cache_errors.NoSuchMountpath: 404,
    cache_errors.MountpathExists: 409,
    cache_errors.MountpathUnchanged: 409,
}.items()}


def _render(error: GatewayError, row: Row, exchange: Exchange) -> Response:
    environ = exchange.environ
    body = json.dumps({
        "status": row.status, "message": message_of(error, exchange),
        "method": exchange.method, "url_path": get_path_info(environ),
        "remote_addr": f"{exchange.origin.client}:{environ.get('REMOTE_PORT') or 0}",
        "trace": "",
    }, separators=(",", ":"))
    response = Response(f"{body}\n", row.status, content_type=JSON_TYPE)
    if exchange.method == "HEAD":
        response.headers["Header-Error"] = body
    return response


AISTORE = Dialect(rows=ROWS, render=_render)
