"""What can be set: each setting's type, default, allowed values and help text, by sections."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.setting_types import (
    AtLeast,
    Choice,
    Flag,
    Hosts,
    Kind,
    Networks,
    NetworkUsers,
    Permission,
    Ports,
    Seconds,
    Text,
    Urls,
    Words,
)

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network


def setting(default: Any, kind: Kind, help_text: str) -> Any:
    """Declare one setting: its default, the values it takes, and what it is for."""
    return field(default=default, metadata={"kind": kind, "help": help_text})


@dataclass(frozen=True, slots=True)
class BackendSettings:
    """The file system behind the gateway."""

    url: tuple[str, ...] = setting(("embedded:",), Urls(), (
        "Where WebHDFS is served: `http://namenode:9870`, `https://…`, an HttpFS"
        " (`http://httpfs:14000`), a list of NameNodes of one HA cluster, or"
        " `embedded:///some/directory` for a local directory that behaves like HDFS"
        " (`embedded:` is the directory `hdfs` below `data_dir`)."))
    kind: str = setting("auto", Choice("auto", "namenode", "httpfs"), (
        "What answers at `url`. `auto` asks once."))
    service_user: str = setting("", Text(), (
        "Empty: calls are made as the mapped Hadoop user (`user.name=`). A name: calls are made"
        " as this service user on behalf of the mapped one (`doas=`); the cluster needs"
        " `hadoop.proxyuser.<name>.hosts` and `.groups` for it."))
    connect_timeout: float = setting(5.0, Seconds(0.1), "Seconds to wait for a connection.")
    read_timeout: float = setting(60.0, Seconds(0.1), (
        "Seconds without a byte from HDFS after which a call counts as too slow (504)."))
    retry_deadline: float = setting(15.0, Seconds(0), (
        "Seconds within which a repeatable call is tried again after a failed connection,"
        " a standby NameNode or safe mode. 0 turns retries off."))
    pool_size: int = setting(64, AtLeast(1), (
        "Idle connections kept for each server and worker process. More are opened when needed."))
    pool_idle: float = setting(5.0, Seconds(0.1), (
        "Seconds after which an idle connection is not used again."))
    home_cache: float = setting(300.0, Seconds(0), (
        "Seconds for which a user's home directory, as HDFS named it, is remembered."))
    clusters: tuple[str, ...] = setting(
        (), Words("a list of `name=url`", r"[A-Za-z0-9._-]{1,64}=https?://\S{1,1000}"), (
            "Other clusters, of which admins may mount directories: `name=url`, with the NameNodes"
            " of an HA cluster as `name=url;url`. A mount names one as `webhdfs://name/directory`"
            " or by the host and port of a URL. All else in this section holds for them too."))
    ca_file: str = setting("", Text(), (
        "A PEM file with the certificates of the authorities that https backends and their"
        " DataNodes are trusted by, these alone; empty: those that the system trusts."))
    embedded_superuser: str = setting("hdfs", Text(), (
        "The superuser of the embedded backend; without effect on real clusters."))
    embedded_trash_minutes: int = setting(1440, AtLeast(0), (
        "Minutes for which the embedded backend keeps what was moved to the trash, at least."
        " 0 turns its trash off; without effect on real clusters, which have"
        " `fs.trash.interval`."))


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Who may come in."""

    users_file: Path = setting(Path("config/users.yaml"), Text(Path), (
        "The map of users. A relative path is relative to the working directory."))
    realm: str = setting("httpfs-proxy", Text(), "The realm that a 401 names.")
    cache_seconds: float = setting(300.0, Seconds(0), (
        "Seconds for which a verified password is remembered (as a keyed hash, in memory), so"
        " that the slow password hash is computed once and not on each request."))
    allow_plain_http: bool = setting(False, Flag(), (
        "Take credentials over plain HTTP from anywhere. Off, they are refused unless the client"
        " is on loopback or a trusted proxy says that the client came by HTTPS."))
    networks: tuple[str, ...] = setting((), NetworkUsers(), (
        "Who a request is from that brings no credentials, by the address it comes from, for"
        " clients that can send none: `127.0.0.0/8=alice`; the smallest network counts. Only for"
        " the dialects of Alluxio (`/api/v1/paths`, `/api/v1/streams`) and AIStore (`/v1`), and not"
        " for browsers. Whoever can reach the gateway from such a network is that user: the log"
        " warns of each."))
    lockout_failures: int = setting(5, AtLeast(0), (
        "Failed attempts, per user and per source address, after which attempts are locked"
        " out. 0 turns lockout off."))
    lockout_seconds: float = setting(2.0, Seconds(0.1), (
        "Length of the first lockout; each further failure doubles it."))
    lockout_max_seconds: float = setting(900.0, Seconds(1), "Longest lockout."
                                         " Failures are forgotten after twice this time.")


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How requests reach the gateway and what they may bring."""

    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = setting((), Networks(), (
        "Addresses or networks of reverse proxies whose X-Forwarded-For, -Proto, -Host and -Port"
        " are believed. From anyone else these headers change nothing."))
    public_url: str = setting("", Text(), (
        "The base of URLs in answers (`https://files.example.net`); empty: as the request says."))
    max_body: int = setting(0, AtLeast(0), (
        "Largest request body in bytes, after decompression; more is refused with 413 (by S3 with"
        " EntityTooLarge). 0 is no limit."))
    body_timeout: float = setting(60.0, Seconds(0.1), (
        "Seconds without a byte from a client that is sending a body, after which the upload is"
        " given up and removed."))
    gzip_level: int = setting(1, AtLeast(1, 9), (
        "zlib level of compressed answers, 1 (fast) to 9 (small)."))
    gzip_min: int = setting(1400, AtLeast(0), (
        "JSON answers below this number of bytes are not compressed."))
    metrics_from: tuple[IPv4Network | IPv6Network, ...] = setting(
        ("127.0.0.0/8", "::1/128"), Networks(), (
            "Addresses or networks that may read /metrics without a password."))
    ready_timeout: float = setting(3.0, Seconds(0.1), "Longest answer of /readyz in seconds.")


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """The file API."""

    file_permission: str = setting("664", Permission(), "Mode of an uploaded file.")
    directory_permission: str = setting("775", Permission(), "Mode of a created directory.")
    replication_min: int = setting(1, AtLeast(1), "Smallest replication factor to ask for.")
    replication_max: int = setting(512, AtLeast(1, 32767), (
        "Largest replication factor to ask for (HDFS's own limit is dfs.replication.max)."))


@dataclass(frozen=True, slots=True)
class S3Settings:
    """S3: buckets are directories, objects are files."""

    keys_file: Path = setting(Path("config/keys.yaml"), Text(Path), (
        "The access keys of the users, their secrets encrypted; `httpfs-proxy keys` writes it."
        " It need not exist."))
    master_key_file: Path = setting(Path("config/keys.master"), Text(Path), (
        "The key that the secrets in `keys_file` are encrypted with; made with the first access"
        " key, mode 0600. Keep it apart from backups of `keys_file`."))
    region: str = setting("us-east-1", Text(), (
        "The region that clients sign for and that GetBucketLocation names."))
    hosts: tuple[str, ...] = setting((), Words("a list of host names", r"[A-Za-z0-9.-]{1,253}"), (
        "Host names whose root is S3, for clients that take no path prefix:"
        " `https://s3.example.net/bucket/key`, and `https://bucket.s3.example.net/key` too. Nothing"
        " but S3 is served there."))
    ports: tuple[int, ...] = setting((), Ports(), (
        "Ports, among those that the gateway listens on, whose root is S3 whatever the host name."))
    bucket_permission: str = setting("700", Permission(), (
        "Mode of a bucket's directory that CreateBucket makes. S3's buckets are their owner's"
        " alone; `775` lets the group write and all Hadoop users read, as far as the files do."))
    clock_skew: float = setting(900.0, Seconds(1), (
        "Seconds by which the time of a signed request may differ from the gateway's."))
    public: tuple[str, ...] = setting(
        (), Words("a list of `bucket=user`", r"[A-Za-z0-9._:-]{1,255}=\S{1,255}"), (
            "Buckets that anybody may read without credentials: `bucket=user` opens it as this"
            " user of the users file sees it, for listing, GET and HEAD."))
    upload_max_age: float = setting(604_800.0, Seconds(1), (
        "Seconds after which a multipart upload that was neither completed nor aborted is"
        " removed."))
    etag_cache: int = setting(100_000, AtLeast(0), (
        "ETags remembered by each worker, so that listings need not ask HDFS for them again;"
        " about 300 bytes each."))


@dataclass(frozen=True, slots=True)
class StreamsSettings:
    """The Alluxio dialect: paths, and streams that take several requests."""

    file_permission: str = setting("644", Permission(), (
        "Mode of a file that create-file makes without `mode`."))
    directory_permission: str = setting("755", Permission(), (
        "Mode of a directory that create-directory makes without `mode`, and of missing parents."))
    idle_seconds: float = setting(3600.0, Seconds(1), (
        "Seconds without a request after which a stream is closed; what was written to it is then"
        " removed."))
    sweep_seconds: float = setting(60.0, Seconds(0.5), (
        "How often idle streams, and files past their ttl, are looked for."))
    max_open: int = setting(10_000, AtLeast(0), (
        "Most streams that one user may have open; more are refused (RESOURCE_EXHAUSTED) until one"
        " is closed or idle for too long. Each worker process counts them when it has opened so"
        " many, so of several each may let in as many. 0 is no limit."))
    list_details: bool = setting(True, Flag(), (
        "Ask HDFS for the block locations and xattrs of each entry that list-status tells: two"
        " more calls a file. Off, listings have neither; get-status always has both."))


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


LOG_LEVEL = Choice("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written down."""

    level: str = setting("INFO", LOG_LEVEL, (
        "Log level. AIStore's set-config changes it at run time as `log.level`."))
    audit: str = setting("-", Text(), (
        "Where the audit lines go, one JSON object a request: `-` is standard output, `` is"
        " nowhere, else a file that is appended to and reopened when it was moved away."))


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings."""

    data_dir: Path = setting(Path("data"), Text(Path), (
        "Directory of the gateway's own state: the state store, the metrics of the workers and,"
        " where used, the embedded backend. Made with mode 0700 where missing."))
    state_url: str = setting("sqlite:", Text(), (
        "The state store: `sqlite:` is `state.db` in `data_dir`, `sqlite:///some/file` another"
        " file; it is shared by the workers of one host. Gateways on several hosts share"
        " `redis://user:password@host:6379/0` (`rediss://` with TLS; options `?prefix=httpfs-proxy`"
        " and `ssl_ca_certs=/file`) or `postgresql://user:password@host:5432/database` (options"
        " `?sslmode=verify-full`, `require` or `disable`, and `sslrootcert=/file`). A URL with a"
        " password is better set as GATEWAY_STATE_URL."))
    backend: BackendSettings = field(default_factory=BackendSettings)
    auth: AuthSettings = field(default_factory=AuthSettings)
    web: WebSettings = field(default_factory=WebSettings)
    files: FilesSettings = field(default_factory=FilesSettings)
    s3: S3Settings = field(default_factory=S3Settings)
    streams: StreamsSettings = field(default_factory=StreamsSettings)
    upload: UploadSettings = field(default_factory=UploadSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    jobs: JobSettings = field(default_factory=JobSettings)
    node: NodeSettings = field(default_factory=NodeSettings)
    download: DownloadSettings = field(default_factory=DownloadSettings)
    sort: SortSettings = field(default_factory=SortSettings)
    log: LogSettings = field(default_factory=LogSettings)
    source: Path | None = None
