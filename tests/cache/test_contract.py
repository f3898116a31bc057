"""The file API's contract with the cache on: who reads through it sees no difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import BACKENDS, backend_options, furnish
from tests.contract import (
    test_archive,
    test_changed_meanwhile,
    test_changes,
    test_download,
    test_lengths,
    test_paths,
    test_upload,
    test_users,
)
from tests.contract.client import Files, fresh_name
from tests.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULES = (test_archive, test_changed_meanwhile, test_changes, test_download, test_lengths,
           test_paths, test_upload, test_users)
tree, trees, confined = test_archive.tree, test_archive.trees, test_users.confined
globals().update({
    f"{module.__name__.rpartition('.')[2]}_{name.removeprefix('test_')}": test
    for module in MODULES for name, test in vars(module).items() if name.startswith("test_")})
SMALL_CHUNKS = {"capacity": 16 * 1024**2, "chunk_size": 64 * 1024}


@pytest.fixture(scope="module", params=BACKENDS[:2])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway with a small cache of small chunks on two disks."""
    directory: Path = tmp_path_factory.mktemp("cached")
    paths = [str(directory / "one"), str(directory / "other")]
    settings = {"cache": {"mountpaths": paths, **SMALL_CHUNKS}}
    with Gateway(directory, settings=settings, **backend_options(request, request.param)) as made:
        furnish(made)
        yield made


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """Return which backend the test runs over."""
    return str(request.node.callspec.params["gateway"])


@pytest.fixture
def files(gateway: Gateway, backend: str) -> Files:
    """Return the user `someone` (alice) with a new directory of their own."""
    work = Files(gateway, backend, f"/user/alice/{fresh_name()}")
    work.call("PUT", "/f/directory", 201, path=work.directory, permission="755")
    return work
