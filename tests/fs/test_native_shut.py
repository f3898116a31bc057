"""A real NameNode whose DataNodes' transfer ports are shut, or break: WebHDFS carries the bytes."""

from __future__ import annotations

import logging
import os
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from app.core.paths import HdfsPath
from app.fs.webhdfs import WebHdfsBackend
from app.hadoop import datanodes
from app.hadoop.file_reading import FileReader, ReadFailed
from app.settings import BackendSettings
from tests.fs.mounting import superuser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.fs.native import NativeFileSystem
    from tests.hadoop.cluster import Cluster

pytestmark = pytest.mark.hadoop
CONTENT = os.urandom(3 << 20)


@pytest.fixture
def backend(hadoop: Cluster) -> Iterator[WebHdfsBackend]:
    """Yield a backend of its own: its lanes are to be broken."""
    with closing(WebHdfsBackend(BackendSettings(url=(hadoop.namenode_url,)))) as made:
        yield made


@pytest.fixture
def alice(backend: WebHdfsBackend) -> NativeFileSystem:
    return backend.as_user("alice")  # type: ignore[return-value]


@pytest.fixture
def path(alice: NativeFileSystem) -> HdfsPath:
    """Return where a file may be made."""
    return HdfsPath(f"/user/alice/{uuid.uuid4().hex}/f")


@pytest.fixture
def by_webhdfs(alice: NativeFileSystem, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the operations that WebHDFS is asked for from now on."""
    asked: list[str] = []
    run = alice._client.run

    def noting(operation: str, path: str, **params: Any) -> Any:
        asked.append(operation)
        return run(operation, path, **params)

    monkeypatch.setattr(alice._client, "run", noting)
    return asked


def pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 100_000):
        yield content[start:start + 100_000]


def read(fs: NativeFileSystem, path: HdfsPath) -> bytes:
    status = fs.status(path)
    with closing(fs.open(path, 0, status.length, status.file_id)) as source:
        return b"".join(iter(lambda: source.read(300_000), b""))


def test_names_and_bytes_need_no_webhdfs(
    alice: NativeFileSystem, path: HdfsPath, by_webhdfs: list[str],
) -> None:
    assert alice.flavor.name == "namenode"
    by_webhdfs.clear()
    alice.create(path, pieces(CONTENT))
    assert read(alice, path) == CONTENT
    moved = HdfsPath(f"{path}-moved")
    assert alice.rename(path, moved)
    alice.set_permission(moved, "600")
    alice.set_times(moved, 1, 1)
    alice.set_xattr(moved, "user.x", b"1", exists=False)
    assert alice.xattrs(moved) == {"user.x": b"1"}
    alice.check_access(moved, "rw-")
    assert alice.delete(moved)
    assert by_webhdfs == []


def test_files_with_a_comma_can_be_joined(alice: NativeFileSystem, path: HdfsPath) -> None:
    more = HdfsPath(f"{path},more")
    alice.create(path, pieces(CONTENT))
    alice.create(more, iter([b"more"]))
    alice.concat(path, [more])
    assert read(alice, path) == CONTENT + b"more"


def test_ports_that_are_shut(
    alice: NativeFileSystem, path: HdfsPath, by_webhdfs: list[str],
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    def shut(*_: object) -> None:
        raise ConnectionRefusedError("shut")

    caplog.set_level(logging.INFO)
    with monkeypatch.context() as patch:
        patch.setattr(datanodes, "_connected", shut)
        alice.create(path, pieces(CONTENT), permission="640")
        assert by_webhdfs.count("create") == 1
        assert read(alice, path) == CONTENT
        assert alice.status(path).permission == "640"
        again = HdfsPath(f"{path}-again")
        alice.create(again, pieces(CONTENT))
        assert read(alice, again) == CONTENT
    assert caplog.text.count("no DataNode can be reached by its own protocol") == 1


def test_reading_goes_on_by_webhdfs_where_it_broke(
    alice: NativeFileSystem, path: HdfsPath, by_webhdfs: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice.create(path, pieces(CONTENT))
    status = alice.status(path)
    source = alice.open(path, 1, len(CONTENT) - 1, status.file_id)
    got = source.read(100_000)
    by_webhdfs.clear()

    def broken(*_: object) -> bytes:
        raise ReadFailed("broken")

    monkeypatch.setattr(FileReader, "read", broken)
    with closing(source):
        got += b"".join(iter(lambda: source.read(300_000), b""))
    assert got == CONTENT[1:]
    assert by_webhdfs == ["open"]


def test_snapshots_are_read_and_not_changed(
    backend: WebHdfsBackend, alice: NativeFileSystem, path: HdfsPath,
) -> None:
    directory = HdfsPath(path.rpartition("/")[0])
    alice.create(path, pieces(CONTENT))
    root = backend.as_user(superuser())
    root.allow_snapshots(directory, allowed=True)
    kept = HdfsPath(f"{alice.create_snapshot(directory, 's')}/f")
    assert alice.delete(path)
    assert read(alice, kept) == CONTENT
    for change in (lambda: alice.delete(kept), lambda: alice.create(kept, iter([b"x"])),
                   lambda: alice.rename(kept, path)):
        with pytest.raises(Exception, match="snapshot"):
            change()
    alice.delete_snapshot(directory, "s")
