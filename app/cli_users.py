"""`httpfs-proxy users …`: the users file from the command line.

Passwords are never arguments, which every user of the host can see: they are asked for on a
terminal, and else read as one line of standard input.
"""

from __future__ import annotations

import getpass
import secrets
import sys
import unicodedata
from typing import TYPE_CHECKING

from app import cli_tokens, settings
from app.auth import users_file, writer
from app.auth.passwords import Passwords, fault_in_password, scheme_of
from app.auth.rule_texts import check_rules
from app.auth.user_values import check_networks
from app.cli_actions import Actions
from app.core.errors import GatewayError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction
    from pathlib import Path

    from app.auth.users_file import User
    from app.auth.users_text import Fields

GENERATED_BYTES = 18
"""24 characters of URL-safe base64."""

_HEADINGS: tuple[str, ...] = ("NAME", "HADOOP USER", "ROOT", "RIGHTS", "ROLES", "STATE", "HASH")

_HOW_ASKED = ("The password is asked for twice on a terminal; without one, it is read as one"
                  " line of UTF-8 from standard input.")


def add_commands(commands: _SubParsersAction[ArgumentParser], config: ArgumentParser) -> None:
    """Add `users` and what is below it; `config` is the parser of the common options."""
    action = Actions(
        commands, config, "users", "manage the users file",
        "Manages the users file (setting auth.users_file).").add
    add = action("add", _add, "add a user", _HOW_ASKED)
    add.add_argument("--hadoop-user", metavar="USER", help="whom HDFS sees (default: NAME)")
    add.add_argument("--root", metavar="PATH", help="the HDFS directory that the user sees as /")
    add.add_argument("--bucket-root", metavar="PATH",
                     help="the directory, as the user sees it, whose directories are S3 buckets"
                          " (default: /)")
    add.add_argument("--read-only", action="store_true", help="the user may change nothing")
    add.add_argument("--role", action="append", default=[], metavar="ROLE",
                     help="a role of the user; may be repeated")
    add.add_argument("--allow", action="append", metavar="PATTERN",
                     help="only these HDFS paths, to read and write; may be repeated")
    add.add_argument("--deny", action="append", metavar="PATTERN",
                     help="not these HDFS paths, whatever allows them; may be repeated")
    add.add_argument("--network", action="append", metavar="NETWORK",
                     help="from where the user comes, like 10.0.0.0/8; may be repeated")
    add.add_argument("--inactive", action="store_true", help="the user may not come in yet")
    passwd = action("passwd", _passwd, "set a user's password",
                    f"{_HOW_ASKED} What the user has given to programs stays good: say"
                    " --end-tokens where somebody else may have known the password.")
    passwd.add_argument("--end-tokens", action="store_true",
                        help="end the user's access tokens and delegation tokens, too")
    disable = action("disable", _disable, "keep a user out, and the entry")
    enable = action("enable", _enable, "let a user in again")
    remove = action("remove", _remove, "remove a user's entry")
    for named in (add, passwd, disable, enable, remove):
        named.add_argument("name", metavar="NAME", help="the user of the gateway")
    for making in (add, passwd):
        making.add_argument("--generate", action="store_true",
                            help="make a password up and print it, once, as the last line")
    action("list", _list, "show all users, without their secrets")
    action("check", _check, "look for mistakes in the users file",
           "Prints one line for each and exits with 1 if there are any.")


def _add(arguments: Namespace) -> int:
    file = _file(arguments)
    users_file.check_user_name(arguments.name)
    fields: Fields = {
        "hadoop_user": users_file.check_hadoop_user(arguments.hadoop_user or arguments.name)}
    if arguments.root is not None:
        fields["root"] = users_file.check_root(arguments.root)
    if arguments.bucket_root is not None:
        fields["bucket_root"] = users_file.check_root(arguments.bucket_root)
    if arguments.read_only:
        fields["read_only"] = True
    if arguments.role:
        fields["roles"] = sorted(users_file.check_roles(arguments.role))
    rules = {name: given for name in ("allow", "deny") if (given := getattr(arguments, name))}
    if rules:
        check_rules(rules)
        fields["rules"] = rules
    if arguments.network:
        fields["networks"] = [str(one) for one in check_networks(arguments.network)]
    if arguments.inactive:
        fields["active"] = False
    if file.exists() and arguments.name in users_file.read_users(file):
        raise ValueError(f"there is a user '{arguments.name}' in {file} already")
    password = _password(arguments)
    writer.add_user(file, arguments.name, {"password": Passwords().hash(password), **fields})
    print(f"added user '{arguments.name}' to {file}")
    return _show_generated(arguments, password)


def _passwd(arguments: Namespace) -> int:
    file = _file(arguments)
    _require(file, arguments.name)
    password = _password(arguments)
    writer.set_fields(file, arguments.name, {"password": Passwords().hash(password)})
    print(f"changed the password of user '{arguments.name}' in {file}")
    try:
        cli_tokens.after_new_password(arguments, arguments.name, end=arguments.end_tokens)
    except GatewayError as error:
        if arguments.end_tokens:
            raise
        print(f"httpfs-proxy: it is not known what tokens the user has: {error}", file=sys.stderr)
    return _show_generated(arguments, password)


def _disable(arguments: Namespace) -> int:
    return _set_active(arguments, active=False)


def _enable(arguments: Namespace) -> int:
    return _set_active(arguments, active=True)


def _set_active(arguments: Namespace, *, active: bool) -> int:
    file = _file(arguments)
    writer.set_fields(file, arguments.name, {"active": active})
    print(f"{'enabled' if active else 'disabled'} user '{arguments.name}' in {file}")
    return 0


def _remove(arguments: Namespace) -> int:
    file = _file(arguments)
    writer.remove_user(file, arguments.name)
    print(f"removed user '{arguments.name}' from {file}")
    return 0


def _list(arguments: Namespace) -> int:
    rows = [_HEADINGS]
    rows += [_row(user) for user in users_file.read_users(_file(arguments)).values()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
    return 0


def _row(user: User) -> tuple[str, ...]:
    who = user.principal
    return (who.name, who.hadoop_user, who.root, "read" if who.read_only else "read, write",
            ", ".join(sorted(who.roles)) or "-", "active" if user.active else "inactive",
            scheme_of(user.password_hash))


def _check(arguments: Namespace) -> int:
    file = _file(arguments)
    users, problems = users_file.examine(file)
    for problem in sorted(problems, key=lambda each: each.line):
        print(problem)
    if not problems:
        print(f"{file}: no mistakes, {len(users)} users")
    return 1 if problems else 0


def _file(arguments: Namespace) -> Path:
    config: Path | None = getattr(arguments, "config", None)
    return settings.read(config).auth.users_file


def _require(file: Path, name: str) -> None:
    if name not in users_file.read_users(file):
        raise ValueError(f"there is no user '{name}' in {file}")


def _password(arguments: Namespace) -> str:
    """Return a password that somebody can have. Raises ValueError."""
    if arguments.generate:
        return secrets.token_urlsafe(GENERATED_BYTES)
    password = unicodedata.normalize("NFC", _asked_for() if sys.stdin.isatty() else _piped())
    fault = fault_in_password(password)
    if fault:
        raise ValueError(fault)
    return password


def _asked_for() -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise ValueError("the two passwords differ; nothing was changed")
    return password


def _piped() -> str:
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError("the password on standard input is not valid UTF-8") from error


def _show_generated(arguments: Namespace, password: str) -> int:
    if arguments.generate:
        print(password)
    return 0
