"""From what a directory, a token or a certificate tells of somebody to a user of the gateway."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from app.auth.user_values import check_hadoop_user, check_root, check_user_name
from app.auth.users import User
from app.core.errors import InvalidPath, printable
from app.core.identity import Principal
from app.core.path_rules import RESERVED, SNAPSHOT, TRASH
from app.core.paths import HIDDEN_MARK, check_name, child_of
from app.sections.identity_kinds import pair, placeholders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.core.paths import HdfsPath
    from app.sections.identities import MappingSettings

EVERYBODY = "*"


class Unmapped(ValueError):
    """Somebody who was proved, but is no user here, for a reason that the log may have."""


class Told(NamedTuple):
    """What a way tells of somebody.

    name    the gateway's user; made NFC
    values  what placeholders stand for; `user` is added
    groups  all names of each group
    """

    name: str
    values: Mapping[str, str]
    groups: Sequence[str] = ()
    active: bool = True


class Mapper:
    """Makes users as `settings` say."""

    def __init__(self, settings: MappingSettings) -> None:
        self._settings = settings
        self._roles = [(_key(group), role) for group, role in map(pair, settings.roles)]
        self._admitted = frozenset(map(_key, settings.groups))
        self._readers = frozenset(map(_key, settings.read_only_groups))

    @property
    def names(self) -> set[str]:
        """The placeholders whose values are wanted."""
        templates = self._settings.hadoop_user, self._settings.root, self._settings.bucket_root
        return {name for text in templates for name in placeholders(text)} - {"user"}

    def user(self, told: Told, stamp: str = "") -> User:
        """Return the user; `stamp` changes with their password. Raises Unmapped."""
        name = unicodedata.normalize("NFC", told.name)
        groups = frozenset(map(_key, told.groups))
        if self._admitted and not self._admitted & groups:
            raise Unmapped(f"user {name!r} is in none of the groups that may come in")
        values = {**told.values, "user": name}
        try:
            check_user_name(name)
            root = _room(self._settings.root, values)
            bucket_root = _room(self._settings.bucket_root, values)
            principal = Principal(
                name=name,
                hadoop_user=self._hadoop_user(values),
                root=root,
                read_only=bool(self._readers & (groups | {EVERYBODY})),
                roles=frozenset(role for group, role in self._roles if group in groups),
                bucket_root=_below(root, bucket_root),
            )
        except ValueError as error:
            raise Unmapped(f"user '{printable(name)}' is none here: {error}") from error
        return User(principal, stamp, told.active)

    def _hadoop_user(self, values: Mapping[str, str]) -> str:
        name = check_hadoop_user(fill(self._settings.hadoop_user, values))
        if name in self._settings.refused_hadoop_users:
            raise ValueError(f"refused_hadoop_users keeps '{name}' from everybody")
        return name


def fill(
    template: str, values: Mapping[str, str], check: Callable[[str], str] = str,
) -> str:
    """Return the template with `check` of each value in its place.

    Raises ValueError where a value is missing or empty, and what `check` raises.
    """
    text = template
    pieces: list[str] = []
    while text:
        before, opened, rest = text.partition("{")
        pieces.append(before)
        name, _, text = rest.partition("}")
        if opened:
            value = values.get(name, "")
            if not value:
                raise ValueError(f"there is no value for '{{{name}}}'")
            pieces.append(check(value))
    return "".join(pieces)


def _room(template: str, values: Mapping[str, str]) -> HdfsPath:
    """Return the directory that is a user's own: none whose name means others to HDFS."""
    room = check_root(fill(template, values, _file_name))
    for name in room.split("/"):
        if name in (SNAPSHOT, TRASH, RESERVED) or name.startswith(HIDDEN_MARK):
            raise ValueError(f"'{printable(name)}' is no directory of a user")
    return room


def _file_name(value: str) -> str:
    """Take what may be one name in a path, so that nobody climbs out of their directory."""
    try:
        return check_name(value)
    except InvalidPath as error:
        raise ValueError(str(error)) from error


def _below(root: HdfsPath, inside: HdfsPath) -> HdfsPath:
    return child_of(root, inside[1:])


def _key(group: str) -> str:
    """Return a group's name as it is compared: LDAP tells no case, nor blanks after commas."""
    return ",".join(part.strip() for part in unicodedata.normalize("NFC", group).split(",")).lower()
