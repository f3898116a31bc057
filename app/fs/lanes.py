"""Whether Hadoop's RPC is used beside WebHDFS: a lane to each NameNode, open or at rest.

WebHDFS is always there; `app.fs.lane` tells when a lane is open and when it rests.
Bytes go by the DataNodes' own protocol where the lane to the NameNode is open and their ports are,
too (`app.fs.data_lane`).
Only plain http without Kerberos has lanes: they are not encrypted, and nobody shall lose by them
what their settings ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.fs.auth import SimpleAuth
from app.fs.data_lane import DataLane
from app.fs.lane import Lane, authority
from app.hadoop.ipc_pool import Limits
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from app.fs.failover import Cluster
    from app.fs.lane import Watcher
    from app.hadoop.ipc import Identity
    from app.settings import BackendSettings

AUTO, OFF = ("auto",), ("off",)


class Lanes:
    """The lanes of a cluster: used is that of the server that WebHDFS asks first."""

    def __init__(
        self, cluster: Cluster, auth: SimpleAuth, limits: Limits,
        given: list[tuple[str, int]] | None,
    ) -> None:
        self._cluster = cluster
        self._auth = auth
        self.data = DataLane(limits)
        own = auth.identity(auth.own_user)
        self.all = tuple(
            Lane(cluster, server, given[index] if given else None, own, limits)
            for index, server in enumerate(cluster.servers))

    @property
    def now(self) -> Lane:
        """The lane to the server that is believed to be active."""
        return self.all[self._cluster.active]

    def identity(self, hadoop_user: str) -> Identity:
        """Return whom calls of this user act for. Raises InvalidParameter."""
        return self._auth.identity(hadoop_user)

    def watched_by(self, watcher: Watcher) -> None:
        """Tell of what becomes of all of them from now on."""
        for lane in self.all:
            lane.watched_by(watcher)
        self.data.watched_by(watcher, authority(self._cluster.servers[0]))

    def close(self) -> None:
        """Close the idle connections."""
        for lane in self.all:
            lane.close()
        self.data.close()


def lanes_of(settings: BackendSettings, cluster: Cluster) -> Lanes | None:
    """Return the lanes that the settings allow, None for none.

    Raises ConfigError for addresses that do not fit to the rest of the settings.
    """
    rpc, urls = settings.rpc, settings.url
    if rpc == OFF:
        return None
    auth = cluster.auth
    plain = all(url.startswith("http://") for url in urls)
    if not plain or settings.kind == "httpfs" or not isinstance(auth, SimpleAuth):
        if rpc == AUTO:
            return None
        raise ConfigError("backend.rpc", 0, "addresses are only for NameNodes at http URLs,"
                          " without Kerberos; Hadoop's RPC is never used elsewhere")
    if rpc != AUTO and len(rpc) != len(urls):
        raise ConfigError("backend.rpc", 0, f"one address for each URL is needed, there are"
                          f" {len(rpc)} for {len(urls)}")
    return Lanes(
        cluster, auth, Limits(
            settings.connect_timeout, settings.read_timeout, settings.pool_size,
            settings.pool_idle, settings.retry_deadline),
        None if rpc == AUTO else [_address(one) for one in rpc])


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
