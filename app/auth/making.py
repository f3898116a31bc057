"""The ways that the settings name, put together; nothing else makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.auth.authenticator import Authenticator
from app.auth.directory import Directory
from app.auth.guard import Guard
from app.auth.password_way import PasswordWay
from app.auth.users import UserDirectory

if TYPE_CHECKING:
    from app.auth.ways import Way
    from app.settings import Settings
    from app.state.store import Store


def make_authenticator(settings: Settings, store: Store) -> Authenticator:
    """Return what asks the ways of `auth.ways`. Raises ConfigError."""
    guard = Guard(settings.auth, store)
    users = UserDirectory(settings.auth.users_file)
    ways: list[Way] = [PasswordWay(users, guard)]
    return Authenticator(ways, guard, Directory(ways, [users]), settings.auth.realm)
