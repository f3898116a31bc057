"""Errands: one request that a redirect sends its caller on, whom the URL alone must let in.

Hadoop's clients follow the redirect to a DataNode without credentials. The URL they are given has a
ticket, good once, for a short while, for that method, path and query and nothing else. The state
store has its SHA-256 alone.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.auth.delegation import Finder
    from app.auth.users import User
    from app.state.store import Store

LIFE_SECONDS = 120.0
_SPACE = "errands"
_FOLLOWED = "the redirect was followed before, or too late: ask again"


class Errand(NamedTuple):
    """The one request: `query` without the ticket, as it was made for the URL."""

    user: str
    method: str
    path: str
    query: str


class Errands:
    """The tickets in `store`; `users` says who their users are now."""

    def __init__(
        self, store: Store, users: Finder, clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._users = users
        self._clock = clock

    def ticket(self, errand: Errand) -> str:
        """Return a new ticket."""
        ticket = secrets.token_urlsafe(32)
        record = {**errand._asdict(), "until": self._clock() + LIFE_SECONDS}
        self._store.put(_SPACE, _hashed(ticket), record, ttl=LIFE_SECONDS)
        return ticket

    def user_of(self, ticket: str, method: str, path: str, query: str) -> User:
        """Return whom a ticket lets in; whoever lets them in has to `spend` it.

        Raises NotAuthenticated, also where the request is another than it was given for: then it is
        good no more.
        """
        record = self._store.get(_SPACE, _hashed(ticket))
        if record is None:
            raise NotAuthenticated(_FOLLOWED)
        until = record.pop("until")
        errand = Errand(**record)
        user = self._users.find(errand.user)
        if (until <= self._clock() or errand != Errand(errand.user, method, path, query)
                or user is None or not user.active):
            self.spend(ticket)
            raise NotAuthenticated("the redirect was for another request, or is too old: ask again")
        return user

    def spend(self, ticket: str) -> Callable[[], None]:
        """Have a ticket be good no more, and return what gives it back, for the rest of its life.

        Raises NotAuthenticated where another was quicker.
        """
        key = _hashed(ticket)
        record = self._store.get(_SPACE, key)
        if record is None or not self._store.delete(_SPACE, key):
            raise NotAuthenticated(_FOLLOWED)

        def give_back() -> None:
            left = record["until"] - self._clock()
            if left > 0:
                self._store.put(_SPACE, key, record, ttl=left)

        return give_back


def _hashed(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
