"""`httpfs-proxy keys …`: the S3 access keys from the command line."""

from __future__ import annotations

import sys
import unicodedata
from typing import TYPE_CHECKING

from app import settings
from app.auth import keys_file, keys_writer, users_file
from app.auth.user_values import check_user_name
from app.cli_actions import Actions

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction

    from app.settings import Settings

_HEADINGS: tuple[str, ...] = ("KEY ID", "USER", "STATE", "CREATED")


def add_commands(commands: _SubParsersAction[ArgumentParser], config: ArgumentParser) -> None:
    """Add `keys` and what is below it; `config` is the parser of the common options."""
    action = Actions(
        commands, config, "keys", "manage the S3 access keys",
        "Manages the S3 access keys (setting s3.keys_file).").add
    create = action("create", _create, "make an access key for a user",
                    "The secret is shown this once; the gateway keeps it encrypted.")
    create.add_argument("user", metavar="USER", help="the user of the gateway")
    create.add_argument("--quiet", action="store_true",
                        help="print only the key id and the secret, with a space between")
    listing = action("list", _list, "show the access keys, without their secrets")
    listing.add_argument("user", metavar="USER", nargs="?", help="only this user's")
    disable = action("disable", _disable, "refuse an access key, and keep it")
    enable = action("enable", _enable, "take an access key again")
    remove = action("remove", _remove, "remove an access key for good")
    for named in (disable, enable, remove):
        named.add_argument("key_id", metavar="KEYID", help="the id of the access key")


def _create(arguments: Namespace) -> int:
    read = _settings(arguments)
    name = unicodedata.normalize("NFC", arguments.user)
    _require_user(name, read)
    key = keys_writer.create_key(read.s3.keys_file, read.s3.master_key_file, name)
    if arguments.quiet:
        print(key.key_id, key.secret)
        return 0
    print(f"made an access key for user '{key.user}' in {read.s3.keys_file}")
    print(f"aws_access_key_id = {key.key_id}")
    print(f"aws_secret_access_key = {key.secret}")
    return 0


def _require_user(name: str, read: Settings) -> None:
    """Raise ValueError for who is not in the users file, where other ways know nobody either."""
    file, others = read.auth.users_file, set(read.auth.ways) - {"password"}
    if (file.exists() or not others) and name in users_file.read_users(file):
        return
    if not others:
        raise ValueError(f"there is no user '{name}' in {file}")
    check_user_name(name)
    print(f"'{name}' is not in {file}: the key works while {' or '.join(sorted(others))} knows"
          " this user", file=sys.stderr)


def _list(arguments: Namespace) -> int:
    rows = [_HEADINGS]
    rows += [(key_id, key.user, "active" if key.active else "inactive", key.created)
             for key_id, key in keys_file.read_sealed(_settings(arguments).s3.keys_file).items()
             if arguments.user in (None, key.user)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
    return 0


def _disable(arguments: Namespace) -> int:
    return _set_active(arguments, active=False)


def _enable(arguments: Namespace) -> int:
    return _set_active(arguments, active=True)


def _set_active(arguments: Namespace, *, active: bool) -> int:
    file = _settings(arguments).s3.keys_file
    keys_writer.set_active(file, arguments.key_id, active=active)
    print(f"{'enabled' if active else 'disabled'} access key {arguments.key_id} in {file}")
    return 0


def _remove(arguments: Namespace) -> int:
    file = _settings(arguments).s3.keys_file
    keys_writer.remove_key(file, arguments.key_id)
    print(f"removed access key {arguments.key_id} from {file}")
    return 0


def _settings(arguments: Namespace) -> Settings:
    return settings.read(getattr(arguments, "config", None))
