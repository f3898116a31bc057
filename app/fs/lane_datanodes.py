"""The DataNodes that a NameNode tells of, and which of them can be reached from here.

This is for looking at a configuration. What reads and writes is told by RPC whom to ask, and finds
out itself whether that can be reached.
Source: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.getLiveNodes, Hadoop 3.4.2.
"""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from requests import exceptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.fs.failover import Cluster

_LIVE = "/jmx?get=Hadoop:service=NameNode,name=NameNodeInfo::LiveNodes"
_PAGE_LIMIT = 16 * 1024 * 1024
_OK = 200
_AT_ONCE = 16

Address = tuple[str, int]


def transfer_addresses(cluster: Cluster, server: str, seconds: float) -> list[Address]:
    """Return where the live DataNodes take transfers, as the NameNode at the URL `server` tells.

    None are told where its page cannot be read.
    """
    try:
        answer = cluster.session.exchange("GET", server + _LIVE, None, None, seconds)
        if answer.status_code != _OK:
            answer.close()
            return []
        [bean] = json.loads(answer.limited(_PAGE_LIMIT))["beans"]
        nodes = [str(node["xferaddr"]) for node in json.loads(bean["LiveNodes"]).values()]
    except exceptions.RequestException:
        return []
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    parts = (node.rpartition(":") for node in nodes)
    return sorted({(host.strip("[]"), int(port)) for host, _, port in parts
                   if host and port.isdecimal()})


def unreached(addresses: Sequence[Address], seconds: float) -> dict[Address, str]:
    """Connect to each, and return with the reason to which that was not possible in `seconds`."""
    def why(address: Address) -> str:
        try:
            socket.create_connection(address, seconds).close()
        except (OSError, OverflowError, UnicodeError) as error:
            return getattr(error, "strerror", None) or str(error)
        return ""

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        reasons = zip(addresses, pool.map(why, addresses), strict=True)
        return {address: reason for address, reason in reasons if reason}
