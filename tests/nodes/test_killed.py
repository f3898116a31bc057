"""The primary gateway is killed in the middle of its sweep: another goes on with it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.core.errors import PathNotFound
from app.core.paths import HIDDEN_MARK, HdfsPath
from app.state.sqlite import SqliteStore
from tests.gateway import REPOSITORY, wait_for
from tests.nodes.sweeper import backend_in, worker

if TYPE_CHECKING:
    from pathlib import Path

    from app.fs.webhdfs import WebHdfsBackend

LEFT = HdfsPath(f"/user/alice/{HIDDEN_MARK}left")


def leave(state: Path, backend: WebHdfsBackend) -> None:
    """Leave what a dead worker had staged."""
    root = backend.as_user("hdfs")
    root.mkdirs(HdfsPath("/user/alice"), "755")
    root.set_owner(HdfsPath("/user/alice"), "alice", None)
    backend.as_user("alice").create(LEFT, iter([b"half of"]))
    with closing(SqliteStore(state)) as store:
        store.put("staged", "left", {
            "user": "alice", "temp": LEFT, "target": "/user/alice/file", "backup": "", "made": [],
            "worker": "dead", "mount": 0})


def is_there(backend: WebHdfsBackend) -> bool:
    """Tell whether it is there still."""
    try:
        backend.as_user("alice").status(LEFT)
    except PathNotFound:
        return False
    return True


def test_another_goes_on_with_the_sweep(tmp_path: Path) -> None:
    state, directory = tmp_path / "state.db", tmp_path / "hdfs"
    backend = backend_in(directory)
    leave(state, backend)
    primary = subprocess.Popen(
        [sys.executable, "-m", "tests.nodes.sweeper", str(state), str(directory), "primary"],
        cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert primary.stdout is not None
        with primary.stdout:
            assert primary.stdout.readline() == f"removing {LEFT} False\n"
            nodes, staging = worker(state, backend, "other")
            try:
                assert (nodes.primary(), nodes.is_primary()) == ("primary", False)
                assert is_there(backend)
                primary.kill()
                primary.wait()
                wait_for("the leftover to be removed", lambda: not is_there(backend), seconds=60)
                assert nodes.is_primary()
                assert [node.id for node in nodes.all()] == ["other"]
            finally:
                nodes.stop()
                staging.workers.stop()
    finally:
        primary.kill()
        primary.wait()


@pytest.mark.parametrize("name", ["primary", "other"])
def test_who_starts_alone_sweeps_at_once(tmp_path: Path, name: str) -> None:
    backend = backend_in(tmp_path / "hdfs")
    leave(tmp_path / "state.db", backend)
    nodes, staging = worker(tmp_path / "state.db", backend, name)
    try:
        wait_for("the leftover to be removed", lambda: not is_there(backend), seconds=60)
    finally:
        nodes.stop()
        staging.workers.stop()
