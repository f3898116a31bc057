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
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.auth.passwords import fault_in_hash
from app.core.errors import InvalidPath, printable
from app.core.identity import Principal
from app.core.paths import ROOT, HdfsPath, absolute, child_of
from app.strict_yaml import ConfigError, Document, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_NAME_BYTES = 255


@dataclass(frozen=True, slots=True)
class User:
    """One entry: who it is when the password is right, and whether it may come in at all."""

    principal: Principal
    password_hash: str = field(repr=False)
    active: bool = True


def read_users(file: Path) -> dict[str, User]:
    """Return the users of `file` by name. Raises ConfigError for the first thing wrong."""
    users, problems = examine(file)
    if problems:
        raise problems[0]
    return users


def examine(file: Path) -> tuple[dict[str, User], list[ConfigError]]:
    """Return the users that are right, and one error for each thing that is wrong."""
    try:
        document = load(file)
        entries = _entries(document)
    except ConfigError as error:
        return {}, [error]
    users: dict[str, User] = {}
    problems: list[ConfigError] = []
    for name, entry in entries.items():
        user = _user(document, name, entry, problems)
        if user:
            users[name] = user
    return users, problems


def _entries(document: Document) -> dict[str, Any]:
    data = document.data
    if not isinstance(data, dict) or "users" not in data:
        raise document.error("the file must be a map with the key 'users'")
    for key in data:
        if key != "users":
            raise document.error(f"unknown key '{printable(key)}'; only 'users' is known", key)
    entries = {} if data["users"] is None else data["users"]
    if not isinstance(entries, dict):
        raise document.error("'users' must be a map of user names", "users")
    return entries


def _user(
    document: Document, name: str, entry: Any, problems: list[ConfigError],
) -> User | None:
    """Return the user, or None after adding to `problems` what is wrong."""
    before = len(problems)
    who = f"user '{printable(name)}'"

    def complain(problem: str, *keys: str) -> None:
        problems.append(document.error(f"{who}: {problem}", "users", name, *keys))

    try:
        check_user_name(name)
    except ValueError as error:
        complain(str(error))
    if not isinstance(entry, dict):
        complain(f"must be a map of {', '.join(FIELDS)}")
        return None
    values: dict[str, Any] = {}
    for key, given in entry.items():
        if key not in FIELDS:
            complain(f"unknown key '{printable(key)}'; known are {', '.join(FIELDS)}", key)
            continue
        try:
            values[key] = FIELDS[key](given)
        except ValueError as error:
            complain(f"{key}: {error}", key)
    if "password" not in entry:
        complain("the key 'password' is missing")
    return _made(name, values) if len(problems) == before else None


def _made(name: str, values: dict[str, Any]) -> User:
    root = values.get("root", ROOT)
    principal = Principal(
        name=name,
        hadoop_user=values.get("hadoop_user", name),
        root=root,
        read_only=values.get("read_only", False),
        roles=values.get("roles", frozenset()),
        bucket_root=child_of(root, values.get("bucket_root", ROOT)[1:]),
    )
    return User(principal, values["password"], values.get("active", True))


# --- the values; each raises ValueError with a reason


def check_user_name(given: Any) -> str:
    """Take what a client can send as the user-id of RFC 7617."""
    name = _text(given)
    if not name or ":" in name or any(not c.isprintable() for c in name):
        raise ValueError("a user name is not empty and has no ':' or control characters")
    if name != unicodedata.normalize("NFC", name):
        raise ValueError("a user name is written in Unicode Normalization Form C")
    return _short(name, "a user name")


def check_hadoop_user(given: Any) -> str:
    """Take a name that HDFS may know; which ones it takes is its own configuration."""
    name = _text(given)
    if not re.fullmatch(r"[^\s/:@,]+", name) or not name.isprintable():
        raise ValueError(
            f"'{printable(name)}' is no Hadoop user: a short name without spaces, '/', ':', '@'"
            " or ','")
    return _short(name, "a Hadoop user")


def check_root(given: Any) -> HdfsPath:
    """Take an absolute HDFS path."""
    try:
        return absolute(_text(given))
    except InvalidPath as error:
        raise ValueError(str(error)) from error


def check_roles(given: Any) -> frozenset[str]:
    """Take a list of words."""
    if not isinstance(given, list):
        raise ValueError(f"{given!r} is not a list of roles")  # noqa: TRY004 one kind of error
    for role in given:
        if not isinstance(role, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", role):
            raise ValueError(f"{role!r} is no role: small letters, digits, '_' and '-'")
    return frozenset(given)


def _hash(given: Any) -> str:
    fault = fault_in_hash(_text(given))
    if fault:
        raise ValueError(fault)
    return _text(given)


def _flag(given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError(f"{given!r} is neither true nor false")  # noqa: TRY004
    return given


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{given!r} is not text; put it in quotes")  # noqa: TRY004
    return given


def _short(name: str, what: str) -> str:
    if len(name.encode(errors="surrogatepass")) > MAX_NAME_BYTES:
        raise ValueError(f"{what} has at most {MAX_NAME_BYTES} bytes")
    return name


FIELDS: dict[str, Callable[[Any], Any]] = {
    "password": _hash,
    "hadoop_user": check_hadoop_user,
    "root": check_root,
    "read_only": _flag,
    "roles": check_roles,
    "active": _flag,
    "bucket_root": check_root,
}
"""The keys of a user, and what takes their values."""
