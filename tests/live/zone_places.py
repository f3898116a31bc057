"""A directory in each kind of zone, and what Hadoop itself says of what lies there."""

from __future__ import annotations

import http.client
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import requests

from tests.contract.client import Files, fresh_name
from tests.gateway import wait_for
from tests.hadoop.probe import webhdfs
from tests.s3.conftest import BUCKET_ROOTS, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hadoop.zones import ZoneCluster


class Place(NamedTuple):
    """A gateway with two workers over the cluster, and a directory of one kind in it."""

    cluster: ZoneCluster
    world: World
    kind: str
    files: Files

    @property
    def path(self) -> str:
        """The directory of this kind, which is a bucket, too."""
        return home_of(self.kind)

    def at(self, name: str) -> str:
        """Return the path of a name in this test's own directory."""
        return self.files.at(name)

    def key(self, name: str) -> str:
        """Return the key of the same in the bucket."""
        return self.at(name)[len(self.path) + 1:]

    def held(self, path: str) -> bytes | None:
        """Return what a DataNode reads of a file, None where there is none."""
        try:
            answer = requests.get(
                f"{self.cluster.namenode_url}/webhdfs/v1{path}", timeout=60,
                params={"op": "OPEN", "user.name": self.cluster.superuser})
        except requests.exceptions.ChunkedEncodingError as cut:
            return repr(cut).encode()  # while HDFS cuts the last block, a DataNode breaks off
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        return answer.content

    def told(self, operation: str, path: str, user: str = "alice") -> Any:
        """Return what the NameNode answers itself."""
        return webhdfs(self.cluster.namenode_url, "GET", path, op=operation,
                       **{"user.name": user})

    def all_names(self) -> list[str]:
        """Return what there is in this test's directory, the hidden too."""
        listed = self.told("LISTSTATUS", self.files.directory)["FileStatuses"]["FileStatus"]
        return [one["pathSuffix"] for one in listed]


def home_of(kind: str) -> str:
    """Return the path of the directory of a kind."""
    return f"{BUCKET_ROOTS['someone']}/{kind}"


def in_kind(cluster: ZoneCluster, world: World, kind: str) -> Place:
    """Return a new directory in the one of this kind."""
    files = Files(world.gateway, "namenode", f"{home_of(kind)}/{fresh_name()}")
    files.call("PUT", "/f/directory", 201, path=files.directory, permission="755")
    return Place(cluster, world, kind, files)


@contextmanager
def being_written(place: Place, name: str) -> Iterator[None]:
    """Have a client write the beginning of a file to a DataNode, and no more."""
    first = requests.put(
        f"{place.cluster.namenode_url}/webhdfs/v1{place.at(name)}", timeout=60,
        params={"op": "CREATE", "user.name": "alice"}, allow_redirects=False)
    url = urlsplit(first.headers["Location"])
    writer = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    with closing(writer):
        writer.putrequest("PUT", f"{url.path}?{url.query}")
        writer.putheader("Transfer-Encoding", "chunked")
        writer.endheaders()
        writer.send(b"4\r\nsome\r\n")
        wait_for("the file", lambda: name in place.all_names())
        yield
