"""What is particular to the store in PostgreSQL."""

from __future__ import annotations

import multiprocessing
import time
from typing import TYPE_CHECKING

import pytest

from app.core.errors import StorageFault
from app.state.postgres import PURGE_SECONDS, PostgresStore
from tests.gateway import wait_for

from .servers import QUOTED, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 1.0
PASSWORD = "of-the-role"


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.url()


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    made = PostgresStore(url)
    yield made
    made.close()


def test_many_processes_can_make_the_table_at_once(url: str) -> None:
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(8)

    def make(name: str) -> None:
        gate.wait(30)
        PostgresStore(url).add("space", name, {})

    processes = [context.Process(target=make, args=(f"{i}",)) for i in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 8
    store = PostgresStore(url)
    assert len(list(store.scan("space"))) == 8
    store.close()


def test_a_role_needs_no_more_rights_than_on_the_table(
    postgres: PostgresServer, url: str, store: PostgresStore,
) -> None:
    store.put("space", "key", {"n": 1})
    with postgres.client_of(url) as client:
        client.run(f"CREATE ROLE humble LOGIN PASSWORD '{PASSWORD}'")
        client.run("GRANT USAGE ON SCHEMA httpfs_proxy TO humble")
        client.run("GRANT SELECT, INSERT, UPDATE, DELETE ON httpfs_proxy.records TO humble")
    humble = PostgresStore(url.replace("//gate%20way:", "//humble:").replace(QUOTED, PASSWORD))
    assert humble.update("space", "key", lambda _: {"n": 2}) == {"n": 2}
    assert humble.delete("space", "key") is True
    humble.close()


def test_a_schema_that_was_made_for_the_role_is_enough(
    postgres: PostgresServer, url: str,
) -> None:
    with postgres.client_of(url) as client:
        client.run(f"CREATE ROLE owner LOGIN PASSWORD '{PASSWORD}'")
        client.run("CREATE SCHEMA httpfs_proxy AUTHORIZATION owner")
    owner = PostgresStore(url.replace("//gate%20way:", "//owner:").replace(QUOTED, PASSWORD))
    owner.put("space", "key", {"n": 1})
    assert owner.get("space", "key") == {"n": 1}
    owner.close()


def test_a_role_that_may_not_make_the_table_is_told_so(
    postgres: PostgresServer, url: str,
) -> None:
    with postgres.client_of(url) as client:
        client.run(f"CREATE ROLE nobody LOGIN PASSWORD '{PASSWORD}'")
    store = PostgresStore(url.replace("//gate%20way:", "//nobody:").replace(QUOTED, PASSWORD))
    with pytest.raises(StorageFault, match="permission denied for database"):
        store.get("space", "key")
    store.close()


def test_what_the_database_has_set_otherwise_does_no_harm(
    postgres: PostgresServer, url: str,
) -> None:
    name = url.rpartition("/")[2].partition("?")[0].replace("%20", " ")
    with postgres.client() as client:
        for setting in ("default_transaction_isolation = serializable", "bytea_output = escape",
                        "standard_conforming_strings = off", "timezone = 'Asia/Kathmandu'",
                        "search_path = nowhere", "client_encoding = LATIN1"):
            client.run(f'ALTER DATABASE "{name}" SET {setting}')
    store = PostgresStore(url)
    store.put("spa\\ce\0", "ü\\'\x7f", {"n": "ü\\'"}, ttl=100)
    assert list(store.scan("spa\\ce\0")) == [("ü\\'\x7f", {"n": "ü\\'"})]
    store.close()


def test_expired_records_leave_the_table_as_others_are_written(
    postgres: PostgresServer, url: str, store: PostgresStore,
) -> None:
    for i in range(2500):
        store.put("space", f"{i}", {}, ttl=10)
    store.put("space", "kept", {})
    postgres.advance(url, PURGE_SECONDS)
    store._purge_at = time.monotonic()
    for _ in range(3):
        store.put("other", "key", {})
    with postgres.client_of(url) as client:
        assert client.run("SELECT key FROM httpfs_proxy.records ORDER BY key") == [
            [b"kept"], [b"key"]]
    assert PURGE_SECONDS - 10 < store._purge_at - time.monotonic() <= PURGE_SECONDS


def test_a_write_stands_though_the_purge_after_it_failed(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise StorageFault("the purge")

    monkeypatch.setattr(store, "_purge", fail)
    assert store.add("space", "key", {}) is True
    assert store.get("space", "key") == {}


def test_a_statement_that_the_client_gave_up_is_not_executed_later(
    postgres: PostgresServer, url: str,
) -> None:
    store = PostgresStore(url, answer_seconds=PATIENCE)
    store.put("space", "key", {})
    with postgres.client_of(url) as client:
        client.run("BEGIN")
        client.run("LOCK TABLE httpfs_proxy.records")
        began = time.monotonic()
        with pytest.raises(StorageFault, match="statement timeout"):
            store.add("space", "late", {})
        assert time.monotonic() - began < 2 * PATIENCE
        client.run("COMMIT")
        wait_for("no other session at work", lambda: client.run(
            "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database()"
            " AND state <> 'idle' AND pid <> pg_backend_pid()")[0][0])
    assert store.get("space", "late") is None
    store.close()


def test_a_session_that_the_server_ended_is_replaced(
    postgres: PostgresServer, url: str, store: PostgresStore,
) -> None:
    store.put("space", "key", {"n": 1})
    with postgres.client_of(url) as client:
        ended = client.run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'httpfs-proxy'")
        assert ended == [[True]]
    assert store.add("space", "other", {}) is True
    assert store.delete("space", "key") is True


def test_a_table_that_went_is_a_fault_and_made_again(
    postgres: PostgresServer, url: str, store: PostgresStore,
) -> None:
    store.put("space", "key", {"n": 1})
    with postgres.client_of(url) as client:
        client.run("DROP SCHEMA httpfs_proxy CASCADE")
    with pytest.raises(StorageFault, match="does not exist"):
        store.put("space", "key", {"n": 2})
    store.put("space", "key", {"n": 3})
    assert store.get("space", "key") == {"n": 3}


def test_faults_quote_no_values(
    postgres: PostgresServer, url: str, store: PostgresStore,
) -> None:
    store.put("space", "key", {})
    with postgres.client_of(url) as client:
        client.run("ALTER TABLE httpfs_proxy.records ADD CHECK (value NOT LIKE '%private%')")
    with pytest.raises(StorageFault, match="violates check constraint") as caught:
        store.put("space", "key", {"a": "private"})
    assert "private" not in str(caught.value)
