"""What is particular to the store in a SQLite file, and how a URL names it."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import threading
import time
from typing import TYPE_CHECKING

import pytest

from app.core.errors import StorageFault
from app.state import open_store, sqlite
from app.state.sqlite import PURGE_SECONDS, SqliteStore
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_file_and_its_companions_are_private(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "made" / "state.db")
    store.put("space", "key", {})
    names = {file.name for file in (tmp_path / "made").iterdir()}
    assert names == {"state.db", "state.db-wal", "state.db-shm"}
    for file in (tmp_path / "made").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o700


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    file.touch(0o644)
    SqliteStore(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_journal_is_a_write_ahead_log(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "state.db").close()
    connection = sqlite3.connect(tmp_path / "state.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_expired_records_leave_the_file_as_others_are_written(tmp_path: Path) -> None:
    now = [1000.0]
    store = SqliteStore(tmp_path / "state.db", clock=lambda: now[0])
    for i in range(2500):
        store.put("space", str(i), {}, ttl=10)
    store.put("space", "kept", {})
    now[0] += PURGE_SECONDS + 11
    for _ in range(3):
        store.put("other", "key", {})
    store.close()
    connection = sqlite3.connect(tmp_path / "state.db")
    rows = connection.execute("SELECT space, key FROM records ORDER BY space").fetchall()
    connection.close()
    assert rows == [("other", "key"), ("space", "kept")]


def test_many_processes_can_make_the_file_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(6)

    def make() -> None:
        gate.wait(30)
        SqliteStore(tmp_path / "new" / "state.db").add("space", "key", {})

    processes = [context.Process(target=make) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 6


def test_a_child_does_not_use_its_parents_connections(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    store.put("space", "key", {"by": "parent"})
    inherited = list(store._idle)
    assert inherited

    def use() -> None:
        store.put("space", "key", {"by": "child"})
        assert store._idle
        assert not set(map(id, store._idle)) & set(map(id, inherited))

    process = multiprocessing.get_context("fork").Process(target=use)
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert store.get("space", "key") == {"by": "child"}
    assert store._idle == inherited


def test_a_store_that_is_busy_at_the_start_is_waited_for_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "state.db"
    writer = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    threading.Timer(0.5, writer.close).start()
    store = SqliteStore(file)
    store.put("space", "key", {"there": True})
    assert store.get("space", "key") == {"there": True}
    store.close()


def test_a_busy_writer_is_waited_for(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    context = multiprocessing.get_context("fork")
    held = context.Event()

    def hold() -> None:
        connection = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        held.set()
        time.sleep(0.3)
        connection.execute("COMMIT")

    process = context.Process(target=hold)
    process.start()
    assert held.wait(30)
    store.put("space", "key", {"n": 1})
    process.join(30)
    assert store.get("space", "key") == {"n": 1}


def test_what_is_no_database_is_a_storage_fault(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageFault, match=r"state\.db"):
        SqliteStore(tmp_path / "state.db")
    (tmp_path / "file").touch()
    with pytest.raises(StorageFault, match="cannot be made"):
        SqliteStore(tmp_path / "file" / "state.db")


def test_a_failed_connection_is_not_used_again(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    store.put("space", "key", {"n": 1})
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("ALTER TABLE records RENAME TO elsewhere")
    with pytest.raises(StorageFault, match="no such table"):
        store.get("space", "key")
    connection.execute("ALTER TABLE elsewhere RENAME TO records")
    connection.close()
    assert store.get("space", "key") == {"n": 1}


def test_a_url_names_the_file(tmp_path: Path) -> None:
    open_store("sqlite:", tmp_path / "data").put("space", "key", {"n": 1})
    again = open_store(f"sqlite://{tmp_path}/data/state.db", tmp_path / "unused")
    assert again.get("space", "key") == {"n": 1}
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize("url", ["", "sqlite", "sqlite://", "sqlite:///", "sqlite://host/file",
                                 "redis", "/some/file"])
def test_another_url_is_refused_and_told_what_is_allowed(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="allowed is `sqlite:`") as caught:
        open_store(url, tmp_path)
    assert f"'{url}'" in str(caught.value)
