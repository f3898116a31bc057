"""The way `password`: names and passwords of the users file."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from app.auth import basic, writer
from app.auth.passwords import Passwords
from app.core.errors import NotAuthenticated
from app.offload import Offload
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from app.auth.basic import Credentials
    from app.auth.guard import Guard
    from app.auth.users import User, UserDirectory
    from app.auth.ways import Evidence

log = logging.getLogger(__name__)

WRONG = "the user name or the password is wrong"


class PasswordWay:
    """Checks passwords by their slow hash; for a name that it does not know it takes as long."""

    name = "password"

    def __init__(
        self, users: UserDirectory, guard: Guard, *, passwords: Passwords | None = None,
    ) -> None:
        self._users = users
        self._guard = guard
        self._passwords = passwords or Passwords()
        self._upgrades = Offload(1)
        self._upgraded: set[str] = set()

    def challenge(self, realm: str) -> str | None:
        """Ask for Basic credentials."""
        return basic.challenge(realm)

    def find(self, name: str) -> User | None:
        """Return the user as the users file has them."""
        return self._users.find(name)

    def authenticate(self, evidence: Evidence) -> User | None:
        """Return whose name and password these are; None for who is not in the users file."""
        return self._guard.prove(self, evidence, self._passwords.slot(), self._verify)

    def _verify(self, credentials: Credentials) -> User | None:
        user = self._users.find(credentials.name)
        usable = user if user and user.active else None
        right = self._passwords.verify(
            credentials.password, usable.password_hash if usable else None)
        if user is None:
            return None
        if not usable or not right:
            raise NotAuthenticated(WRONG)
        self._upgrade(usable, credentials.password)
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
            new = self._passwords.hash(password)
            if self._upgrades.run(writer.replace_hash, file, name, old, new):
                log.info("the outdated password hash of user %r was replaced", name)
        except (OSError, ConfigError) as error:
            log.warning("the outdated password hash of user %r stays: %s", name, error)
