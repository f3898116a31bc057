"""From an Authorization header and a source address to a Principal."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from app.auth import basic, writer
from app.auth.lockout import Lockout, counters_of
from app.auth.offload import Offload
from app.auth.passwords import Passwords
from app.auth.remembered import Remembered
from app.core.errors import NotAuthenticated
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.auth.lockout import Counters
    from app.auth.users import User, UserDirectory
    from app.core.identity import Principal
    from app.settings import AuthSettings
    from app.state.store import Store

log = logging.getLogger(__name__)


class Authenticator:
    """Checks credentials: remembered ones in microseconds, others by their slow hash.

    `clock` tells seconds that only grow, `wall_clock` seconds since the epoch.
    """

    def __init__(
        self, settings: AuthSettings, users: UserDirectory, store: Store, *,
        passwords: Passwords | None = None, clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._users = users
        self._lockout = Lockout(settings, store, clock=wall_clock)
        self._passwords = passwords or Passwords()
        self._remembered = Remembered(settings.cache_seconds, clock=clock)
        self._upgrades = Offload(1)
        self._upgraded: set[str] = set()

    def authenticate(self, authorization: str | None, source: str) -> Principal:
        """Return who sent this Authorization header from `source`, the client's address.

        Raises NotAuthenticated, TooManyAttempts, and StorageFault where failures cannot be
        counted.
        """
        if authorization is None:
            raise NotAuthenticated("credentials are required and none were sent")
        remembered = self._recall(authorization)
        if remembered:
            return remembered.principal
        name, password = basic.parse(authorization)
        counters = counters_of(name, source)
        self._lockout.check(counters)
        with self._passwords.slot():
            # Others may have failed, or succeeded with the same, while this one waited.
            remembered = self._recall(authorization)
            if remembered:
                return remembered.principal
            self._lockout.check(counters)
            user = self._verify(name, password, counters)
        self._remembered.put(authorization, user)
        self._upgrade(user, password)
        return user.principal

    def _recall(self, authorization: str) -> User | None:
        """Return the remembered user if the users file still says the same of them."""
        user = self._remembered.get(authorization)
        return user if user and self._users.find(user.principal.name) is user else None

    def _verify(self, name: str, password: str, counters: Counters) -> User:
        user = self._users.find(name)
        usable = user if user and user.active else None
        right = self._passwords.verify(password, usable.password_hash if usable else None)
        if not usable or not right:
            self._lockout.count_failure(counters)
            raise NotAuthenticated("the user name or the password is wrong")
        # Enough failures while the hash was computed: even the right guess must not be told.
        self._lockout.check(counters)
        self._lockout.forget_user(counters)
        return usable

    def _upgrade(self, user: User, password: str) -> None:
        """Replace an outdated hash in the users file, where this process may write it."""
        old = user.password_hash
        if not self._passwords.is_outdated(old) or old in self._upgraded:
            return
        self._upgraded.add(old)
        name, file = user.principal.name, self._users.file
        if not writer.is_writable(file):
            log.warning("the password hash of user %r is outdated, and %s cannot be written;"
                        " `httpfs-proxy users passwd` replaces it", name, file)
            return
        try:
            with self._passwords.slot():
                new = self._passwords.hash(password)
            if self._upgrades.run(writer.replace_hash, file, name, old, new):
                log.info("the outdated password hash of user %r was replaced", name)
        except (OSError, ConfigError) as error:
            log.warning("the outdated password hash of user %r stays: %s", name, error)
