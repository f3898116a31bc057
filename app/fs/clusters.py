"""The other clusters that the settings name, and the addresses that mounts may call them by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.fs.lanes import AUTO, OFF
from app.fs.mounts import OWN
from app.fs.webhdfs import WebHdfsBackend
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from app.sections.clusters import OtherCluster
    from app.settings import BackendSettings

_SCHEMES = {"http": "webhdfs", "https": "swebhdfs"}


def other_clusters(settings: BackendSettings) -> dict[str, WebHdfsBackend]:
    """Return the clusters of `clusters` by their names. Raises ConfigError."""
    return {cluster.name: _backend(cluster, settings) for cluster in settings.clusters}


def settings_of(cluster: OtherCluster, settings: BackendSettings) -> BackendSettings:
    """Return what holds for another cluster: what is its own, and else what holds for all."""
    own = dict(cluster.own)
    if "client_cert" in own:
        own.setdefault("client_key", "")  # the key of another certificate is of no use
    if settings.rpc != OFF:
        own.setdefault("rpc", AUTO)  # the addresses of another cluster lead to it
    return replace(settings, url=cluster.url, clusters=(), mounts=(), **own)


def _backend(cluster: OtherCluster, settings: BackendSettings) -> WebHdfsBackend:
    try:
        return WebHdfsBackend(settings_of(cluster, settings))
    except ConfigError as error:
        raise ConfigError("backend.clusters", 0, f"the cluster '{cluster.name}': {error}",
                          ) from error


def addresses(settings: BackendSettings) -> dict[str, str]:
    """Return what stands before the path in a cluster's URIs, like "webhdfs://nn:9870", by name.

    In lower case. The gateway's own cluster comes first where two have the same address.
    """
    found: dict[str, str] = {}
    others = ((cluster.name, cluster.url) for cluster in settings.clusters)
    for name, urls in ((OWN, settings.url), *others):
        for url in urls:
            scheme, _, authority = url.partition("://")
            if scheme in _SCHEMES:
                found.setdefault(f"{_SCHEMES[scheme]}://{authority.rstrip('/')}".lower(), name)
    return found
