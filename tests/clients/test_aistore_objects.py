"""The rows of AIStore's documentation on objects, by the clients that are generated of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from xxhash import xxh64_hexdigest

from tests.gateway import wait_for

if TYPE_CHECKING:
    from tests.clients.aistore.client import Ais
    from tests.clients.aistore.place import AisPlace

CONTENT = "object content here"
BINARY = hashlib.shake_256(b"binary").digest(3 << 20)


@pytest.fixture
def bucket(ais: Ais, ais_bucket: str) -> str:
    """Return a bucket that holds `myobject`."""
    ais.object.put(ais_bucket, "myobject", body=CONTENT)
    return ais_bucket


def test_put_object(ais: Ais, ais_place: AisPlace, ais_bucket: str) -> None:
    assert ais.object.put(ais_bucket, "myobject", body=CONTENT) is None
    assert ais_place.stored(f"/{ais_bucket}/myobject") == CONTENT.encode()
    ais.object.put(ais_bucket, "dir1/CCCCCCC", body=BINARY)
    assert ais_place.stored(f"/{ais_bucket}/dir1/CCCCCCC") == BINARY
    assert ais.status_of(ais.object.put_with_http_info, "nobucket", "o", body="x") == 404
    assert ais_place.stored("/nobucket/o") is None


def test_get_object(ais: Ais, bucket: str) -> None:
    assert ais.object.get(bucket, "myobject") == CONTENT
    with pytest.raises(ais.error) as missing:
        ais.object.get(bucket, "nope")
    assert missing.value.status == 404


def test_get_binary_content(ais: Ais, bucket: str) -> None:
    ais.object.put(bucket, "dir1/CCCCCCC", body=BINARY)
    # On Python 3 the client takes every content for text, with AIStore too.
    with pytest.raises(UnicodeDecodeError):
        ais.object.get(bucket, "dir1/CCCCCCC")
    assert ais.object.seen("get", bucket, "dir1/CCCCCCC").body == BINARY


def test_read_range(ais: Ais, bucket: str) -> None:
    assert ais.object.get(bucket, "myobject", offset=7, length=7) == "content"
    assert ais.object.get(bucket, "myobject", offset=700, length=7) == ""


def test_rename_object(ais: Ais, ais_place: AisPlace, bucket: str) -> None:
    ais.object.put(bucket, "dir1/CCCCCCC", body="moved")
    assert ais.object.perform_operation(bucket, "dir1/CCCCCCC", input_parameters=ais.message(
        "RENAME", "dir2/DDDDDDD")) is None
    assert ais.object.get(bucket, "dir2/DDDDDDD") == "moved"
    assert ais_place.stored(f"/{bucket}/dir1/CCCCCCC") is None
    assert ais.status_of(ais.object.perform_operation_with_http_info, bucket, "nope",
                         input_parameters=ais.message("RENAME", "x")) == 404


def test_delete_object(ais: Ais, ais_place: AisPlace, bucket: str) -> None:
    assert ais.object.delete(bucket, "myobject") is None
    assert ais_place.stored(f"/{bucket}/myobject") is None
    assert ais.status_of(ais.object.delete_with_http_info, bucket, "myobject") == 404


def test_object_properties(ais: Ais, bucket: str) -> None:
    properties = ais.object.get_properties_with_http_info(bucket, "myobject")[2]
    digest = xxh64_hexdigest(CONTENT.encode())
    # The names of 2020, and those of 2021.
    assert (properties["Objsize"], properties["Objcksumtype"], properties["Objcksumval"]) == (
        str(len(CONTENT)), "xxhash", digest)
    assert (properties["Size"], properties["Checksum.type"], properties["Checksum.value"]) == (
        str(len(CONTENT)), "xxhash", digest)
    assert ais.status_of(ais.object.get_properties_with_http_info, bucket, "nope") == 404


def test_evicted_and_cached_again(ais: Ais, ais_place: AisPlace, bucket: str) -> None:
    def cached() -> bool:
        return ais.status_of(ais.object.get_properties_with_http_info, bucket, "myobject",
                             check_cached=True) == 200

    assert not cached()
    with pytest.raises(ais.error):
        ais.object.get_properties_with_http_info(bucket, "myobject", check_cached=True)
    ais.object.get(bucket, "myobject")
    wait_for("the object in the cache", cached)
    assert ais.object.delete(
        bucket, "myobject", input_parameters=ais.message("EVICTOBJECTS")) is None
    assert not cached()
    assert ais_place.stored(f"/{bucket}/myobject") == CONTENT.encode()
    assert ais.object.get(bucket, "myobject") == CONTENT
