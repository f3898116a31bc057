"""The ways that the settings name, put together; nothing else makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.auth.authenticator import Authenticator
from app.auth.certificate_way import CertificateWay
from app.auth.directory import Directory, Rooms
from app.auth.guard import Guard
from app.auth.jwt_way import JwtWay
from app.auth.ldap_way import LdapWay
from app.auth.password_way import PasswordWay
from app.auth.roles import RoleBook
from app.auth.token_way import TokenWay
from app.auth.tokens import Tokens
from app.auth.users import UserDirectory

if TYPE_CHECKING:
    from app.auth.users import User
    from app.auth.ways import Way
    from app.settings import Settings
    from app.state.store import Store


def make_authenticator(settings: Settings, store: Store) -> Authenticator:
    """Return what asks the ways of `auth.ways`. Raises ConfigError."""
    auth = settings.auth
    guard = Guard(auth, store)
    users = _users(settings)
    others = [_way(name, settings, store, guard, users) for name in auth.ways]

    def find(name: str) -> User | None:
        return directory.find(name)

    # First, so that no other way's user stands against one whose rights a token narrows.
    tokens = TokenWay(Tokens(store, auth.token_max_days), find)
    ways: list[Way] = [tokens, *others]
    rooms: list[Rooms] = [each for each in (users, *ways) if isinstance(each, Rooms)]
    directory = (Directory(ways, rooms, RoleBook(users.roles).applied) if users
                 else Directory(ways, rooms))
    directory.holder = tokens.holder
    return Authenticator(ways, guard, directory, auth.realm)


def _users(settings: Settings) -> UserDirectory | None:
    """Return the users file; None where there is none and nobody's password is in it."""
    file = settings.auth.users_file
    wanted = "password" in settings.auth.ways or settings.certificate.users
    return UserDirectory(file) if wanted or file.exists() else None


def _way(
    name: str, settings: Settings, store: Store, guard: Guard, users: UserDirectory | None,
) -> Way:
    if name == "ldap":
        return LdapWay(settings.ldap, guard, settings.auth.cache_seconds)
    if name == "jwt":
        return JwtWay(settings.jwt, store)
    if name == "certificate":
        return CertificateWay(settings.certificate, users, store)
    assert users is not None
    return PasswordWay(users, guard)
