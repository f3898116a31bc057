"""Tokens that were verified a while ago, known by a keyed digest alone, as long as they last."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.auth.jwt_keys import Key
    from app.auth.mapping import Told

MAX_ENTRIES = 10_000


class Verified(NamedTuple):
    """What a token told, its key id, the keys it was verified by, and until when it is good."""

    told: Told
    kid: str
    keys: list[Key]
    until: float


class Tokens:
    """A bounded memory; `known` tells the keys of now: with others a token is verified anew.

    `clock` tells seconds since the epoch.
    """

    def __init__(
        self, known: Callable[[str], list[Key]], *, clock: Callable[[], float] = time.time,
    ) -> None:
        self._known = known
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._entries: OrderedDict[bytes, Verified] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, token: str) -> Told | None:
        """Return what this very token told. Raises WayUnavailable."""
        found = self._entries.get(self._digest(token))
        if found is None or self._clock() >= found.until:
            return None
        return found.told if self._known(found.kid) is found.keys else None

    def put(self, token: str, verified: Verified) -> None:
        """Remember a token that was verified just now; the oldest one makes room."""
        with self._lock:
            self._entries[self._digest(token)] = verified
            if len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)

    def _digest(self, token: str) -> bytes:
        return hmac.digest(self._secret, token.encode(errors="surrogatepass"), "sha256")
