"""`httpfs-proxy tokens …`: personal access tokens from the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app import settings
from app.auth import delegation
from app.auth.tokens import Tokens
from app.auth.user_values import check_user_name
from app.cli_actions import Actions
from app.core.errors import printable
from app.state import has_state, open_store

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction

    from app.auth.tokens import Token
    from app.state.store import Store

_HEADINGS: tuple[str, ...] = ("ID", "USER", "RIGHTS", "PATHS", "CREATED", "EXPIRES", "LAST USED",
                              "NAME")


def add_commands(commands: _SubParsersAction[ArgumentParser], config: ArgumentParser) -> None:
    """Add `tokens` and what is below it; `config` is the parser of the common options."""
    action = Actions(
        commands, config, "tokens", "manage personal access tokens",
        "Manages the access tokens that users give to programs (in the state store).").add
    create = action("create", _create, "make an access token for a user",
                    "The token is shown this once; the gateway keeps a hash of it.")
    create.add_argument("user", metavar="USER", help="the user of the gateway")
    create.add_argument("--name", default="", help="what it is for")
    create.add_argument("--path", action="append", default=[], metavar="PATTERN",
                        help="only these paths, as the user writes them; may be repeated")
    create.add_argument("--read-only", action="store_true", help="it may change nothing")
    create.add_argument("--days", type=float, metavar="N",
                        help="its life (default and most: auth.token_max_days)")
    create.add_argument("--quiet", action="store_true", help="print only the token")
    listing = action("list", _list, "show access tokens, without their secrets")
    listing.add_argument("user", metavar="USER", nargs="?", default="", help="only this user's")
    revoke = action("revoke", _revoke, "refuse an access token from now on, in all gateways",
                    "An id is the one that `list` shows.")
    revoke.add_argument("ids", metavar="ID", nargs="*", help="the tokens")
    revoke.add_argument("--all-of", metavar="USER",
                        help="all tokens of this user, delegation tokens of WebHDFS too")


def _create(arguments: Namespace) -> int:
    check_user_name(arguments.user)
    text, token = _tokens(arguments).create(
        arguments.user, name=arguments.name, paths=arguments.path,
        read_only=arguments.read_only, days=arguments.days)
    if not arguments.quiet:
        print(f"made access token {token.id} for user '{token.user}', good until"
              f" {_moment(token.expires)}")
    print(text)
    return 0


def _list(arguments: Namespace) -> int:
    rows = [_HEADINGS]
    rows += [_row(token) for token in sorted(
        _tokens(arguments).of(arguments.user), key=lambda one: (one.user, one.created, one.id))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
    return 0


def _row(token: Token) -> tuple[str, ...]:
    return (token.id, token.user, "read" if token.read_only else "read, write",
            printable(", ".join(token.paths)) or "all", _moment(token.created),
            _moment(token.expires), _moment(token.used) if token.used else "never",
            token.name or "-")


def _revoke(arguments: Namespace) -> int:
    if not arguments.ids and not arguments.all_of:
        raise ValueError("name the ids of tokens, or a user by --all-of")
    store, tokens = _opened(arguments)
    for token_id in arguments.ids:
        token = tokens.revoke(token_id)
        print(f"revoked access token {token.id} of user '{token.user}'")
    if arguments.all_of:
        _revoke_all(store, tokens, arguments.all_of)
    return 0


def after_new_password(arguments: Namespace, user: str, *, end: bool) -> None:
    """End the tokens of a user, or tell how many there are. Raises StorageFault, ConfigError."""
    read = settings.read(getattr(arguments, "config", None))
    # Not before the gateway's own user has made it: whoever runs this may be another.
    if not has_state(read.state_url, read.data_dir):
        return
    store, tokens = _opened(arguments)
    if end:
        _revoke_all(store, tokens, user)
        return
    counts = sum(1 for _ in tokens.of(user)), delegation.count_of(store, user)
    if any(counts):
        print(f"{counts[0]} access tokens and {counts[1]} delegation tokens of user '{user}' stay"
              f" good; `httpfs-proxy tokens revoke --all-of {user}` ends them")


def _revoke_all(store: Store, tokens: Tokens, user: str) -> None:
    print(f"revoked {tokens.revoke_all(user)} access tokens and"
          f" {delegation.revoke_all(store, user)} delegation tokens of user '{user}'")


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _tokens(arguments: Namespace) -> Tokens:
    return _opened(arguments)[1]


def _opened(arguments: Namespace) -> tuple[Store, Tokens]:
    read = settings.read(getattr(arguments, "config", None))
    read.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = open_store(read.state_url, read.data_dir)
    return store, Tokens(store, read.auth.token_max_days)
