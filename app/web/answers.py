"""Answers that several operations give: the envelope, 201 with Location, 204."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug import Response

from app.web.envelope import JSON_TYPE, success
from app.web.streams import accepts_gzip, gzipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from app.web.operations import Call

_OK = 200


class JsonResponse(Response):
    """An answer that is whole when it is made: werkzeug has nothing more to find out about it."""

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Answer (PEP 3333)."""
        if self.status_code != _OK or environ["REQUEST_METHOD"] == "HEAD" or self._on_close:
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return self.response  # type: ignore[return-value]


def enveloped(call: Call, result: Any) -> Response:
    """Return 200 with the envelope of `result`, compressed where it is long and asked for."""
    text = success(result).encode()
    web = call.services.settings.web
    if len(text) < web.gzip_min or not _wants_gzip(call):
        return _json(text)
    packed = b"".join(gzipped([text], web.gzip_level))
    response = _json(packed)
    response.headers["Content-Encoding"] = "gzip"
    return response


def streamed_json(call: Call, pieces: Iterator[bytes], *, short: bool = False) -> Response:
    """Return 200 with JSON text that is made while it is sent, compressed where asked for.

    A `short` one is made at once, and so has a length.
    """
    compress = _wants_gzip(call)
    body = gzipped(pieces, call.services.settings.web.gzip_level) if compress else pieces
    response = Response(b"".join(body) if short else body, content_type=JSON_TYPE)
    if compress:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    return response


def created(call: Call, path: str) -> Response:
    """Return 201 with the status URL of `path` (as the caller wrote it) in Location."""
    response = _empty(201)
    base = call.services.settings.web.public_url.rstrip("/") or call.exchange.origin.base_url
    response.headers["Location"] = f"{base}/f/file/status?path={quote(path, safe='/')}"
    return response


def no_content() -> Response:
    """Return 204."""
    return _empty(204)


def attachment(name: str) -> str:
    """Return a Content-Disposition (RFC 6266): the name as it is, and in ASCII for old clients."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    exact = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{exact}'


def _json(text: bytes) -> JsonResponse:
    return JsonResponse([text], _OK, [
        ("Content-Type", JSON_TYPE), ("Content-Length", str(len(text))),
        ("Vary", "Accept-Encoding")])


def _empty(status: int) -> Response:
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response


def _wants_gzip(call: Call) -> bool:
    return accepts_gzip(call.exchange.environ.get("HTTP_ACCEPT_ENCODING", ""))
