"""The users file: what may stand in it, and everything that is wrong with one.

users:
  alice:                      # the gateway's user
    password: "$argon2id$…"   # a hash, never the password
    hadoop_user: alice        # whom HDFS sees; the same name where absent
    root: /data/team          # the directory that is `/` for this user; `/` where absent
    bucket_root: /s3          # whose directories are the S3 buckets, as the user sees it; `/`
    read_only: false
    roles: [admin]
    active: true
    rules: {deny: [/data/team/secret]}      # see rule_texts; everything is allowed where absent
    networks: [10.0.0.0/8]                  # from where they come; anywhere where absent
    limits: {requests: 50, transfers: 8}    # see docs/limits.md; those of all where absent
roles:                        # what goes for everybody with a role: rules, networks, limits
  admin:
    networks: [10.1.0.0/16]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from app.auth.roles import Role, Roles
from app.auth.rule_texts import check_rules
from app.auth.user_values import (
    check_flag,
    check_hadoop_user,
    check_hash,
    check_networks,
    check_role,
    check_roles,
    check_root,
    check_user_name,
)
from app.core.errors import printable
from app.core.identity import Principal
from app.core.limits import check_limits
from app.core.path_rules import PathRules
from app.core.paths import ROOT, child_of
from app.strict_yaml import ConfigError, Document, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["FIELDS", "User", "check_hadoop_user", "check_roles", "check_root", "check_user_name",
           "examine", "read_all", "read_users"]

_PARTS = ("users", "roles")


@dataclass(frozen=True, slots=True)
class User:
    """One entry: who it is when the password is right, and whether it may come in at all."""

    principal: Principal
    password_hash: str = field(repr=False)
    active: bool = True


class UsersFile(NamedTuple):
    """All that stands in the file: users and roles by their names."""

    users: dict[str, User]
    roles: Roles


def read_all(file: Path) -> UsersFile:
    """Return what stands in `file`. Raises ConfigError for the first thing wrong."""
    found, problems = _examined(file)
    if problems:
        raise problems[0]
    return found


def read_users(file: Path) -> dict[str, User]:
    """Return the users of `file` by name. Raises ConfigError for the first thing wrong."""
    return read_all(file).users


def examine(file: Path) -> tuple[dict[str, User], list[ConfigError]]:
    """Return the users that are right, and one error for each thing that is wrong."""
    found, problems = _examined(file)
    return found.users, problems


def _examined(file: Path) -> tuple[UsersFile, list[ConfigError]]:
    try:
        document = load(file)
        parts = _parts(document)
    except ConfigError as error:
        return UsersFile({}, {}), [error]
    users: dict[str, User] = {}
    roles: Roles = {}
    problems: list[ConfigError] = []
    for name, entry in parts["users"].items():
        given = _Entry(document, ("users", name), "user", problems)
        values = given.values(entry, FIELDS, check_user_name, required=("password",))
        if values is not None:
            users[name] = _made(name, values)
    for name, entry in parts["roles"].items():
        given = _Entry(document, ("roles", name), "role", problems)
        values = given.values(entry, ROLE_FIELDS, check_role)
        if values is not None:
            roles[name] = Role(**values)
    return UsersFile(users, roles), problems


def _parts(document: Document) -> dict[str, dict[str, Any]]:
    data = document.data
    if not isinstance(data, dict) or "users" not in data:
        raise document.error("the file must be a map with the key 'users'")
    for key in data:
        if key not in _PARTS:
            raise document.error(
                f"unknown key '{printable(key)}'; only 'users' and 'roles' are known", key)
    parts = {part: {} if data.get(part) is None else data[part] for part in _PARTS}
    for part, entries in parts.items():
        if not isinstance(entries, dict):
            raise document.error(f"'{part}' must be a map of {part[:-1]} names", part)
    return parts


class _Entry(NamedTuple):
    """One entry of the file; what is wrong with it goes to `problems`."""

    document: Document
    place: tuple[str, str]
    kind: str
    problems: list[ConfigError]

    def _complain(self, problem: str, *keys: str) -> None:
        self.problems.append(self.document.error(
            f"{self.kind} '{printable(self.place[1])}': {problem}", *self.place, *keys))

    def values(
        self, entry: Any, fields: Mapping[str, Callable[[Any], Any]],
        check_name: Callable[[Any], str], required: tuple[str, ...] = (),
    ) -> dict[str, Any] | None:
        """Return the values of an entry, None where something is wrong with it."""
        before = len(self.problems)
        try:
            check_name(self.place[1])
        except ValueError as error:
            self._complain(str(error))
        if not isinstance(entry, dict):
            self._complain(f"must be a map of {', '.join(fields)}")
            return None
        values: dict[str, Any] = {}
        for key, given in entry.items():
            if key not in fields:
                self._complain(
                    f"unknown key '{printable(key)}'; known are {', '.join(fields)}", key)
                continue
            try:
                values[key] = fields[key](given)
            except ValueError as error:
                self._complain(f"{key}: {error}", key)
        for key in required:
            if key not in entry:
                self._complain(f"the key '{key}' is missing")
        return values if len(self.problems) == before else None


def _made(name: str, values: dict[str, Any]) -> User:
    root = values.get("root", ROOT)
    hadoop_user = values.get("hadoop_user", name)
    rules, networks = values.get("rules"), values.get("networks")
    principal = Principal(
        name=name,
        hadoop_user=hadoop_user,
        root=root,
        read_only=values.get("read_only", False),
        roles=values.get("roles", frozenset()),
        bucket_root=child_of(root, values.get("bucket_root", ROOT)[1:]),
        rules=PathRules((rules.layer(name, hadoop_user),)) if rules else PathRules(),
        networks=(networks,) if networks else (),
        limits=values.get("limits"),
    )
    return User(principal, values["password"], values.get("active", True))


FIELDS: dict[str, Callable[[Any], Any]] = {
    "password": check_hash,
    "hadoop_user": check_hadoop_user,
    "root": check_root,
    "read_only": check_flag,
    "roles": check_roles,
    "active": check_flag,
    "bucket_root": check_root,
    "rules": check_rules,
    "networks": check_networks,
    "limits": check_limits,
}
"""The keys of a user, and what takes their values."""
ROLE_FIELDS: dict[str, Callable[[Any], Any]] = {
    "rules": check_rules,
    "networks": check_networks,
    "limits": check_limits,
}
"""The keys of a role."""
