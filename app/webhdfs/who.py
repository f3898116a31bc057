"""Who asks: by credentials, by a delegation token, or by the ticket of a redirect.

The names that WebHDFS lets clients give themselves count for nothing: `user.name` and `doas` may
say who the caller is anyway, and nobody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.auth.delegation import BadToken
from app.core.errors import NotAuthenticated
from app.web.operations import authenticate, require_confidential
from app.webhdfs.errors import not_allowed
from app.webhdfs.given import USER
from app.webhdfs.query import TICKET, step_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.auth.delegation import DelegationTokens
    from app.auth.errands import Errands
    from app.auth.users import User
    from app.core.identity import Principal
    from app.web.exchange import Exchange
    from app.web.services import Services
    from app.webhdfs.given import Given


class Who(NamedTuple):
    """The caller; `by_token`: known by a token of any kind, not by credentials.

    `give_back` makes a ticket good again that they came in with.
    """

    principal: Principal
    by_token: bool
    give_back: Callable[[], None] = lambda: None


class Doorkeeper:
    """Finds out who asks."""

    def __init__(
        self, services: Services, tokens: DelegationTokens, errands: Errands,
    ) -> None:
        self._services = services
        self._tokens = tokens
        self._errands = errands

    def who(self, exchange: Exchange, given: Given, path: str) -> Who:
        """Return who asks for `path`. Raises NotAuthenticated, BadToken and kin, Refused."""
        delegation = given.text("delegation")
        ticket = given.text(TICKET)
        if exchange.environ.get("HTTP_AUTHORIZATION") or not (delegation or ticket):
            principal = authenticate(self._services, exchange)
            if delegation and self._tokens.user_of(delegation).principal.name != principal.name:
                raise BadToken("the delegation token is another user's")
            found = Who(principal, bool(principal.token))
        elif ticket:
            found = self._by_ticket(exchange, given, path)
        else:
            found = Who(self._by_token(exchange, delegation or ""), by_token=True)
        _check_names(given, found.principal)
        return found

    def _by_ticket(self, exchange: Exchange, given: Given, path: str) -> Who:
        require_confidential(self._services, exchange)
        # The first step would answer another ticket, and so on without end.
        if not given.flag("data", default=False) or given.flag("noredirect", default=False):
            raise NotAuthenticated("a ticket is for the second step alone")
        ticket = given.text(TICKET) or ""
        method = "GET" if exchange.method == "HEAD" else exchange.method
        user = self._errands.user_of(ticket, method, path, step_query(exchange.query or {}))
        principal = self._known(exchange, user, "ticket")
        # Not before: who is refused for a limit is told to come again, and has but this.
        return Who(principal, by_token=True, give_back=self._errands.spend(ticket))

    def _by_token(self, exchange: Exchange, delegation: str) -> Principal:
        require_confidential(self._services, exchange)
        return self._known(exchange, self._tokens.user_of(delegation), "delegation")

    def _known(self, exchange: Exchange, user: User, way: str) -> Principal:
        exchange.auth = way
        exchange.principal = user.principal
        return user.principal


def _check_names(given: Given, principal: Principal) -> None:
    """Raise Refused where the caller claims to be, or to act for, somebody else."""
    own = (principal.name, principal.hadoop_user)
    for name in ("user.name", "doas"):
        claimed = given.matching(name, USER) if given.text(name) not in own else None
        if claimed:
            raise not_allowed(f"User: {principal.name} is not allowed to impersonate {claimed}")


