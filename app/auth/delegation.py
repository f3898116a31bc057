"""Delegation tokens of the gateway's own, for clients of WebHDFS that can hold nothing else.

They look like HDFS's, but open the gateway alone, for their user as that is by then. The state
store has the SHA-256 of identifier and password, until when the token is good, and by when it ends
for good; renewing moves the first towards the second.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from app.auth.hadoop_token import HadoopToken, from_url_string, identifier
from app.core.errors import NotAuthenticated
from app.core.token_errors import TooManyDelegationTokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.auth.users import User
    from app.sections import WebHdfsSettings
    from app.state.store import Store

_SPACE = "delegation-tokens"
_PASSWORD_BYTES = 32
_MILLIS = 1000


class Finder(Protocol):
    """Something that knows the users as they are now."""

    def find(self, name: str) -> User | None:
        """Return the user of this name, active or not."""


class Held(NamedTuple):
    """What is known of a token: its user's name, who may renew it, until when (epoch seconds)."""

    user: str
    renewer: str
    good_until: float
    ends: float


def count_of(store: Store, user: str) -> int:
    """Return how many delegation tokens a user has."""
    return len(_keys_of(store, user))


def revoke_all(store: Store, user: str) -> int:
    """Have all delegation tokens of a user be good for nothing; return how many there were."""
    return sum(store.delete(_SPACE, key) for key in _keys_of(store, user))


def _keys_of(store: Store, user: str) -> list[str]:
    return [key for key, record in store.scan(_SPACE) if record["user"] == user]


class BadToken(NotAuthenticated):
    """A token that is not, or no longer, good for anything."""


class DelegationTokens:
    """The tokens in `store`; `users` says who their users are now."""

    def __init__(
        self, store: Store, users: Finder, settings: WebHdfsSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._users = users
        self._settings = settings
        self._clock = clock

    def issue(self, user: str, renewer: str, kind: str, service: str) -> str:
        """Return a new token of a user, as one word. Raises TooManyDelegationTokens."""
        most = self._settings.max_tokens
        if most and count_of(self._store, user) >= most:
            raise TooManyDelegationTokens(most)
        now = self._clock()
        ends = now + self._settings.token_max_seconds
        held = Held(user, renewer, self._good_until(now, ends), ends)
        name = identifier(user, renewer, int(now * _MILLIS), int(held.ends * _MILLIS),
                          secrets.randbits(31))
        token = HadoopToken(name, secrets.token_bytes(_PASSWORD_BYTES), kind, service)
        self._store.put(_SPACE, _key(token), held._asdict(), ttl=held.good_until - now)
        return token.to_url_string()

    def user_of(self, text: str) -> User:
        """Return whom a token stands for. Raises BadToken."""
        user = self._users.find(self._held(text)[1].user)
        if user is None or not user.active:
            raise BadToken("the delegation token is not good for anything")
        return user

    def renew(self, text: str, by: str) -> float:
        """Have a token be good for longer; return until when (epoch seconds).

        Raises BadToken, also for whom it does not name as its user or renewer.
        """
        key, held = self._held(text)
        _check_holder(held, by)
        now = self._clock()
        until = self._good_until(now, held.ends)
        # Cancelled at this very moment it stays so.
        renewed = self._store.update(
            _SPACE, key, lambda record: record and {**record, "good_until": until},
            ttl=until - now)
        if not renewed:
            raise BadToken("the delegation token was cancelled")
        return until

    def cancel(self, text: str, by: str) -> None:
        """Have a token be good for nothing. Raises BadToken."""
        key, held = self._held(text)
        _check_holder(held, by)
        self._store.delete(_SPACE, key)

    def _good_until(self, now: float, ends: float) -> float:
        return min(now + self._settings.token_renew_seconds, ends)

    def _held(self, text: str) -> tuple[str, Held]:
        try:
            token = from_url_string(text)
        except ValueError:
            raise BadToken("this is no delegation token of the gateway") from None
        key = _key(token)
        record = self._store.get(_SPACE, key)
        held = Held(**record) if record else None
        if held is None or held.good_until <= self._clock():
            raise BadToken("the delegation token is not, or no longer, good for anything")
        return key, held


def _check_holder(held: Held, by: str) -> None:
    if by not in (held.user, held.renewer):
        raise BadToken(f"{by} is neither the user nor the renewer of this delegation token")


def _key(token: HadoopToken) -> str:
    sealed = hashlib.sha256(len(token.identifier).to_bytes(4, "big"))
    sealed.update(token.identifier)
    sealed.update(token.password)
    return sealed.hexdigest()
