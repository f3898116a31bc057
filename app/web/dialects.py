"""Errors on their way out: one handler, and a table for each dialect.

A dialect's table maps error classes to rows; the row of an error is that of the nearest class
along its MRO. What HTTP itself asks of a status (WWW-Authenticate, Allow, Retry-After,
Content-Range) is added here, the same in every dialect.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wsgi import get_path_info

from app.core import errors
from app.core.limit_errors import LimitReached
from app.web.exchange import current

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Flask
    from werkzeug import Response

    from app.web.exchange import Exchange

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 5
ErrorHandler = Callable[[Exception, dict[str, Any]], "Response"]
"""Makes the answer to an error of the request with this WSGI environment."""


class Row(NamedTuple):
    """What a dialect says for an error class: the status and, where it has one, its own code."""

    status: int
    code: str = ""


class Dialect(NamedTuple):
    """A table of rows and how an error is written with its row.

    `own_row` finds the row of an error that brings its dialect's code along; None: by its class.
    `schemes` are those of an Authorization header that a 401 may ask for.
    """

    rows: Mapping[type[errors.GatewayError], Row]
    render: Callable[[errors.GatewayError, Row, Exchange], Response]
    own_row: Callable[[errors.GatewayError], Row | None] = lambda _error: None
    schemes: Sequence[str] = ("Basic", "Bearer")

    def row(self, error: errors.GatewayError) -> Row:
        """Return the error's own row, else that of the nearest class along its MRO."""
        return self.own_row(error) or next(
            self.rows[cls] for cls in type(error).__mro__ if cls in self.rows)


def handler(
    dialects: Sequence[tuple[str, Dialect]],
    challenges: Callable[[errors.GatewayError], Sequence[str]],
) -> ErrorHandler:
    """Return what answers any error of a request in the dialect of the first matching prefix.

    `challenges` returns the WWW-Authenticate values for an error that is answered with 401.
    The last dialect also answers targets that are no path: `OPTIONS *`, CONNECT.
    """

    def handle(error: Exception, environ: dict[str, Any]) -> Response:
        exchange = current(environ)
        known = told(error, exchange)
        exchange.error = type(known).__name__
        path = environ["PATH_INFO"]
        dialect = next((d for prefix, d in dialects if _is_below(path, prefix)), dialects[-1][1])
        row = dialect.row(known)
        response = dialect.render(known, row, exchange)
        if row.status == 401:  # noqa: PLR2004
            for value in challenges(known):
                if value.partition(" ")[0] in dialect.schemes:
                    response.headers.add("WWW-Authenticate", value)
        _add_headers(response, known)
        return response

    return handle


def _is_below(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and (
        prefix.endswith("/") or path[len(prefix):][:1] in ("", "/"))


def install(app: Flask, handle: ErrorHandler) -> None:
    """Make Flask answer every error by `handle`, those of its own routing included."""
    app.register_error_handler(Exception, lambda error: handle(error, request.environ))


def told(error: Exception, exchange: Exchange) -> errors.GatewayError:
    """Return the gateway's own error for whatever was raised, as the caller may know it."""
    known = _known(error, exchange)
    _show_path(known, exchange)
    return known


def _known(error: Exception, exchange: Exchange) -> errors.GatewayError:
    """Return the gateway's own error for whatever was raised; log what nobody expected."""
    if isinstance(error, errors.GatewayError):
        if isinstance(error, errors.UpstreamError | errors.StorageFault):
            _log.warning("%s %s: %r (cause: %r)", exchange.request_id, exchange.operation,
                         error, error.__cause__)
        if isinstance(error, errors.StorageFault):
            # Its own words name a server or a file of this host.
            return errors.StorageFault("the gateway's state store cannot be used at the moment; the"
                                       f" log has it as request {exchange.request_id}")
        return error
    if isinstance(error, MethodNotAllowed):
        return errors.MethodNotAllowed(exchange.method, error.valid_methods or ())
    if isinstance(error, NotFound):
        return errors.RouteNotFound(get_path_info(exchange.environ))
    if isinstance(error, HTTPException):
        return errors.InvalidRequest(error.description or error.name)
    _log.exception("%s %s failed", exchange.request_id, exchange.operation, exc_info=error)
    return errors.GatewayError(f"internal error; the log has it as request {exchange.request_id}")


def _show_path(error: errors.GatewayError, exchange: Exchange) -> None:
    """Write the path as the caller knows it, so that a confined user sees no real path."""
    if isinstance(error, errors.PathError) and exchange.principal:
        error.path = exchange.principal.visible(error.path)


def _add_headers(response: Response, error: errors.GatewayError) -> None:
    if isinstance(error, errors.MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.allowed)
    elif isinstance(error, errors.TooManyAttempts | LimitReached):
        response.headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, errors.RangeNotSatisfiable):
        response.headers["Content-Range"] = f"bytes */{error.length}"
    elif isinstance(error, errors.UpstreamUnavailable):
        response.headers["Retry-After"] = str(_RETRY_SECONDS)
