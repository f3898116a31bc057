"""Tokens for processes that work for a job: they open a few objects, for as long as it runs.

A token stands for the job's user, but only reads the objects of one bucket, and only writes those
of another under one prefix. The state store has its SHA-256 alone, with a short life that whoever
runs the job prolongs.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import AccessDenied, NotAuthenticated

if TYPE_CHECKING:
    from app.auth.directory import Directory
    from app.core.identity import Principal
    from app.state.store import Store

LIFE_SECONDS = 120.0
PREFIX = "hfj_"
SCHEME = f"Bearer {PREFIX}"
"""What an Authorization header with one of these begins with; other Bearer tokens do not."""
_SPACE = "job-tokens"


class Grant(NamedTuple):
    """What a token opens: objects of the bucket `reads`, and those of `writes` under `prefix`."""

    user: str
    reads: str
    writes: str
    prefix: str

    def check(self, method: str, bucket: str, key: str) -> None:
        """Raise AccessDenied for an object that the token does not open for this method."""
        reads = method in ("GET", "HEAD") and bucket == self.reads
        writes = method == "PUT" and bucket == self.writes and key.startswith(self.prefix)
        if not (reads or writes):
            raise AccessDenied(f"/{bucket}/{key}", "the token is for other objects")


class JobTokens:
    """The tokens in `store`; `users` says who their users are now."""

    def __init__(self, store: Store, users: Directory) -> None:
        self._store = store
        self._users = users

    def mint(self, grant: Grant) -> str:
        """Return a new token, good for LIFE_SECONDS."""
        token = PREFIX + secrets.token_urlsafe(32)
        self._store.put(_SPACE, _hashed(token), grant._asdict(), ttl=LIFE_SECONDS)
        return token

    def prolong(self, token: str, grant: Grant) -> None:
        """Have a token be good for LIFE_SECONDS from now on."""
        self._store.put(_SPACE, _hashed(token), grant._asdict(), ttl=LIFE_SECONDS)

    def revoke(self, token: str) -> None:
        """Have a token be good for nothing."""
        self._store.delete(_SPACE, _hashed(token))

    def find(self, authorization: str) -> tuple[Principal, Grant]:
        """Return whom the token of this Authorization header stands for, and what it opens.

        Raises NotAuthenticated.
        """
        record = self._store.get(_SPACE, _hashed(authorization.removeprefix("Bearer ").strip()))
        grant = Grant(**record) if record else None
        user = self._users.find(grant.user) if grant else None
        if grant is None or user is None or not user.active:
            raise NotAuthenticated("the token is not, or no longer, good for anything")
        # Those who work for a job come from where they run, not from where its user does.
        return replace(user.principal, networks=()), grant


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
