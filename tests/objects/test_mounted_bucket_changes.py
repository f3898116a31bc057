"""Buckets in a mounted directory as in tests.objects.test_bucket_changes; mount points as buckets.

The trash of the mounted cluster lies outside of what is mounted: nothing can be moved there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core.mounts import HoldsMount
from app.core.paths import HdfsPath
from app.fs.placing import status_or_none
from tests.fs.mounting import mounted_homes
from tests.objects import test_bucket_changes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from app.fs.mounted import MountedBackend
    from app.settings import BackendSettings
    from tests.objects.shop import Shop

globals().update({
    name: test for name, test in vars(test_bucket_changes).items()
    if name.startswith("test_") and "trash" not in name and "details" not in name})


# tests.fs.test_mounted_port mounts every kind of server; here it is about what is done in it.
pytestmark = pytest.mark.parametrize("settings_and_server", ["embedded"], indirect=True)


@pytest.fixture(scope="module")
def backend(
    settings_and_server: tuple[BackendSettings, Any], tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MountedBackend]:
    """Yield a backend in which all homes are mounted from elsewhere."""
    with mounted_homes(settings_and_server, tmp_path_factory.mktemp("own")) as made:
        yield made


def test_what_cannot_be_moved_to_the_trash_goes_for_good(shop: Shop) -> None:
    shop.put("dir/key", b"x")
    shop.store.destroy_bucket("bucket")
    assert status_or_none(shop.fs, shop.path) is None
    assert shop.tree(shop.root) == set()


def test_a_mount_point_is_neither_destroyed_nor_renamed(shop: Shop) -> None:
    shop.put("key", b"x")
    store = shop.store_of(bucket_root=HdfsPath("/"))
    for change in (lambda: store.destroy_bucket("user"),
                   lambda: store.rename_bucket("user", "users")):
        with pytest.raises(HoldsMount):
            change()
    assert status_or_none(shop.fs, HdfsPath("/user")) is not None
    assert shop.get("key") == b"x"


def test_neither_is_what_holds_one(shop: Shop, backend: MountedBackend) -> None:
    mounts = backend._mounts
    mounts.add(HdfsPath(f"{shop.path}/deep/mount"), "there", HdfsPath("/there"), read_only=False)
    alice = backend.as_user("alice")
    store, confined = shop.store_of(alice), shop.store_of(alice, root=shop.root)
    try:
        for change in (lambda: store.destroy_bucket("bucket"),
                       lambda: confined.destroy_bucket("bucket"),
                       lambda: store.rename_bucket("bucket", "other")):
            with pytest.raises(HoldsMount):
                change()
        assert shop.store.bucket("bucket").path == shop.path
    finally:
        mounts.remove(HdfsPath(f"{shop.path}/deep/mount"))
    store = shop.store_of(backend.as_user("alice"))
    store.destroy_bucket("bucket")
    assert status_or_none(shop.fs, shop.path) is None
