"""A NameNode with two doors, WebHDFS and RPC, that tells by which of them it was asked."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

from app.fs.webhdfs import WebHdfsBackend
from app.hadoop.protobuf import number, octets, text
from app.settings import BackendSettings
from tests.fs.upstream import Upstream, answer
from tests.hadoop_protocols.scripted_namenode import Heard, Namenode, answered, namenode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fs.upstream import Peer

ROOT_TIME = 1_700_000_000_123
STATUS = {
    "accessTime": 0, "blockSize": 0, "childrenNum": 3, "fileId": 16385, "group": "supergroup",
    "length": 0, "modificationTime": ROOT_TIME, "owner": "hdfs", "pathSuffix": "",
    "permission": "755", "replication": 0, "storagePolicy": 0, "type": "DIRECTORY",
}
BEAN = {"State": "active", "SecurityEnabled": False}


def root_by_rpc(modified: int = ROOT_TIME) -> bytes:
    """Return an answer to getFileInfo with the status above."""
    return octets(1, b"".join((
        number(1, 1), octets(2, b""), number(3, 0), octets(4, number(1, 0o755)), text(5, "hdfs"),
        text(6, "supergroup"), number(7, modified), number(8, 0), number(10, 0), number(11, 0),
        number(13, 16385), number(14, 3))))


class Doors:
    """What the doors answer may be changed: `jmx` as JSON, `conf`, `rpc` by method to an answer.

    `live` has the DataNodes by their names; `live_page` is what is told instead.
    """

    def __init__(self) -> None:
        self.jmx: Any = None
        self.conf = b""
        self.live: dict[str, Any] = {}
        self.live_page = ""
        self.rpc: dict[str, Any] = {}
        self.asked: list[str] = []
        self.http: Upstream
        self.namenode: Namenode

    def web(self, peer: Peer) -> None:
        """Answer one connection of HTTP."""
        while request := peer.request():
            if request.target.endswith("::LiveNodes"):
                peer.send(answer((self.live_page or json.dumps(
                    {"beans": [{"LiveNodes": json.dumps(self.live)}]})).encode()))
                continue
            page = request.target.partition("?")[0].removeprefix("/")
            if page in {"jmx", "conf"}:
                self.asked.append(page)
                peer.send(answer(json.dumps(self.jmx).encode() if page == "jmx" else self.conf))
                continue
            operation = request.target.partition("op=")[2].partition("&")[0]
            self.asked.append(f"web {operation}")
            if operation == "GETFILESTATUS":
                peer.send(answer(json.dumps({"FileStatus": STATUS}).encode()))
            else:
                peer.send(answer(b'{"boolean": true}'))

    def call(self, heard: Heard) -> bytes:
        """Answer one call by RPC."""
        self.asked.append(f"rpc {heard.method}")
        found = self.rpc.get(heard.method, root_by_rpc())
        return found(heard) if callable(found) else answered(heard.call_id, found)

    def since_last(self) -> list[str]:
        """Return what was asked since it was asked for the last time."""
        asked, self.asked[:] = list(self.asked), []
        return asked

    def own_pages(self, address: str) -> None:
        """Let the page tell where the NameNode's pages are, as Hadoop writes it."""
        self.conf = (
            '<?xml version="1.0" encoding="UTF-8" standalone="no"?><configuration>\n'
            f"<property><name>dfs.namenode.http-address</name><value>{address}</value>"
            "<final>false</final><source>programmatically</source></property>\n"
            "</configuration>").encode()

    def bean(self, **facts: Any) -> None:
        """Let the page tell of a NameNode."""
        port = self.namenode.address[1]
        self.jmx = {"beans": [{**BEAN, "HostAndPort": f"127.0.0.1:{port}", **facts}]}


@contextmanager
def doors() -> Iterator[Doors]:
    """Yield both doors, open and at one."""
    made = Doors()
    with Upstream(made.web) as made.http, namenode(made.call) as made.namenode:
        made.bean()
        made.own_pages(f"0.0.0.0:{made.http.port}")
        yield made


@contextmanager
def backend_of(scene: Doors, **settings: Any) -> Iterator[WebHdfsBackend]:
    """Yield a backend behind the doors."""
    given = {"kind": "namenode", "connect_timeout": 2.0, "read_timeout": 2.0,
             "retry_deadline": 0.5, "url": (scene.http.url,), **settings}
    with ExitStack() as stack:
        yield stack.enter_context(closing(WebHdfsBackend(BackendSettings(**given))))
