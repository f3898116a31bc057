"""From a WSGI environment to a view: which operation, who asks, what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.auth.delegation import DelegationTokens
from app.auth.errands import Errands
from app.core.limit_errors import LimitReached
from app.core.paths import ROOT, resolve
from app.web.exchange import current
from app.web.pages import refuse_other_origins
from app.web.query import parse_query
from app.web.raw_path import decoded, raw_path
from app.webhdfs import table
from app.webhdfs.call import WebHdfsCall
from app.webhdfs.errors import PREFIX
from app.webhdfs.given import Given
from app.webhdfs.query import lowered
from app.webhdfs.who import Doorkeeper

if TYPE_CHECKING:
    from werkzeug import Response

    from app.web.dialects import ErrorHandler
    from app.web.exchange import Exchange
    from app.web.services import Services


class WebHdfs:
    """Serves every request under the prefix; `handle` answers what goes wrong."""

    def __init__(self, services: Services, handle: ErrorHandler) -> None:
        self._services = services
        self._handle = handle
        users = services.authenticator.directory
        self._tokens = DelegationTokens(services.store, users, services.settings.webhdfs)
        self._errands = Errands(services.store, users)
        self._door = Doorkeeper(services, self._tokens, self._errands)

    def __call__(self, environ: dict[str, Any]) -> Response:
        """Answer one request that `exchange.begin` has seen."""
        try:
            return self._served(current(environ))
        except Exception as error:  # noqa: BLE001 - the handler knows what to do with each
            return self._handle(error, environ)

    def _served(self, exchange: Exchange) -> Response:
        query = exchange.query = lowered(parse_query(exchange.environ["QUERY_STRING"]))
        name = (Given(query).text("op") or "NULL").upper()
        operation = table.find(exchange.method, name)
        exchange.operation = f"webhdfs.{name}"
        given = Given(query, name)
        raw = raw_path(exchange.environ).removeprefix(PREFIX)
        exchange.path = path = resolve(decoded(raw) or "/", root=ROOT, home=ROOT)
        who = self._door.who(exchange, given, path)
        if not operation.harmless:
            refuse_other_origins(exchange, self._services.settings.web.public_url)
        try:
            return operation.view(WebHdfsCall(
                self._services, self._tokens, self._errands, exchange, who.principal, path, given,
                who.by_token))
        except LimitReached:
            who.give_back()  # they are told to come again
            raise
