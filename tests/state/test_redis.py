"""What is particular to the store in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import StorageFault
from app.state.redis import RedisStore

from .servers import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def url(redis: RedisServer) -> str:
    return redis.url()


@pytest.fixture
def store(url: str) -> Iterator[RedisStore]:
    made = RedisStore(url)
    yield made
    made.close()


@pytest.fixture
def own() -> Iterator[RedisServer]:
    """Yield a Redis of this test alone."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def own_store(own: RedisServer) -> Iterator[RedisStore]:
    made = RedisStore(own.url())
    yield made
    made.close()


def test_redis_itself_expires_records(redis: RedisServer, store: RedisStore, url: str) -> None:
    store.put("space", "key", {}, ttl=100)
    store.put("space", "kept", {})
    with redis.client() as client:
        assert 99_000 < lives(client, f"{prefix_of(url)}:record:5:spacekey") <= 100_000
        assert lives(client, f"{prefix_of(url)}:record:5:spacekept") == -1


def test_what_expired_leaves_the_indexes_as_others_are_written(
    redis: RedisServer, store: RedisStore, url: str,
) -> None:
    for i in range(100):
        store.put(f"space:{i % 7}", f":{i}:ü", {}, ttl=10)
    store.put("space:0", "kept", {})
    store.put("space:0", "long", {}, ttl=1000)
    redis.advance(url, 11)
    for _ in range(100 // 8 + 1):
        store.put("other", "key", {})
    with redis.client() as client:
        assert sorted(client.scan_iter(f"{prefix_of(url)}:*")) == sorted(
            f"{prefix_of(url)}:{name}".encode() for name in (
                "record:7:space:0kept", "record:7:space:0long", "record:5:otherkey",
                "index:space:0", "index:other", "expiries"))
        assert client.zrange(f"{prefix_of(url)}:index:space:0", 0, -1) == [b"kept", b"long"]
        assert client.zrange(f"{prefix_of(url)}:expiries", 0, -1) == [b"7:space:0long"]


def test_a_record_that_was_written_anew_stays_in_the_indexes(
    redis: RedisServer, store: RedisStore, url: str,
) -> None:
    store.put("space", "forever", {}, ttl=10)
    store.put("space", "longer", {}, ttl=10)
    store.put("space", "forever", {})
    store.put("space", "longer", {}, ttl=100)
    redis.advance(url, 11)
    store.put("space", "other", {})
    assert [key for key, _ in store.scan("space")] == ["forever", "longer", "other"]


def test_nothing_is_left_of_what_was_removed(
    redis: RedisServer, store: RedisStore, url: str,
) -> None:
    store.put("space", "deleted", {}, ttl=10)
    store.put("space", "swapped", {}, ttl=10)
    store.delete("space", "deleted")
    store.update("space", "swapped", lambda _: None)
    with redis.client() as client:
        assert list(client.scan_iter(f"{prefix_of(url)}:*")) == []


def test_prefixes_and_databases_keep_gateways_apart(redis: RedisServer, url: str) -> None:
    urls = [url, f"{url}.2", url.replace("/3?", "/4?")]
    stores = [RedisStore(each) for each in urls]
    for number, store in enumerate(stores):
        store.put("space", f"{number}", {}, ttl=100)
    assert [[key for key, _ in store.scan("space")] for store in stores] == [["0"], ["1"], ["2"]]
    for store in stores:
        store.close()


def test_no_call_looks_through_all_keys(own: RedisServer, own_store: RedisStore) -> None:
    own_store.put("space", "key", {}, ttl=10)
    own_store.update("space", "key", lambda _: {"n": 1})
    assert len(list(own_store.scan("space"))) == 1
    own_store.delete("space", "key")
    with own.client() as client:
        used: Any = client.info("commandstats")
    assert "cmdstat_eval" in used
    assert not {"cmdstat_keys", "cmdstat_scan"} & set(used)


def test_a_server_that_became_a_replica_is_left_for_the_one_that_is_none(
    own: RedisServer, own_store: RedisStore,
) -> None:
    own_store.put("space", "key", {"n": 1})
    with own.client() as client:
        client.replicaof("127.0.0.1", 1)
        with pytest.raises(StorageFault, match="read only replica"):
            own_store.put("space", "key", {"n": 2})
        client.replicaof("NO", "ONE")
    assert own_store.get("space", "key") == {"n": 1}
    own_store.put("space", "key", {"n": 3})
    assert own_store.get("space", "key") == {"n": 3}


def test_a_full_server_takes_nothing_by_halves(own: RedisServer, own_store: RedisStore) -> None:
    own_store.put("space", "key", {"n": 1})
    with own.client() as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(StorageFault, match="maxmemory"):
            own_store.add("space", "other", {})
        assert own_store.get("space", "key") == {"n": 1}
        client.config_set("maxmemory", 0)
    assert own_store.add("space", "other", {}) is True
    assert [key for key, _ in own_store.scan("space")] == ["key", "other"]




def prefix_of(url: str) -> str:
    return url.rpartition("=")[2]


def lives(client: Any, key: str) -> int:
    return int(client.pttl(key))
