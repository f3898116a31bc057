"""The cache by itself: what it serves is right, and fetched once; what it holds is bounded."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest

from app.core.cache_errors import NotCached
from app.core.errors import UpstreamFault
from tests.cache.conftest import CAPACITY, CHUNK, MIB, Upstream, chunk_files, read
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.cache.read_cache import ReadCache


def test_any_part_in_any_pieces(cache: ReadCache) -> None:
    upstream, chance = Upstream(5 * CHUNK + 777), random.Random(1)
    size = len(upstream.content)
    for _ in range(300):
        offset = chance.randrange(size)
        length = chance.randint(1, size - offset)
        piece = chance.choice([1000, CHUNK - 1, CHUNK, 3 * CHUNK])
        assert read(cache, upstream, offset, length, piece=piece) == (
            upstream.content[offset:offset + length])
    assert upstream.read == size, "each byte is fetched once"


def test_missing_chunks_in_a_row_are_one_read_of_the_cluster(cache: ReadCache) -> None:
    upstream = Upstream(10 * CHUNK)
    read(cache, upstream, 3 * CHUNK + 5, CHUNK)
    assert upstream.opened == [(3 * CHUNK, 2 * CHUNK)]
    read(cache, upstream)
    assert upstream.opened[1:] == [(0, 3 * CHUNK), (5 * CHUNK, 5 * CHUNK)]
    read(cache, upstream)
    assert len(upstream.opened) == 3


def test_what_is_held_and_evicted(cache: ReadCache) -> None:
    upstream, other = Upstream(3 * CHUNK), Upstream(CHUNK, number=2)
    assert cache.held(upstream.key) == 0
    read(cache, upstream, CHUNK, 1)
    assert cache.held(upstream.key) == CHUNK
    read(cache, upstream)
    read(cache, other)
    assert cache.held(upstream.key) == 3 * CHUNK
    assert cache.evict(upstream.key) == 3 * CHUNK
    assert (cache.held(upstream.key), cache.held(other.key)) == (0, CHUNK)
    assert cache.evict(upstream.key) == 0
    assert [usage.chunks for usage in cache.usage().values()] == [1]


def test_another_version_of_the_file_is_another_file(cache: ReadCache) -> None:
    upstream = Upstream(2 * CHUNK)
    read(cache, upstream)
    changed = Upstream(2 * CHUNK, number=2)
    changed.key = upstream.key._replace(modified=upstream.key.modified + 1)
    assert read(cache, changed) == changed.content
    assert changed.read == 2 * CHUNK


def test_a_file_of_what_was_mounted_later_under_the_same_number(
    tmp_path: Path, make: Callable[..., ReadCache],
) -> None:
    upstream, far = Upstream(CHUNK), Upstream(CHUNK, number=2)
    far.key = upstream.key
    before, after = make(), make()
    before._origin_of = lambda number: f"mounted first as {number}"
    after._origin_of = lambda number: f"mounted later as {number}"
    assert read(before, upstream) == upstream.content
    assert read(after, far) == far.content


def test_capacity_is_kept_and_the_least_recently_used_goes(
    tmp_path: Path, make: Callable[..., ReadCache],
) -> None:
    cache, size = make(), 2 * MIB
    files = [Upstream(size, number=number) for number in range(1, 12)]
    for upstream in files:
        assert read(cache, upstream) == upstream.content
        cache.beat()
        read(cache, files[0])
        cache.beat()
        usage = cache.usage()[str(tmp_path / "disk")]
        on_disk = sum(file.stat().st_size for file in chunk_files(tmp_path / "disk"))
        assert on_disk == usage.used <= CAPACITY
    assert cache.held(files[0].key) == size, "it was always in use"
    assert cache.held(files[-1].key) == size
    assert cache.held(files[1].key) == 0
    assert cache.figures().evicted > 0


def test_a_file_larger_than_the_cache_is_read_all_the_same(cache: ReadCache) -> None:
    upstream = Upstream(CAPACITY + 3 * MIB)
    assert read(cache, upstream) == upstream.content
    assert sum(usage.used for usage in cache.usage().values()) <= CAPACITY
    with pytest.raises(NotCached, match="the cache room for"):
        cache.fill(upstream.key, upstream.fetch, lambda _: None)


def test_filling_tells_of_each_part(cache: ReadCache) -> None:
    upstream, told = Upstream(4 * CHUNK + 5), list[int]()
    read(cache, upstream, CHUNK, CHUNK)
    cache.fill(upstream.key, upstream.fetch, told.append)
    assert told == [CHUNK] * 4 + [5]
    assert cache.held(upstream.key) == len(upstream.content)
    assert upstream.read == len(upstream.content)

    def stop(_: int) -> None:
        raise UpstreamFault("enough")

    with pytest.raises(UpstreamFault, match="enough"):
        cache.fill(upstream.key, upstream.fetch, stop)


def test_readers_of_several_workers_at_once_fetch_once(make: Callable[..., ReadCache]) -> None:
    upstream, workers = Upstream(8 * MIB), [make() for _ in range(3)]
    got: list[bool] = []

    def one(cache: ReadCache) -> None:
        got.append(read(cache, upstream) == upstream.content)

    threads = [threading.Thread(target=one, args=(workers[n % 3],)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert got == [True] * 24
    figures = workers[0].figures()
    assert sum(worker.figures() is not None for worker in workers) == 3
    assert workers[0].figures().bytes_fetched == len(upstream.content), figures


def test_a_reader_that_stops_holds_nobody_up(cache: ReadCache) -> None:
    upstream = Upstream(8 * MIB)
    slow = cache.open(upstream.key, 0, len(upstream.content), upstream.fetch)
    first = slow.read(1000)
    assert read(cache, upstream) == upstream.content
    assert upstream.read == len(upstream.content)
    assert first + slow.read(10) == upstream.content[:len(first) + 10]
    slow.close()


def test_what_changed_while_it_was_fetched_is_not_kept(cache: ReadCache) -> None:
    upstream = Upstream(5 * CHUNK)
    source = cache.open(upstream.key, 0, 5 * CHUNK, upstream.fetch, lambda: False)
    assert b"".join(iter(lambda: source.read(CHUNK), b"")) == upstream.content
    source.close()
    wait_for("the end of the run", lambda: not cache._runs._runs)
    assert cache.held(upstream.key) == 0


def test_nobody_reads_and_nothing_is_fetched_any_more(cache: ReadCache) -> None:
    upstream = Upstream(64 * MIB)
    source = cache.open(upstream.key, 0, len(upstream.content), upstream.fetch)
    source.read(10)
    source.close()
    wait_for("the end of the run", lambda: not cache._runs._runs)
    assert upstream.read < 40 * MIB


def test_what_the_cluster_says_is_told_to_who_asked_it(cache: ReadCache) -> None:
    upstream = Upstream(2 * CHUNK)
    upstream.fault = UpstreamFault("no DataNode")
    with pytest.raises(UpstreamFault, match="no DataNode"):
        read(cache, upstream)
    upstream.fault = None
    assert read(cache, upstream) == upstream.content


def test_anothers_failure_is_not_ones_own(cache: ReadCache) -> None:
    good, bad = Upstream(2 * CHUNK), Upstream(2 * CHUNK)
    bad.gate.clear()
    outcome: list[object] = []

    def fail() -> None:
        try:
            outcome.append(read(cache, bad))
        except UpstreamFault as error:
            outcome.append(error)

    failing = threading.Thread(target=fail)
    failing.start()
    wait_for("the one who fetches", lambda: bad.opened)
    waiting = threading.Thread(target=lambda: outcome.append(read(cache, good)))
    waiting.start()
    bad.content = b""
    bad.gate.set()
    failing.join(30)
    waiting.join(30)
    told = [one for one in outcome if isinstance(one, UpstreamFault)]
    assert outcome.count(good.content) == 2 - len(told) >= 1


def test_figures(make: Callable[..., ReadCache]) -> None:
    cache, worker = make(), make()
    upstream = Upstream(4 * CHUNK)
    read(cache, upstream)
    read(worker, upstream)
    worker.beat()
    figures = cache.figures()
    assert figures.bytes_fetched == len(upstream.content)
    assert figures.bytes_served == 2 * len(upstream.content)
    assert figures.hits + figures.misses == 8
    assert figures.hits >= 4


def test_an_eviction_reaches_the_other_nodes(
    tmp_path: Path, make: Callable[..., ReadCache],
) -> None:
    here, there = make(), make(tmp_path / "far", node="other")
    upstream = Upstream(2 * CHUNK)
    for node in (here, there):
        read(node, upstream)
    here.evict(upstream.key)
    assert there.held(upstream.key) == 2 * CHUNK
    here.beat()
    there.beat()
    assert there.held(upstream.key) == 0
    read(here, upstream)
    read(there, upstream)
    here.beat()
    there.beat()
    assert (here.held(upstream.key), there.held(upstream.key)) == (2 * CHUNK, 2 * CHUNK)
