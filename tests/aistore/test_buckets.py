"""Buckets over HTTP: names, create, destroy, rename, properties, in the words of both years."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.aistore.conftest import ROOT, AIStore, error_of, furnished, users, world_in
from tests.gateway import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gateway import Gateway

HEADERS = {
    "Aattrs": str(2**64 - 1), "Access": str(2**64 - 1), "Cksum.type": "xxhash",
    "Checksum.type": "xxhash", "Cksum.validate_cold_get": "true", "Cloud_provider": "ais",
    "Provider": "ais", "Versioning.enabled": "false", "Lru.enabled": "false",
    "Mirror.enabled": "false", "Ec.enabled": "false", "Ec.batch_size": "64", "Md_write": "",
    "Backend_bck.name": "", "Lru.dont_evict_time": "120m",
}


def names(ais: AIStore, **query: str) -> dict[str, list[str]]:
    """Return the names of the buckets."""
    answer = ais.call("GET", "buckets/*", **query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    told: dict[str, list[str]] = answer.json()
    return told


def done(answer: Any) -> None:
    """Check that an operation succeeded and had nothing to say."""
    assert (answer.status_code, answer.content) == (200, b""), answer.text


def test_buckets_are_made_listed_and_destroyed(everywhere: AIStore) -> None:
    ais = everywhere
    assert names(ais) == {"ais": ["bck"], "local": ["bck"], "cloud": []}
    for bucket, action in (("one", "createlb"), ("Two_2.x", "create_bck")):
        done(ais.bucket("POST", bucket, {"action": action}))
    assert names(ais)["ais"] == ["Two_2.x", "bck", "one"]
    ais.put("one", "dir/obj")
    for bucket, action in (("one", "destroylb"), ("Two_2.x", "destroy_bck")):
        done(ais.bucket("DELETE", bucket, {"action": action}))
    assert names(ais)["ais"] == ["bck"]
    missing = ais.bucket("DELETE", "one", {"action": "destroylb"})
    assert error_of(missing, 404).endswith("bucket ais://one does not exist")


def test_a_bucket_is_the_same_for_files_and_s3(ais: AIStore) -> None:
    done(ais.bucket("POST", "Shared_1", {"action": "createlb"}))
    ais.put("Shared_1", "dir/obj", b"words")
    told = ais.gateway.request("GET", "/f/file/content",
                              params={"path": f"{ROOT}/Shared_1/dir/obj"})
    assert told.content == b"words"
    ais.gateway.request("PUT", "/f/directory", params={"path": f"{ROOT}/by-hand"})
    assert names(ais)["ais"] == ["Shared_1", "bck", "by-hand"]


def test_names_by_where_buckets_are_from(ais: AIStore) -> None:
    nothing: dict[str, list[str]] = {"ais": [], "local": [], "cloud": []}
    for query in ({"provider": "cloud"}, {"bprovider": "cloud"}, {"provider": "aws"},
                  {"cloud_provider": "gcp"}):
        assert names(ais, **query) == nothing
    for query in ({"provider": "ais"}, {"bprovider": "local"}, {"bprovider": "none"},
                  {"loc": "true"}):
        assert names(ais, **query)["local"] == ["bck"]
    for method, path, message in (
            ("GET", "buckets/*", None), ("HEAD", "buckets/bck", None),
            ("POST", "buckets/new", {"action": "createlb"}),
            ("DELETE", "buckets/bck", {"action": "destroylb"})):
        answer = ais.call(method, path, message, provider="elsewhere")
        assert error_of(answer, 400).startswith('invalid cloud provider "elsewhere"')
    assert names(ais)["ais"] == ["bck"]


def test_urls_as_clients_write_them(ais: AIStore) -> None:
    for path in ("/buckets/*", "buckets/*/", "buckets/%2A"):
        assert ais.call("GET", path).json()["ais"] == ["bck"]
    for path in ("buckets", "buckets/"):
        assert error_of(ais.call("GET", path), 400).startswith(
            "path is too short: got 2 items, but expected 3")
    assert error_of(ais.call("GET", "buckets/bck"), 400) == "invalid request"
    done(ais.call("HEAD", "buckets/bck/"))


def test_what_makes_no_bucket(ais: AIStore) -> None:
    again = ais.bucket("POST", "bck", {"action": "createlb"})
    assert error_of(again, 409).endswith("bucket ais://bck already exists")
    for name in ("bad%21name", "a%20b", "%C3%BC", ".", "..", "a:b", ".httpfs-proxy-x", "*",
                 "x" * 256, "a%2Fb"):
        answer = ais.bucket("POST", name, {"action": "create_bck"})
        assert "may only contain letters, numbers" in error_of(answer, 400), name
    shown = error_of(ais.bucket("POST", "bad%21name", {"action": "createlb"}), 400)
    assert shown == ('bucket name "bad!name" is invalid: may only contain letters, numbers,'
                     " dashes (-), underscores (_), and dots (.)")
    answer = ais.bucket("POST", "bck", {"action": "frobnicate"})
    assert error_of(answer, 400) == "unexpected action message <- JSON [{frobnicate  <nil>}]"
    for method in ("POST", "DELETE", "PUT", "PATCH"):
        error_of(ais.bucket(method, "bck"), 400)
    assert names(ais)["ais"] == ["bck"]


def test_nobody_changes_buckets_who_may_not(ais: AIStore) -> None:
    ais.put("bck", "obj")
    changes: list[tuple[str, dict[str, Any]]] = [
        ("DELETE", {"action": "destroylb"}), ("POST", {"action": "renamelb", "name": "new"}),
        ("POST", {"action": "copybck", "name": "new"}),
        ("PATCH", {"action": "setprops", "value": {"checksum": {"type": "md5"}}}),
        ("PATCH", {"action": "resetprops"}), ("POST", {"action": "createlb"}),
        ("DELETE", {"action": "delete", "value": {"objnames": ["obj"]}}),
    ]
    for user in ("reader", "guest"):
        for method, message in changes:
            bucket = "third" if message["action"] == "createlb" else "bck"
            answer = ais.as_user(user).bucket(method, bucket, message)
            if (user, message["action"]) == ("guest", "delete"):
                continue  # the job finds out; see test_batches
            assert answer.status_code == 403, (user, message, answer.text)
    for method, message in changes:
        assert ais.as_user(None).bucket(method, "bck", message).status_code == 401
    assert names(ais)["ais"] == ["bck"]
    assert ais.get("bck", "obj") == b"content"


def test_a_bucket_gets_another_name(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "dir/obj", b"words")
    done(ais.bucket("PATCH", "bck", {"action": "setbprops", "value": {"checksum": {
        "type": "md5"}}}))
    done(ais.bucket("POST", "bck", {"action": "renamelb", "name": "new"}))
    assert ais.get("new", "dir/obj") == b"words"
    done(ais.call("POST", "buckets/new?bto=ais/%40%23/third", {"action": "move_bck"}))
    assert names(ais)["ais"] == ["third"]
    assert ais.get("third", "dir/obj") == b"words"
    assert ais.bucket("HEAD", "third").headers["Checksum.type"] == "md5"
    done(ais.bucket("POST", "bck", {"action": "createlb"}))
    for bucket, name, status in (("bck", "third", 409), ("none", "x", 404), ("bck", "", 400),
                                 ("bck", "a/b", 400), ("bck", "a:b", 400), ("bck", "bck", 409)):
        answer = ais.bucket("POST", bucket, {"action": "renamelb", "name": name})
        error_of(answer, status)
    assert ais.get("third", "dir/obj") == b"words"


def test_a_destroyed_bucket_is_in_the_trash(everywhere: AIStore) -> None:
    ais, name = everywhere, f"binned-{uuid.uuid4().hex}"
    done(ais.bucket("POST", name, {"action": "createlb"}))
    ais.put(name, "obj", b"words")
    done(ais.bucket("DELETE", name, {"action": "destroylb"}))
    path = f"/user/alice/.Trash/Current{ROOT}/{name}/obj"
    got = ais.gateway.request("GET", "/f/file/content", params={"path": path})
    assert got.content == b"words"


def test_a_bucket_with_snapshots_stays(everywhere: AIStore) -> None:
    ais, path = everywhere, {"path": f"{ROOT}/snapped"}
    done(ais.bucket("POST", "snapped", {"action": "createlb"}))
    ais.put("snapped", "obj", b"words")
    ais.gateway.request(
        "PUT", "/f/snapshot", user="admin", params={**path, "allowed": "true"})
    made = ais.gateway.request("POST", "/f/snapshot", params={**path, "name": "s1"})
    assert made.status_code == 201, made.text
    try:
        for method, message in (("DELETE", {"action": "destroylb"}),
                                ("POST", {"action": "renamelb", "name": "other"})):
            assert "snapshots" in error_of(ais.bucket(method, "snapped", message), 409)
        assert ais.get("snapped", "obj") == b"words"
    finally:
        ais.gateway.request("DELETE", "/f/snapshot", params={**path, "name": "s1"})
    done(ais.bucket("DELETE", "snapped", {"action": "destroylb"}))


# --- properties


def test_the_properties_have_the_names_of_both_years(everywhere: AIStore) -> None:
    answer = everywhere.bucket("HEAD", "bck")
    done(answer)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert int(answer.headers["Bid"]) >> 63 == 1
    assert int(answer.headers["Created"]) > 10**18
    told = json.loads(answer.headers["Bucket_props"])
    assert (told["checksum"]["type"], told["access"]) == ("xxhash", str(2**64 - 1))
    assert error_of(everywhere.bucket("HEAD", "none"), 404).endswith(
        "bucket ais://none does not exist")


def test_properties_are_kept_and_mean_what_they_say(everywhere: AIStore) -> None:
    ais = everywhere
    for method, message, kind in (
            ("PUT", {"action": "setprops", "value": {"cksum": {"type": "sha256"}}}, "sha256"),
            ("PATCH", {"action": "setbprops", "value": {"checksum": {"type": "md5"}}}, "md5"),
            ("PATCH", {"action": "setprops", "value": {"checksum.type": "none"}}, "none"),
            ("PUT", {"action": "setbprops", "value": {"checksum": {"type": "crc32c"}}}, "crc32c"),
            ("PUT", {"action": "setprops", "value": {"cloud_provider": "ais", "cksum": {
                "checksum": "inherit"}}}, "xxhash"),
            ("PATCH", {"action": "setbprops", "value": {"checksum": {"type": "sha512"}}},
             "sha512"),
            ("PATCH", {"action": "resetbprops"}, "xxhash")):
        done(ais.bucket(method, "bck", message))
        told = ais.bucket("HEAD", "bck").headers
        assert (told["Cksum.type"], told["Checksum.type"]) == (kind, kind)
        ais.put("bck", "obj", b"words")
        said = ais.object("HEAD", "bck", "obj").headers.get("Checksum.type", "none")
        assert said == ("md5" if kind == "none" else kind)
    error_of(ais.bucket("PATCH", "none", {"action": "resetprops"}), 404)


def test_what_cannot_be_otherwise_is_refused_not_swallowed(ais: AIStore) -> None:
    refused: list[Any] = [
        {"versioning": {"enabled": True}}, {"mirror": {"enabled": True}}, {"ec": {"enabled": True}},
        {"checksum": {"type": "rot13"}}, {"checksum": {"validate_warm_get": True}},
        {"next_tier_url": "http://x"}, {"lru": {"lowwm": 3}}, {"provider": "aws"},
        {"access": "all"}, {"access": -1}, {"access": 2**64}, {"checksum": {"type": {"a": 1}}},
        {"backend_bck": {"name": "other"}}, {"bid": "1"}, {}, None,
    ]
    for value in refused:
        answer = ais.bucket("PATCH", "bck", {"action": "setbprops", "value": {
            "checksum": {"type": "md5"}, **value} if value else value})
        error_of(answer, 400)
    for value in ("words", ["a"], 3):
        error_of(ais.bucket("PUT", "bck", {"action": "setprops", "value": value}), 400)
    assert ais.bucket("HEAD", "bck").headers["Checksum.type"] == "xxhash"
    done(ais.bucket("PATCH", "bck", {"action": "setbprops", "value": {
        "versioning": {"enabled": False}, "mirror": {"enabled": False}, "provider": "ais",
        "lru": {"lowwm": 75}, "checksum": {"validate_warm_get": "false"}}}))


def test_a_read_only_bucket_is_only_read(ais: AIStore) -> None:
    ais.put("bck", "obj")
    read_only = 1 | 2 | 1 << 8 | 1 << 9
    done(ais.bucket("PATCH", "bck", {"action": "setbprops", "value": {"access": str(read_only)}}))
    assert ais.bucket("HEAD", "bck").headers["Aattrs"] == str(read_only)
    for method, message in (
            ("DELETE", {"action": "destroylb"}),
            ("POST", {"action": "renamelb", "name": "new"}),
            ("DELETE", {"action": "delete", "value": {"objnames": ["obj"]}})):
        assert "access" in error_of(ais.bucket(method, "bck", message), 403)
    error_of(ais.object("PUT", "bck", "obj", data=b"x"), 403)
    error_of(ais.object("DELETE", "bck", "obj"), 403)
    assert ais.get("bck", "obj") == b"content"
    assert ais.bucket("POST", "bck", {"action": "listobj"}).status_code == 200
    done(ais.bucket("PATCH", "bck", {"action": "setbprops", "value": {"aattrs": 1}}))
    error_of(ais.bucket("POST", "bck", {"action": "listobj"}), 403)
    error_of(ais.bucket("POST", "bck", {"action": "listobjects"}), 403)
    error_of(ais.bucket("POST", "bck", {"action": "summarybck"}), 403)
    done(ais.bucket("PUT", "bck", {"action": "resetprops"}))
    done(ais.bucket("DELETE", "bck", {"action": "destroylb"}))


def test_a_new_bucket_may_come_with_properties(ais: AIStore) -> None:
    done(ais.bucket("POST", "new", {"action": "create_bck", "value": {"checksum": {
        "type": "sha256"}}}))
    assert ais.bucket("HEAD", "new").headers["Checksum.type"] == "sha256"
    error_of(ais.bucket("POST", "bad", {"action": "create_bck", "value": {"ec": {
        "enabled": True}}}), 400)
    assert names(ais)["ais"] == ["bck", "new"]


# --- who lives where


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway where `someone`'s bucket `house` holds the root of another user."""
    known = users()
    known["tenant"] = {"hadoop_user": "alice", "root": f"{ROOT}/house/flat",
                       "bucket_root": "/rooms"}
    directory: Path = tmp_path_factory.mktemp("rooms")
    yield from world_in(directory, users=known)


def test_nobody_loses_their_room_with_a_bucket(rooms: Gateway) -> None:
    ais = furnished(rooms, "house")
    ais.put("house", "flat/rooms/kitchen/table", b"words")
    tenant = ais.as_user("tenant")
    assert names(tenant)["ais"] == ["kitchen"]
    for method, message in (("DELETE", {"action": "destroylb"}),
                            ("POST", {"action": "renamelb", "name": "hut"})):
        assert "a user's root" in error_of(ais.bucket(method, "house", message), 403)
    assert tenant.get("kitchen", "table") == b"words"
    done(tenant.bucket("POST", "kitchen", {"action": "renamelb", "name": "bath"}))
    done(tenant.bucket("DELETE", "bath", {"action": "destroylb"}))
    assert names(tenant)["ais"] == []
    assert names(ais)["ais"] == ["house"]
    told = rooms.request("GET", "/f/listing", user="tenant", params={"path": "/"})
    assert [one["pathSuffix"] for one in told.json()["result"]["statuses"]] == ["rooms"]
    assert PASSWORD not in told.text
