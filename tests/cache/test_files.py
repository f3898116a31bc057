"""What a user's files have to do with the cache, over the embedded backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.cache.backend import CachedBackend
from app.cache.files import CachedFiles
from app.core.cache_errors import CacheDisabled, NotCached
from app.core.errors import AccessDenied, PathNotFound
from app.core.paths import HdfsPath
from app.embedded import create_server
from app.fs.webhdfs import WebHdfsBackend
from app.sections import BackendSettings
from tests.cache.conftest import CAPACITY, CHUNK, MIB

if TYPE_CHECKING:
    from pathlib import Path

    from app.cache.read_cache import ReadCache
    from app.fs.port import Backend, FileSystem

FILE = HdfsPath("/user/alice/f")
CONTENT = bytes(range(256)) * (3 * CHUNK // 256) + b"end"


@pytest.fixture
def cluster(tmp_path: Path) -> Backend:
    """Return the embedded backend with one file that alice alone may read."""
    made = WebHdfsBackend(BackendSettings(), wsgi=create_server(
        tmp_path / "hdfs", superuser="hdfs", trash_minutes=0))
    root = made.as_user("hdfs")
    root.mkdirs(HdfsPath("/user/alice"), "755")
    root.set_owner(HdfsPath("/user/alice"), "alice", None)
    made.as_user("alice").create(FILE, [CONTENT], permission="600")
    return made


@pytest.fixture
def through(cluster: Backend, cache: ReadCache) -> Backend:
    """Return the same, read through the cache."""
    backend: Backend = CachedBackend(cluster, cache)
    return backend


def content(fs: FileSystem) -> bytes:
    """Return what is read of the file."""
    source = fs.open(FILE, 0, len(CONTENT), fs.status(FILE).file_id)
    try:
        return b"".join(iter(lambda: source.read(MIB), b""))
    finally:
        source.close()


@pytest.mark.parametrize("wrapped", [True, False])
def test_prefetch_and_evict(
    cluster: Backend, through: Backend, cache: ReadCache, *, wrapped: bool,
) -> None:
    fs, told = (through if wrapped else cluster).as_user("alice"), list[int]()
    files, status = CachedFiles(fs, cache), fs.status(FILE)
    assert not files.is_cached(status)
    assert files.evict(status) == 0
    files.prefetch(FILE, status, told.append)
    assert sum(told) == len(CONTENT)
    assert files.is_cached(status)
    assert content(through.as_user("alice")) == CONTENT
    assert cache.figures().bytes_fetched == len(CONTENT)
    assert files.evict(status) == len(CONTENT)
    assert not files.is_cached(status)
    assert fs.status(FILE) == status


def test_only_who_may_read_it_reads_what_is_cached(
    through: Backend, cache: ReadCache,
) -> None:
    alice, bob = through.as_user("alice"), through.as_user("bob")
    assert content(alice) == CONTENT
    with pytest.raises(AccessDenied) as denied:
        content(bob)
    assert denied.value.path == FILE
    with pytest.raises(AccessDenied):
        CachedFiles(bob, cache).prefetch(FILE, bob.status(FILE), lambda _: None)
    number = alice.status(FILE).file_id
    alice.delete(FILE)
    with pytest.raises(PathNotFound) as gone:
        alice.open(FILE, 0, 1, number)
    assert gone.value.path == FILE


def test_a_new_version_is_not_cached_yet(through: Backend, cache: ReadCache) -> None:
    fs = through.as_user("alice")
    files = CachedFiles(fs, cache)
    files.prefetch(FILE, fs.status(FILE), lambda _: None)
    fs.append(FILE, [b"more"])
    assert not files.is_cached(fs.status(FILE))


def test_what_the_cache_has_no_room_for(cluster: Backend, cache: ReadCache) -> None:
    fs = cluster.as_user("alice")
    fs.create(FILE, [bytes(MIB)] * (CAPACITY // MIB + 1), overwrite=True)
    with pytest.raises(NotCached):
        CachedFiles(fs, cache).prefetch(FILE, fs.status(FILE), lambda _: None)


def test_nothing_is_cached_without_a_cache(cluster: Backend) -> None:
    fs = cluster.as_user("alice")
    files, status = CachedFiles(fs, None), fs.status(FILE)
    assert not files.is_cached(status)
    assert files.evict(status) == 0
    with pytest.raises(CacheDisabled, match=r"cache\.mountpaths"):
        files.prefetch(FILE, status, lambda _: None)
