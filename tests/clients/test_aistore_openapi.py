"""The client that a current openapi-generator makes of the gateway's own /openapi.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.aistore.loading import load
from tests.clients.aistore.place import ADMIN
from tests.clients.tools import generated
from tests.gateway import PASSWORD, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from tests.clients.aistore.place import AisPlace

VERSION, PACKAGE = "7.25.0", "httpfs_proxy_client"
BINARY = bytes(range(256)) * 1000


@pytest.fixture(scope="module")
def package(ais_place: AisPlace) -> ModuleType:
    description = ais_place.gateway.request("GET", "/openapi.json", user=None).content
    return load(generated("gateway", description, VERSION, PACKAGE), PACKAGE)


@pytest.fixture(scope="module")
def client(package: ModuleType, ais_place: AisPlace) -> Any:
    return package.ApiClient(package.Configuration(
        host=ais_place.gateway.url, username="someone", password=PASSWORD))


@pytest.fixture(scope="module")
def ais(package: ModuleType, client: Any) -> Any:
    return package.AistoreApi(client)


@pytest.fixture
def bucket(package: ModuleType, ais: Any) -> Iterator[str]:
    name = "by-openapi"
    ais.aistore_buckets_post(name, message(package, "AistoreBucketsPostRequest", "createlb"))
    yield name
    ais.aistore_buckets_delete(name, message(package, "AistoreBucketsDeleteRequest", "destroylb"))


def message(package: ModuleType, model: str, action: str, **more: Any) -> Any:
    return getattr(package, model)(action=action, **more)


def test_objects(package: ModuleType, ais: Any, ais_place: AisPlace, bucket: str) -> None:
    ais.aistore_objects_put(bucket, "dir/object ü", body=BINARY)
    assert ais_place.stored(f"/{bucket}/dir/object ü") == BINARY
    assert ais.aistore_objects_get(bucket, "dir/object ü") == BINARY
    assert ais.aistore_objects_get(bucket, "dir/object ü", offset=255, length=3) == b"\xff\0\1"
    told = ais.aistore_objects_head_with_http_info(bucket, "dir/object ü").headers
    assert told["Size"] == str(len(BINARY))
    ais.aistore_objects_post(bucket, "dir/object ü", message(
        package, "AistoreObjectsPostRequest", "rename", name="other"))
    assert ais_place.stored(f"/{bucket}/other") == BINARY
    ais.aistore_objects_delete(bucket, "other")
    with pytest.raises(package.exceptions.NotFoundException):
        ais.aistore_objects_get(bucket, "other")


def test_buckets(package: ModuleType, ais: Any, ais_place: AisPlace, bucket: str) -> None:
    assert bucket in ais.aistore_buckets_names_get().ais
    for name in ("o1", "o2", "o3"):
        ais.aistore_objects_put(bucket, name, body=name.encode())
    found = ais.aistore_buckets_post(bucket, message(
        package, "AistoreBucketsPostRequest", "listobj", value={"props": "size", "pagesize": 2}))
    assert [entry["name"] for entry in found["entries"]] == ["o1", "o2"]
    assert ais.aistore_buckets_head_with_http_info(bucket).headers["Provider"] == "ais"
    ais.aistore_buckets_delete(bucket, message(
        package, "AistoreBucketsDeleteRequest", "delete", value={"template": "o{2..9}"}))
    wait_for("o1 alone", lambda: [ais_place.stored(f"/{bucket}/o{number}") for number in (1, 2, 3)]
             == [b"o1", None, None])


def test_the_other_dialects_operations(package: ModuleType, client: Any) -> None:
    assert package.AdminApi(client).admin_me().result.user["name"] == "someone"
    files = package.FilesApi(client)
    assert files.files_home_directory().result.path == "/user/alice"
    statuses = files.files_listing("/user/alice").result.statuses
    assert "ais-clients" in [one.path_suffix for one in statuses]
    files.files_put_content("/user/alice/by-openapi", body=BINARY, overwrite="true")
    assert files.files_get_content("/user/alice/by-openapi") == BINARY


def test_the_cluster(package: ModuleType, ais: Any, ais_place: AisPlace) -> None:
    admin = package.AistoreApi(package.ApiClient(package.Configuration(
        host=ais_place.gateway.url, username=ADMIN, password=PASSWORD)))
    smap = admin.aistore_daemon_get("smap")
    assert smap["proxy_si"]["public_net"]["direct_url"] == ais_place.gateway.url
    changed = message(
        package, "AistoreClusterPutRequest", "setconfig", name="stats_time", value="1s")
    admin.aistore_cluster_put(changed)
    admin.aistore_cluster_setconfig_put(stats_time="2s")
    wait_for("the setting", lambda: admin.aistore_daemon_get("config")["periodic"][
        "stats_time"] == "2s")
    with pytest.raises(package.exceptions.ForbiddenException):
        ais.aistore_cluster_put(changed)


def test_jobs(package: ModuleType, ais: Any, ais_place: AisPlace, bucket: str) -> None:
    ais.aistore_objects_put(bucket, "o1", body=b"1")
    job = ais.aistore_buckets_post(bucket, message(
        package, "AistoreBucketsPostRequest", "prefetch", value={"objnames": ["o1"]}))
    assert job

    def is_cached() -> bool:
        try:
            ais.aistore_objects_head(bucket, "o1", check_cached=True)
        except package.exceptions.NotFoundException:
            return False
        return True

    wait_for("the object in the cache", is_cached)
    started = ais.aistore_download_single_post(package.AistoreDownloadSinglePostRequest(
        bucket=bucket, link=f"http://127.0.0.1:{ais_place.source_port}/nothing-listens-here"))
    assert started["id"] in ais.aistore_download_get()
    assert ais.aistore_sort_get() is not None
