"""The way `token`: personal access tokens, as Bearer or as the password of HTTP Basic."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from app.auth import basic
from app.auth.ways import bearer_of, token_of
from app.core.auth_errors import InvalidToken
from app.core.errors import NotAuthenticated
from app.core.path_globs import parse
from app.core.path_rules import Layer

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.auth.tokens import Token, Tokens
    from app.auth.users import User
    from app.auth.ways import Evidence
    from app.core.identity import Principal

USELESS = "the access token is not, or no longer, good for anything"
_REMEMBERED = 1024


class TokenWay:
    """Finds the token's user by `find`, as they are now, and takes away what it is not for.

    It is asked before all other ways, and knows no users of its own.
    """

    name = "token"

    def __init__(self, tokens: Tokens, find: Callable[[str], User | None]) -> None:
        self.tokens = tokens
        self._find = find
        self._narrowed: dict[str, tuple[Token, User, User]] = {}

    def challenge(self, realm: str) -> str | None:
        """Ask for a Bearer token."""
        quoted = realm.replace("\\", "\\\\").replace('"', '\\"')
        return f'Bearer realm="{quoted}"'

    def find(self, _name: str) -> User | None:
        """Know nobody by name."""
        return None

    def authenticate(self, evidence: Evidence) -> User | None:
        """Return whose token this is, with no more rights than it has; None without one."""
        text = token_of(evidence)
        if text is None:
            return None
        wrong = InvalidToken if bearer_of(evidence) is not None else NotAuthenticated
        token = self.tokens.find(text)
        if token is None or not _is_named(evidence, token):
            raise wrong(USELESS)
        user = self.bearer(token)
        if user is None:
            raise wrong(USELESS)
        return user

    def bearer(self, token: Token) -> User | None:
        """Return who a token stands for; None where its user is gone or inactive."""
        user = self._find(token.user)
        if user is None or not user.active:
            return None
        kept = self._narrowed.get(token.id)
        if kept is None or kept[0] != token or kept[1] is not user:
            if len(self._narrowed) >= _REMEMBERED:
                self._narrowed.clear()
            made = replace(user, principal=narrowed(user.principal, token))
            kept = self._narrowed[token.id] = token, user, made
        return kept[2]

    def holder(self, token_id: str, user: str) -> User | None:
        """Return who the token of this id and user stands for, None where it is gone."""
        token = self.tokens.holds(token_id, user)
        return self.bearer(token._replace(used=0)) if token else None


def narrowed(principal: Principal, token: Token) -> Principal:
    """Return the principal with no more rights than a token has: none of their roles' own."""
    rules = principal.rules
    if token.paths:
        words = {"user": principal.name, "hadoop_user": principal.hadoop_user}
        globs = tuple(parse(path, words).below(principal.root) for path in token.paths)
        rules = rules.narrowed(Layer((globs, globs), closed=True))
    return replace(principal, rules=rules, read_only=principal.read_only or token.read_only,
                   roles=frozenset(), token=token.id)


def _is_named(evidence: Evidence, token: Token) -> bool:
    """Tell whether Basic credentials name the token's user."""
    if bearer_of(evidence) is not None:
        return True
    name = basic.parse(evidence.authorization or "").name
    return name == unicodedata.normalize("NFC", token.user)
