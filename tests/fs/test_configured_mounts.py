"""Mounts that the configuration has: always there, and not to be undone while the gateway runs."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from app import settings
from app.core import errors
from app.core.mounts import LAST_ID, LAST_RUN_TIME_ID, MountedByConfiguration
from app.core.paths import HdfsPath
from app.fs.clusters import settings_of
from app.fs.configured import configured_mounts
from app.fs.mounted import MountedBackend
from app.fs.mounts import Mounts
from app.settings import BackendSettings
from app.strict_yaml import ConfigError
from tests.fs.mounting import OTHER, names, read, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fs.mounting import World

KINDS = {each.name: each.metadata["kind"] for each in fields(BackendSettings)}


def section(clusters: Any = (), mounts: Any = (), **others: Any) -> BackendSettings:
    return BackendSettings(
        clusters=KINDS["clusters"].parse(clusters), mounts=KINDS["mounts"].parse(mounts), **others)


@pytest.fixture
def configured(world: World) -> World:
    """The world with `m` of its area mounted by the configuration, and `ro` of the same."""
    source = world.source()
    section_ = section([f"{OTHER}=http://there:1"], [
        f"{world.at('m')}={OTHER}:{source}", f"{world.at('ro')}={OTHER}:{source}:ro"])
    world.mounts = Mounts(world.store, world.own, {OTHER: world.there}, world.mounts.addresses,
                          configured=configured_mounts(section_), fresh_seconds=0.0)
    world.backend = MountedBackend(world.mounts)
    return world


def test_what_is_mounted_by_the_configuration_is_there(configured: World) -> None:
    write(configured.fs(), configured.at("m", "f"))
    assert names(configured.fs(), configured.area) == ["m", "ro"]
    assert read(configured.fs(), configured.at("ro", "f")) == b"hello"
    assert names(configured.there.as_user("alice"), HdfsPath(f"{configured.lies}/source")) == ["f"]
    with pytest.raises(errors.AccessDenied, match="read-only mount"):
        write(configured.fs(), configured.at("ro", "g"))
    with pytest.raises(errors.AccessDenied, match="mount point"):
        configured.fs().delete(configured.at("m"), recursive=True)


def test_it_cannot_be_unmounted_or_mounted_over(configured: World) -> None:
    admin = configured.admin()
    with pytest.raises(MountedByConfiguration, match="mounted by the configuration"):
        admin.unmount(configured.at("m"))
    for path in (configured.at("m"), configured.area):
        with pytest.raises(MountedByConfiguration):
            admin.unmount_below(path)
    with pytest.raises(errors.AlreadyExists, match="mounted by the configuration"):
        admin.mount(configured.at("m"), f"webhdfs://{OTHER}/", read_only=False)
    with pytest.raises(errors.AlreadyExists):
        configured.mounts.add(configured.at("m"), OTHER, HdfsPath("/"), read_only=False)
    assert [mount.path for mount in configured.mounts.table()] == [
        configured.at("m"), configured.at("ro")]


def test_run_time_mounts_stay_beside_it(configured: World) -> None:
    mount = configured.mounted(configured.at("r"), configured.source("more"))
    assert names(configured.fs(), configured.area) == ["m", "r", "ro"]
    inner = configured.mounted(configured.at("m", "inner"), configured.source("inner"))
    assert (mount.mount_id, inner.mount_id) == (1, 2)
    configured.admin().unmount(inner.path)
    assert configured.admin().unmount_below(configured.at("r")) == 1


def test_it_hides_what_was_mounted_there_at_run_time(world: World, tmp_path: Path) -> None:
    world.mounted(world.at("m"), world.source("old"))
    fixed = configured_mounts(section([f"{OTHER}=http://there:1"],
                                      [f"{world.at('m')}={OTHER}:{world.source('new')}"]))
    mounts = Mounts(world.store, world.own, {OTHER: world.there}, configured=fixed,
                    fresh_seconds=0.0)
    assert [mount.source for mount in mounts.table()] == [f"{world.lies}/new"]
    plain = Mounts(world.store, world.own, {OTHER: world.there}, fresh_seconds=0.0)
    assert [mount.source for mount in plain.table()] == [f"{world.lies}/old"]


def test_a_confined_admin_cannot_undo_it_either(configured: World) -> None:
    who = configured.admin(configured.area)
    with pytest.raises(MountedByConfiguration):
        who.unmount("/m")


def test_numbers_do_not_change_with_their_neighbours() -> None:
    one, two = "/a=c:/x", "/b=c:/x"
    clusters = ["c=http://c:1"]
    both = configured_mounts(section(clusters, [one, two]))
    alone = configured_mounts(section(clusters, [two]))
    assert alone[0] == both[1]
    assert all(LAST_RUN_TIME_ID < mount.mount_id <= LAST_ID for mount in both)
    many = configured_mounts(section(clusters, [f"/m{i}=c:/x" for i in range(1000)]))
    assert len({mount.mount_id for mount in many}) == 1000


@pytest.mark.parametrize(("mount", "fault"), [
    ("/=c:/x", "nothing can be mounted at '/'"),
    ("relative=c:/x", "is not of a list"),
    ("/a=c", "is not of a list"),
    ("/a=c:/x:rw", "is not of a list"),
    ("/a/../..=c:/x", "leaves the root"),
    ("/a=c:/x/.snapshot/s", "nothing can be mounted at or of '/x/.snapshot/s'"),
    ("/a/.httpfs-proxy-x=c:/x", "nothing can be mounted at or of"),
])
def test_what_is_no_mount(mount: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        KINDS["mounts"].parse([mount])


def test_how_mounts_are_written() -> None:
    found = KINDS["mounts"].parse(["/k=v=c:/p=q/:ro", "/own=:/d"])
    assert [tuple(each) for each in found] == [
        ("/k=v", "c", "/p=q", True), ("/own", "", "/d", False)]
    assert KINDS["mounts"].parse("/a=c:/x, /b=c:/y:ro") == KINDS["mounts"].parse(
        ["/a=c:/x", "/b=c:/y:ro"])
    with pytest.raises(ValueError, match="'/a' stands twice"):
        KINDS["mounts"].parse(["/a=c:/x", "/a/=c:/y"])


@pytest.mark.parametrize(("mounts", "fault"), [
    (["/a=nowhere:/x"], r"the cluster 'nowhere', which backend.clusters does not name: 'c'"),
    (["/a/b=:/a"], "'/a/b' would lie inside what is mounted there, '/a'"),
    (["/m=c:/d", "/m/x=c:/d"], "'/m/x' would lie inside"),
])
def test_mounts_that_lead_nowhere(mounts: list[str], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        configured_mounts(section(["c=http://c:1"], mounts))


def test_clusters_may_have_settings_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(yaml.safe_dump({"backend": {
        "url": "http://nn:9870", "ca_file": "/all.pem", "service_user": "gateway",
        "client_cert": "/all-cert.pem", "client_key": "/all-key.pem", "clusters": [
            "plain=http://a:1;http://b:1",
            {"name": "lab", "url": ["https://c:1", "https://d:1"], "ca_file": "/lab.pem",
             "service_user": "", "read_timeout": 5, "client_cert": "/lab-both.pem"}]}}))
    backend = settings.read(file, {}).backend
    plain, lab = (settings_of(each, backend) for each in backend.clusters)
    assert (plain.url, plain.ca_file, plain.service_user, plain.client_key) == (
        ("http://a:1", "http://b:1"), "/all.pem", "gateway", "/all-key.pem")
    assert (lab.url, lab.ca_file, lab.service_user, lab.read_timeout) == (
        ("https://c:1", "https://d:1"), "/lab.pem", "", 5.0)
    assert (lab.client_cert, lab.client_key) == ("/lab-both.pem", "")


@pytest.mark.parametrize(("cluster", "fault"), [
    ({"name": "lab"}, "has no `name` or no `url`"),
    ({"name": "lab", "url": "ftp://x"}, "the cluster 'lab': 'ftp://x' is not"),
    ({"name": "lab", "url": "embedded:"}, "is no URL of WebHDFS"),
    ({"name": "l b", "url": "http://x:1"}, "'l b' is no name"),
    ({"name": "lab", "url": "http://x:1", "cafile": "x"}, "'cafile' cannot be its own; these can"),
    ({"name": "lab", "url": "http://x:1", "mounts": []}, "'mounts' cannot be its own"),
    ({"name": "lab", "url": "http://x:1", "read_timeout": "soon"}, "'read_timeout': 'soon'"),
    ("lab", "is not of a list"),
])
def test_what_is_no_cluster(cluster: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        KINDS["clusters"].parse([cluster])
