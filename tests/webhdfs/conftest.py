"""Clients of gateways over each kind of backend."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.webhdfs.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway import Gateway

_numbers = itertools.count(1)


@pytest.fixture
def hdfs(embedded_gateway: Gateway) -> Client:
    """Return a client of a gateway over the embedded backend."""
    return Client(embedded_gateway.url)


@pytest.fixture
def everywhere(gateway: Gateway) -> Client:
    """Return a client of a gateway over each kind of backend in turn."""
    return Client(gateway.url)


@pytest.fixture
def room(embedded_gateway: Gateway) -> Iterator[str]:
    """Yield a new directory of the gateway over the embedded backend."""
    yield from _directory(Client(embedded_gateway.url))


@pytest.fixture
def place(gateway: Gateway) -> Iterator[str]:
    """Yield a new directory of a gateway over each kind of backend in turn."""
    yield from _directory(Client(gateway.url))


def _directory(client: Client) -> Iterator[str]:
    path = f"/user/alice/webhdfs-{next(_numbers)}"
    assert client.ask("PUT", path, "MKDIRS").json == {"boolean": True}
    yield path
    client.remove(path)
