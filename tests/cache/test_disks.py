"""Disks that flip bits, fill up, break and vanish: readers never see anything of it."""

from __future__ import annotations

import errno
import os
import random
import re
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from app.cache import disk as disks
from app.cache import part
from app.cache.read_cache import ReadCache
from app.core.cache_errors import (
    MountpathExists,
    MountpathUnchanged,
    MountpathUnusable,
    NoSuchMountpath,
    NotCached,
)
from app.sections import CacheSettings
from app.strict_yaml import ConfigError
from tests.cache.conftest import CHUNK, MIB, Upstream, chunk_files, read
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.state.store import Store


def flip(file: Path, position: int) -> None:
    """Flip one bit of a file."""
    content = bytearray(file.read_bytes())
    content[position] ^= 0x10
    file.write_bytes(content)


@pytest.mark.parametrize("seed", range(20))
def test_a_flipped_bit_is_fetched_again(cache: ReadCache, tmp_path: Path, seed: int) -> None:
    chance, upstream = random.Random(seed), Upstream(3 * CHUNK)
    read(cache, upstream)
    file = chance.choice(sorted(chunk_files(tmp_path / "disk")))
    flip(file, chance.randrange(file.stat().st_size))
    assert read(cache, upstream) == upstream.content
    assert upstream.read == 4 * CHUNK, "the damaged chunk alone"
    assert cache.figures().corrupt == 1
    assert read(cache, upstream) == upstream.content
    assert upstream.read == 4 * CHUNK


def test_a_bit_flipped_while_it_is_read(tmp_path: Path, make: Callable[..., ReadCache]) -> None:
    cache, upstream = make(chunk=MIB), Upstream(MIB)
    read(cache, upstream)
    source = cache.open(upstream.key, 0, MIB, upstream.fetch)
    first = source.read(CHUNK)
    flip(chunk_files(tmp_path / "disk")[0], 5 * CHUNK)
    got = first + b"".join(iter(lambda: source.read(CHUNK), b""))
    source.close()
    assert got == upstream.content


@pytest.mark.parametrize("change", ["cut", "empty", "longer", "other", "link", "directory"])
def test_files_that_are_no_chunks(cache: ReadCache, tmp_path: Path, change: str) -> None:
    upstream, other = Upstream(CHUNK), Upstream(CHUNK, number=2)
    read(cache, upstream)
    file = chunk_files(tmp_path / "disk")[0]
    read(cache, other)
    foreign = next(one for one in chunk_files(tmp_path / "disk") if one != file)
    content = file.read_bytes()
    file.unlink()
    if change == "link":
        secret = tmp_path / "copy"
        secret.write_bytes(content)
        file.symlink_to(secret)
    elif change == "directory":
        file.mkdir()
    else:
        file.write_bytes({"cut": content[:-1], "empty": b"", "longer": content + b"x",
                          "other": foreign.read_bytes()}[change])
    assert read(cache, upstream) == upstream.content
    assert upstream.read == 2 * CHUNK
    assert read(cache, upstream) == upstream.content
    assert upstream.read == 2 * CHUNK


def test_chunks_are_for_this_user_alone(cache: ReadCache, tmp_path: Path) -> None:
    read(cache, Upstream(CHUNK))
    disk = tmp_path / "disk"
    assert disk.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in chunk_files(disk)] == [0o600]


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a disk of 2 MiB; who may not mount one has a directory that takes no more."""
    disk = tmp_path / "small"
    disk.mkdir()
    if os.geteuid() == 0:
        mount(disk)
        yield disk
        unmount(disk)
    else:
        write = part._write_all

        def limited(descriptor: int, pieces: list[bytes]) -> None:
            if sum(file.stat().st_size for file in chunk_files(disk)) > 2 * MIB:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(descriptor, pieces)

        monkeypatch.setattr(part, "_write_all", limited)
        yield disk


def mount(disk: Path) -> None:
    """Mount a disk of 2 MiB."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "cache-test", str(disk)],
                   check=True)


def unmount(disk: Path) -> None:
    """Unmount a disk, used or not."""
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_passed_by(
    small_disk: Path, make: Callable[..., ReadCache], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(disks, "REST_SECONDS", 0.0)
    cache, upstream, small = make(small_disk), Upstream(4 * MIB), Upstream(CHUNK, number=2)
    read(cache, small)
    for _ in range(3):
        assert read(cache, upstream) == upstream.content
    assert cache.figures().errors > 0
    assert read(cache, small) == small.content
    assert small.read == CHUNK, "what is there is served all the same"
    with pytest.raises(NotCached):
        cache.fill(upstream.key, upstream.fetch, lambda _: None)
    cache.evict(upstream.key)
    other = Upstream(CHUNK, number=3)
    read(cache, other)
    assert cache.held(other.key) == CHUNK, "there is room again"


def test_a_disk_that_vanishes(
    tmp_path: Path, make: Callable[..., ReadCache], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(disks, "REST_SECONDS", 0.0)
    cache, upstream, disk = make(), Upstream(8 * CHUNK), tmp_path / "disk"
    source = cache.open(upstream.key, 0, 8 * CHUNK, upstream.fetch)
    first = source.read(1000)
    disk.rename(tmp_path / "away")
    got = first + b"".join(iter(lambda: source.read(10_000), b""))
    source.close()
    assert got == upstream.content
    assert read(cache, upstream) == upstream.content
    cache.beat()
    disk.mkdir()
    assert read(cache, upstream) == upstream.content
    assert not list(disk.iterdir()), "what is below the mount point is not the cache's"
    assert cache.usage() == {}
    disk.rmdir()
    (tmp_path / "away").rename(disk)
    assert read(cache, upstream) == upstream.content
    fetched = upstream.read
    assert read(cache, upstream) == upstream.content
    assert upstream.read == fetched, "it is used again"


def test_an_unmounted_disk(
    small_disk: Path, make: Callable[..., ReadCache], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(disks, "REST_SECONDS", 0.0)
    cache, upstream = make(small_disk), Upstream(4 * CHUNK)
    read(cache, upstream)
    mounted = os.geteuid() == 0
    if mounted:
        unmount(small_disk)
    else:
        small_disk.rename(small_disk.with_name("unmounted"))
        small_disk.mkdir()
    try:
        assert read(cache, upstream) == upstream.content
        assert not list(small_disk.iterdir())
    finally:
        if mounted:
            mount(small_disk)


@pytest.mark.parametrize("damage", ["garbage", "gone", "empty"])
def test_a_broken_index_starts_over(
    tmp_path: Path, make: Callable[..., ReadCache], monkeypatch: pytest.MonkeyPatch, damage: str,
) -> None:
    monkeypatch.setattr(disks, "REST_SECONDS", 0.0)
    first, upstream, disk = make(), Upstream(4 * CHUNK), tmp_path / "disk"
    read(first, upstream)
    for name in ("index.db-wal", "index.db-shm", "index.db"):
        (disk / name).unlink(missing_ok=True)
    if damage != "gone":
        (disk / "index.db").write_bytes(b"\xff" * 40_000 if damage == "garbage" else b"")
    cache, other = make(), Upstream(4 * CHUNK, number=2)
    for one in (upstream, other, upstream, other):
        assert read(cache, one) == one.content
    cache.beat()
    assert read(first, other) == other.content
    assert read(cache, other) == other.content
    fetched = other.read
    assert read(cache, other) == other.content
    assert other.read == fetched
    with closing(sqlite3.connect(disk / "index.db")) as index:
        assert index.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_leftovers_of_a_crash_are_swept(
    tmp_path: Path, cache: ReadCache, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(disks, "_YOUNG_SECONDS", -1.0)
    upstream, lost = Upstream(2 * CHUNK), Upstream(CHUNK, number=2)
    read(cache, upstream)
    read(cache, lost)
    files = chunk_files(tmp_path / "disk")
    known = next(file for file in files if cache._chunks(lost.key).name in str(file))
    known.unlink()
    stray = files[0].parent.parent / ("f" * 32)
    stray.mkdir()
    (stray / "0").write_bytes(b"no row tells of it")
    (stray / "1.part").write_bytes(b"nor of this")
    for _ in range(256):
        cache.beat()
    assert cache.usage()[str(tmp_path / "disk")].chunks == 2
    assert not list(stray.glob("*"))
    assert cache.held(upstream.key) == 2 * CHUNK


def test_mountpaths_change_for_all_workers_of_the_node(
    tmp_path: Path, make: Callable[..., ReadCache],
) -> None:
    one, more = tmp_path / "disk", tmp_path / "more"
    cache, worker, other = make(), make(), make(tmp_path / "far", node="other")
    files = [Upstream(CHUNK, number=number) for number in range(1, 41)]
    cache.add(f"{more}/")
    assert cache.mountpaths() == ((str(one), str(more)), ())
    wait_for("the other worker", lambda: worker.mountpaths() == cache.mountpaths())
    assert other.mountpaths() == ((str(tmp_path / "far"),), ())
    for upstream in files:
        read(worker, upstream)
    assert {usage.chunks > 0 for usage in cache.usage().values()} == {True}
    assert sum(cache.held(upstream.key) for upstream in files) == 40 * CHUNK
    cache.disable(str(one))
    assert cache.mountpaths() == ((str(more),), (str(one),))
    assert 0 < sum(cache.held(upstream.key) for upstream in files) < 40 * CHUNK
    assert all(read(cache, upstream) == upstream.content for upstream in files)
    with pytest.raises(MountpathUnchanged):
        cache.disable(str(one))
    cache.enable(str(one))
    with pytest.raises(MountpathUnchanged):
        cache.enable(str(one))
    cache.remove(str(more))
    assert make().mountpaths() == ((str(one),), ())
    cache.remove(str(one))
    assert make().mountpaths() == ((), ()), "a restart does not bring it back"
    assert read(cache, upstream) == upstream.content
    for change in (cache.remove, cache.enable, cache.disable):
        with pytest.raises(NoSuchMountpath):
            change(str(more))
    cache.add(str(one))
    assert make().mountpaths() == ((str(one),), ())


def test_mountpaths_that_cannot_be(
    tmp_path: Path, cache: ReadCache, monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    (others / "thesis.tex").write_text("years of work")
    with pytest.raises(MountpathUnusable, match="other files, like thesis"):
        cache.add(str(others))
    (tmp_path / "file").touch()
    for path in (str(tmp_path / "file"), "/proc/nothing/here", "relative", "/", "/a/../b", "/a\0b"):
        with pytest.raises(MountpathUnusable):
            cache.add(path)
    with pytest.raises(MountpathExists):
        cache.add(str(tmp_path / "disk"))
    (tmp_path / "alias").symlink_to(tmp_path / "disk")
    for path in ("disk/chunks/ab", "alias/within"):
        with pytest.raises(MountpathUnusable, match="lies in the mountpath"):
            cache.add(str(tmp_path / path))
        assert not (tmp_path / path).exists()
    assert cache.mountpaths() == ((str(tmp_path / "disk"),), ())


@pytest.mark.parametrize(("settings", "wrong"), [
    ({"mountpaths": ("/srv/../etc",)}, "cache.mountpaths"),
    ({"chunk_size": 64 * MIB, "capacity": 16 * MIB}, "cache.chunk_size"),
])
def test_settings_that_cannot_be(store: Store, settings: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(wrong)):
        ReadCache(CacheSettings(**settings), store, "one")


def test_a_directory_of_somebody_elses_is_not_used(
    tmp_path: Path, make: Callable[..., ReadCache],
) -> None:
    others, upstream = tmp_path / "others", Upstream(CHUNK)
    others.mkdir()
    (others / "thesis.tex").write_text("years of work")
    cache = make(others)
    assert read(cache, upstream) == upstream.content
    assert [file.name for file in others.iterdir()] == ["thesis.tex"]
