"""The gateway's own small state, shared by its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.state.sqlite import SqliteStore
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from app.state.store import Store

__all__ = ["open_store"]

DEFAULT_NAME = "state.db"


def open_store(url: str, data_dir: Path) -> Store:
    """Return the store that the setting `state_url` means. Raises ConfigError."""
    if url == "sqlite:":
        return SqliteStore(data_dir / DEFAULT_NAME)
    prefix = "sqlite://"
    if url.startswith(f"{prefix}/") and len(url) > len(prefix) + 1:
        return SqliteStore(type(data_dir)(url[len(prefix):]))
    raise ConfigError(
        "setting state_url", 0,
        f"'{url}' is no state store; allowed is `sqlite:` ({DEFAULT_NAME} in data_dir) or"
        " `sqlite:///some/file`")
