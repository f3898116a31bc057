"""The RENAME that shows what was staged, when its connection breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from requests import exceptions

from app.core.errors import AlreadyExists, PathNotFound, PreconditionFailed, UpstreamUnavailable
from app.core.paths import HdfsPath
from app.fs.flavors import NAMENODE
from app.fs.http_faults import NotSent
from app.fs.placing import Placing
from app.fs.port import Rename

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET, STAGED = HdfsPath("/d/target"), HdfsPath("/d/.httpfs-proxy-0123456789abcdef")
OLD, NEW, THEIRS = 1, 2, 3


class Status:
    """As much of a status as is looked at."""

    def __init__(self, file_id: int) -> None:
        self.file_id = file_id


class Cluster:
    """A name space of inode numbers; `script` has what becomes of each RENAME in turn."""

    def __init__(self, *script: str, source: HdfsPath = STAGED) -> None:
        self.names = {source: NEW, TARGET: OLD}
        self.asked = 0
        self._script = list(script)

    def flavor_of(self, _path: HdfsPath) -> Any:
        return NAMENODE

    def status(self, path: HdfsPath) -> Status:
        if path not in self.names:
            raise PathNotFound(path)
        return Status(self.names[path])

    def rename(self, source: HdfsPath, path: HdfsPath, mode: Rename) -> bool:
        self.asked += 1
        step = self._script.pop(0) if self._script else "works"
        if step == "late":  # the one before has just been done
            self._move(source, path, mode)
        if step in ("works", "answer lost", "late"):
            self._move(source, path, mode)
        if step == "not sent":
            raise UpstreamUnavailable("nobody there") from NotSent("refused")
        if step in ("request lost", "answer lost"):
            raise UpstreamUnavailable("broken") from exceptions.ConnectionError("reset")
        return True

    def _move(self, source: HdfsPath, path: HdfsPath, mode: Rename) -> None:
        moved = self.status(source).file_id
        if mode is Rename.NEW and path in self.names:
            raise AlreadyExists(path)
        del self.names[source]
        self.names[path] = moved


def put(
    cluster: Any, replaces: Callable[[], bool] = lambda: True, source: HdfsPath = STAGED,
) -> None:
    stage: Any = type("Stage", (), {"path": STAGED})()
    Placing(cluster).put(stage, TARGET, replaces, source)


@pytest.mark.parametrize("script", [["works"], ["request lost"], ["request lost", "late"]])
def test_it_happens_once_and_is_told(script: list[str]) -> None:
    cluster = Cluster(*script)
    put(cluster)
    assert cluster.names == {TARGET: NEW}
    assert cluster.asked == len([step for step in script if "lost" in step]) + 1


def test_what_has_happened_without_an_answer_is_not_asked_again() -> None:
    cluster = Cluster("answer lost")
    with pytest.raises(UpstreamUnavailable):
        put(cluster)
    assert (cluster.names, cluster.asked) == ({TARGET: NEW}, 1)


@pytest.mark.parametrize("script", [["not sent"], ["request lost", "request lost"]])
def test_what_has_not_happened_leaves_the_old_file(script: list[str]) -> None:
    cluster = Cluster(*script)
    with pytest.raises(UpstreamUnavailable):
        put(cluster)
    assert (cluster.names, cluster.asked) == ({TARGET: OLD, STAGED: NEW}, len(script))


def test_a_name_that_others_know_is_not_asked_for_again() -> None:
    source = HdfsPath("/d/visible")
    cluster = Cluster("request lost", source=source)
    with pytest.raises(UpstreamUnavailable):
        put(cluster, source=source)
    assert cluster.asked == 1


@pytest.mark.parametrize("theirs", [True, False])
def test_a_condition_that_holds_no_more_leaves_it_unknown(theirs: bool) -> None:
    cluster = Cluster("request lost")
    asked = []

    def replaces() -> bool:
        asked.append(cluster.names[TARGET])
        if len(asked) == 1:
            return True
        if theirs:
            cluster.names[TARGET] = THEIRS
        else:  # ours was late
            cluster.names[TARGET] = cluster.names.pop(STAGED)
        raise PreconditionFailed("If-Match")

    if theirs:
        with pytest.raises(UpstreamUnavailable):
            put(cluster, replaces)
        assert cluster.names == {TARGET: THEIRS, STAGED: NEW}
    else:
        put(cluster, replaces)
        assert cluster.names == {TARGET: NEW}
