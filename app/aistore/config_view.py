"""A gateway's settings as AIStore's configuration tells its own, and as they are called here.

What AIStore has settings for and this gateway has not is absent. Nothing secret is told: the state
store's URL without who comes and with which password, other URLs without a user, no command lines.
"""

from __future__ import annotations

import logging
import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.aistore.bucket_props import DEFAULT_CHECKSUM
from app.nodes.durations import duration
from app.settings import sections
from app.state import shown

if TYPE_CHECKING:
    from app.settings import Settings
    from app.web.services import Services

_UNTOLD = {("node", "balancer"), ("", "state_url")}
_USER = re.compile(r"(?<=//)[^\s]*@")


def config(services: Services) -> dict[str, Any]:
    """Return the settings; `gateway` has all of them by their own names."""
    return {**_of_storage(services), **_of_processes(services), "gateway": own(services.settings)}


def own(settings: Settings) -> dict[str, Any]:
    """Return all settings, none of them secret, as JSON."""
    told: dict[str, Any] = {"state_url": shown(settings.state_url)}
    for name, cls in sections().items():
        section = getattr(settings, name) if name else settings
        values = {each.name: _plain(getattr(section, each.name)) for each in fields(cls)
                  if each.metadata and (name, each.name) not in _UNTOLD}
        if name:
            told[name] = values
        else:
            told |= values
    return told


def _of_storage(services: Services) -> dict[str, Any]:
    settings, cache = services.settings, services.cache
    checksum = {"type": DEFAULT_CHECKSUM, "validate_cold_get": False,
                # The cache compares what it kept with its checksums, and with what HDFS has now.
                "validate_warm_get": cache is not None}
    return {
        "cloud": {}, "mirror": {"enabled": False}, "ec": {"enabled": False},
        "lru": {"enabled": cache is not None},
        "rebalance": {"enabled": bool(settings.node.balancer)},
        "replication": {"on_cold_get": False, "on_put": False, "on_lru_eviction": False},
        "cksum": checksum, "checksum": checksum,
        "versioning": {"enabled": False, "validate_warm_get": cache is not None},
        "fspaths": dict.fromkeys(cache.mountpaths().available, "") if cache else {},
        "downloader": {"timeout": duration(settings.download.timeout)},
    }


def _of_processes(services: Services) -> dict[str, Any]:
    settings, nodes = services.settings, services.nodes
    url = urlsplit(nodes.own_url)
    host = url.hostname or ""
    beats = {"interval": duration(nodes.heartbeat_seconds), "name": "heartbeat",
             "factor": max(1, round(settings.node.lease_seconds / nodes.heartbeat_seconds))}
    read_timeout = duration(settings.backend.read_timeout)
    return {
        "confdir": str(settings.source.parent.absolute()) if settings.source else "",
        "log": {"level": logging.getLevelName(logging.getLogger("app").level)},
        "periodic": {"stats_time": duration(nodes.heartbeat_seconds)},
        "timeout": {"default_timeout": read_timeout},
        "client": {"client_timeout": read_timeout},
        "proxy": {"primary_url": nodes.map().primary.url,
                  "non_electable": not nodes.in_service()},
        "net": {"ipv4": host, "hostname": host,
                "l4": {"proto": "tcp", "port": str(url.port or "")},
                "http": {"proto": url.scheme, "use_https": url.scheme == "https",
                         "chunked_transfer": True}},
        "auth": {"enabled": True, "allow_guest": bool(settings.auth.networks)},
        "keepalivetracker": {"proxy": beats, "target": beats},
    }


def _plain(value: Any) -> Any:
    """Return a setting's value as JSON has it, URLs without users and passwords."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if isinstance(value, Path) else _USER.sub("", text)
