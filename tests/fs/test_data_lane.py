"""When the DataNodes' own protocol is left for WebHDFS, and when one file alone is."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.fs import data_lane
from app.fs.data_lane import DataLane
from app.hadoop import datanodes as datanodes_module
from app.hadoop.datanodes import NoDatanode
from app.hadoop.ipc_pool import Limits
from tests.hadoop_protocols.block_stream import node

if TYPE_CHECKING:
    from collections.abc import Iterator


class Noting:
    """A Watcher that notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []

    def known(self, lane: str, server: str) -> None:
        self.heard.append(("known", lane, server))

    def opened(self, lane: str, server: str) -> None:
        self.heard.append(("opened", lane, server))

    def lost(self, lane: str, server: str) -> None:
        self.heard.append(("lost", lane, server))


class Scene:
    """A data lane, and DataNodes that are there or gone."""

    def __init__(self) -> None:
        self.lane = DataLane(Limits())
        self.clock = 1000.0
        self.there: set[int] = set()
        self.sockets: list[socket.socket] = []

    def connected(self, address: tuple[str, int], _timeout: float) -> socket.socket:
        if address[1] not in self.there:
            raise ConnectionRefusedError("shut")
        self.sockets.append(socket.socket())
        return self.sockets[-1]

    def read(self, *ports: int) -> bool:
        """Read a file that these DataNodes have; tell whether it was tried to get it of them."""
        if not self.lane.ready():
            return False
        for port in ports:
            try:
                link = self.lane.datanodes.connect(node(port))
            except NoDatanode:
                continue
            link.close()
            self.lane.worked()
            return True
        self.lane.missed("none of them")
        return True


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    made = Scene()
    monkeypatch.setattr(data_lane.time, "monotonic", lambda: made.clock)
    monkeypatch.setattr(datanodes_module, "_connected", made.connected)
    with closing(made.lane):
        yield made
    for one in made.sockets:
        one.close()


def test_one_file_whose_datanodes_are_all_dead_is_left_alone(scene: Scene) -> None:
    scene.there = {4, 5}
    for _ in range(10):
        assert scene.read(4, 5), "other files are not read by it"
        assert scene.read(1, 2, 3)
        scene.clock += 20
    assert scene.read(4)


def test_ports_that_are_shut_from_the_start_are_left_at_once(scene: Scene) -> None:
    assert scene.read(1, 2, 3)
    assert not scene.read(4)


def test_a_datanode_that_died_is_no_sign_of_others(scene: Scene) -> None:
    scene.there = {1}
    assert scene.read(1)
    scene.there = set()
    assert scene.read(1)
    assert not scene.read(1)


def test_ports_that_become_shut_are_left_when_several_could_not_be_reached(scene: Scene) -> None:
    scene.there = {9}
    assert scene.read(9)
    scene.there = set()
    tried = [scene.read(3 * file, 3 * file + 1, 3 * file + 2) for file in range(10, 20)]
    assert tried[0]
    assert 2 <= sum(tried) < 5
    assert not tried[-1]


def test_where_nobody_takes_what_is_written_all_is_left(scene: Scene) -> None:
    scene.there = {1}
    assert scene.read(1)
    scene.lane.lost("none of those that were named took it")
    assert not scene.read(1)


def test_what_was_reached_long_ago_does_not_count(scene: Scene) -> None:
    scene.there = {9}
    assert scene.read(9)
    scene.clock += 3600
    assert scene.read(1, 2)
    assert not scene.read(9)
    scene.clock += 31
    assert scene.read(9)
    assert scene.read(9)


def test_who_watches_hears_of_use_and_of_losses_once(scene: Scene) -> None:
    noting = Noting()
    scene.lane.watched_by(noting, "nn:9870")
    assert scene.read(1)
    scene.clock += 31
    scene.there = {1}
    assert scene.read(1)
    assert scene.read(1)
    assert scene.read(2)
    scene.there = set()
    assert scene.read(1)
    scene.clock += 31
    assert scene.read(1)
    assert noting.heard == [(what, "data", "nn:9870") for what in ("known", "opened", "lost")]
