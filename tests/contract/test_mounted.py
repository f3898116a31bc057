"""The file API's contract where all homes are mounted from another cluster, under another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import furnish
from tests.contract import (
    test_archive,
    test_attributes,
    test_changes,
    test_download,
    test_early_refusal,
    test_lengths,
    test_listing,
    test_paths,
    test_upload,
    test_users,
)
from tests.fs.far import far_cluster
from tests.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = (test_archive, test_attributes, test_changes, test_download, test_early_refusal,
           test_lengths, test_listing, test_paths, test_upload, test_users)
pytestmark = pytest.mark.gunicorn
filled, tree, trees, confined = (
    test_listing.filled, test_archive.tree, test_archive.trees, test_users.confined)
# The trash of the other cluster is none: alice's lies outside of what is mounted.
globals().update({
    f"{module.__name__.rpartition('.')[2]}_{name.removeprefix('test_')}": test
    for module in MODULES for name, test in vars(module).items()
    if name.startswith("test_") and "trash" not in name})


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway whose `/user` is the directory /far/users of another cluster."""
    directory = tmp_path_factory.mktemp("mounted")
    with far_cluster(directory, page=1000) as far:
        settings = {"backend": {"clusters": [f"far={far.url}"]}}
        with Gateway(directory, settings=settings) as made:
            source = far.directory("users", "hdfs")
            gone = made.request(
                "DELETE", "/f/file", user="admin", params={"path": "/user", "recursive": "true"})
            assert gone.status_code == 204, gone.text  # the embedded backend makes homes
            answer = made.request(
                "POST", "/api/v1/paths//user/mount", user="admin",
                params={"src": f"webhdfs://far{source}"})
            assert answer.status_code == 200, answer.text
            furnish(made)
            yield made


@pytest.fixture
def backend() -> str:
    """Return what the other cluster is."""
    return "embedded"
