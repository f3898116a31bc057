"""One gateway over the real HDFS for the generated clients, and HDFS past it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import requests

from tests.clients.tools import environment
from tests.gateway import Gateway, default_users
from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hadoop.cluster import Cluster

ROOT = "/user/alice/ais-clients"
USER, ADMIN, HADOOP_USER = "someone", "keeper", "alice"
LOOPBACK = "127.0.0.0/8"


class AisPlace(NamedTuple):
    """A gateway, the cluster behind it, and the two directories that its cache has at first.

    It downloads from `source_port` of this host.
    """

    gateway: Gateway
    cluster: Cluster
    mountpaths: tuple[str, str]
    source_port: int

    def stored(self, path: str) -> bytes | None:
        """Return what HDFS holds at `/bucket/object`, None where there is nothing."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(
                f"{self.cluster.namenode_url}/webhdfs/v1{ROOT}{quote(path)}",
                params={"op": "OPEN", "user.name": HADOOP_USER}, timeout=60)
        if answer.status_code == 404:
            return None
        assert answer.ok, answer.text
        return bytes(answer.content)


@contextmanager
def furnished(cluster: Cluster, directory: Path) -> Iterator[AisPlace]:
    """Run a gateway with cache, downloads from this host, Spark and a balancer."""
    users = default_users(cluster.superuser)
    users[USER]["bucket_root"] = ROOT
    users[ADMIN] = {"hadoop_user": HADOOP_USER, "bucket_root": ROOT, "roles": ["admin"]}
    mountpaths = (str(directory / "mp1"), str(directory / "mp2"))
    source_port = free_port()
    settings = {
        "cache": {"mountpaths": list(mountpaths)},
        "node": {"heartbeat_seconds": 0.5, "balancer": f"{sys.executable} -c pass"},
        "sort": {"python": str(environment("pyspark") / "python"), "master": "local[1]",
                 "memory": "512m"},
        "download": {"hosts": [f"127.0.0.1:{source_port}"], "private_networks": [LOOPBACK]}}
    with Gateway(directory / "gateway", backend=cluster.namenode_url, users=users,
                 superuser=cluster.superuser, settings=settings) as gateway:
        gateway.make_home(HADOOP_USER)
        made = gateway.request("PUT", "/f/directory", params={"path": ROOT, "permission": "777"})
        assert made.ok, made.text
        yield AisPlace(gateway, cluster, mountpaths, source_port)
