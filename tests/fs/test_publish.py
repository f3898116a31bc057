"""Changes of content that meet others at the wrong moment."""

from __future__ import annotations

import threading
import uuid
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.core.errors import FileBusy
from app.core.paths import HdfsPath
from app.fs.publish import Publisher, no_precondition, status_or_none
from app.fs.staging import Staging
from app.settings import UploadSettings
from app.state.sqlite import SqliteStore
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.fs.filesystem import WebHdfsFileSystem
    from app.fs.webhdfs import WebHdfsBackend


@pytest.fixture
def staging(tmp_path: Path, backend: WebHdfsBackend) -> Iterator[Staging]:
    """Yield a journal of its own."""
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        made = Staging(store, backend, UploadSettings())
        yield made
        made.workers.stop()


@pytest.fixture
def alice(backend: WebHdfsBackend) -> WebHdfsFileSystem:
    """Return the cluster as alice sees it."""
    return backend.as_user("alice")


@pytest.fixture
def directory(alice: WebHdfsFileSystem) -> HdfsPath:
    """Return a new directory of alice's."""
    made = HdfsPath(f"/user/alice/{uuid.uuid4().hex}")
    alice.mkdirs(made, "755")
    return made


def test_an_empty_file_that_is_being_written_is_not_joined_and_stays(
    alice: WebHdfsFileSystem, directory: HdfsPath, staging: Staging,
) -> None:
    target, source = (HdfsPath(f"{directory}/{name}") for name in ("target", "source"))
    alice.create(target, [b"first"])
    begun, over = threading.Event(), threading.Event()

    def body() -> Iterator[bytes]:
        begun.set()
        over.wait(30)
        yield b"second"

    writer = threading.Thread(target=alice.create, args=(source, body()))
    writer.start()
    try:
        assert begun.wait(10)
        wait_for("the open file", lambda: status_or_none(alice, source))
        publisher = Publisher(alice, staging)
        with pytest.raises(FileBusy):
            publisher.concat(target, ["source"], no_precondition)
    finally:
        over.set()
        writer.join(30)
    assert alice.status(target).length == len(b"first")
    assert alice.status(source).length == len(b"second")
