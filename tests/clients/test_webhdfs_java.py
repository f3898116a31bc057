"""Hadoop's own client of WebHDFS, which can bring nothing but a delegation token."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import pytest

from tests.clients.endpoint import GATEWAY_USER, HADOOP_USER, MIB, content
from tests.clients.tools import trust_store
from tests.gateway import PASSWORD
from tests.hadoop.configuration import LOG4J
from tests.hadoop.jars import jars, java

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.clients.endpoint import Endpoint

SHELL = "org.apache.hadoop.fs.FsShell"
TOKENS = "org.apache.hadoop.security.token.DtUtilShell"
LARGE = content("webhdfs", MIB) * 20 + b"the end"
DIRECTORY = "/user/alice/java"


@pytest.fixture
def place(server: Endpoint, tmp_path: Path) -> Endpoint:
    """Return the gateway, with an empty home directory for the client."""
    return server._replace(home=tmp_path)


@pytest.fixture
def hadoop_command(place: Endpoint) -> Callable[..., str]:
    """Return a way to run a class of Hadoop's, as somebody whose name counts for nothing."""
    trusted = ([f"-Djavax.net.ssl.trustStore={trust_store(place.certificate)}",
                "-Djavax.net.ssl.trustStorePassword=changeit"] if place.certificate else [])
    conf = configuration(place)
    command = [java(), "--add-opens=java.base/java.lang=ALL-UNNAMED", "-Xmx512m",
               "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *trusted,
               "-classpath", f"{conf}:{jars()}/lib/*"]
    variables = {"HADOOP_USER_NAME": "stranger",
                 "HADOOP_TOKEN_FILE_LOCATION": str(place.home / "token")}
    return lambda *words, **options: place.run(*command, *words, variables=variables, **options)


def configuration(place: Endpoint) -> Path:
    """Write Hadoop's configuration of a client, and return its folder."""
    scheme = "swebhdfs" if place.certificate else "webhdfs"
    properties = {
        "fs.defaultFS": f"{scheme}://{urlsplit(place.gateway.url).netloc}",
        "hadoop.tmp.dir": str(place.home / "tmp"),
        "hadoop.security.group.mapping": "org.apache.hadoop.security.NullGroupsMapping",
    }
    rows = "".join(f"<property><name>{name}</name><value>{escape(value)}</value></property>\n"
                   for name, value in properties.items())
    conf = place.home / "conf"
    conf.mkdir()
    (conf / "core-site.xml").write_text(f"<configuration>\n{rows}</configuration>\n")
    (conf / "log4j.properties").write_text(LOG4J.replace("=INFO,", "=WARN,"))
    return conf


def token(place: Endpoint) -> str:
    """Return a delegation token of the gateway's user."""
    answer = place.gateway.request(
        "GET", "/webhdfs/v1/", params={"op": "GETDELEGATIONTOKEN"}, auth=(GATEWAY_USER, PASSWORD))
    return str(answer.json()["Token"]["urlString"])


def test_the_shell(place: Endpoint, hadoop_command: Callable[..., str]) -> None:
    (place.home / "large").write_bytes(LARGE)
    hadoop_command(TOKENS, "import", token(place), "token")
    hadoop_command(SHELL, "-mkdir", "-p", f"{DIRECTORY}/deep")
    hadoop_command(SHELL, "-put", "-f", "large", f"{DIRECTORY}/deep/large")
    assert place.gateway.request("GET", "/f/file/content", params={
        "path": f"{DIRECTORY}/deep/large"}).content == LARGE
    listed = hadoop_command(SHELL, "-ls", "-R", DIRECTORY)
    rows = [line.split() for line in listed.splitlines() if line.startswith(("d", "-"))]
    assert [(row[2], row[4], row[7]) for row in rows] == [
        (HADOOP_USER, "0", f"{DIRECTORY}/deep"),
        (HADOOP_USER, str(len(LARGE)), f"{DIRECTORY}/deep/large")]
    hadoop_command(SHELL, "-get", f"{DIRECTORY}/deep/large", "got")
    assert (place.home / "got").read_bytes() == LARGE
    hadoop_command(SHELL, "-rm", "-r", "-skipTrash", DIRECTORY)
    assert place.gateway.request(
        "GET", "/f/file/status", params={"path": DIRECTORY}).status_code == 404


@pytest.mark.parametrize("server", ["http"], indirect=True, scope="session")
def test_a_name_alone_opens_nothing(place: Endpoint, hadoop_command: Callable[..., str]) -> None:
    with pytest.raises(AssertionError, match="Unauthorized"):
        place.run(java(), "--add-opens=java.base/java.lang=ALL-UNNAMED",
                  "-classpath", f"{place.home / 'conf'}:{jars()}/lib/*", SHELL, "-ls", "/",
                  variables={"HADOOP_USER_NAME": HADOOP_USER})
