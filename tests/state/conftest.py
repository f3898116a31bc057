"""One maker for each kind of store; the contract runs over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from app.state.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.state.store import Store


class Stores(Protocol):
    """A kind of store under test."""

    def open(self) -> Store:
        """Open the one store of this test, from any process, with the real clock or `advance`d."""

    def advance(self, seconds: float) -> None:
        """Let time pass for the stores opened here."""


class SqliteStores:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._now = 1_000_000.0

    def open(self) -> Store:
        return SqliteStore(self._directory / "state.db", clock=lambda: self._now)

    def advance(self, seconds: float) -> None:
        self._now += seconds


MAKERS: dict[str, Callable[[Path], Stores]] = {"sqlite": SqliteStores}


@pytest.fixture(params=sorted(MAKERS))
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    return MAKERS[request.param](tmp_path)


@pytest.fixture
def store(stores: Stores) -> Store:
    return stores.open()
