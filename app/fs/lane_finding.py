"""Where a NameNode behind a WebHDFS URL takes Hadoop's RPC, and whether it is the same one.

The port is learned from the NameNode's JMX page, which whoever answers there may have made up. So
nothing else of it is believed: the host is always that of the URL, which the administrator named,
and the answer counts only when a NameNode behind that port tells the same of the root directory as
WebHDFS does, down to the millisecond of its last change. Where the URL's port is not that of the
NameNode's own pages, somebody has put something in between, which is not passed by. So a NameNode
whose RPC has another host than its pages, or pages behind a proxy, has no lane unless `backend.rpc`
says where.
Source: org.apache.hadoop.conf.ConfServlet, org.apache.hadoop.jmx.JMXJsonServlet; Hadoop 3.4.2.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests import exceptions

from app.core.errors import UpstreamFault
from app.fs import wire
from app.fs.faults import STANDBY, RemoteFault, remote_fault
from app.fs.native_faults import LANE_FAULTS, simple_name
from app.hadoop.client_protocol import NameNodeClient
from app.hadoop.ipc import Broken, Identity, NotSent, Refused, RemoteError
from app.hadoop.ipc_pool import Caller, Limits

if TYPE_CHECKING:
    from app.core.model import FileStatus
    from app.fs.failover import Cluster

LONG_REST = 300.0
_JMX = "/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus"
_CONF = "/conf?name=dfs.namenode.http-address"
_VALUE = re.compile(rb"<name>dfs\.namenode\.http-address</name><value>[^<]*:(\d{1,5})</value>")
_ROUTER = "org.apache.hadoop.hdfs.server.federation."
_PAGE_LIMIT = 64 * 1024
_CONF_LIMIT = 4 * 1024 * 1024
"""Octets of a whole configuration: NameNodes of older Hadoop do not look at the name."""
_OK = 200
_HTTP = 80
_LEAST_SECONDS = 0.001
_MOST_PORTS = 65535


class NoLane(Exception):
    """There is none, for this reason; worth another look after `rest` seconds, 0 for soon."""

    def __init__(self, reason: object, rest: float = LONG_REST) -> None:
        super().__init__(str(reason))
        self.rest = rest


class Standby(NoLane):
    """The NameNode is not the active one."""


def find(
    cluster: Cluster, server: str, given: tuple[str, int] | None, who: Identity, seconds: float,
) -> tuple[str, int]:
    """Return the address of the RPC of the NameNode whose WebHDFS is at the URL `server`.

    With a `given` address that is only tried. Raises NoLane.
    """
    ends = time.monotonic() + seconds
    try:
        address = given or _learned(cluster, server, ends)
        by_web = _root_by_web(cluster, server, who, _left(ends))
    except RemoteFault as error:
        raise (Standby if error.name in STANDBY else NoLane)(error, 0.0) from error
    except exceptions.RequestException as error:
        raise NoLane(error, 0.0) from error
    except UpstreamFault as error:
        raise NoLane(error) from error
    by_rpc = _root_by_rpc(address, who, _left(ends))
    if by_rpc is None or _telling(by_rpc) != _telling(by_web):
        raise NoLane(f"what is at {address[0]}:{address[1]} tells another root directory than"
                     f" {server}", 0.0)
    return address


def _learned(cluster: Cluster, server: str, ends: float) -> tuple[str, int]:
    try:
        [bean] = json.loads(_page(cluster, server + _JMX, ends))["beans"]
        state, secure = bean["State"], bean["SecurityEnabled"]
        port = int(bean["HostAndPort"].rpartition(":")[2])
        teller = str(bean.get("modelerType", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NoLane("its JMX page tells of no NameNode") from None
    if teller.startswith(_ROUTER):
        # NameNodes know calls by their numbers, but from a router not those of its clients: what
        # is sent again happens again.
        raise NoLane("it is a router")
    if secure is not False or not 0 < port <= _MOST_PORTS:
        raise NoLane("it wants Kerberos, or tells no port")
    if state != "active":
        raise Standby("it is not the active NameNode", 0.0)
    at = urlsplit(server)
    own = _VALUE.search(_page(cluster, server + _CONF, ends, _CONF_LIMIT))
    if own is None or int(own[1]) != (at.port or _HTTP):
        raise NoLane("by its configuration page the NameNode's own pages are at another port")
    return at.hostname or "", port


def _page(cluster: Cluster, url: str, ends: float, limit: int = _PAGE_LIMIT) -> bytes:
    answer = cluster.session.exchange("GET", url, None, None, _left(ends))
    if answer.status_code != _OK:
        answer.close()
        raise NoLane(f"its page {urlsplit(url).path} answers with the status {answer.status_code}")
    return answer.limited(limit)


def _root_by_web(cluster: Cluster, server: str, who: Identity, seconds: float) -> FileStatus:
    query = cluster.auth.query(who.user)
    answer = cluster.session.exchange(
        "GET", f"{server}/webhdfs/v1/?op=GETFILESTATUS&{query}", None, None, seconds)
    if not answer:
        raise remote_fault(answer)
    return wire.file_status(answer.limited(_PAGE_LIMIT))


def _root_by_rpc(address: tuple[str, int], who: Identity, seconds: float) -> FileStatus | None:
    caller = Caller(address, Limits(seconds, seconds, retry_deadline=0.0))
    try:
        return NameNodeClient(caller, who).get_file_info("/")
    except (NotSent, Broken) as error:
        raise NoLane(error, 0.0) from error
    except RemoteError as error:
        standby = simple_name(error.java_class) in STANDBY
        passing = standby or not isinstance(error, Refused)
        raise (Standby if standby else NoLane)(error, 0.0 if passing else LONG_REST) from error
    except LANE_FAULTS as error:
        raise NoLane(error) from error
    finally:
        caller.close()


def _telling(root: FileStatus) -> tuple[Any, ...]:
    return (root.modification_time, root.file_id, root.owner, root.group, root.permission,
            root.children)


def _left(ends: float) -> float:
    return max(_LEAST_SECONDS, ends - time.monotonic())
