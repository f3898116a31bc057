"""Directories that are erasure-coded, those that are encrypted, and a plain one beside them.

Everything is done in each, by both of the gateway's ways to HDFS, and compared with what Hadoop
itself reads: HDFS refuses some calls there (CONCAT, TRUNCATE, RENAME), and nobody may lose by it.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.aistore.conftest import AIStore
from tests.conftest import HADOOP, HADOOP_USERS
from tests.contract.client import errors_of, fresh_name
from tests.gateway import wait_for
from tests.hadoop.probe import webhdfs
from tests.hadoop.zones import ZoneCluster
from tests.live.zone_places import Place, being_written, home_of, in_kind
from tests.s3.conftest import World, world_in
from tests.streams.conftest import Alluxio
from tests.streams.test_transfers import on
from tests.webhdfs.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = list(HADOOP)
KINDS = ("plain", "coded", "zone")
WAYS = [("plain", "coded"), ("plain", "zone"), ("coded", "plain"), ("coded", "zone"),
        ("zone", "plain"), ("zone", "zone")]
LANES: dict[str, dict[str, Any]] = {"default": {}, "webhdfs": {"rpc": "off"}}
CONTENT = os.urandom((2 << 20) + 300_001)
"""More than a cell of each of the two DataNodes that hold a stripe."""
FS_SHELL = "org.apache.hadoop.fs.FsShell"
PART = CONTENT[:1 << 20]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZoneCluster]:
    """Yield a cluster with a directory of each kind."""
    with ZoneCluster(tmp_path_factory.mktemp("zones")) as running:
        for user in HADOOP_USERS:
            running.make_user(user)
        for kind in KINDS:
            webhdfs(running.namenode_url, "PUT", home_of(kind), op="MKDIRS",
                    **{"user.name": "alice"})
        running.code(home_of("coded"))
        running.encrypt(home_of("zone"))
        yield running


@pytest.fixture(scope="module", params=LANES)
def world(
    cluster: ZoneCluster, request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Yield a gateway by each of its ways to HDFS."""
    yield from world_in(
        tmp_path_factory.mktemp("gateway"), superuser=cluster.superuser,
        backend=cluster.namenode_url,
        settings={"backend": {"url": cluster.namenode_url, **LANES[request.param]}})


@pytest.fixture(params=KINDS)
def place(cluster: ZoneCluster, world: World, request: pytest.FixtureRequest) -> Place:
    """Return a new directory in the one of each kind."""
    return in_kind(cluster, world, request.param)


@pytest.fixture
def zone(cluster: ZoneCluster, world: World) -> Place:
    """Return a new directory in the encryption zone."""
    return in_kind(cluster, world, "zone")


# --- the file API


def test_files_are_as_hadoop_reads_them(place: Place) -> None:
    files, path = place.files, place.at("file")
    files.put("file", CONTENT)
    assert place.held(path) == CONTENT
    files.put("file", b"other", 409)
    files.put("file", CONTENT[::-1], overwrite="true")
    assert place.held(path) == files.read("file") == CONTENT[::-1]
    for more in (CONTENT, b"tail"):
        files.append("file", more)
    whole = CONTENT[::-1] + CONTENT + b"tail"
    assert place.held(path) == files.read("file") == whole
    for first, last in ((0, 0), (1048570, 3145740), (len(CONTENT) - 1, len(whole) - 1)):
        piece = files.get("file", 206, headers={"Range": f"bytes={first}-{last}"})
        assert piece.content == whole[first:last + 1]
    assert files.get("file", 206, headers={"Range": "bytes=-5000"}).content == whole[-5000:]
    checksum = files.call("GET", "/f/file/checksum", path=path).json()["result"]["checksum"]
    theirs = place.told("GETFILECHECKSUM", path)["FileChecksum"]
    assert theirs["bytes"].startswith(checksum["bytes"])
    assert place.all_names() == files.names() == ["file"]


def test_the_shell_reads_what_was_uploaded(cluster: ZoneCluster, world: World) -> None:
    places = [in_kind(cluster, world, kind) for kind in KINDS]
    for place in places:
        place.files.put("file", place.kind.encode() + CONTENT)
    done = subprocess.run(
        cluster.tool(FS_SHELL, "-cat", *(place.at("file") for place in places)),
        env={"HADOOP_USER_NAME": "alice"}, capture_output=True, check=False)
    assert done.stdout == b"".join(kind.encode() + CONTENT for kind in KINDS), done.stderr


def test_appended_to_an_empty_file(place: Place) -> None:
    place.files.put("empty")
    place.files.append("empty", b"")
    place.files.append("empty", b"some")
    assert place.held(place.at("empty")) == place.files.read("empty") == b"some"


def test_concatenating_joins_or_says_why_not(place: Place) -> None:
    files = place.files
    for name in ("one", "two", "three"):
        files.put(name, name.encode() + PART)
    files.put("none")
    expect = 400 if place.kind == "zone" else 201
    answer = files.call("POST", "/f/file/content", expect, path=files.at("one"),
                        sources="two,none,three")
    if place.kind == "zone":
        assert "encryption zone" in errors_of(answer)
        assert sorted(place.all_names()) == ["none", "one", "three", "two"]
        assert place.held(files.at("one")) == b"one" + PART
        assert place.held(files.at("three")) == b"three" + PART
    else:
        assert place.all_names() == ["one"]
        assert place.held(files.at("one")) == b"one" + PART + b"two" + PART + b"three" + PART


def test_what_another_writes_is_not_taken_for_empty(place: Place) -> None:
    place.files.put("file", b"few")
    with being_written(place, "open"):
        place.files.call("POST", "/f/file/content", 409, path=place.at("file"), sources="open")
        assert sorted(place.all_names()) == ["file", "open"]
    assert place.held(place.at("file")) == b"few"


def test_truncating_empties_or_says_why_not(place: Place) -> None:
    place.files.put("file", CONTENT)
    expect = 501 if place.kind == "coded" else 204
    answer = place.files.call("DELETE", "/f/file/content", expect, path=place.at("file"))
    if place.kind == "coded":
        assert errors_of(answer) == "HDFS cannot do this with erasure-coded files"
        assert place.held(place.at("file")) == CONTENT
    else:
        assert place.held(place.at("file")) == b""


def test_an_archive_has_what_the_files_hold(place: Place) -> None:
    place.files.put("sub/large", CONTENT)
    place.files.put("small", b"few")
    answer = place.files.call("GET", "/f/archive", path=place.files.directory, format="tar")
    name = place.files.directory.rpartition("/")[2]
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        found = {one.name: file.read() for one in archive if (file := archive.extractfile(one))}
    assert found == {f"{name}/sub/large": CONTENT, f"{name}/small": b"few"}


@pytest.mark.parametrize(("place", "to"), WAYS, indirect=["place"])
def test_moved_to_another_kind_of_directory(place: Place, to: str) -> None:
    other = in_kind(place.cluster, place.world, to)
    place.files.put("sub/file", CONTENT)
    crossing = place.kind != to and "zone" in (place.kind, to)
    for name in ("sub/file", "sub"):
        answer = place.files.call(
            "PUT", "/f/name", 409 if crossing else 201, path=place.at(name),
            destination=other.at("moved" if name == "sub" else "moved-file"))
        if crossing:
            assert errors_of(answer).endswith(
                "HDFS moves nothing into or out of an encryption zone; copy it instead")
    if crossing:
        assert place.held(place.at("sub/file")) == CONTENT
        assert other.all_names() == []
    else:
        assert other.held(other.at("moved-file")) == CONTENT
        assert sorted(other.all_names()) == ["moved", "moved-file"]
        assert place.all_names() == []
        other.files.append("moved-file", b"more", 501 if (place.kind, to) == (
            "coded", "plain") else 201)


def test_what_is_removed_lies_in_the_trash_of_the_zone(place: Place) -> None:
    place.files.put("sub/file", CONTENT)
    place.files.put("file", b"few")
    trash = f"{place.path}/.Trash/alice" if place.kind == "zone" else "/user/alice/.Trash"
    for name in ("file", "sub"):
        place.files.call("DELETE", "/f/file", 204, path=place.at(name), skip_trash="false",
                         recursive="true")
    assert place.all_names() == []
    assert place.held(f"{trash}/Current{place.at('file')}") == b"few"
    assert place.held(f"{trash}/Current{place.at('sub/file')}") == CONTENT


def test_an_append_by_who_may_not_write_the_directory_stays_in_the_zone(zone: Place) -> None:
    zone.files.put("file", b"of alice", permission="666")
    before = zone.told("GETFILESTATUS", "/user/bob", "bob")
    zone.files.by("other").append("file", CONTENT)
    assert zone.held(zone.at("file")) == b"of alice" + CONTENT
    assert zone.told("GETFILESTATUS", "/user/bob", "bob") == before
    trash = zone.told("LISTSTATUS", f"{zone.path}/.Trash/bob", "bob")
    assert trash["FileStatuses"]["FileStatus"] == []


# --- the other dialects


def test_objects_are_put_read_joined_and_listed(place: Place) -> None:
    client, bucket = place.world.client(), place.kind
    here = {"Bucket": bucket, "Key": place.key("object")}
    told = client.put_object(**here, Body=CONTENT, Metadata={"made": "here"})
    assert told["ETag"] == f'"{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"'
    got = client.get_object(**here)
    assert (got["Body"].read(), got["Metadata"]) == (CONTENT, {"made": "here"})
    assert place.held(place.at("object")) == CONTENT
    piece = client.get_object(**here, Range="bytes=1048570-2097160")["Body"].read()
    assert piece == CONTENT[1048570:2097161]
    client.put_object(**here, Body=b"new")
    assert place.held(place.at("object")) == b"new"

    joined = {"Bucket": bucket, "Key": place.key("sub/joined")}
    parts = in_parts(client, joined)
    assert place.held(place.at("sub/joined")) == b"".join(parts)
    second = client.get_object(**joined, PartNumber=2)["Body"].read()
    assert second == parts[1]
    listed = client.list_objects_v2(Bucket=bucket, Prefix=place.key(""))["Contents"]
    assert [(one["Key"], one["Size"]) for one in listed] == [
        (here["Key"], 3), (joined["Key"], sum(map(len, parts)))]
    assert client.list_multipart_uploads(Bucket=bucket).get("Uploads") is None
    client.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": here["Key"]}, {"Key": joined["Key"]}]})
    assert place.all_names() == []


def in_parts(client: Any, where: dict[str, str]) -> list[bytes]:
    """Upload three parts, and return them."""
    parts = [os.urandom(5 << 20), os.urandom((5 << 20) + 1), b"last"]
    upload = {**where, "UploadId": client.create_multipart_upload(**where)["UploadId"]}
    etags = [client.upload_part(**upload, PartNumber=number, Body=part)["ETag"]
             for number, part in enumerate(parts, 1)]
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": [
        {"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]})
    return parts


@pytest.mark.parametrize(("place", "to"), WAYS, indirect=["place"])
def test_objects_are_copied_to_a_bucket_of_another_kind(place: Place, to: str) -> None:
    client, other = place.world.client(), in_kind(place.cluster, place.world, to)
    client.put_object(Bucket=place.kind, Key=place.key("from"), Body=CONTENT)
    client.copy_object(Bucket=to, Key=other.key("deep/copy"), CopySource={
        "Bucket": place.kind, "Key": place.key("from")})
    assert other.held(other.at("deep/copy")) == CONTENT == place.held(place.at("from"))


def test_a_stream_is_written_read_and_moved(place: Place) -> None:
    alluxio, path = Alluxio(place.world.gateway), place.at("streamed")
    stream_id = alluxio.act(path, "create-file").json
    assert on(alluxio, stream_id, "write", CONTENT).json == len(CONTENT)
    second = on(alluxio, stream_id, "write", b"more")
    if place.kind == "coded":
        assert (second.code, second.message) == (
            "UNIMPLEMENTED", "HDFS cannot do this with erasure-coded files")
    else:
        assert second.json == 4
    assert on(alluxio, stream_id, "close").status == 200
    whole = CONTENT if place.kind == "coded" else CONTENT + b"more"
    assert place.held(path) == whole
    assert alluxio.info(path)["length"] == len(whole)
    reading = alluxio.act(path, "open-file").json
    assert on(alluxio, reading, "read").body == whole
    to = home_of("plain" if place.kind == "zone" else "zone")
    refused = alluxio.act(path, "rename", dst=f"{to}/{fresh_name()}")
    assert refused.code == "FAILED_PRECONDITION"
    assert "encryption zone" in refused.message
    assert place.held(path) == whole


def test_an_object_of_aistore_is_put_read_and_renamed(place: Place) -> None:
    ais = AIStore(place.world.gateway)
    ais.put(place.kind, place.key("object"), CONTENT)
    assert ais.get(place.kind, place.key("object")) == place.held(place.at("object")) == CONTENT
    answer = ais.object("POST", place.kind, place.key("object"), {
        "action": "rename", "name": place.key("sub/renamed")})
    assert answer.status_code == 200, answer.text
    assert place.held(place.at("sub/renamed")) == CONTENT
    assert place.held(place.at("object")) is None


def test_webhdfs_says_what_the_namenode_says(place: Place) -> None:
    hdfs, path = Client(place.world.gateway.url), place.at("file")
    hdfs.create(path, CONTENT)
    assert hdfs.read(path) == place.held(path) == CONTENT
    for what in (path, place.files.directory, place.path):
        for operation in ("GETFILESTATUS", "LISTSTATUS", "GETTRASHROOT"):
            assert hdfs.ask("GET", what, operation).json == place.told(operation, what)
    assert hdfs.ask("GET", path, "GETFILECHECKSUM").json == place.told("GETFILECHECKSUM", path)
    cut = hdfs.ask("POST", path, "TRUNCATE", newlength="1000000")
    if place.kind == "coded":
        assert cut.told == (400, "UnsupportedOperationException")
        assert place.held(path) == CONTENT
    else:
        wait_for("the cut file", lambda: place.held(path) == CONTENT[:1000000])
    to = home_of("plain" if place.kind == "zone" else "zone")
    refused = hdfs.ask("PUT", path, "RENAME", destination=f"{to}/{fresh_name()}")
    assert refused.told == (403, "IOException")
    assert "an encryption zone" in refused.message


# --- the key server


def test_without_its_keys_a_zone_is_unavailable_and_keeps_what_it_has(zone: Place) -> None:
    zone.files.put("file", CONTENT)
    zone.cluster.kill_kms()
    try:
        zone.files.get("file", 503)
        zone.files.put("file", b"new", 503, overwrite="true")
        zone.files.put("other", b"new", 503)
        assert zone.files.status("file")["length"] == len(CONTENT)
    finally:
        zone.cluster.start_kms()
    wait_for("the key again", lambda: zone.world.gateway.request(
        "GET", "/f/file/content", params={"path": zone.at("file")}).content == CONTENT)
    wait_for("nothing hidden", lambda: zone.all_names() == ["file"])
