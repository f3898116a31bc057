"""From a WSGI environment to a view: which operation, who asks, what comes back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from app.core.errors import MethodNotAllowed, RouteNotFound, UnsupportedMedia
from app.streams import table
from app.streams.call import AlluxioCall, shown
from app.streams.errors import JSON_TYPE, PREFIX, NotAcceptable
from app.streams.option_reading import MAX_BODY, read_options
from app.web.body import RequestBody
from app.web.exchange import current
from app.web.operations import authenticate
from app.web.pages import refuse_other_origins
from app.web.query import parse_query
from app.web.raw_path import decoded, raw_path

if TYPE_CHECKING:
    from werkzeug import Response

    from app.streams.table import Operation
    from app.web.dialects import ErrorHandler
    from app.web.exchange import Exchange
    from app.web.services import Services

_STREAM_ID = re.compile(r"-?[0-9]{1,10}")
_INTS = range(-(2**31), 2**31)


class Streams:
    """Serves every request under the prefix; `handle` answers what goes wrong."""

    def __init__(self, services: Services, handle: ErrorHandler) -> None:
        self._services = services
        self._handle = handle

    def __call__(self, environ: dict[str, Any]) -> Response:
        """Answer one request that `exchange.begin` has seen."""
        try:
            return self._served(current(environ))
        except Exception as error:  # noqa: BLE001 - the handler knows what to do with each
            return self._handle(error, environ)

    def _served(self, exchange: Exchange) -> Response:
        raw = raw_path(exchange.environ)
        kind, thing, action = _split(raw)
        operation = table.find(kind, action)
        if operation is None:
            raise RouteNotFound(raw)
        exchange.operation = f"alluxio.{action}"
        stream_id = _stream_id(kind, thing, raw)
        if exchange.method not in operation.methods:
            raise MethodNotAllowed(exchange.method, operation.methods)
        path = decoded(thing) if kind == "paths" else ""
        exchange.path = shown(path) if kind == "paths" else ""
        principal = authenticate(self._services, exchange, networks=True)
        if not operation.harmless:
            refuse_other_origins(exchange, self._services.settings.web.public_url)
        _check_types(exchange, operation)
        query = exchange.query = parse_query(exchange.environ["QUERY_STRING"])
        options = self._options(exchange, operation)
        return operation.view(AlluxioCall(
            self._services, exchange, principal, path, stream_id, query, options))

    def _options(self, exchange: Exchange, operation: Operation) -> dict[str, Any]:
        environ = exchange.environ
        if operation.takes != JSON_TYPE or not (
                environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING")):
            return {}
        body = RequestBody(
            exchange, max_bytes=MAX_BODY, timeout=self._services.settings.web.body_timeout)
        body.check()
        return read_options(operation.action, b"".join(body.chunks()))


def _split(raw: str) -> tuple[str, str, str]:
    """Return what kind of thing the URL names, which one, and the action."""
    kind, _, rest = raw.removeprefix(f"{PREFIX}/").partition("/")
    thing, slash, action = rest.rpartition("/")
    if kind == "proxy":
        return kind, "", rest
    return (kind, thing, action) if slash else ("", "", "")


def _stream_id(kind: str, thing: str, raw: str) -> int:
    if kind != "streams":
        return 0
    if not _STREAM_ID.fullmatch(thing) or int(thing) not in _INTS:
        raise RouteNotFound(raw)
    return int(thing)


def _check_types(exchange: Exchange, operation: Operation) -> None:
    """Raise UnsupportedMedia or NotAcceptable where the request's types are not the operation's."""
    environ = exchange.environ
    sent = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if sent and operation.takes not in (table.ANY, sent):
        raise UnsupportedMedia(f"HTTP 415 Unsupported Media Type: Content-Type '{sent}' is not"
                               f" taken here; allowed is {operation.takes}")
    accept = environ.get("HTTP_ACCEPT", "*/*")
    if accept not in ("", "*/*") and not parse_accept_header(
            accept, MIMEAccept).best_match([operation.gives]):
        raise NotAcceptable(f"HTTP 406 Not Acceptable: the answer is {operation.gives}")
