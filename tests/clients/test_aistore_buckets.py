"""The rows of AIStore's documentation on buckets, by the clients that are generated of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.clients.aistore.client import Ais, Seen
    from tests.clients.aistore.place import AisPlace

NAMES = ["o1", "o2", "o3"]


@pytest.fixture
def bucket(ais: Ais, ais_bucket: str) -> str:
    """Return a bucket that holds the objects o1, o2 and o3, each as many bytes as its number."""
    for name in NAMES:
        ais.object.put(ais_bucket, name, body="v" * int(name[1:]))
    return ais_bucket


def test_get_bucket_names(ais: Ais, ais_bucket: str) -> None:
    names = ais.bucket.list_names()
    assert ais_bucket in (names.local if ais.year == 2020 else names.ais)
    assert names.cloud == []
    provider = {"bprovider": "local"} if ais.year == 2020 else {"provider": "ais"}
    here = ais.bucket.seen("list_names", **provider).json
    assert ais_bucket in here["ais"]
    assert here["cloud"] == []
    elsewhere = {"bprovider": "cloud"} if ais.year == 2020 else {"provider": "cloud"}
    assert ais.bucket.seen("list_names", **elsewhere).json["ais"] == []


def listing(ais: Ais, bucket: str, **properties: Any) -> Any:
    """Return a listing's answer, asked for until the task that makes it is done."""
    def asked(**more: Any) -> Seen:
        wanted = ais.models.ObjectPropertiesRequestParams(**properties, **more)
        return ais.bucket.seen(
            "perform_operation", bucket, ais.message("LISTOBJECTS", value=wanted))

    first = asked()
    if first.status == 200:
        return first.json

    def done() -> Any:
        answer = asked(taskid=first.text)
        return answer.json if answer.status == 200 else None

    return wait_for("the listing", done)


def test_list_objects_in_bucket(ais: Ais, bucket: str) -> None:
    params = ais.models.ObjectPropertiesRequestParams
    # As the documentation has it; the client cannot show what is answered.
    ais.bucket.perform_operation(bucket, ais.message("LISTOBJECTS", value=params(props="size")))
    entries = listing(ais, bucket, props="size")["entries"]
    assert [(entry["name"], entry["size"]) for entry in entries] == [
        ("o1", "1"), ("o2", "2"), ("o3", "3")]


def test_list_objects_by_pages_and_prefix(ais: Ais, bucket: str) -> None:
    ais.object.put(bucket, "other", body="x")
    assert [one["name"] for one in listing(ais, bucket, prefix="oth")["entries"]] == ["other"]
    marker = "pagemarker" if ais.year == 2020 else "continuation_token"
    first = listing(ais, bucket, pagesize="2")
    assert [one["name"] for one in first["entries"]] == ["o1", "o2"]
    assert first[marker] == "o2"
    second = listing(ais, bucket, pagesize="2", pagemarker=first[marker])
    assert [one["name"] for one in second["entries"]] == ["o3", "other"]


def test_a_bucket_is_created_once_and_destroyed_with_its_objects(
    ais: Ais, ais_place: AisPlace,
) -> None:
    name = f"created-{ais.year}"
    create, destroy = ais.message("CREATELB"), ais.message("DESTROYLB")
    ais.bucket.perform_operation(name, create)
    assert ais.status_of(ais.bucket.perform_operation_with_http_info, name, create) == 409
    assert ais.status_of(ais.bucket.perform_operation_with_http_info, "bad!name", create) == 400
    ais.object.put(name, "o1", body="v")
    assert ais_place.stored(f"/{name}/o1") == b"v"
    assert ais.bucket.delete(name, destroy) is None
    assert ais_place.stored(f"/{name}/o1") is None
    assert ais.status_of(ais.bucket.delete_with_http_info, name, destroy) == 404


def test_rename_bucket(ais: Ais, ais_place: AisPlace, bucket: str) -> None:
    new = f"renamed-{ais.year}"
    ais.bucket.perform_operation(bucket, ais.message("RENAMELB", name=new))
    wait_for("the renamed bucket", lambda: ais_place.stored(f"/{new}/o3") == b"vvv")
    assert ais.status_of(ais.bucket.get_properties_with_http_info, bucket) == 404
    ais.bucket.delete(new, ais.message("DESTROYLB"))


def test_set_and_get_bucket_properties(ais: Ais, bucket: str) -> None:
    cksum = ais.models.BucketPropsCksum(type="none")
    value = (ais.models.BucketProps(cksum=cksum) if ais.year == 2020
             else ais.models.BucketProps(checksum=cksum))
    assert ais.bucket.set_properties(bucket, ais.message("SETPROPS", value=value)) is None
    properties = ais.bucket.get_properties_with_http_info(bucket)[2]
    assert (properties["Cksum.type"], properties["Checksum.type"]) == ("none", "none")
    assert (properties["Cloud_provider"], properties["Provider"]) == ("ais", "ais")
    ais.object.put(bucket, "unsummed", body="x")
    told = ais.object.get_properties_with_http_info(bucket, "unsummed")[2]
    assert told.get("Checksum.type") != "xxhash"


def cached(ais: Ais, bucket: str, names: Iterable[str] = NAMES) -> list[str]:
    """Return those of the objects that are in the cache."""
    return [name for name in names if ais.status_of(
        ais.object.get_properties_with_http_info, bucket, name, check_cached=True) == 200]


def test_prefetch_and_evict_a_list(ais: Ais, ais_place: AisPlace, bucket: str) -> None:
    ais.bucket.perform_operation(bucket, ais.message(
        "PREFETCH", value=ais.listed("o1", "o2", "missing")))
    wait_for("o1 and o2 in the cache", lambda: cached(ais, bucket) == ["o1", "o2"])
    assert ais.bucket.delete(bucket, ais.message(
        "EVICTOBJECTS", value=ais.listed("o1"))) is None
    wait_for("o1 out of the cache", lambda: cached(ais, bucket) == ["o2"])
    assert [ais_place.stored(f"/{bucket}/{name}") for name in NAMES] == [b"v", b"vv", b"vvv"]


def test_prefetch_and_evict_a_range(ais: Ais, ais_place: AisPlace, bucket: str) -> None:
    ais.bucket.perform_operation(bucket, ais.message("PREFETCH", value=ais.ranged("o", 1, 9)))
    wait_for("all in the cache", lambda: cached(ais, bucket) == NAMES)
    ais.bucket.delete(bucket, ais.message("EVICTOBJECTS", value=ais.ranged("o", 2, 3)))
    wait_for("o1 alone in the cache", lambda: cached(ais, bucket) == ["o1"])
    assert ais_place.stored(f"/{bucket}/o3") == b"vvv"


def test_evict_bucket(ais: Ais, ais_place: AisPlace, bucket: str) -> None:
    ais.bucket.perform_operation(bucket, ais.message("PREFETCH", value=ais.listed(*NAMES)))
    wait_for("all in the cache", lambda: cached(ais, bucket) == NAMES)
    assert ais.bucket.delete(bucket, ais.message("EVICTCB")) is None
    wait_for("none in the cache", lambda: cached(ais, bucket) == [])
    assert [ais_place.stored(f"/{bucket}/{name}") for name in NAMES] == [b"v", b"vv", b"vvv"]


def here(ais_place: AisPlace, bucket: str, names: Iterable[str] = NAMES) -> list[str]:
    """Return those of the objects that HDFS holds."""
    return [name for name in names if ais_place.stored(f"/{bucket}/{name}") is not None]


def test_delete_a_list(ais: Ais, ais_place: AisPlace, bucket: str) -> None:
    assert ais.bucket.delete(bucket, ais.message("DELETE", value=ais.listed("o1", "o3"))) is None
    wait_for("o2 alone", lambda: here(ais_place, bucket) == ["o2"])
    empty = ais.message("DELETE", value=ais.listed())
    assert ais.status_of(ais.bucket.delete_with_http_info, bucket, empty) == 400
    nothing = ais.message("DELETE")
    assert ais.status_of(ais.bucket.delete_with_http_info, bucket, nothing) == 400
    assert here(ais_place, bucket) == ["o2"]


def test_delete_a_range(ais: Ais, ais_place: AisPlace, bucket: str) -> None:
    ais.object.put(bucket, "o12", body="x")
    assert ais.bucket.delete(bucket, ais.message("DELETE", value=ais.ranged("o", 2, 9))) is None
    wait_for("o1 and o12", lambda: here(ais_place, bucket, [*NAMES, "o12"]) == ["o1", "o12"])


@pytest.mark.parametrize("template", ["__tst/test-{1000..2000}", "__tst/test-{1000.2000}"])
def test_delete_a_range_as_the_documentation_writes_it(
    ais: Ais, ais_place: AisPlace, ais_bucket: str, template: str,
) -> None:
    names = ["__tst/test-1000", "__tst/test-2000", "__tst/test-2001"]
    for name in names:
        ais.object.put(ais_bucket, name, body="v")
    if ais.year == 2020:
        # A prefix alone passes the generated model only when that does not look at it.
        blind = ais.package.Configuration()
        blind.client_side_validation = False
        value = ais.models.RangeParameters(prefix=template, local_vars_configuration=blind)
    else:
        value = ais.models.RangeParameters(template=template)
    ais.bucket.delete(ais_bucket, ais.message("DELETE", value=value))
    wait_for("what is beyond the range", lambda: here(ais_place, ais_bucket, names) == names[2:])


def test_a_delete_that_waits_is_done_when_it_answers(
    ais: Ais, ais_place: AisPlace, bucket: str,
) -> None:
    if ais.year == 2020:
        value = ais.models.ListParameters(objnames=NAMES, wait=True, deadline="1m")
    else:
        value = {"objnames": NAMES, "wait": True, "deadline": "1m"}
    ais.bucket.delete(bucket, ais.message("DELETE", value=value))
    assert here(ais_place, bucket) == []
