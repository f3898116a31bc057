"""What can be set of the clusters behind the gateway."""

from __future__ import annotations

from dataclasses import dataclass, fields

from app.sections.clusters import Clusters, ConfiguredMount, MountList, OtherCluster
from app.sections.declaring import setting
from app.setting_types import AtLeast, Choice, Rpc, Seconds, Text, Urls

SHARED = frozenset({"url", "clusters", "mounts", "embedded_superuser", "embedded_trash_minutes"})
"""Settings that no other cluster has of its own."""


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
    rpc: tuple[str, ...] = setting(("auto",), Rpc(), (
        "Hadoop's own protocols beside WebHDFS, for what is asked most: they cost NameNode and"
        " gateway a fraction. `auto`: where the NameNode's RPC is found behind an http URL of"
        " its own pages, on the URL's host. `off`: never. `host:port`, one for each URL in their"
        " order: there. Never with https or Kerberos. What cannot go by them goes by WebHDFS."))
    service_user: str = setting("", Text(), (
        "Empty: calls are made as the mapped Hadoop user (`user.name=`). A name: calls are made"
        " as this service user on behalf of the mapped one (`doas=`); the cluster needs"
        " `hadoop.proxyuser.<name>.hosts` and `.groups` for it. With `principal`: what Hadoop calls"
        " that principal, where this is not its first part (`hadoop.security.auth_to_local`)."))
    principal: str = setting("", Text(), (
        "The Kerberos principal of the gateway, `gateway/edge.example.com@EXAMPLE.COM`; empty: a"
        " cluster without Kerberos. Calls are made on behalf of the mapped user (`doas=`)."))
    keytab: str = setting("", Text(), (
        "The file with the keys of `principal`, readable for the gateway's user alone."))
    service_principal: str = setting("HTTP/_HOST", Text(), (
        "The Kerberos principal of the servers at `url`, with `_HOST` for the host's name as it"
        " stands in the URL (no DNS is asked); its realm is that of `principal` unless it says"
        " another."))
    probe_user: str = setting("", Text(), (
        "The Hadoop user as whom `/readyz` asks, so that it tells when the cluster does not let the"
        " gateway act for its users; empty: it asks as the service user."))
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
    clusters: tuple[OtherCluster, ...] = setting(
        (), Clusters(lambda: fields(BackendSettings), SHARED), (
            "Other clusters, of which directories are mounted, by `mounts` or by admins: `name=url`"
            " with the NameNodes of an HA cluster as `name=url;url`, or a map of `name`, `url` and"
            " settings of this section that are its own (`{name: lab, url: https://nn:9871,"
            " ca_file: /etc/lab.pem}`). All else in this section holds for them too. A mount at"
            " run time names one as `webhdfs://name/directory` or by the host and port of a URL."))
    mounts: tuple[ConfiguredMount, ...] = setting((), MountList(), (
        "What is always mounted: `/path=cluster:/directory` shows the directory of a cluster of"
        " `clusters` (of the gateway's own where no name is before the colon) at the path, whose"
        " parent must be there; `:ro` at the end makes it read-only. Nobody can unmount these."))
    ca_file: str = setting("", Text(), (
        "A PEM file with the certificates of the authorities that https backends and their"
        " DataNodes are trusted by, these alone; empty: those that the system trusts. Names are"
        " checked in any case."))
    client_cert: str = setting("", Text(), (
        "A PEM file with the certificate that the gateway shows to https backends and DataNodes,"
        " where they ask for one, and those that vouch for it. Read when a worker starts."))
    client_key: str = setting("", Text(), (
        "A PEM file with the key of `client_cert`, without a passphrase; empty: it is in the same"
        " file."))
    embedded_superuser: str = setting("hdfs", Text(), (
        "The superuser of the embedded backend; without effect on real clusters."))
    embedded_trash_minutes: int = setting(1440, AtLeast(0), (
        "Minutes for which the embedded backend keeps what was moved to the trash, at least."
        " 0 turns its trash off; without effect on real clusters, which have"
        " `fs.trash.interval`."))
