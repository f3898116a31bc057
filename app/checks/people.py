"""The users file and the access keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.auth.keys_file import read_keys
from app.auth.users_file import examine
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from app.auth.users_file import User
    from app.checks.report import Report
    from app.settings import Settings

READABLE_BY_ALL = 0o004
USERS, KEYS = "users", "access keys"


def check_people(settings: Settings, report: Report) -> dict[str, User]:
    """Look at users and keys; return the users that may come in, by name."""
    file = settings.auth.users_file
    if not (file.exists() or "password" in settings.auth.ways or settings.certificate.users):
        report.right(USERS, f"there is no users file {file}, and no way of auth.ways needs one")
        users = {}
    else:
        users = _users(file, report)
    _keys(settings, users, report)
    return {name: user for name, user in users.items() if user.active}


def _users(file: Path, report: Report) -> dict[str, User]:
    if not file.exists():
        report.wrong(USERS, f"there is no users file {file} (setting auth.users_file)",
                     "make it, with its first user: httpfs-proxy users add NAME")
        return {}
    users, problems = examine(file)
    for problem in sorted(problems, key=lambda each: each.line):
        report.wrong(USERS, str(problem), "see config/users.example.yaml for what may stand there")
    if not problems:
        active = sum(user.active for user in users.values())
        report.right(USERS, f"{file}: no mistakes, {len(users)} users, {active} of them active")
    if not problems and not users:
        report.note(USERS, "there is nobody who may come in", "httpfs-proxy users add NAME")
    _private(file, "its password hashes", USERS, report)
    return users


def _keys(settings: Settings, users: dict[str, User], report: Report) -> None:
    file, master = settings.s3.keys_file, settings.s3.master_key_file
    try:
        keys = read_keys(file, master)
    except ConfigError as error:
        report.wrong(KEYS, str(error), "bring back the keys file and the master key that belong"
                     " together, or make new keys: httpfs-proxy keys create USER")
        return
    if not keys:
        report.right(KEYS, f"there are none ({file})")
        return
    report.right(KEYS, f"{file}: {len(keys)} keys, which the master key opens")
    _private(master, "which opens all access keys", KEYS, report)
    ownerless = sorted({key.user for key in keys.values() if key.active} - users.keys())
    if ownerless:
        report.note(KEYS, f"there are keys of users that {settings.auth.users_file} does not"
                    f" have: {', '.join(ownerless)}",
                    "right where another way of auth.ways knows them; else remove the keys")


def _private(file: Path, what: str, about: str, report: Report) -> None:
    try:
        mode = file.stat().st_mode
    except OSError:
        return
    if mode & READABLE_BY_ALL:
        report.note(about, f"everyone on this host can read {file}, with {what}",
                    f"chmod o-rwx {file}")
