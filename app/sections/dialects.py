"""What can be set of the file API, S3, Alluxio and WebHDFS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.sections.declaring import setting
from app.setting_types import AtLeast, Flag, Permission, Ports, Seconds, Text, Words


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
class WebHdfsSettings:
    """WebHDFS: delegation tokens of the gateway's own."""

    token_renew_seconds: float = setting(86_400.0, Seconds(1), (
        "Seconds for which a delegation token is good when it is given, and from each renewal on"
        " (HDFS: dfs.namenode.delegation.token.renew-interval)."))
    token_max_seconds: float = setting(604_800.0, Seconds(1), (
        "Seconds after which a delegation token ends, however often it was renewed (HDFS:"
        " dfs.namenode.delegation.token.max-lifetime). Those given before keep what they had."))
    max_tokens: int = setting(1000, AtLeast(0), (
        "Most delegation tokens that one user may have; more are refused until one is cancelled or"
        " ends. 0 is no limit."))
