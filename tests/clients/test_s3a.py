"""Hadoop's own S3A: the shell of its file systems, and DistCp from HDFS and back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest

from tests.clients.endpoint import HADOOP_USER, MIB, REGION, content, fill
from tests.clients.tools import s3a_jars, trust_store
from tests.hadoop.configuration import LOG4J
from tests.hadoop.jars import java

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.clients.endpoint import Endpoint

SHELL = "org.apache.hadoop.fs.FsShell"
DISTCP = "org.apache.hadoop.tools.DistCp"
# More than the 64 MiB of a part.
LARGE = content("s3a", MIB) * 70 + b"the end"


@pytest.fixture
def hadoop_command(s3: Endpoint) -> Callable[..., str]:
    """Return a way to run a class of Hadoop's with S3A configured as its documentation has it."""
    trusted = ([f"-Djavax.net.ssl.trustStore={trust_store(s3.certificate)}",
                "-Djavax.net.ssl.trustStorePassword=changeit"] if s3.certificate else [])
    conf = configuration(s3)
    command = [java(), "--add-opens=java.base/java.lang=ALL-UNNAMED", "-Xmx512m",
               "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *trusted,
               "-classpath", f"{conf}:{s3a_jars()}/*"]
    variables = {"HADOOP_USER_NAME": HADOOP_USER}
    return lambda *words, **options: s3.run(*command, *words, variables=variables, **options)


def configuration(s3: Endpoint) -> Path:
    """Write Hadoop's configuration of a client, and return its folder."""
    properties = {
        "fs.defaultFS": f"hdfs://127.0.0.1:{s3.cluster.rpc_port}",
        "fs.s3a.endpoint": s3.url,
        "fs.s3a.endpoint.region": REGION,
        "fs.s3a.path.style.access": "true",
        "fs.s3a.connection.ssl.enabled": str(s3.secure).lower(),
        "fs.s3a.access.key": s3.key_id,
        "fs.s3a.secret.key": s3.secret,
        "hadoop.tmp.dir": str(s3.home / "tmp"),
        # One DataNode; and an unknown user costs no fork of `id`.
        "dfs.replication": "1",
        "hadoop.security.group.mapping": "org.apache.hadoop.security.NullGroupsMapping",
    }
    rows = "".join(f"<property><name>{name}</name><value>{escape(value)}</value></property>\n"
                   for name, value in properties.items())
    conf = s3.home / "conf"
    conf.mkdir()
    (conf / "core-site.xml").write_text(f"<configuration>\n{rows}</configuration>\n")
    (conf / "log4j.properties").write_text(LOG4J.replace("=INFO,", "=WARN,"))
    return conf


def paths(listing: str) -> list[str]:
    """Return the paths that `-ls` shows."""
    return [line.split(maxsplit=7)[7] for line in listing.splitlines()
            if line.startswith(("d", "-"))]


@pytest.mark.parametrize("server", ["tls"], indirect=True, scope="session")
def test_the_shell(s3: Endpoint, hadoop_command: Callable[..., str], bucket: str) -> None:
    place = f"s3a://{bucket}"
    (s3.home / "large").write_bytes(LARGE)
    (s3.home / "small").write_bytes(b"Hello Hadoop!\n")

    def shell(*words: str, **options: int) -> str:
        return hadoop_command(SHELL, *words, **options)

    shell("-mkdir", "-p", f"{place}/dir/made")
    shell("-put", "large", f"{place}/dir")
    shell("-put", "small", f"{place}/dir/small ü")
    assert s3.stored(f"/{bucket}/dir/large") == LARGE
    assert shell("-cat", f"{place}/dir/small ü") == "Hello Hadoop!\n"
    assert sorted(paths(shell("-ls", "-R", f"{place}/"))) == [
        f"{place}/dir", f"{place}/dir/large", f"{place}/dir/made", f"{place}/dir/small ü"]
    shell("-mv", f"{place}/dir", f"{place}/moved")
    assert sorted(s3.names(f"/{bucket}/moved")) == ["large", "made", "small ü"]
    assert s3.stored(f"/{bucket}/moved/large") == LARGE
    shell("-test", "-e", f"{place}/dir", wanted=1)
    shell("-get", f"{place}/moved/large", "fetched")
    assert (s3.home / "fetched").read_bytes() == LARGE
    shell("-put", "large", f"{place}/moved", wanted=1)
    shell("-rm", "-r", "-skipTrash", f"{place}/moved")
    assert s3.names(f"/{bucket}") == []


def test_distcp_there_and_back(
    s3: Endpoint, hadoop_command: Callable[..., str], bucket: str,
) -> None:
    files = {"a": b"first\n", "sub/b": content("b", 3 * MIB), "sub/sub/empty": b""}
    local = fill(s3.home / "local", files)
    source = f"{s3.root}/{bucket}-distcp"
    try:
        hadoop_command(SHELL, "-put", str(local), source)
        hadoop_command(DISTCP, source, f"s3a://{bucket}/copied")
        for name, data in files.items():
            assert s3.stored(f"/{bucket}/copied/{name}") == data
        hadoop_command(DISTCP, "-update", f"s3a://{bucket}/copied", f"{source}/back")
        for name, data in files.items():
            assert s3.stored(f"/{bucket}-distcp/back/{name}") == data
    finally:
        s3.delete(f"/{bucket}-distcp")
