"""The other clusters that the settings name, and the addresses that mounts may call them by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.fs.mounts import OWN
from app.fs.webhdfs import WebHdfsBackend
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from app.settings import BackendSettings

_SCHEMES = {"http": "webhdfs", "https": "swebhdfs"}


def other_clusters(settings: BackendSettings) -> dict[str, WebHdfsBackend]:
    """Return the clusters of `clusters` ("name=url;url") by their names.

    All but the URL is as for the gateway's own. Raises ConfigError for a name that stands twice.
    """
    found: dict[str, WebHdfsBackend] = {}
    for name, urls in _urls_by_name(settings):
        if name in found:
            raise ConfigError("backend.clusters", 0, f"the cluster '{name}' stands twice")
        found[name] = WebHdfsBackend(replace(settings, url=urls))
    return found


def addresses(settings: BackendSettings) -> dict[str, str]:
    """Return what stands before the path in a cluster's URIs, like "webhdfs://nn:9870", by name.

    In lower case. The gateway's own cluster comes first where two have the same address.
    """
    found: dict[str, str] = {}
    for name, urls in ((OWN, settings.url), *_urls_by_name(settings)):
        for url in urls:
            scheme, _, authority = url.partition("://")
            if scheme in _SCHEMES:
                found.setdefault(f"{_SCHEMES[scheme]}://{authority.rstrip('/')}".lower(), name)
    return found


def _urls_by_name(settings: BackendSettings) -> list[tuple[str, tuple[str, ...]]]:
    parted = [entry.partition("=") for entry in settings.clusters]
    return [(name, tuple(url.rstrip("/") for url in urls.split(";") if url))
            for name, _, urls in parted]
