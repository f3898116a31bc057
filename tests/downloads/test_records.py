"""What is kept of downloads in the state store, and for how long."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.downloads import records
from app.downloads.plan import Item, Plan, listed, ranged
from app.state.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.state.store import Store

LINK = "http://h.example/1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = SqliteStore(tmp_path / "state.db")
    with closing(made):
        yield made


@pytest.mark.parametrize(("plan", "found"), [
    (listed([Item("1", LINK)]), 0),
    (ranged("http://h.example/{0..99999}", ""), 1),
    (listed([Item(str(n), f"http://h.example/{n}") for n in range(5000)]), None),
])
def test_of_a_download_that_is_over_headers_and_long_lists_are_not_kept(
    store: Store, plan: Plan, found: int | None,
) -> None:
    key = records.keep(store, plan, {"authorization": "secret"})
    assert records.kept(store, key).headers == {"authorization": "secret"}
    assert records.kept(store, key).plan.find(Item("1", LINK)) is not None
    records.close(store, "job", key, 60.0)
    kept = records.kept(store, key)
    assert (kept.headers, kept.plan.find(Item("1", LINK))) == ({}, found)
    assert len(str(store.get(records.PLANS, key))) < 100_000
