"""The way `ldap`: names and passwords of an LDAP directory."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from app.auth import basic
from app.auth.ldap_people import LdapPeople
from app.auth.ldap_servers import described
from app.auth.lookups import Lookups
from app.auth.mapping import Mapper, Unmapped
from app.auth.password_way import WRONG
from app.core.auth_errors import WayUnavailable
from app.core.errors import NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.auth.basic import Credentials
    from app.auth.guard import Guard
    from app.auth.ldap_people import Person
    from app.auth.users import User
    from app.auth.ways import Evidence
    from app.core.paths import HdfsPath
    from app.sections.identities import LdapSettings

NOBODY = "httpfs-proxy-check"

log = logging.getLogger(__name__)


class LdapWay:
    """Checks passwords by a bind; users are looked up again after `refresh_seconds`.

    `remember_seconds` (of `auth.cache_seconds`) is for how long what was found counts while no
    server answers. `clock` tells seconds that only grow. Raises ConfigError.
    """

    name = "ldap"

    def __init__(
        self, settings: LdapSettings, guard: Guard, remember_seconds: float, *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mapper = Mapper(settings)
        self._people = LdapPeople(settings, self._mapper.names)
        self._guard = guard
        looks_up = self._people.looks_up
        self._known = Lookups(
            self._fetch if looks_up else _forgotten,
            fresh=settings.refresh_seconds if looks_up else remember_seconds,
            stale=remember_seconds, clock=clock)

    def challenge(self, realm: str) -> str | None:
        """Ask for Basic credentials."""
        return basic.challenge(realm)

    def find(self, name: str) -> User | None:
        """Return the user as the directory has them, or had a short while ago."""
        return self._known.find(name)

    def authenticate(self, evidence: Evidence) -> User | None:
        """Return whose name and password these are; None for who is not in the directory."""
        return self._guard.prove(self, evidence, self._people.servers.slot(), self._checked)

    def rooms(self) -> set[HdfsPath]:
        """Return the directories of users that were looked up."""
        return {place for user in self._known.known()
                for place in (user.principal.root, user.principal.bucket_root)}

    def problems(self) -> list[str]:
        """Return what keeps users from being looked up, in plain words."""
        try:
            if self._people.looks_up:
                self._people.find(NOBODY)
        except WayUnavailable as error:
            cause = error.__cause__
            reason = described(cause) if isinstance(cause, Exception) else "tried a moment ago"
            return [f"LDAP: {error} ({reason})"]
        return []

    def _checked(self, credentials: Credentials) -> User | None:
        person = self._people.prove(credentials.name, credentials.password)
        if person is None:
            return None
        user = self._user(person)
        if user is None or not user.active:
            raise NotAuthenticated(WRONG)
        return self._known.put(user.principal.name, user)

    def _fetch(self, name: str) -> User | None:
        person = self._people.find(name)
        # Only the directory's own spelling is the name: there is one user, not one a spelling.
        return self._user(person) if person and person.told.name == name else None

    def _user(self, person: Person) -> User | None:
        try:
            return self._mapper.user(person.told, person.stamp)
        except Unmapped as error:
            log.warning("%s of the LDAP directory does not come in: %s", person.dn, error)
            return None


def _forgotten(_: str) -> User | None:
    """Stand for a directory that is not to be asked without a password."""
    return None
