"""One maker for each kind of store; the contract runs over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from app.state import open_store
from app.state.sqlite import SqliteStore

from .servers import PostgresServer, RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.state.store import Store

    from .servers import Server

SERVERS = ["postgres", "redis"]


class Stores(Protocol):
    """A kind of store under test."""

    def open(self) -> Store:
        """Open the one store of this test, from any process, with the real clock or `advance`d."""

    def advance(self, seconds: float) -> None:
        """Let time pass for the stores opened here."""

    def close(self) -> None:
        """Close what this process opened."""


class SqliteStores:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._now = 1_000_000.0

    def open(self) -> Store:
        return SqliteStore(self._directory / "state.db", clock=lambda: self._now)

    def advance(self, seconds: float) -> None:
        self._now += seconds

    def close(self) -> None:
        pass


class ServerStores:
    """Stores on a server; its clock is the real one, so what passes is taken off the records."""

    def __init__(self, server: Server, directory: Path) -> None:
        self._server = server
        self._directory = directory
        self.url = server.url()
        self._opened: list[Store] = []

    def open(self) -> Store:
        self._opened.append(open_store(self.url, self._directory))
        return self._opened[-1]

    def advance(self, seconds: float) -> None:
        self._server.advance(self.url, seconds)

    def close(self) -> None:
        for store in self._opened:
            store.close()


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """One Redis; who stops or breaks it starts one of their own."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL; who stops or breaks it starts one of their own."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", *SERVERS])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    made: Stores = SqliteStores(tmp_path)
    if request.param != "sqlite":
        made = ServerStores(request.getfixturevalue(request.param), tmp_path)
    yield made
    made.close()


@pytest.fixture
def store(stores: Stores) -> Store:
    return stores.open()
