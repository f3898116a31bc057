"""Who writes on after a writer that is gone need not wait until HDFS takes that one's lease."""

from __future__ import annotations

import http.client
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest

from tests.conftest import HADOOP
from tests.contract.client import visible_and_hidden
from tests.contract.wire import Wire
from tests.gateway import Gateway, wait_for
from tests.hadoop.probe import webhdfs
from tests.live.conftest import new_directory, quick_gateway
from tests.streams.conftest import Alluxio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.client import Files
    from tests.hadoop.cluster import Cluster

pytestmark = list(HADOOP)
KEPT, MORE = b"acknowledged, ", b"and more"
PIECE = bytes(range(256)) * 1024


@pytest.fixture(scope="module")
def gateway(hadoop: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with quick_gateway(tmp_path_factory.mktemp("gateway"), backend=hadoop.namenode_url,
                       superuser=hadoop.superuser) as made:
        yield made


@pytest.fixture
def files(gateway: Gateway) -> Iterator[Files]:
    yield new_directory(gateway, "namenode")
    wait_for("two workers", lambda: len(gateway.workers()) == 2)


class Stream:
    """A stream that writes the file `f`."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._alluxio = Alluxio(files.gateway)
        made = self._alluxio.act(files.at("f"), "create-file", {})
        assert made.status == 200, made
        self._id = made.json

    def target(self, action: str) -> str:
        return f"/api/v1/streams/{self._id}/{action}"

    def do(self, action: str, body: bytes | None = None) -> None:
        answer = self._alluxio.raw("POST", self.target(action), body)
        assert answer.status == 200, answer

    def break_off(self) -> None:
        """Write, and have the worker killed amid that."""
        gateway = self._files.gateway
        with Wire(gateway) as wire:
            wire.send_head("POST", self.target("write"), [("Transfer-Encoding", "chunked")])
            for _ in range(64):  # more than sockets hold
                wire.send_chunk(PIECE)
            wait_for("the hidden file", lambda: "?" in visible_and_hidden(self._files))
            gateway.kill_worker(gateway.worker_of(wire.socket))
            assert wire.at_end()


@contextmanager
def writing(hadoop: Cluster, path: str) -> Iterator[None]:
    """Append to a file by a DataNode, and never come to the end."""
    target = f"/webhdfs/v1{quote(path)}?op=APPEND&user.name=alice"
    where = urlsplit(hadoop.namenode_url)

    def begun() -> http.client.HTTPConnection | None:
        asked = http.client.HTTPConnection(where.netloc, timeout=60)
        asked.request("POST", target)
        to = urlsplit(asked.getresponse().headers["location"])
        asked.close()
        made = http.client.HTTPConnection(to.netloc, timeout=60)
        made.putrequest("POST", f"{to.path}?{to.query}")
        made.putheader("Transfer-Encoding", "chunked")
        made.endheaders()
        made.send(b"40000\r\n" + PIECE + b"\r\n")
        # It says that it goes on before it asks the NameNode, and then only what is wrong.
        answer = b""
        with suppress(TimeoutError):
            while more := made.sock.recv(1 << 16):
                answer += more
                made.sock.settimeout(2)
        if answer.count(b"HTTP/1.1") == 1:
            return made
        made.close()  # it is not closed yet by who wrote before
        return None

    connection = wait_for("its lease", begun)
    try:
        yield
    finally:
        connection.close()


def hidden(hadoop: Cluster, files: Files) -> str:
    """Return the path of the hidden file."""
    listed = webhdfs(hadoop.namenode_url, "GET", files.directory, op="LISTSTATUS",
                     **{"user.name": "alice"})
    [name] = [one["pathSuffix"] for one in listed["FileStatuses"]["FileStatus"]]
    return f"{files.directory}/{name}"


def test_a_stream_whose_worker_was_killed_in_the_first_write(files: Files) -> None:
    stream = Stream(files)
    stream.break_off()
    stream.do("write", MORE)
    stream.do("close")
    assert files.read("f") == MORE
    wait_for("nothing else", lambda: visible_and_hidden(files) == ["f"], seconds=90)
    assert "is used beside WebHDFS" in files.gateway.logged()


def test_a_stream_whose_writer_keeps_its_lease(hadoop: Cluster, files: Files) -> None:
    stream = Stream(files)
    stream.do("write", KEPT)
    stream.break_off()
    with writing(hadoop, hidden(hadoop, files)):
        stream.do("write", MORE)
        stream.do("close")
    assert files.read("f") == KEPT + MORE
