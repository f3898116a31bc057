"""Gateways that may be broken: their sweep is quick, and their backend's connections are theirs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BACKENDS, backend_options, furnish
from tests.contract.client import Files, fresh_name
from tests.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK = {
    "upload": {"lease_seconds": 2.0, "sweep_seconds": 0.5},
    "backend": {"retry_deadline": 3.0, "connect_timeout": 2.0, "read_timeout": 20.0},
}


@pytest.fixture(scope="module", params=BACKENDS)
def fragile(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway over each kind of backend whose workers may be killed."""
    options = backend_options(request, request.param)
    with quick_gateway(tmp_path_factory.mktemp("fragile"), **options) as gateway:
        yield gateway


@contextmanager
def quick_gateway(directory: Path, **options: Any) -> Iterator[Gateway]:
    """Yield a gateway that soon gives up, and soon sweeps what others have left."""
    with Gateway(directory, settings=QUICK, **options) as gateway:
        furnish(gateway)
        yield gateway


@pytest.fixture
def files(fragile: Gateway, request: pytest.FixtureRequest) -> Files:
    """Return the user `someone` (alice) with a new directory of their own."""
    return new_directory(fragile, str(request.node.callspec.params["fragile"]))


def new_directory(gateway: Gateway, backend: str) -> Files:
    """Return `someone` in a new directory."""
    work = Files(gateway, backend, f"/user/alice/{fresh_name('live')}")
    work.call("PUT", "/f/directory", 201, path=work.directory, permission="755")
    return work
