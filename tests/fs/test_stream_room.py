"""How many streams of one user there may be, and what it costs to know."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.core.errors import StorageFault
from app.core.paths import HdfsPath
from app.core.stream_errors import TooManyStreams
from app.fs.stream_claims import Claims
from app.fs.stream_records import SPACE, Reader
from app.fs.stream_room import StreamRoom
from app.state.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

MOST = 3


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Counted(SqliteStore):
    """A store that counts how often it is looked through, and may fail to add."""

    scans = 0
    away = False

    def scan(self, space: str) -> Iterator[tuple[str, dict[str, Any]]]:
        self.scans += 1
        return super().scan(space)

    def add(self, *given: Any, **more: Any) -> bool:
        if self.away:
            raise StorageFault("away")
        return super().add(*given, **more)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Counted]:
    with closing(Counted(tmp_path / "state.db", clock=clock)) as made:
        yield made


def reader(owner: str) -> Reader:
    return Reader(owner, HdfsPath("/f"), 1, 10, 0)


def room(store: Counted, clock: Clock) -> Claims:
    claims = Claims(store, None, most=MOST)  # type: ignore[arg-type]
    claims._room = StreamRoom(store, MOST, clock=clock)
    return claims


def test_one_more_than_the_most_is_refused_until_one_ends(store: Counted, clock: Clock) -> None:
    claims = room(store, clock)
    ids = [claims.add(reader("alice")) for _ in range(MOST)]
    for _ in range(5):
        with pytest.raises(TooManyStreams, match="3 streams are open"):
            claims.add(reader("alice"))
    assert claims.drop(ids[0], "alice")
    claims.add(reader("alice"))
    with pytest.raises(TooManyStreams):
        claims.add(reader("alice"))
    assert len([*store.scan(SPACE)]) == MOST


def test_nobody_takes_anothers_room(store: Counted, clock: Clock) -> None:
    claims = room(store, clock)
    for owner in ("alice", "bob") * MOST:
        claims.add(reader(owner))
    for owner in ("alice", "bob"):
        with pytest.raises(TooManyStreams):
            claims.add(reader(owner))


def test_streams_are_not_counted_while_there_is_room(store: Counted, clock: Clock) -> None:
    claims = room(store, clock)
    for _ in range(100):
        claims.drop(claims.add(reader("alice")), "alice")
    assert store.scans == 0
    for _ in range(MOST):
        claims.add(reader("alice"))
    for _ in range(100):
        with pytest.raises(TooManyStreams):
            claims.add(reader("alice"))
    assert store.scans == 1
    clock.now += 1
    with pytest.raises(TooManyStreams):
        claims.add(reader("alice"))
    assert store.scans == 2


def test_what_expired_or_was_closed_elsewhere_makes_room(store: Counted, clock: Clock) -> None:
    here, there = room(store, clock), room(store, clock)
    first = here.add(reader("alice"))
    for _ in range(MOST - 1):
        here.add(reader("alice"), ttl=100)
    there.drop(first, "alice")
    here.add(reader("alice"))
    clock.now += 2
    with pytest.raises(TooManyStreams):
        here.add(reader("alice"))
    clock.now += 100
    for _ in range(MOST - 1):
        here.add(reader("alice"))
    with pytest.raises(TooManyStreams):
        here.add(reader("alice"))


def test_what_others_opened_is_seen_at_the_count(store: Counted, clock: Clock) -> None:
    here, there = room(store, clock), room(store, clock)
    for _ in range(MOST):
        there.add(reader("alice"))
    for _ in range(MOST):
        here.add(reader("alice"))
    clock.now += 2
    for claims in (here, there):
        with pytest.raises(TooManyStreams):
            claims.add(reader("alice"))


def test_what_was_never_opened_takes_no_room(store: Counted, clock: Clock) -> None:
    claims = room(store, clock)
    store.away = True
    for _ in range(2 * MOST):
        with pytest.raises(StorageFault):
            claims.add(reader("alice"))
    store.away = False
    for _ in range(MOST):
        claims.add(reader("alice"))
    assert store.scans == 0


def test_no_limit_is_none(store: Counted) -> None:
    claims = Claims(store, None)  # type: ignore[arg-type]
    for _ in range(50):
        claims.add(reader("alice"))
    assert store.scans == 0
