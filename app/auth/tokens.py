"""Personal access tokens: what a user gives to a program instead of their password.

A token is `hfp_` and 32 random octets. The state store has its SHA-256 alone, under which each use
finds it, with what it is good for: less than its user, for a while. Nothing of it is remembered in
the processes, so that a token that is revoked is refused by all that share the store at once.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from app.auth.ways import TOKEN_PREFIX
from app.core.errors import InvalidParameter, StorageFault
from app.core.path_globs import parse
from app.core.token_errors import NoSuchToken, TooManyTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from app.state.store import Store, Value

DAY = 86400
MAX_PATHS = 50
MAX_PLACES = 100
"""Names from a `**` on, in all patterns of a token: each is compared with each name of a path."""
MAX_NAME = 200
MOST = 100
"""Tokens of one user."""
_SPACE = "access-tokens"
_USES = "access-token-uses"
_NOTE_SECONDS = 60.0
"""How long the last use that is told may be behind the last one that was."""


class Token(NamedTuple):
    """What is kept of a token. Times are seconds since the epoch.

    `paths` are globs as the user writes paths, below their root; () is all that the user may.
    `used` is 0 for one that never was.
    """

    id: str
    user: str
    name: str
    paths: tuple[str, ...]
    read_only: bool
    created: int
    expires: int
    used: int = 0


class Tokens:
    """The tokens in `store`; `max_days` is the longest life of a new one."""

    def __init__(
        self, store: Store, max_days: float, *, clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._max_days = max_days
        self._clock = clock
        self._noted: dict[str, float] = {}

    def create(
        self, user: str, *, name: str = "", paths: Sequence[str] = (), read_only: bool = False,
        days: float | None = None,
    ) -> tuple[str, Token]:
        """Return a new token of a user and what is kept of it: it is told this once.

        Without `days` it lives as long as tokens may. Raises InvalidParameter, TooManyTokens.
        """
        life = self._max_days if days is None else days
        if not 0 < life <= self._max_days:
            raise InvalidParameter("days", str(days), f"more than 0, at most {self._max_days:g}")
        _check(name, paths)
        if sum(1 for _ in self.of(user)) >= MOST:
            raise TooManyTokens(MOST)
        now = int(self._clock())
        text = TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = Token(secrets.token_hex(6), user, name, tuple(paths), read_only, now,
                      now + max(int(life * DAY), 1))
        self._store.put(_SPACE, _hashed(text), _as_value(token), ttl=token.expires - now)
        return text, token

    def find(self, text: str) -> Token | None:
        """Return what a token is good for now, None for nothing."""
        key = _hashed(text)
        token = _token(self._store.get(_SPACE, key))
        if token is None or token.expires <= self._clock():
            return None
        self._note(key, token)
        return token

    def of(self, user: str = "") -> Iterator[Token]:
        """Yield the tokens of a user, or of all, with their last uses."""
        now = self._clock()
        for key, value in self._store.scan(_SPACE):
            token = _token(value)
            if token and token.expires > now and user in ("", token.user):
                use = self._store.get(_USES, key)
                yield token._replace(used=int(use["at"])) if use else token

    def holds(self, token_id: str, user: str) -> Token | None:
        """Return the token of this id of a user, if it is still good."""
        return next((token for token in self.of(user) if token.id == token_id), None)

    def revoke(self, token_id: str, user: str = "") -> Token:
        """Have a token, of this user where one is named, be good for nothing.

        Raises NoSuchToken.
        """
        for key, value in self._store.scan(_SPACE):
            token = _token(value)
            if token and token.id == token_id and user in ("", token.user):
                self._store.delete(_SPACE, key)
                self._store.delete(_USES, key)
                return token
        raise NoSuchToken(token_id)

    def revoke_all(self, user: str) -> int:
        """Have all tokens of a user be good for nothing; return how many there were."""
        found = list(self.of(user))
        for token in found:
            with suppress(NoSuchToken):
                self.revoke(token.id, user)
        return len(found)

    def _note(self, key: str, token: Token) -> None:
        """Note the use, now and then: in a record of its own, that a revoked token stays so."""
        now = self._clock()
        if now - self._noted.get(key, 0.0) < _NOTE_SECONDS:
            return
        if len(self._noted) > MOST * MOST:
            self._noted.clear()
        self._noted[key] = now
        # Who may come in does so, whether or not that can be written down.
        with suppress(StorageFault):
            self._store.put(_USES, key, {"at": int(now)}, ttl=max(token.expires - now, 1))


def _check(name: str, paths: Sequence[str]) -> None:
    if len(name) > MAX_NAME or not (name.isprintable() or not name):
        raise InvalidParameter("name", name, f"at most {MAX_NAME} printable characters")
    if len(paths) > MAX_PATHS:
        raise InvalidParameter("paths", ",".join(paths), f"at most {MAX_PATHS} patterns")
    places = 0
    for path in paths:
        try:
            places += parse(path).places
        except ValueError as error:
            raise InvalidParameter("paths", path, f"patterns of paths; {error}") from None
    if places > MAX_PLACES:
        raise InvalidParameter("paths", ",".join(paths), (
            f"patterns with at most {MAX_PLACES} names in all, counted from '**' on"))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _as_value(token: Token) -> Value:
    return {**token._asdict(), "paths": list(token.paths)}


def _token(value: Value | None) -> Token | None:
    return Token(**{**value, "paths": tuple(value["paths"])}) if value else None
