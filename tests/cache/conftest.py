"""A file in memory that counts how it is read, and caches of it; and gateways with a cache."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest

from app.cache.read_cache import CacheKey, ReadCache
from app.sections import CacheSettings
from app.state.sqlite import SqliteStore
from tests.conftest import backend_options, furnish
from tests.contract.client import Files, fresh_name
from tests.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.fs.port import ByteSource

MIB = 1024**2
CHUNK = 64 * 1024
CAPACITY = 16 * MIB


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have a module of the contract run over the backends that it names."""
    over = getattr(metafunc.module, "OVER", None)
    if over and "gateway" in metafunc.fixturenames:
        metafunc.parametrize("gateway", over, indirect=True, scope="module")


@pytest.fixture(scope="module")
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway with a small cache of small chunks on two disks."""
    directory: Path = tmp_path_factory.mktemp("cached")
    paths = [str(directory / "one"), str(directory / "other")]
    settings = {"cache": {"mountpaths": paths, "capacity": CAPACITY, "chunk_size": CHUNK}}
    with Gateway(directory, settings=settings, **backend_options(request, request.param)) as made:
        furnish(made)
        yield made


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """Return which backend the test runs over."""
    return str(request.node.callspec.params["gateway"])


@pytest.fixture
def files(gateway: Gateway, backend: str) -> Files:
    """Return the user `someone` (alice) with a new directory of their own."""
    work = Files(gateway, backend, f"/user/alice/{fresh_name()}")
    work.call("PUT", "/f/directory", 201, path=work.directory, permission="755")
    return work


class Upstream:
    """A file as the cluster has it; `opened` are the ranges that were asked for."""

    def __init__(self, size: int, *, number: int = 1) -> None:
        self.content = random.Random(number).randbytes(size)
        self.key = CacheKey(0, number, size, 1_700_000_000_000)
        self.opened: list[tuple[int, int]] = []
        self.read = 0
        self.gate = threading.Event()
        self.gate.set()
        self.fault: Exception | None = None

    def fetch(self, offset: int, length: int) -> ByteSource:
        self.opened.append((offset, length))
        if self.fault:
            raise self.fault
        return _Reading(self, offset, length)


class _Reading:
    def __init__(self, upstream: Upstream, offset: int, length: int) -> None:
        self._upstream = upstream
        self._offset = offset
        self._end = offset + length

    def read(self, size: int) -> bytes:
        assert self._upstream.gate.wait(30)
        end = min(self._offset + min(size, 50_000), self._end)
        piece = self._upstream.content[self._offset:end]
        self._offset = end
        self._upstream.read += len(piece)
        return piece

    def close(self) -> None:
        pass


def read(
    cache: ReadCache, upstream: Upstream, offset: int = 0, length: int = -1, *,
    piece: int = 512 * 1024,
) -> bytes:
    """Return what a reader gets."""
    source = cache.open(
        upstream.key, offset, len(upstream.content) - offset if length < 0 else length,
        upstream.fetch)
    try:
        return b"".join(iter(lambda: source.read(piece), b""))
    finally:
        source.close()


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """Return the state store that workers and nodes share."""
    return SqliteStore(tmp_path / "state.db")


@pytest.fixture
def make(tmp_path: Path, store: SqliteStore) -> Callable[..., ReadCache]:
    """Return what makes the cache of one worker, of node `one` on the disk `disk` unless told."""
    def made(
        *disks: Path, node: str = "one", capacity: int = CAPACITY, chunk: int = CHUNK,
    ) -> ReadCache:
        paths = tuple(str(path) for path in disks or (tmp_path / "disk",))
        return ReadCache(
            CacheSettings(mountpaths=paths, capacity=capacity, chunk_size=chunk), store, node)

    return made


@pytest.fixture
def cache(make: Callable[..., ReadCache]) -> ReadCache:
    """Return the cache of one worker."""
    return make()


def chunk_files(disk: Path) -> list[Path]:
    """Return the files of all chunks, and of parts of them."""
    return [path for path in (disk / "chunks").rglob("*") if path.is_file()]
