"""What can be set of what goes on beside requests: uploads, the cache, jobs, the nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.sections.declaring import setting
from app.setting_types import AtLeast, Hosts, Networks, Seconds, Text, Words

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network


@dataclass(frozen=True, slots=True)
class UploadSettings:
    """Content on its way in: staged under hidden names, swept when a worker dies."""

    lease_seconds: float = setting(30.0, Seconds(1), (
        "A worker process that shows no life for this long counts as dead, and what it had"
        " staged is removed."))
    sweep_seconds: float = setting(10.0, Seconds(0.5), (
        "How often the leftovers of dead workers are looked for."))


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """The read cache: parts of files on the gateway's own disks, for all dialects."""

    mountpaths: tuple[str, ...] = setting((), Words("a list of absolute paths", r"/\S{0,4000}"), (
        "Directories for the read cache, best one for each disk; none: nothing is cached."
        " Each is made where missing and holds nothing else. Admins add and remove others at run"
        " time (AIStore's mountpath operations) once there is one; that outlives restarts. Files in"
        " encryption zones are never cached."))
    capacity: int = setting(10 * 1024**3, AtLeast(16 * 1024**2), (
        "Bytes that the cached parts on each mountpath take at most; what was not read for"
        " longest goes."))
    chunk_size: int = setting(4 * 1024**2, AtLeast(64 * 1024, 64 * 1024**2), (
        "Bytes that are fetched from HDFS and kept together. Rounded up to 64 KiB."))


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Work that goes on after the answer: AIStore's operations on many objects, downloads."""

    at_once: int = setting(4, AtLeast(1, 256), (
        "So many jobs run at the same time in each worker process; others wait."))
    kept_seconds: float = setting(86_400.0, Seconds(1), (
        "Seconds for which a job that is over can still be asked for."))


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """This gateway as one of several that share a state store."""

    url: str = setting("", Text(), (
        "The URL under which clients and the other gateways reach this one; empty:"
        " `web.public_url`, else the address that it listens on."))
    heartbeat_seconds: float = setting(5.0, Seconds(0.2), (
        "How often this gateway writes to the state store that it lives, with its figures."
        " AIStore's set-config changes it at run time as `stats_time`."))
    lease_seconds: float = setting(20.0, Seconds(1), (
        "A gateway that was silent for this long counts as gone; if it was the primary one, another"
        " takes its place."))
    balancer: str = setting("", Text(), (
        "The command that starts the cluster's balancer, like `hdfs balancer -threshold 5`, for"
        " AIStore's rebalance; run as it is, without a shell. Empty: rebalance answers 501."))


@dataclass(frozen=True, slots=True)
class DownloadSettings:
    """Downloads of http and https sources into buckets."""

    hosts: tuple[str, ...] = setting((), Hosts(), (
        "Hosts that may be downloaded from: `data.example.net`, `*.example.net` for all below,"
        " `[2001:db8::7]`, with `:port` where it is not 80 or 443. None: downloads are refused."))
    private_networks: tuple[IPv4Network | IPv6Network, ...] = setting((), Networks(), (
        "Private networks that a source's address may lie in. All other addresses that are not"
        " public (loopback, link-local, private, multicast, reserved) are refused."))
    max_bytes: int = setting(0, AtLeast(0), "Largest source in bytes; 0 is no limit.")
    max_objects: int = setting(100_000, AtLeast(1), "Most objects of one download.")
    timeout: float = setting(60.0, Seconds(0.1), (
        "Seconds without a byte from a source after which it is given up; also the longest time"
        " for all that comes before the content."))
    min_rate: int = setting(1024, AtLeast(0), (
        "Bytes a second that a source must give, on average over `timeout` seconds of waiting for"
        " it. 0 is no limit."))
    max_seconds: float = setting(86_400.0, Seconds(0.1), (
        "The longest time for one object in seconds, further tries included. A request's `timeout`"
        " may ask for less."))
    at_once: int = setting(4, AtLeast(1, 64), (
        "Objects of one download that are fetched at the same time. A request's"
        " `limits.connections` may ask for less."))


@dataclass(frozen=True, slots=True)
class SortSettings:
    """Sorting of shards by Apache Spark."""

    python: str = setting("", Text(), (
        "The Python that has PySpark (`pip install 'pyspark>=4'` for it); empty: the gateway's"
        " own."))
    master: str = setting("local[*]", Text(), (
        "Spark's master URL: `local[*]` is this host, `spark://host:7077` or `yarn` a cluster,"
        " whose workers must reach `gateway_url`."))
    gateway_url: str = setting("", Text(), (
        "The URL under which Spark's workers reach this gateway. Empty: loopback where `master` is"
        " this host, else `node.url` or `web.public_url`. A cluster's workers send a token, which"
        " plain HTTP does not take from elsewhere: `https://…`, or `auth.allow_plain_http`."))
    memory: str = setting("1g", Text(), (
        "Memory of Spark's driver, and what each of its Python workers may take beside it:"
        " `512m` at least. One file of a shard may take an eighth of it."))
    scratch: str = setting("", Text(), (
        "The directory in which Spark keeps what it sorts on this host, as large as all shards"
        " unpacked, twice; empty: `sort` below `data_dir`. A sort fails before its disk is full."))
    max_bytes: int = setting(0, AtLeast(0), (
        "Most bytes that all shards of one sort may have unpacked; 0 is no limit but the disk."))
