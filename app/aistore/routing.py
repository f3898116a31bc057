"""From a WSGI environment to a view: which operation, who asks, what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.aistore.call import AIStoreCall, read_message
from app.aistore.errors import PREFIX
from app.aistore.fields import Fields
from app.aistore.table import find
from app.aistore.wording import ADMINS_ONLY, NODE
from app.auth.job_tokens import SCHEME, JobTokens
from app.core.errors import AccessDenied
from app.core.identity import Principal
from app.core.paths import ROOT
from app.web.exchange import current
from app.web.operations import authenticate, require_confidential
from app.web.pages import refuse_other_origins
from app.web.query import parse_query
from app.web.raw_path import decoded, raw_path

if TYPE_CHECKING:
    from werkzeug import Response

    from app.aistore.table import Found
    from app.web.dialects import ErrorHandler
    from app.web.exchange import Exchange
    from app.web.services import Services

_NOBODY = Principal("", "", ROOT, read_only=True)
"""Who asks where nobody was asked who they are."""


class AIStore:
    """Serves every request under the prefix; `handle` answers what goes wrong."""

    def __init__(self, services: Services, handle: ErrorHandler) -> None:
        self._services = services
        self._tokens = JobTokens(services.store, services.users)
        self._handle = handle

    def __call__(self, environ: dict[str, Any]) -> Response:
        """Answer one request that `exchange.begin` has seen."""
        try:
            return self._served(current(environ))
        except Exception as error:  # noqa: BLE001 - the handler knows what to do with each
            return self._handle(error, environ)

    def _served(self, exchange: Exchange) -> Response:
        exchange.environ[NODE] = self._services.node_id
        exchange.operation = "aistore"
        found, raw_names = find(exchange.method, _parts(raw_path(exchange.environ)))
        names = tuple(map(decoded, raw_names))
        exchange.path = "/" + "/".join(names)
        principal = self._who(exchange, found, names)
        message: dict[str, Any] = {}
        if found.json:
            message = read_message(exchange, self._services.settings.web.body_timeout)
        operation = found.by_action(Fields(message).text("action"), _shown(message))
        exchange.operation = f"aistore.{operation.name}"
        if not operation.harmless:
            refuse_other_origins(exchange, self._services.settings.web.public_url)
        query = exchange.query = parse_query(exchange.environ["QUERY_STRING"])
        return operation.view(AIStoreCall(
            self._services, exchange, principal, names, query, message))

    def _who(self, exchange: Exchange, found: Found, names: tuple[str, ...]) -> Principal:
        """Return who asks. Raises NotAuthenticated, and AccessDenied where admins alone may."""
        if found.open_to_all:
            return _NOBODY
        if exchange.environ.get("HTTP_AUTHORIZATION", "").startswith(SCHEME):
            return self._by_token(exchange, found, names)
        principal = authenticate(self._services, exchange, networks=True)
        if found.admin and "admin" not in principal.roles:
            raise AccessDenied(exchange.path, ADMINS_ONLY)
        return principal

    def _by_token(self, exchange: Exchange, found: Found, names: tuple[str, ...]) -> Principal:
        """Return whom a job's token stands for, if it opens this object. Raises AccessDenied."""
        require_confidential(self._services, exchange)
        principal, grant = self._tokens.find(exchange.environ["HTTP_AUTHORIZATION"])
        exchange.principal, exchange.auth = principal, "job-token"
        if not found.of_object or exchange.environ["QUERY_STRING"]:
            raise AccessDenied(exchange.path, "the token is for objects alone")
        grant.check(exchange.method, *names)
        return principal


def _parts(raw: str) -> list[str]:
    """Return the parts of the path below the prefix; clients begin it with one slash or two."""
    rest = raw[len(PREFIX):].lstrip("/")
    parts = rest.split("/")
    # `cluster/` is `cluster`; the name of an object may end in a slash.
    return parts[:-1] if parts[-1] == "" and parts[0] != "objects" else parts


def _shown(message: dict[str, Any]) -> str:
    """Return a message as AIStore shows one that it does not know: action, name, value."""
    return f"{{{message.get('action') or ''} {message.get('name') or ''} <nil>}}"
