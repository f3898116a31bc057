"""The short way to an operation: by one look into a table, without Flask's routing and contexts.

Flask serves every operation (its blueprints hold all routes, and a WSGI server may be given Flask
alone), but what it does around a view costs as much as all the rest of a status call in the
gateway: contexts that nobody here uses, a search for a route that has no variable part. Where
method and path are an operation's to the letter, its endpoint is called at once; so is that of a
dialect to which everything below a prefix belongs. Everything else (other methods, unknown URLs,
HEAD of a GET) takes Flask's way, to the same endpoints and the same error handler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.limit_errors import LimitReached
from app.web.exchange import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from app.web.dialects import ErrorHandler
    from app.web.operations import Endpoint
    from app.web.roots import Roots

    WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Direct:
    """A WSGI application in front of Flask's.

    `endpoints` are those of operations by method and path, `below` those of whole dialects by
    their prefix; `roots` puts a prefix before the paths of some hosts and ports.
    """

    def __init__(
        self, flask: WsgiApp, endpoints: Mapping[tuple[str, str], Endpoint], handle: ErrorHandler,
        below: Mapping[str, Endpoint], roots: Roots,
    ) -> None:
        self._flask = flask
        self._endpoints = endpoints
        self._handle = handle
        self._below = tuple(below.items())
        self._roots = roots

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any],
    ) -> Iterable[bytes]:
        """Serve one request (PEP 3333)."""
        self._roots.enter(environ)
        meter = current(environ).meter
        if meter:
            try:
                meter.begin()
            except LimitReached as error:
                return self._handle(error, environ)(environ, start_response)
        path: str = environ["PATH_INFO"]
        endpoint = self._endpoints.get((environ["REQUEST_METHOD"], path)) or next(
            (one for prefix, one in self._below
             if path.startswith(prefix) and path[len(prefix):][:1] in ("", "/")), None)
        if endpoint is None:
            return self._flask(environ, start_response)
        try:
            response = endpoint(environ)
        except Exception as error:  # noqa: BLE001 - the handler knows what to do with each
            response = self._handle(error, environ)
        return response(environ, start_response)
