"""A real gateway with mounts, of which each dialect and each worker knows."""

from __future__ import annotations

import http.client
import io
import os
import tarfile
from base64 import b64encode
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from app.core.paths import HdfsPath
from tests.conftest import BACKENDS, backend_options
from tests.fs.far import Far, far_cluster
from tests.gateway import PASSWORD, Gateway, wait_for
from tests.s3.conftest import refusal, world_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from app.fs.port import FileSystem
    from tests.s3.conftest import World

PIECE = os.urandom(5 << 20)
S3 = "/user/alice/s3"


class Place(NamedTuple):
    """A gateway and the other cluster that it may mount directories of."""

    world: World
    far: Far

    @property
    def gateway(self) -> Gateway:
        return self.world.gateway

    def mount(self, path: str, source: str, *, read_only: bool = False) -> requests.Response:
        return self.gateway.request(
            "POST", f"/api/v1/paths/{path}/mount", user="admin", params={"src": source},
            json={"readOnly": read_only})

    def unmount(self, path: str) -> requests.Response:
        return self.gateway.request("POST", f"/api/v1/paths/{path}/unmount", user="admin")

    @contextmanager
    def mounted(self, path: str, name: str, **options: Any) -> Iterator[FileSystem]:
        """Mount a new directory of alice's in the other cluster meanwhile."""
        source = self.far.directory(name)
        answer = self.mount(path, f"webhdfs://far{source}", **options)
        assert answer.status_code == 200, answer.text
        yield self.far.as_user()
        answer = self.unmount(path)
        assert answer.status_code == 200, answer.text

    def names(self, path: str, user: str = "someone") -> list[str]:
        answer = self.gateway.request("GET", "/f/listing", user=user, params={"path": path})
        assert answer.status_code == 200, answer.text
        return [one["pathSuffix"] for one in answer.json()["result"]["statuses"]]

    def call(self, method: str, url: str, user: str = "someone", data: Any = None,
             **params: Any) -> requests.Response:
        headers = {"Content-Type": "application/octet-stream"} if data else None
        return self.gateway.request(
            method, url, user=user, params=params, data=data, headers=headers)


@pytest.fixture(scope="module", params=BACKENDS)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp(f"mounted-{request.param}")
    options = backend_options(request, request.param)
    with far_cluster(directory) as far:
        settings = {"backend": {"clusters": [f"far={far.url}"], "connect_timeout": 1,
                                "retry_deadline": 1},
                    "upload": {"sweep_seconds": 0.5}}
        for world in world_in(directory, settings=settings, **options):
            yield Place(world, far)


def test_an_archive_has_what_is_mounted_below(place: Place) -> None:
    made = place.call("PUT", "/f/directory", path="packed/own")
    assert made.status_code == 201, made.text
    with place.mounted("/user/alice/packed/m", "packed"):
        assert place.call("PUT", "/f/file/content", path="packed/m/new/f", data=b"x").ok
        archive = place.call("GET", "/f/archive", path="packed", format="tar")
        with tarfile.open(fileobj=io.BytesIO(archive.content)) as found:
            assert {"packed/own", "packed/m", "packed/m/new"} <= set(found.getnames())
            member = found.extractfile("packed/m/new/f")
            assert member is not None
            assert member.read() == b"x"


def test_the_file_api_works_in_a_mount(place: Place) -> None:
    with place.mounted("/user/alice/m", "files") as far:
        assert "m" in place.names("/user/alice")
        content = "/f/file/content"
        body = b"hello " * 100_000
        made = place.call("PUT", content, path="/user/alice/m/new/f", data=body)
        assert made.status_code == 201, made.text
        assert far.status(HdfsPath("/far/files/new/f")).length == len(body)
        again = place.call("PUT", content, path="m/new/f", data=b"x")
        assert (again.status_code, again.json()["error"]) == (
            409, ["already exists: /user/alice/m/new/f"])
        assert place.call("PUT", content, path="m/new/f", overwrite="true",
                          data=b"over").status_code == 201
        assert place.call("POST", content, path="m/new/f", data=b"written").ok
        assert place.call("GET", content, path="m/new/f").content == b"overwritten"
        ranged = place.gateway.request("GET", content, params={"path": "m/new/f"},
                                       headers={"Range": "bytes=4-6"})
        assert (ranged.status_code, ranged.content) == (206, b"wri")
        summary = place.call("GET", "/f/file/summary", path="m").json()["result"]["summary"]
        assert (summary["directoryCount"], summary["fileCount"], summary["length"]) == (2, 1, 11)
        moved = place.call("PUT", "/f/name", path="m/new/f", destination="m/g")
        assert moved.status_code == 201
        assert moved.headers["Location"].endswith("path=m/g")
        across = place.call("PUT", "/f/name", path="m/g", destination="/user/alice/g")
        assert (across.status_code, across.json()["error"]) == (
            409, ["a rename cannot leave its cluster: /user/alice/m/g"])
        assert place.call("DELETE", "/f/file", path="m/g").status_code == 204
        for path, recursive in (("m", "true"), ("/user/alice", "true"), ("m", "false")):
            kept = place.call("DELETE", "/f/file", path=path, recursive=recursive)
            assert kept.status_code == 403, kept.text
            assert "is or holds a mount point" in kept.json()["error"][0]
        assert [one.path_suffix for one in far.list_page(HdfsPath("/far/files")).entries] == [
            "new"]
        none = place.call("GET", content, path="m/none")
        assert (none.status_code, none.json()["error"]) == (
            404, ["no such file or directory: /user/alice/m/none"])


def test_s3_works_in_a_mount(place: Place) -> None:
    client = place.world.client()
    with place.mounted(f"{S3}/mounted", "bucket"):
        assert "mounted" in [one["Name"] for one in client.list_buckets()["Buckets"]]
        for key in ("b", "a/b", "a/c", "marker/"):
            client.put_object(Bucket="mounted", Key=key, Body=b"" if key[-1] == "/" else b"1",
                              Metadata={"k": "v"})
        etag = client.put_object(Bucket="mounted", Key="b", Body=b"22")["ETag"]
        head = client.head_object(Bucket="mounted", Key="b")
        assert (head["ETag"], head["ContentLength"], head["Metadata"]) == (etag, 2, {})
        refused = refusal(
            client.put_object, Bucket="mounted", Key="b", Body=b"", IfNoneMatch="*")
        assert refused == (412, "PreconditionFailed")
        page = client.list_objects_v2(Bucket="mounted", Delimiter="/")
        assert ([one["Key"] for one in page["Contents"]],
                [one["Prefix"] for one in page["CommonPrefixes"]]) == (["b"], ["a/", "marker/"])
        upload = client.create_multipart_upload(Bucket="mounted", Key="big")["UploadId"]
        parts = [{"PartNumber": i, "ETag": client.upload_part(
            Bucket="mounted", Key="big", UploadId=upload, PartNumber=i, Body=body)["ETag"]}
            for i, body in ((1, PIECE), (2, b"end"))]
        client.complete_multipart_upload(
            Bucket="mounted", Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
        assert client.get_object(Bucket="mounted", Key="big")["Body"].read() == PIECE + b"end"
        client.create_bucket(Bucket="own")
        client.copy_object(Bucket="own", Key="big",
                           CopySource={"Bucket": "mounted", "Key": "big"})
        client.copy_object(Bucket="mounted", Key="back", CopySource={"Bucket": "own", "Key": "big"})
        assert client.get_object(Bucket="mounted", Key="back")["Body"].read() == PIECE + b"end"
        keys = [one["Key"] for one in client.list_objects_v2(Bucket="mounted")["Contents"]]
        assert keys == ["a/b", "a/c", "b", "back", "big", "marker/"]
        client.delete_objects(Bucket="mounted", Delete={"Objects": [{"Key": key} for key in keys]})
        assert client.list_objects_v2(Bucket="mounted")["KeyCount"] == 0
        assert refusal(client.delete_bucket, Bucket="mounted")[0] == 403
        client.delete_object(Bucket="own", Key="big")
        client.delete_bucket(Bucket="own")


def test_a_bucket_with_a_mount_in_it_is_listed_across(place: Place) -> None:
    client = place.world.client()
    client.create_bucket(Bucket="mixed")
    for key in ("a", "m!", "n", "z/z"):
        client.put_object(Bucket="mixed", Key=key, Body=b"x")
    with place.mounted(f"{S3}/mixed/m", "mixed"):
        for key in ("m/1", "m/2/3", "m/é"):
            client.put_object(Bucket="mixed", Key=key, Body=b"x")
        keys = ["a", "m!", "m/1", "m/2/3", "m/é", "n", "z/z"]
        found: list[str] = []
        options: dict[str, Any] = {}
        while True:
            page = client.list_objects_v2(Bucket="mixed", MaxKeys=2, **options)
            found += [one["Key"] for one in page["Contents"]]
            if not page["IsTruncated"]:
                break
            options = {"ContinuationToken": page["NextContinuationToken"]}
        assert found == keys
        page = client.list_objects_v2(Bucket="mixed", Delimiter="/")
        assert [one["Prefix"] for one in page["CommonPrefixes"]] == ["m/", "z/"]
        client.delete_objects(Bucket="mixed", Delete={"Objects": [{"Key": key} for key in keys]})
        assert refusal(client.delete_bucket, Bucket="mixed")[0] in (403, 409)
    client.delete_bucket(Bucket="mixed")


def test_all_workers_see_a_mount_when_it_is_answered(place: Place) -> None:
    for _ in range(3):
        with place.mounted("/user/alice/seen", "seen"):
            assert statuses_of_all_workers(place, "/user/alice/seen") == {200}
        assert statuses_of_all_workers(place, "/user/alice/seen") == {404}


def statuses_of_all_workers(place: Place, path: str) -> set[int]:
    """Ask for a status over new connections until each worker has answered."""
    asked: set[int] = set()
    found: set[int] = set()
    token = b64encode(f"someone:{PASSWORD}".encode()).decode()

    def ask() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", place.gateway.port, timeout=30)
        connection.request("GET", f"/f/file/status?path={path}",
                           headers={"Authorization": f"Basic {token}"})
        answer = connection.getresponse()
        answer.read()
        found.add(answer.status)
        assert connection.sock is not None
        asked.add(place.gateway.worker_of(connection.sock))
        kept.append(connection)
        return asked == set(place.gateway.workers())

    kept: list[http.client.HTTPConnection] = []
    try:
        wait_for("an answer of each worker", ask)
    finally:
        for connection in kept:
            connection.close()
    return found


def test_a_read_only_mount_changes_for_nobody(place: Place) -> None:
    far = place.far.as_user()
    far.create(HdfsPath(f"{place.far.directory('fixed')}/f"), [b"fixed"])
    client = place.world.client()
    with place.mounted(f"{S3}/fixed", "fixed", read_only=True):
        for method, url, params in (
            ("PUT", "/f/file/content", {"path": f"{S3}/fixed/g"}),
            ("PUT", "/f/file/content", {"path": f"{S3}/fixed/f", "overwrite": "true"}),
            ("POST", "/f/file/content", {"path": f"{S3}/fixed/f"}),
            ("DELETE", "/f/file", {"path": f"{S3}/fixed/f"}),
            ("PUT", "/f/name", {"path": f"{S3}/fixed/f", "destination": f"{S3}/fixed/g"}),
            ("PUT", "/f/directory", {"path": f"{S3}/fixed/d"}),
        ):
            answer = place.call(method, url, **params, data=b"x" if "content" in url else None)
            assert (answer.status_code, answer.json()["error"][0][:15]) == (
                403, "read-only mount"), (method, url)
        assert refusal(client.put_object, Bucket="fixed", Key="g", Body=b"x") == (
            403, "AccessDenied")
        assert refusal(client.delete_object, Bucket="fixed", Key="f") == (403, "AccessDenied")
        assert refusal(client.create_multipart_upload, Bucket="fixed", Key="g")[0] == 403
        assert client.get_object(Bucket="fixed", Key="f")["Body"].read() == b"fixed"
        assert [one["Key"] for one in client.list_objects_v2(Bucket="fixed")["Contents"]] == ["f"]
    assert [one.path_suffix for one in far.list_page(HdfsPath("/far/fixed")).entries] == ["f"]


def test_nobody_gets_out_of_a_mount_by_number(place: Place) -> None:
    far = place.far.as_user("alice")
    outside = place.far.directory("outside")
    far.create(HdfsPath(f"{outside}/f"), [b"outside of what is mounted"])
    inode = far.status(HdfsPath(f"{outside}/f")).file_id
    directory = far.status(outside).file_id
    with place.mounted("/user/alice/inside", "inside"):
        for mount_id in range(1, 40):
            path = f"/.reserved/.inodes/{inode | mount_id << 48}"
            assert place.call("GET", "/f/file/content", path=path).status_code == 404
            path = f"/.reserved/.inodes/{directory | mount_id << 48}"
            assert place.call("GET", "/f/listing", path=path).status_code == 404
            assert place.call("GET", "/f/file/status", path=f"{path}/f").status_code == 404
    whole = place.world.send("GET", "/.reserved:.inodes?list-type=2", user="someone")
    assert whole.status_code == 404


def test_a_confined_user_sees_what_is_mounted_in_the_room(place: Place) -> None:
    with place.mounted("/user/alice/room/m", "room") as far:
        far.create(HdfsPath("/far/room/f"), [b"in the room"])
        assert "m" in place.names("/", "confined")
        found = place.call("GET", "/f/file/content", "confined", path="/m/f")
        assert found.content == b"in the room"
        made = place.call("PUT", "/f/file/content", "confined", path="/m/g", data=b"x")
        assert made.status_code == 201
        lost = place.call("GET", "/f/file/status", "confined", path="/m/none")
        assert lost.json()["error"] == ["no such file or directory: /m/none"]
        refused = place.call("GET", "/f/file/status", "confined", path="/m/../../s3")
        assert refused.status_code == 400


def test_what_a_killed_worker_staged_in_a_mount_is_removed(place: Place) -> None:
    with place.mounted("/user/alice/killed", "killed") as far:
        token = b64encode(f"someone:{PASSWORD}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", place.gateway.port, timeout=30)
        connection.putrequest("PUT", "/f/file/content?path=/user/alice/killed/d/f")
        connection.putheader("Authorization", f"Basic {token}")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        piece = bytes(1 << 20)
        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))

        def staged() -> list[str]:
            return [one.path_suffix for path in ("/far/killed", "/far/killed/d")
                    for one in far.list_page(HdfsPath(path)).entries]

        wait_for("the staged file", lambda: any(
            one.path_suffix == "d" for one in far.list_page(HdfsPath("/far/killed")).entries))
        assert any(name.startswith(".httpfs-proxy-") for name in staged())
        assert connection.sock is not None
        place.gateway.kill_worker(place.gateway.worker_of(connection.sock))
        connection.close()
        wait_for("nothing left", lambda: not far.list_page(HdfsPath("/far/killed")).entries,
                 seconds=60)


def test_the_parent_of_a_dead_mount_can_be_listed(place: Place) -> None:
    place.far.directory("dies")
    assert place.mount(f"{S3}/dies", "webhdfs://far/far/dies").status_code == 200
    place.far.die()
    assert "dies" in place.names(S3)
    client = place.world.client()
    assert "dies" in [one["Name"] for one in client.list_buckets()["Buckets"]]
    assert refusal(client.list_objects_v2, Bucket="dies")[0] == 503
    assert place.call("GET", "/f/file/status", path=f"{S3}/dies").status_code == 503
    assert place.call("PUT", "/f/file/content", path=f"{S3}/beside", overwrite="true",
                      data=b"x").status_code == 201
    place.far.daemon.start()
    wait_for("the other cluster", lambda: place.call(
        "GET", "/f/file/status", path=f"{S3}/dies").status_code == 200)
    assert place.unmount(f"{S3}/dies").status_code == 200
    assert place.unmount(f"{S3}/dies").status_code == 500
