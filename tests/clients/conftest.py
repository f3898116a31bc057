"""Gateways over one real HDFS: by HTTP and by TLS, each with a port that is S3; one for AIStore."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.aistore.client import Ais
from tests.clients.aistore.place import ADMIN, AisPlace, furnished
from tests.clients.endpoint import GATEWAY_USER, HADOOP_USER, Endpoint, create_key
from tests.deploy.front import Certificate, TlsGateway
from tests.gateway import PASSWORD, REPOSITORY, Gateway, default_users
from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hadoop.cluster import Cluster

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs against the server: it wants Hadoop and a real gunicorn."""
    here = f"{REPOSITORY}/tests/clients/"
    for item in items:
        wanted = getattr(item, "fixturenames", ())
        if str(item.path).startswith(here) and {"server", "ais_place"} & set(wanted):
            item.add_marker(pytest.mark.hadoop)
            item.add_marker(pytest.mark.gunicorn)


@pytest.fixture(scope="session", params=["http", "tls"])
def server(
    request: pytest.FixtureRequest, hadoop: Cluster, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Endpoint]:
    """Yield a gateway with S3 on a port of its own, and a key to it."""
    directory = tmp_path_factory.mktemp(f"s3-{request.param}")
    root, port = f"/user/{HADOOP_USER}/s3-{request.param}", free_port()
    users = default_users(hadoop.superuser)
    users[GATEWAY_USER]["bucket_root"] = root
    options: dict[str, Any] = {
        "backend": hadoop.namenode_url, "superuser": hadoop.superuser, "users": users,
        "gunicorn_args": ["--bind", f"127.0.0.1:{port}"],
        "settings": {"s3": {"keys_file": str(directory / "keys.yaml"), "ports": [port],
                            "master_key_file": str(directory / "keys.master")}}}
    certificate = Certificate(directory / "certificate") if request.param == "tls" else None
    made = TlsGateway(directory, certificate, **options) if certificate else Gateway(
        directory, **options)
    with made as gateway:
        key_id, secret = create_key(gateway, GATEWAY_USER)
        scheme = "https" if certificate else "http"
        endpoint = Endpoint(
            gateway, hadoop, f"{scheme}://127.0.0.1:{port}", f"{gateway.url}/api/v1/s3", root,
            key_id, secret, certificate.file if certificate else None, directory)
        endpoint.make_directory("")
        yield endpoint


@pytest.fixture
def s3(server: Endpoint, tmp_path: Path) -> Endpoint:
    """Return the endpoint, with an empty home directory for the client."""
    return server._replace(home=tmp_path)


@pytest.fixture
def bucket(s3: Endpoint) -> Iterator[str]:
    """Yield the name of a new bucket, which is removed with all that is in it."""
    name = f"bucket-{next(_numbers)}"
    s3.make_directory(f"/{name}")
    yield name
    s3.delete(f"/{name}")


@pytest.fixture(scope="session")
def ais_place(hadoop: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AisPlace]:
    """Yield a gateway with everything on that AIStore's operations can use."""
    with furnished(hadoop, tmp_path_factory.mktemp("aistore")) as place:
        yield place


@pytest.fixture(scope="session", params=[2020, 2021])
def ais_year(request: pytest.FixtureRequest) -> int:
    """Return the year whose generated client is used."""
    year: int = request.param
    return year


@pytest.fixture(scope="session")
def ais(ais_place: AisPlace, ais_year: int) -> Ais:
    """Return the client of a user."""
    return Ais(ais_year, ais_place.gateway.url, GATEWAY_USER, PASSWORD)


@pytest.fixture(scope="session")
def ais_admin(ais_place: AisPlace, ais_year: int) -> Ais:
    """Return the client of an admin."""
    return Ais(ais_year, ais_place.gateway.url, ADMIN, PASSWORD)


@pytest.fixture
def ais_bucket(ais: Ais) -> Iterator[str]:
    """Yield the name of a new bucket, which is destroyed with all that is in it."""
    name = f"ais-{ais.year}-{next(_numbers)}"
    ais.bucket.perform_operation(name, ais.message("CREATELB"))
    yield name
    with contextlib.suppress(ais.error):
        ais.bucket.delete(name, ais.message("DESTROYLB"))
