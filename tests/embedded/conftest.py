"""A server of its own for each test, and clients of several users."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from app.embedded import create_server
from tests.embedded.client import Client

Server = Callable[..., Iterable[bytes]]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "hdfs"


@pytest.fixture
def server(directory: Path) -> Server:
    return create_server(directory, min_blocksize=1024)


@pytest.fixture
def alice(server: Server) -> Client:
    return Client(server, "alice")


@pytest.fixture
def bob(server: Server) -> Client:
    return Client(server, "bob")


@pytest.fixture
def superuser(server: Server) -> Client:
    return Client(server, "hdfs")
