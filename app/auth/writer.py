"""Changes to the users file: one at a time, all or nothing, comments kept.

A change is written to a new file beside the old one, read back with the checks of the gateway
itself, and only then takes the old one's name. A lock file keeps concurrent writers apart.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ruamel.yaml.error import YAMLError

from app.auth import private_file, users_text
from app.auth.users_file import User, check_user_name, examine, read_users
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.auth.users_text import Fields

Users = dict[str, User]


def add_user(file: Path, name: str, fields: Fields) -> None:
    """Add a user; make the file where it is missing. Raises ConfigError and OSError."""
    try:
        check_user_name(name)
    except ValueError as error:
        raise ConfigError(file, 0, f"user '{name}': {error}") from error
    file.parent.mkdir(parents=True, exist_ok=True)

    def change(text: str, known: Users) -> str:
        if name in known:
            raise ConfigError(file, 0, f"there is a user '{name}' already")
        return users_text.with_user(text, name, fields)

    _edit(file, change, create=True)


def set_fields(file: Path, name: str, fields: Fields) -> None:
    """Set some keys of a user. Raises ConfigError and OSError."""
    _edit(file, lambda text, known: users_text.with_fields(
        text, _position(file, known, name), fields))


def remove_user(file: Path, name: str) -> None:
    """Remove a user. Raises ConfigError and OSError."""
    _edit(file, lambda text, known: users_text.without_user(text, _position(file, known, name)))


def replace_hash(file: Path, name: str, old: str, new: str) -> bool:
    """Replace the hash `old` of a user by `new` if it still stands there; tell whether it did."""
    def change(text: str, known: Users) -> str | None:
        if name not in known or known[name].password_hash != old:
            return None
        return users_text.with_fields(text, _position(file, known, name), {"password": new})

    return _edit(file, change)


def is_writable(file: Path) -> bool:
    """Tell whether this process may replace the file."""
    target = file.resolve()
    return os.access(target, os.W_OK) and os.access(target.parent, os.W_OK)


def _edit(
    file: Path, change: Callable[[str, Users], str | None], *, create: bool = False,
) -> bool:
    """Write what `change` makes of the text; None leaves it. Tell whether it was written."""
    target = file.resolve()  # so that a symbolic link stays one
    with private_file.locked(target):
        known: Users = {}
        text = users_text.EMPTY
        if target.exists() or not create:
            known = read_users(file)
            text = target.read_text(encoding="utf-8")
        try:
            changed = change(text, known)
        except YAMLError as error:
            raise ConfigError(file, 0, f"can be edited by hand only: {error}") from error
        if changed is not None:
            private_file.replace(target, changed, lambda fresh: _check(file, fresh))
    return changed is not None


def _position(file: Path, known: Users, name: str) -> int:
    if name not in known:
        raise ConfigError(file, 0, f"there is no user '{name}'")
    return list(known).index(name)


def _check(file: Path, fresh: Path) -> None:
    problems = examine(fresh)[1]
    if problems:
        raise ConfigError(file, 0, problems[0].problem)
