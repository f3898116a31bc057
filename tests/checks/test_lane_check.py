"""`httpfs-proxy check` tells whether Hadoop's own protocols can be spoken from here."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.fs.lane_scene import Doors, doors
from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checks.conftest import Checked, Said

LOST = "nothing is lost but speed"


@pytest.fixture
def scene() -> Iterator[Doors]:
    with doors() as made:
        yield made


@pytest.fixture
def datanode() -> Iterator[int]:
    """Yield a port that is open."""
    with closing(socket.create_server(("127.0.0.1", 0))) as made:
        yield made.getsockname()[1]


def has(scene: Doors, *ports: int) -> None:
    """Let the NameNode have DataNodes at these ports, and one whose address is nonsense."""
    scene.live = {f"dn{port}:{port}": {"xferaddr": f"127.0.0.1:{port}"} for port in ports}
    scene.live["wrong:1"] = {"xferaddr": "wrong"}


def check(checked: Checked, scene: Doors, **settings: object) -> Said:
    said = checked(backend={"url": scene.http.url, "kind": "namenode", **settings})
    assert not any("RPC" in line or "DataNode" in line for line in said.wrong)
    return said


def test_all_is_open(checked: Checked, scene: Doors, datanode: int) -> None:
    has(scene, datanode)
    said = check(checked, scene)
    port = scene.namenode.address[1]
    assert (f"ok     backend: Hadoop's RPC at 127.0.0.1:{port} answers: names go by it"
            ) in said.text
    assert ("ok     backend: the DataNodes' transfer port is open (1 of 1 asked): bytes go by their"
            " own protocol") in said.text
    assert LOST not in said.text


def test_a_transfer_port_that_is_shut(checked: Checked, scene: Doors, datanode: int) -> None:
    shut = free_port()
    has(scene, datanode, shut)
    said = check(checked, scene)
    assert ("note   backend: 1 of 2 DataNodes asked cannot be reached at their transfer port:"
            f" 127.0.0.1:{shut} (Connection refused)") in said.notes
    assert LOST in said.text


def test_an_rpc_port_that_is_shut(checked: Checked, scene: Doors, datanode: int) -> None:
    has(scene, datanode)
    shut = free_port()
    scene.bean(HostAndPort=f"127.0.0.1:{shut}")
    said = check(checked, scene)
    [note] = [line for line in said.notes if "RPC" in line]
    assert note.startswith("note   backend: Hadoop's RPC is not used beside WebHDFS: 127.0.0.1:"
                           f"{shut}: ")
    assert LOST in said.text
    assert "the DataNodes' transfer port is open (1 of 1 asked)" in said.text
    assert "bytes go by their own protocol" not in said.text, "that needs RPC, too"


@pytest.mark.parametrize("told", [None, {}, "[", {"beans": [{"LiveNodes": "{"}]}])
def test_datanodes_that_nobody_tells_of(checked: Checked, scene: Doors, told: object) -> None:
    scene.live_page = json.dumps(told)
    said = check(checked, scene)
    assert "names go by it" in said.text
    assert "which DataNodes there are, its page /jmx does not tell" in said.text


def test_what_is_turned_off_is_not_looked_at(checked: Checked, scene: Doors) -> None:
    said = check(checked, scene, rpc="off")
    assert "RPC" not in said.text
    assert "jmx" not in scene.asked
