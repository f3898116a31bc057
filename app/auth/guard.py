"""What all ways with passwords share: what was verified is remembered, guessing is locked out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.auth.lockout import Lockout, counters_of
from app.auth.remembered import Remembered
from app.auth.ways import password_of
from app.core.errors import NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from app.auth.basic import Credentials
    from app.auth.lockout import Counters
    from app.auth.remembered import Proof
    from app.auth.users import User
    from app.auth.ways import Evidence, Way
    from app.settings import AuthSettings
    from app.state.store import Store


class Guard:
    """One for all ways of a process; the counters are those of all gateways.

    `clock` tells seconds that only grow, `wall_clock` seconds since the epoch.
    """

    def __init__(
        self, settings: AuthSettings, store: Store, *,
        clock: Callable[[], float] = time.monotonic, wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.lockout = Lockout(settings, store, clock=wall_clock)
        self.remembered = Remembered(settings.cache_seconds, clock=clock)

    def recall(self, authorization: str) -> Proof | None:
        """Return what this header proved a while ago, if its way still says the same."""
        proof = self.remembered.get(authorization)
        if proof is None:
            return None
        return proof if proof.way.find(proof.user.principal.name) == proof.user else None

    def prove(
        self, way: Way, evidence: Evidence, slot: AbstractContextManager[object],
        check: Callable[[Credentials], User | None],
    ) -> User | None:
        """Return what `check` says of name and password, asked while `slot` is held.

        `check` returns None for who is not the way's, and raises NotAuthenticated for a wrong
        password, which is counted. Raises TooManyAttempts, and NotAuthenticated.
        """
        credentials = password_of(evidence)
        if credentials is None or evidence.authorization is None:
            return None
        counters = counters_of(credentials.name, evidence.source)
        self.lockout.check(counters)
        with slot:
            # Others may have failed, or succeeded with the same, while this one waited.
            proof = self.recall(evidence.authorization)
            if proof and proof.way is way:
                return proof.user
            self.lockout.check(counters)
            return self._checked(credentials, counters, check)

    def refuse(self, evidence: Evidence) -> None:
        """Count a guess that no way knew the name of. Raises TooManyAttempts."""
        credentials = password_of(evidence)
        if credentials:
            self.lockout.count_failure(counters_of(credentials.name, evidence.source))

    def _checked(
        self, credentials: Credentials, counters: Counters,
        check: Callable[[Credentials], User | None],
    ) -> User | None:
        try:
            user = check(credentials)
        except NotAuthenticated:
            self.lockout.count_failure(counters)
            raise
        if user:
            # Enough failures while it was checked: even the right guess must not be told.
            self.lockout.check(counters)
            self.lockout.forget_user(counters)
        return user
