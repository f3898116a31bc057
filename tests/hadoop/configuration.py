"""The configuration files of the test cluster: what is set, and why it differs from HDFS's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

# A DataNode counts as dead after two recheck intervals and ten heartbeats: 12 s here.
QUICK_TO_NOTICE = {
    "dfs.heartbeat.interval": "1",
    "dfs.namenode.heartbeat.recheck-interval": "1000",
    "dfs.namenode.stale.datanode.interval": "3000",
    "dfs.namenode.avoid.read.stale.datanode": "true",
    "dfs.namenode.avoid.write.stale.datanode": "true",
    "dfs.namenode.redundancy.interval.seconds": "1",
    # Every 10 ms by default, and half of what an idle NameNode costs.
    "dfs.namenode.block.deletion.unlock.interval.ms": "100",
    "dfs.namenode.safemode.extension": "0",
    "dfs.namenode.safemode.recheck.interval": "100",
    "ipc.client.connect.retry.interval": "200",
    # An RPC connection that outlived its NameNode fails the first call made on it; idle ones are
    # gone by the time the NameNode is back.
    "ipc.client.connection.maxidletime": "500",
}
FILE_SYSTEM = {
    "dfs.permissions.enabled": "true",
    "dfs.namenode.acls.enabled": "true",
    "dfs.namenode.xattrs.enabled": "true",
    "dfs.webhdfs.enabled": "true",
    "dfs.replication": "1",
    "dfs.namenode.replication.min": "1",
    "dfs.replication.max": "512",
    "dfs.namenode.fs-limits.min-block-size": "1024",
    "fs.trash.interval": "60",
    # With as few DataNodes as here there is no other to go on with: append must not ask for one.
    "dfs.client.block.write.replace-datanode-on-failure.policy": "NEVER",
    # Without this an unknown user costs the NameNode a fork of `id` every 30 seconds.
    "hadoop.security.group.mapping": "org.apache.hadoop.security.NullGroupsMapping",
    # Only a power cut could tell the difference, and no test makes one.
    "dfs.namenode.edits.noeditlogchannelflush": "true",
    "dfs.namenode.resource.du.reserved": "0",
    "dfs.namenode.datanode.registration.ip-hostname-check": "false",
    "dfs.datanode.hostname": "127.0.0.1",
    "dfs.client.use.datanode.hostname": "false",
}
QUICK_TO_TAKE_OVER = {
    # A standby that starts leaves safe mode when it knows what the active one did before: the
    # blocks it misses may have been removed since.
    "dfs.ha.log-roll.period": "2",
    "dfs.ha.tail-edits.period": "1",
    # The few threads of a DataNode that serve WebHDFS sleep between two questions who is active,
    # by default up to 15 seconds.
    "dfs.client.failover.sleep.base.millis": "100",
    "dfs.client.failover.sleep.max.millis": "500",
}
NAMESERVICE = "ha"
FAILOVER_PROVIDER = (
    "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"
)
LOG4J = """\
log4j.rootLogger=INFO,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
log4j.logger.http.requests=WARN
log4j.logger.httpfsaudit=WARN
log4j.logger.org.apache.hadoop.hdfs.server.namenode.FSNamesystem.audit=WARN
log4j.logger.org.apache.hadoop.hdfs.StateChange=WARN
log4j.logger.BlockStateChange=WARN
"""


def site(
    directory: Path, *, rpc_port: int, namenode_port: int, impersonators: Sequence[str]
) -> dict[str, str]:
    """Return the properties that NameNode, DataNodes and HttpFS share."""
    return {
        **_common(directory, impersonators),
        "fs.defaultFS": f"hdfs://127.0.0.1:{rpc_port}",
        "dfs.namenode.http-address": f"127.0.0.1:{namenode_port}",
        "dfs.namenode.name.dir": (directory / "name").as_uri(),
    }


def ha_site(
    directory: Path,
    *,
    names: Sequence[str],
    rpc_ports: Sequence[int],
    http_ports: Sequence[int],
    impersonators: Sequence[str],
) -> dict[str, str]:
    """Return the properties that the NameNodes called `names` and their DataNodes share."""
    properties = {
        **_common(directory, impersonators),
        "fs.defaultFS": f"hdfs://{NAMESERVICE}",
        "dfs.nameservices": NAMESERVICE,
        f"dfs.ha.namenodes.{NAMESERVICE}": ",".join(names),
        "dfs.namenode.shared.edits.dir": (directory / "edits").as_uri(),
        # Whoever is to be fenced has been killed by the test itself.
        "dfs.ha.fencing.methods": "shell(/bin/true)",
        f"dfs.client.failover.proxy.provider.{NAMESERVICE}": FAILOVER_PROVIDER,
        **QUICK_TO_TAKE_OVER,
    }
    for name, rpc_port, http_port in zip(names, rpc_ports, http_ports, strict=True):
        key = f"{NAMESERVICE}.{name}"
        properties[f"dfs.namenode.rpc-address.{key}"] = f"127.0.0.1:{rpc_port}"
        properties[f"dfs.namenode.http-address.{key}"] = f"127.0.0.1:{http_port}"
        properties[f"dfs.namenode.name.dir.{key}"] = name_folder(directory, name).as_uri()
    return properties


def name_folder(directory: Path, name: str) -> Path:
    """Return where a NameNode of several keeps its namespace."""
    return directory / f"name-{name}"


def _common(directory: Path, impersonators: Sequence[str]) -> dict[str, str]:
    properties = {
        **FILE_SYSTEM,
        **QUICK_TO_NOTICE,
        "hadoop.tmp.dir": str(directory / "tmp"),
    }
    for user in impersonators:
        properties[f"hadoop.proxyuser.{user}.hosts"] = "*"
        properties[f"hadoop.proxyuser.{user}.groups"] = "*"
    return properties


def httpfs_site(*, httpfs_port: int, proxy_users: Sequence[str]) -> dict[str, str]:
    """Return the properties of HttpFS alone."""
    properties = {
        "httpfs.http.hostname": "127.0.0.1",
        "httpfs.http.port": str(httpfs_port),
        "hadoop.http.authentication.type": "simple",
        "httpfs.hadoop.authentication.type": "simple",
    }
    for user in proxy_users:
        properties[f"httpfs.proxyuser.{user}.hosts"] = "*"
        properties[f"httpfs.proxyuser.{user}.groups"] = "*"
    return properties


def write(
    folder: Path, shared: Mapping[str, str], httpfs: Mapping[str, str], conf: Mapping[str, str]
) -> None:
    """Write the configuration folder; `conf` wins over everything in every file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("core-site.xml", "hdfs-site.xml"):
        write_file(folder / name, {**shared, **conf})
    write_file(folder / "httpfs-site.xml", {**httpfs, **conf})
    (folder / "httpfs-signature.secret").write_text("a secret of the test cluster\n")
    for name in ("log4j.properties", "httpfs-log4j.properties"):
        (folder / name).write_text(LOG4J)


def write_file(file: Path, properties: Mapping[str, str]) -> None:
    """Write one file of Hadoop's configuration."""
    rows = "".join(
        f"  <property><name>{escape(name)}</name><value>{escape(value)}</value></property>\n"
        for name, value in sorted(properties.items())
    )
    file.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<configuration>\n{rows}</configuration>\n')
