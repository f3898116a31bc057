"""A mount that the configuration has, in every dialect: what one writes there, all others read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from app.core.paths import HdfsPath
from tests.contract.client import OCTETS
from tests.fs.far import far_cluster
from tests.fs.mounting import names, read
from tests.s3.conftest import BUCKET_ROOTS, World, world_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tests.fs.far import Far

pytestmark = pytest.mark.gunicorn
POINT = f"{BUCKET_ROOTS['someone']}/far"
THERE = HdfsPath("/far/data")


class Place(NamedTuple):
    """A gateway, and the other cluster that it mounts."""

    world: World
    far: Far

    def ask(self, method: str, path: str, *, user: str = "someone", **options: Any,
            ) -> requests.Response:
        answer = self.world.gateway.request(method, path, user=user, **options)
        assert answer.status_code < 300, answer.text
        return answer

    def refused(self, method: str, path: str, *, user: str = "admin", **options: Any) -> str:
        answer = self.world.gateway.request(method, path, user=user, **options)
        assert answer.status_code in (400, 403, 409, 500), answer.text
        return answer.text


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("configured")
    with far_cluster(directory, page=1000) as far:
        far.directory("data")
        settings = {"backend": {"clusters": [{"name": "far", "url": far.url, "read_timeout": 20}],
                                "mounts": [f"{POINT}=far:{THERE}", f"/ro=far:{THERE}:ro"]}}
        with contextmanager(world_in)(directory, settings=settings) as world:
            yield Place(world, far)


def files(place: Place, name: str, content: bytes) -> None:
    place.ask("PUT", "/f/file/content", params={"path": f"{POINT}/{name}"}, data=content,
              headers=OCTETS)


def s3(place: Place, name: str, content: bytes) -> None:
    place.world.client().put_object(Bucket="far", Key=name, Body=content)


def aistore(place: Place, name: str, content: bytes) -> None:
    place.ask("PUT", f"/v1/objects/far/{name}", data=content)


def alluxio(place: Place, name: str, content: bytes) -> None:
    handle = place.ask("POST", f"/api/v1/paths/{POINT}/{name}/create-file", json={}).json()
    place.ask("POST", f"/api/v1/streams/{handle}/write", data=content, headers=OCTETS)
    place.ask("POST", f"/api/v1/streams/{handle}/close")


def webhdfs(place: Place, name: str, content: bytes) -> None:
    path = f"/webhdfs/v1{POINT}/{name}?op=CREATE&data=true"
    place.ask("PUT", path, data=content, headers=OCTETS)


@pytest.mark.parametrize("write", [files, s3, aistore, alluxio, webhdfs])
def test_what_one_dialect_writes_all_read(place: Place, write: Any) -> None:
    name, content = f"by-{write.__name__}", write.__name__.encode() * 1000
    write(place, name, content)
    assert read(place.far.as_user(), HdfsPath(f"{THERE}/{name}")) == content
    found = {
        "files": place.ask("GET", "/f/file/content", params={"path": f"{POINT}/{name}"}).content,
        "read-only": place.ask("GET", "/f/file/content", params={"path": f"/ro/{name}"}).content,
        "s3": place.world.client().get_object(Bucket="far", Key=name)["Body"].read(),
        "aistore": place.ask("GET", f"/v1/objects/far/{name}").content,
        "webhdfs": place.ask("GET", f"/webhdfs/v1{POINT}/{name}?op=OPEN",
                             allow_redirects=True).content,
    }
    handle = place.ask("POST", f"/api/v1/paths/{POINT}/{name}/open-file", json={}).json()
    found["alluxio"] = place.ask("POST", f"/api/v1/streams/{handle}/read").content
    assert {key for key, value in found.items() if value != content} == set()


def test_nobody_takes_it_away(place: Place) -> None:
    said = place.refused("POST", f"/api/v1/paths/{POINT}/unmount")
    assert "mounted by the configuration" in said
    said = place.refused("POST", f"/api/v1/paths/{POINT}/delete",
                         json={"recursive": True, "deleteMountPoint": True})
    assert "mounted by the configuration" in said
    said = place.refused("POST", f"/api/v1/paths/{POINT}/mount",
                         params={"src": "webhdfs://far/far"})
    assert POINT in said
    said = place.refused("DELETE", "/f/file", params={"path": POINT, "recursive": "true"})
    assert "it is or holds a mount point" in said
    place.refused("DELETE", f"/webhdfs/v1{POINT}?op=DELETE&recursive=true", user="someone")
    for name in place.world.client().list_objects_v2(Bucket="far").get("Contents", ()):
        place.world.client().delete_object(Bucket="far", Key=name["Key"])
    with pytest.raises(ClientError):
        place.world.client().delete_bucket(Bucket="far")
    assert names(place.far.as_user(), HdfsPath("/far")) == ["data"]


@pytest.mark.parametrize(("told", "method", "path", "options"), [
    ("read-only mount: /ro/new", "PUT", "/f/directory", {"params": {"path": "/ro/new"}}),
    ("under a readonly mount point /ro is not allowed", "POST",
     "/api/v1/paths//ro/new/create-directory", {"json": {}}),
    ("read-only mount: /ro/new", "PUT", "/webhdfs/v1/ro/new?op=MKDIRS", {}),
])
def test_a_read_only_one_is_read(
    place: Place, told: str, method: str, path: str, options: Any,
) -> None:
    assert told in place.refused(method, path, user="someone", **options)


def test_that_its_cluster_is_away_is_told_and_harms_nobody_else(
    place: Place, tmp_path_factory: pytest.TempPathFactory,
) -> None:
    ready = place.ask("GET", "/readyz").json()["result"]
    assert ready["mounts"] == {POINT: "answers", "/ro": "answers"}
    place.far.die()
    ready = place.ask("GET", "/readyz").json()["result"]
    assert ready["mounts"] == {POINT: "does not answer", "/ro": "does not answer"}
    place.ask("PUT", "/f/file/content", params={"path": "/user/alice/own"}, data=b"x",
              headers=OCTETS)
