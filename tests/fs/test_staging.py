"""The sweep: what it does with entries that it cannot finish."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.fs.staging import Staging
from app.fs.workers import Workers
from app.settings import UploadSettings
from app.state.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from app.fs.port import FileSystem

ENTRY = {"user": "alice", "temp": "/d/t", "target": "/d/f", "backup": "", "made": [],
         "worker": "gone"}


class Broken:
    """A backend that fails with what no one foresaw."""

    description = "broken"

    def as_user(self, hadoop_user: str) -> FileSystem:
        """Fail."""
        raise RuntimeError(hadoop_user)

    def probe(self, timeout: float) -> None:
        """Fail."""
        raise RuntimeError(timeout)


def test_an_entry_whose_sweep_broke_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The background sweep would claim the entry between those of the test.
    monkeypatch.setattr(Workers, "_beat", lambda _self, _stop: None)
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        staging = Staging(store, Broken(), UploadSettings())
        store.put("staged", "key", ENTRY)
        for _ in range(2):
            with pytest.raises(RuntimeError):
                staging.sweep()
        entry = store.get("staged", "key")
        assert entry is not None
        assert entry["worker"] == ""
        staging.workers.stop()
