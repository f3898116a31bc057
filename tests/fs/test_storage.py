"""What a cluster stores and could, over the embedded server, a real NameNode and a real HttpFS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.model import Storage
from app.core.paths import ROOT
from app.fs import wire

if TYPE_CHECKING:
    from app.fs.webhdfs import WebHdfsBackend


def test_bytes_and_data_nodes(backend: WebHdfsBackend) -> None:
    alice = backend.as_user("alice")
    storage = alice.storage()
    assert storage.capacity > storage.remaining > 0
    assert 0 <= storage.used <= storage.capacity
    nodes = (storage.live_nodes, storage.dead_nodes)
    by_jmx = backend.description.startswith("WebHDFS") and alice.flavor_of(ROOT).name == "namenode"
    # Neither HttpFS nor a local directory knows of DataNodes.
    assert nodes == ((1, 0) if by_jmx else (-1, -1))


def test_no_such_bean_is_no_such_nodes() -> None:
    assert wire.data_nodes(b'{"beans":[]}') is None
    told = b'{"beans":[{"NumLiveDataNodes":3,"NumDeadDataNodes":1}]}'
    assert wire.data_nodes(told) == (3, 1)
    status = b'{"FsStatus":{"used":2,"remaining":3,"capacity":7}}'
    assert wire.storage(status) == Storage(7, 2, 3)
