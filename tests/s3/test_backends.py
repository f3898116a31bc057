"""One tour of S3 over each backend: what the others show of one is true of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BACKENDS, backend_options
from tests.s3.conftest import refusal, world_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.s3.conftest import World

SIZES = (5 << 20, 5 << 20, 1234)
KEYS = ["a-b", "a/b", "a/b.c/d", "a0", "co:lon//x", "emoji-\N{SNAKE}", "z/marker/", "ü"]


@pytest.fixture(scope="module", params=BACKENDS)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    directory = tmp_path_factory.mktemp(f"s3-{request.param}")
    yield from world_in(directory, **backend_options(request, request.param))


@pytest.fixture
def client(world: World) -> Any:
    made = world.client()
    made.create_bucket(Bucket="tour")
    return made


def test_objects(client: Any) -> None:
    for key in KEYS:
        body = b"" if key.endswith("/") else key.encode()
        client.put_object(Bucket="tour", Key=key, Body=body, Metadata={"k": "v"}, Tagging="t=1")
        told = client.get_object(Bucket="tour", Key=key, ChecksumMode="ENABLED")
        assert (told["Body"].read(), told["Metadata"], told["TagCount"]) == (body, {"k": "v"}, 1)
    page = client.list_objects_v2(Bucket="tour")
    assert [one["Key"] for one in page["Contents"]] == sorted(KEYS, key=str.encode)
    etags = {one["Key"]: one["ETag"] for one in page["Contents"]}
    page = client.list_objects_v2(Bucket="tour", Delimiter="/", StartAfter="a-b")
    assert [one["Prefix"] for one in page["CommonPrefixes"]] == ["a/", "co:lon/", "z/"]
    client.put_object_tagging(Bucket="tour", Key="a0", Tagging={"TagSet": []})
    client.copy_object(Bucket="tour", Key="copied", CopySource={"Bucket": "tour", "Key": "a/b"})
    head = client.head_object(Bucket="tour", Key="copied")
    assert (head["ETag"], head["Metadata"]) == (etags["a/b"], {"k": "v"})
    assert client.head_object(Bucket="tour", Key="a0", IfMatch=etags["a0"])["ContentLength"] == 2
    assert refusal(client.put_object, Bucket="tour", Key="a0", Body=b"", IfNoneMatch="*") == (
        412, "PreconditionFailed")
    assert refusal(client.delete_bucket, Bucket="tour") == (409, "BucketNotEmpty")
    client.delete_objects(Bucket="tour", Delete={"Objects": [
        {"Key": key} for key in (*KEYS, "copied")]})
    client.delete_bucket(Bucket="tour")


def test_a_multipart_upload(client: Any) -> None:
    where = {"Bucket": "tour", "Key": "joined/from parts"}
    upload = client.create_multipart_upload(**where)["UploadId"]
    pieces = [bytes([number]) * size for number, size in enumerate(SIZES)]
    parts = [{"PartNumber": number, "ETag": client.upload_part(
        **where, UploadId=upload, PartNumber=number, Body=piece)["ETag"]}
        for number, piece in enumerate(pieces, 1)]
    done = client.complete_multipart_upload(
        **where, UploadId=upload, MultipartUpload={"Parts": parts})
    told = client.get_object(**where)
    assert told["Body"].read() == b"".join(pieces)
    assert told["ETag"] == done["ETag"]
    assert client.get_object(**where, PartNumber=3)["Body"].read() == pieces[2]
    assert client.get_object(**where, Range=f"bytes={SIZES[0] - 1}-{SIZES[0]}")["Body"].read() == (
        b"\0\1")
    client.delete_object(**where)
    client.delete_bucket(Bucket="tour")
