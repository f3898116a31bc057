"""The WSGI layer around Flask: it sees every request begin and every answer end.

Flask's own hooks end when the view returns; a download ends much later. Here the bytes are
counted, the audit line is written and the figures are kept, whatever becomes of the request.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from app.core.limit_errors import LimitReached
from app.state.ledger import DOWNLOAD
from app.web import accel
from app.web.body import RequestBody
from app.web.exchange import KEY, begin
from app.web.protective import protective

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app.settings import Settings
    from app.web.audit import AuditLog
    from app.web.dialects import ErrorHandler
    from app.web.exchange import Exchange
    from app.web.limits import Headers, Limits, Meter
    from app.web.metrics import Metrics

    Start = Callable[..., Any]
    WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Gate:
    """Wraps a WSGI application."""

    def __init__(
        self, application: WsgiApp, settings: Settings, audit: AuditLog, metrics: Metrics,
        *, limits: Limits, handle: ErrorHandler,
    ) -> None:
        self._application = application
        self._limits = limits
        self._handle = handle
        self._web = settings.web
        self._audit = audit
        self._metrics = metrics

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any],
    ) -> Iterable[bytes]:
        """Serve one request (PEP 3333)."""
        exchange = begin(environ, self._web.trusted_proxies)
        exchange.limits = self._limits
        self._metrics.begin()
        body = _body_of(exchange, self._web.body_timeout)

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            exchange.status = int(status[:3])
            if body:
                body.settle()
            told = [*headers, *protective(headers, exchange),
                    ("X-Request-Id", exchange.request_id)]
            if exchange.status >= HTTPStatus.MULTIPLE_CHOICES:
                exchange.handover = None
            if exchange.handover:
                told = accel.rewritten(told, exchange.handover)
            line = _STATUS_LINES.get(exchange.status, status)
            return start_response(line, told, *([exc_info] if exc_info else []))

        try:
            if self._limits.every_request:
                exchange.meter = self._limits.meter(exchange)
            answer = self._measured(exchange, start)
        except BaseException:
            self._finish(exchange, complete=False)
            raise
        return _Answer(answer, exchange, body, self._finish)

    def _measured(self, exchange: Exchange, start: Start) -> Iterable[bytes]:
        """Return the answer, or the refusal of what is more than a limit allows.

        Of a request that is measured the head is held back until the answer is there: only that
        tells whether it is a transfer, and by then there must still be a status to refuse it with.
        """
        environ = exchange.environ
        head: list[Any] = []

        def hold(status: str, headers: Headers, exc_info: Any = None) -> Any:
            if exchange.meter is None:
                return start(status, headers, exc_info)
            head[:] = [status, headers, exc_info]
            return None

        answer: Iterable[bytes] = ()
        try:
            answer = self._application(environ, hold)
            if exchange.meter:
                if not exchange.under_way:
                    exchange.meter.answer(int(head[0][:3]), head[1])
                start(*head)
        except LimitReached as error:
            close = getattr(answer, "close", None)
            if close:
                close()
            return self._handle(error, environ)(environ, start)
        return answer

    def _finish(self, exchange: Exchange, *, complete: bool) -> None:
        if exchange.meter:
            exchange.meter.end()
        seconds = time.monotonic() - exchange.started
        self._audit.write(exchange, seconds, complete=complete)
        self._metrics.end(exchange, seconds)
        # These hold each other, and all that there was of the request: none waits for a collector.
        exchange.environ.pop(KEY, None)
        exchange.meter = None


class _Answer:
    """The body of an answer on its way out."""

    def __init__(
        self, pieces: Iterable[bytes], exchange: Exchange, body: RequestBody | None,
        finish: Callable[..., None],
    ) -> None:
        self._pieces = pieces
        self._exchange = exchange
        self._body = body
        self._finish = finish
        self._complete = False

    def __iter__(self) -> Iterator[bytes]:
        exchange, meter = self._exchange, self._exchange.meter
        for piece in _paced(self._pieces, meter) if meter else self._pieces:
            yield piece
            exchange.bytes_out += len(piece)
        self._complete = True

    def close(self) -> None:
        """Close what is below, read on for a moment if the client still sends, and report."""
        try:
            close = getattr(self._pieces, "close", None)
            if close:
                close()
            if self._body and self._complete:
                self._body.linger()
        finally:
            self._finish(self._exchange, complete=self._complete)


def _paced(pieces: Iterable[bytes], meter: Meter) -> Iterator[bytes]:
    """Yield each piece, or one part of it after the other, when it may go."""
    most = meter.most(DOWNLOAD)
    for piece in pieces:
        for start in range(0, len(piece), most):
            part = piece[start:start + most] if len(piece) > most else piece
            meter.sent(len(part))
            yield part


def _body_of(exchange: Exchange, timeout: float) -> RequestBody | None:
    """Return the body that may have to be got rid of; None for the many requests without."""
    environ = exchange.environ
    if not (environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING")):
        return None
    return RequestBody(exchange, max_bytes=0, timeout=timeout)
