"""What tests of several rooms share: one Hadoop for the whole run, and gateways in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway import Gateway, logs_of_gateways
from tests.hadoop.cluster import Cluster
from tests.hibernation import Hibernation

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

HADOOP_USERS = ("alice", "bob")
LOG_LINES = 15
ROOM = "/user/alice/room"
DOAS = {"backend": {"service_user": "gateway"}}
GUNICORN = pytest.mark.gunicorn
HADOOP = (pytest.mark.hadoop, GUNICORN)
BACKENDS = [
    pytest.param("embedded", id="embedded", marks=GUNICORN),
    pytest.param("namenode", id="namenode", marks=HADOOP),
    pytest.param("httpfs", id="httpfs", marks=HADOOP),
]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the end of the gateways' logs under what failed."""
    report = yield
    if report.failed:
        report.sections += [(f"log of {url}", log) for url, log in logs_of_gateways(LOG_LINES)]
    return report


def pytest_configure(config: pytest.Config) -> None:
    """Have gateways sleep that no test of the moment can ask for."""
    config.pluginmanager.register(Hibernation())


@pytest.fixture(scope="session")
def hadoop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One NameNode, DataNode and HttpFS; who breaks it starts what was broken again."""
    with Cluster(tmp_path_factory.mktemp("hadoop")) as cluster:
        for user in HADOOP_USERS:
            cluster.make_user(user)
        yield cluster


def backend_options(request: pytest.FixtureRequest, name: str) -> dict[str, Any]:
    """Return the options of a Gateway over the backend of this name."""
    if name == "embedded":
        return {"backend": "embedded:", "superuser": "hdfs"}
    cluster: Cluster = request.getfixturevalue("hadoop")
    url = cluster.namenode_url if name == "namenode" else cluster.httpfs_url
    return {"backend": url, "superuser": cluster.superuser}


def furnish(gateway: Gateway) -> None:
    """Make the homes of the Hadoop users, and the directory that `confined` is kept in."""
    for user in HADOOP_USERS:
        gateway.make_home(user)
    made = gateway.request("PUT", "/f/directory", params={"path": ROOM})
    assert made.status_code == 201, made.text


@pytest.fixture(scope="session", params=BACKENDS)
def gateway(request: pytest.FixtureRequest) -> Gateway:
    """Return a gateway over each kind of backend in turn; nobody may stop it or kill its workers.

    A fixture with parameters is made anew for each module; what it returns lives on.
    """
    return one_of(request, "gateway")


@pytest.fixture(scope="session", params=BACKENDS[1:])
def doas_gateway(request: pytest.FixtureRequest) -> Gateway:
    """Return a gateway that asks HDFS as the service user `gateway` on behalf of its users."""
    return one_of(request, "doas_gateway")


@pytest.fixture(scope="session")
def embedded_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway over the embedded backend, for what has nothing to do with the backend."""
    yield from _running(tmp_path_factory.mktemp("embedded"))


def one_of(request: pytest.FixtureRequest, kind: str) -> Gateway:
    """Return the gateway that the fixture `{backend}_{kind}` makes."""
    made: Gateway = request.getfixturevalue(f"{request.param}_{kind}")
    return made


@pytest.fixture(scope="session")
def namenode_gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway over the NameNode."""
    yield from _running(
        tmp_path_factory.mktemp("namenode"), **backend_options(request, "namenode"))


@pytest.fixture(scope="session")
def httpfs_gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway over HttpFS."""
    yield from _running(tmp_path_factory.mktemp("httpfs"), **backend_options(request, "httpfs"))


@pytest.fixture(scope="session")
def namenode_doas_gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway over the NameNode that acts for its users."""
    yield from _running(tmp_path_factory.mktemp("doas"), settings=DOAS,
                        **backend_options(request, "namenode"))


@pytest.fixture(scope="session")
def httpfs_doas_gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway over HttpFS that acts for its users."""
    yield from _running(tmp_path_factory.mktemp("doas"), settings=DOAS,
                        **backend_options(request, "httpfs"))


def _running(directory: Path, **options: Any) -> Iterator[Gateway]:
    with Gateway(directory, **options) as gateway:
        furnish(gateway)
        yield gateway
