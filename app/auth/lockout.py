"""Failed attempts, counted per user name and per source address in the shared store.

An attempt is refused while one of its counters is locked. Every `lockout_failures`th and later
failure locks its counter, each time for twice as long. Failures that end while a counter is
already locked are neither counted nor told from successes, so guesses made in parallel learn no
more than guesses made one after the other.
"""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from app.core.errors import TooManyAttempts

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.settings import AuthSettings
    from app.state.store import Store, Value

SPACE = "lockout"
MAX_DOUBLINGS = 64


@dataclass(frozen=True, slots=True)
class Counters:
    """The keys of the two counters that an attempt belongs to."""

    user: str
    source: str


def counters_of(name: str, source: str) -> Counters:
    """Return the counters of a user name, known or not, and a source address.

    Names that differ in case alone share theirs: a directory may take one for the other.
    """
    return Counters("user:" + _short(name.casefold()), "source:" + network_of(source))


def network_of(source: str) -> str:
    """Return the source as it is counted: an IPv4 address, or the /64 that one site has."""
    try:
        address = ip_address(source)
    except ValueError:
        return _short(source)
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


class Lockout:
    """The lock against guessing. `clock` tells seconds since the epoch, alike for all workers."""

    def __init__(
        self, settings: AuthSettings, store: Store, *, clock: Callable[[], float] = time.time,
    ) -> None:
        self._failures = settings.lockout_failures
        self._first = settings.lockout_seconds
        self._longest = max(settings.lockout_max_seconds, settings.lockout_seconds)
        self._store = store
        self._clock = clock

    def check(self, counters: Counters) -> None:
        """Raise TooManyAttempts while one of the counters is locked."""
        if self._failures:
            self._refuse(max(
                self._remaining(self._store.get(SPACE, counters.user)),
                self._remaining(self._store.get(SPACE, counters.source))))

    def count_failure(self, counters: Counters) -> None:
        """Count one failure. Raises TooManyAttempts where a counter was locked before."""
        if self._failures:
            self._refuse(max(self._count(counters.user), self._count(counters.source)))

    def forget_user(self, counters: Counters) -> None:
        """Forget the user's failures after a success; the source's fade with time only."""
        if self._failures and self._store.get(SPACE, counters.user) is not None:
            self._store.delete(SPACE, counters.user)

    def _count(self, key: str) -> float:
        """Count one failure unless locked; return for how long the counter was locked before."""
        locked = 0.0

        def change(record: Value | None) -> Value | None:
            nonlocal locked
            locked = self._remaining(record)
            return record if locked else self._one_more(record)

        self._store.update(SPACE, key, change, ttl=2 * self._longest)
        return locked

    def _one_more(self, record: Value | None) -> Value:
        failures = (record["failures"] if record else 0) + 1
        doublings = failures - self._failures
        if doublings < 0:
            return {"failures": failures, "until": 0.0}
        length = min(self._longest, self._first * 2.0 ** min(doublings, MAX_DOUBLINGS))
        return {"failures": failures, "until": self._clock() + length}

    def _remaining(self, record: Value | None) -> float:
        remaining: float = record["until"] - self._clock() if record else 0.0
        # More than the longest lock is left only when the clock was set back: not a lock.
        return remaining if 0 < remaining <= self._longest else 0.0

    def _refuse(self, remaining: float) -> None:
        if remaining > 0:
            raise TooManyAttempts(max(1, math.ceil(remaining)))


def _short(text: str) -> str:
    """Return a key of bounded length for a text that anyone may choose."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()
