"""The gateway's own small state, shared by its workers and, on a server, by many gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.state.server_url import wrong
from app.state.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from app.state.store import Store

__all__ = ["has_state", "open_store", "shown"]

DEFAULT_NAME = "state.db"


def open_store(url: str, data_dir: Path, *, makes: bool = True) -> Store:
    """Return the store that the setting `state_url` means. Raises ConfigError.

    A server is asked for nothing yet: while it is away, calls raise StorageFault. `makes` lets a
    database that has no table yet be given one.
    """
    if url == "sqlite:":
        return SqliteStore(data_dir / DEFAULT_NAME)
    prefix = "sqlite://"
    if url.startswith(f"{prefix}/") and len(url) > len(prefix) + 1:
        return SqliteStore(type(data_dir)(url[len(prefix):]))
    if url.startswith(("redis://", "rediss://")):
        from app.state.redis import RedisStore  # noqa: PLC0415 megabytes that few gateways need

        return RedisStore(url)
    if url.startswith("postgresql://"):
        from app.state.postgres import PostgresStore  # noqa: PLC0415 as above

        return PostgresStore(url, makes=makes)
    raise wrong(
        f"'{shown(url)}' is no state store; allowed is `sqlite:` ({DEFAULT_NAME} in data_dir),"
        " `sqlite:///some/file`, `redis://host:6379/0` or `rediss://…`, and"
        " `postgresql://user:password@host:5432/database`")


def has_state(url: str, data_dir: Path) -> bool:
    """Tell whether there can be anything in the store that `url` means; of servers nobody knows."""
    if not url.startswith("sqlite:"):
        return True
    file = url.removeprefix("sqlite://") if url != "sqlite:" else ""
    return (type(data_dir)(file) if file else data_dir / DEFAULT_NAME).exists()


def shown(url: str) -> str:
    """Return `url` as it may be shown: nothing of what could hold a password."""
    scheme, colon, _ = url.partition(":")
    return f"{scheme}:…" if colon and scheme != "sqlite" else url
