"""The WSGI layer around Flask: it sees every request begin and every answer end.

Flask's own hooks end when the view returns; a download ends much later. Here the bytes are
counted, the audit line is written and the figures are kept, whatever becomes of the request.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from app.web.body import RequestBody
from app.web.exchange import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app.settings import Settings
    from app.web.audit import AuditLog
    from app.web.exchange import Exchange
    from app.web.metrics import Metrics

    WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_AS_THEY_ARE = [("X-Content-Type-Options", "nosniff")]
_HEADERS = [*_AS_THEY_ARE, ("Cache-Control", "no-cache, private")]


class Gate:
    """Wraps a WSGI application."""

    def __init__(
        self, application: WsgiApp, settings: Settings, audit: AuditLog, metrics: Metrics,
    ) -> None:
        self._application = application
        self._web = settings.web
        self._audit = audit
        self._metrics = metrics

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any],
    ) -> Iterable[bytes]:
        """Serve one request (PEP 3333)."""
        exchange = begin(environ, self._web.trusted_proxies)
        self._metrics.begin()
        body = _body_of(exchange, self._web.body_timeout)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            exchange.status = int(status[:3])
            if body:
                body.settle()
            extra = [*(_AS_THEY_ARE if exchange.own_caching else _HEADERS),
                     ("X-Request-Id", exchange.request_id)]
            line = _STATUS_LINES.get(exchange.status, status)
            return start_response(line, headers + extra, *([exc_info] if exc_info else []))

        try:
            answer = self._application(environ, start)
        except BaseException:
            self._finish(exchange, complete=False)
            raise
        return _Answer(answer, exchange, body, self._finish)

    def _finish(self, exchange: Exchange, *, complete: bool) -> None:
        seconds = time.monotonic() - exchange.started
        self._audit.write(exchange, seconds, complete=complete)
        self._metrics.end(exchange, seconds)


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
        exchange = self._exchange
        for piece in self._pieces:
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


def _body_of(exchange: Exchange, timeout: float) -> RequestBody | None:
    """Return the body that may have to be got rid of; None for the many requests without."""
    environ = exchange.environ
    if not (environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING")):
        return None
    return RequestBody(exchange, max_bytes=0, timeout=timeout)
