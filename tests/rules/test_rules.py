"""What users with path rules see, may and may not, beside what is simply closed."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.gateway import wait_for
from tests.rules.place import CLOSED, HOME, INSIDE, OPEN, OWNER, RULED, SECRET, USERS

if TYPE_CHECKING:
    import requests

    from tests.rules.place import Place

pytestmark = pytest.mark.gunicorn
S3 = "/api/v1/s3"
ALLUXIO = "/api/v1/paths"


def test_the_way_to_what_is_allowed_can_be_seen_and_nothing_beside_it(place: Place) -> None:
    assert place.names("ruled", "/") == ["user"]
    assert place.names("ruled", "/user") == [OWNER]
    assert place.names("ruled", HOME) == ["open"]
    assert "closed" not in place.names("denied", HOME)
    assert {"box", "library", "open"} <= set(place.names("denied", HOME))
    assert "closed" in place.names("free", HOME)


def test_what_is_denied_is_refused_whether_it_is_there_or_not(place: Place) -> None:
    there = place.by("denied", "GET", "/f/file/status", path=f"{CLOSED}/{INSIDE}")
    missing = place.by("denied", "GET", "/f/file/status", path=f"{CLOSED}/no{INSIDE}")
    assert (there.status_code, missing.status_code) == (403, 403)
    assert there.text.replace(INSIDE, "X") == missing.text.replace(f"no{INSIDE}", "X")


def test_a_file_on_the_way_is_as_if_it_were_not_there(place: Place) -> None:
    for path in (f"{HOME}/somewhere", f"{HOME}/open/nowhere"):
        assert place.by("ruled", "GET", "/f/file/status", path=path).status_code in (403, 404)
    place.put(f"{HOME}/loose", "x")
    assert place.by("ruled", "GET", "/f/file/status", path=f"{HOME}/loose").status_code == 403


def test_a_whole_tree_with_something_denied_in_it_stays(place: Place) -> None:
    before = place.by("free", "GET", "/f/archive", path=f"{OPEN}/mixed").content
    tree = f"{OPEN}/mixed"
    for user in RULED:
        asked = [
            place.by(user, "DELETE", "/f/file", path=tree, recursive="true"),
            place.by(user, "DELETE", "/f/file", path=tree, recursive="true",
                     **{"skip-trash": "false"}),
            place.by(user, "PUT", "/f/name", path=tree, destination=f"{OPEN}/moved"),
            place.by(user, "GET", "/f/file/summary", path=tree),
            place.by(user, "POST", "/f/snapshot", path=tree),
            place.request(user, "POST", f"{ALLUXIO}/{tree}/delete",
                          json={"recursive": True}),
        ]
        assert [answer.status_code for answer in asked] == [403, 403, 403, 403, 403, 500]
        assert not any(name in answer.text for answer in asked for name in ("locked", INSIDE))
    assert place.by("free", "GET", "/f/archive", path=tree).content == before


@pytest.mark.parametrize("user", RULED)
def test_a_whole_tree_without_is_as_ever(place: Place, user: str) -> None:
    for name in ("a", "b/c"):
        assert place.put(f"{OPEN}/whole/{name}", "x", user).status_code == 201
    moved = place.by(user, "PUT", "/f/name", path=f"{OPEN}/whole", destination=f"{OPEN}/other")
    assert moved.status_code == 201, moved.text
    summary = place.by(user, "GET", "/f/file/summary", path=f"{OPEN}/other")
    assert summary.status_code == 200
    gone = place.by(user, "DELETE", "/f/file", path=f"{OPEN}/other", recursive="true")
    assert gone.status_code == 204, gone.text


def test_archives_leave_out_what_is_denied(place: Place) -> None:
    archive = place.by("denied", "GET", "/f/archive", path=f"{OPEN}/mixed").content
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        names = tar.getnames()
    assert "mixed/plain" in names
    assert not any(name.endswith("locked") for name in names)


def test_snapshots_go_by_the_rules_of_what_they_are_of(place: Place) -> None:
    old = f"{HOME}/.snapshot/old"
    good = place.by("ruled", "GET", "/f/file/content", path=f"{old}/open/file")
    assert good.text == "open"
    assert place.names("ruled", old) == ["open"]
    for path in (f"{old}/closed/file", f"{old}/open/mixed/{INSIDE}/locked"):
        assert place.by("ruled", "GET", "/f/file/content", path=path).status_code == 403


def test_the_trash_goes_by_the_rules_of_what_it_has(place: Place) -> None:
    trash, moved = f"{HOME}/.Trash", f"{HOME}/emptied"
    removed = [f"{trash}/Current{CLOSED}/file", f"{trash}/Current{CLOSED}1700000000000/file"]
    for path in removed:
        place.put(path, SECRET)
        assert place.by("denied", "GET", "/f/file/content", path=path).status_code == 403
    for answer in (place.by("denied", "PUT", "/f/name", path=trash, destination=moved),
                   place.by("denied", "GET", "/f/file/summary", path=trash),
                   place.by("denied", "DELETE", "/f/file", path=trash, recursive="true")):
        assert answer.status_code == 403, answer.text
    for path in removed:
        assert place.by("free", "GET", "/f/file/content", path=path).text == SECRET
    gone = place.by("free", "DELETE", "/f/file", path=trash, recursive="true")
    assert gone.status_code == 204, gone.text


def test_what_moves_into_a_directory_is_judged_by_where_it_comes_to_lie(place: Place) -> None:
    source = f"{HOME}/box/drawer"
    place.put(f"{source}/letter", "x")
    for query in ({}, {"renameoptions": "NONE"}):
        into = OPEN if not query else f"{OPEN}/drawer"
        refused = place.by("nested", "PUT", f"/webhdfs/v1{source}", op="RENAME",
                           destination=into, **query)
        assert refused.status_code == 403, refused.text
    moved = place.by("nested", "PUT", f"/webhdfs/v1{source}", op="RENAME",
                     destination=f"{HOME}/library")
    assert moved.json() == {"boolean": True}
    place.by("free", "DELETE", "/f/file", path=f"{HOME}/library/drawer", recursive="true")


def test_reading_and_writing_are_two_things(place: Place) -> None:
    book, letter = f"{HOME}/library/book", f"{HOME}/box/letter"
    assert place.by("reading", "GET", "/f/file/content", path=book).text == "open"
    assert place.put(book, "x", "reading").status_code == 403
    assert place.by("reading", "DELETE", "/f/file", path=book).status_code == 403
    assert place.put(letter, "dropped", "dropping").status_code == 201
    assert place.by("dropping", "GET", "/f/file/content", path=letter).status_code == 403
    assert place.by("dropping", "GET", "/f/listing", path=f"{HOME}/box").status_code == 403
    stolen = place.by("dropping", "PUT", "/f/name", path=letter, destination=f"{HOME}/box/other")
    assert stolen.status_code == 403  # whoever moves a file could move it to where they may read
    assert place.by("free", "GET", "/f/file/content", path=letter).text == "dropped"


def test_nothing_hidden_and_nothing_by_number_can_be_named(place: Place) -> None:
    told = place.by("free", "GET", "/webhdfs/v1" + f"{CLOSED}/file", op="GETFILESTATUS")
    number = told.json()["FileStatus"]["fileId"]
    for path in (f"/.reserved/.inodes/{number}", f"/.reserved/raw{CLOSED}/file",
                 f"{OPEN}/.httpfs-proxy-0123456789abcdef"):
        for url in ("/f/file/status", "/f/file/content"):
            answer = place.by("denied", "GET", url, path=path)
            assert answer.status_code == 403, (path, answer.text)
            assert SECRET not in answer.text


def test_uploads_leave_nothing_behind_where_they_are_refused(place: Place) -> None:
    for path in (f"{OPEN}/locked", f"{OPEN}/fresh/locked", f"{CLOSED}/fresh/file"):
        assert place.put(path, "x", "denied").status_code == 403
    assert "fresh" not in place.names("free", OPEN)
    assert "fresh" not in place.names("free", CLOSED)


def test_buckets_and_keys_that_are_denied_are_not_listed(place: Place) -> None:
    buckets = place.request("denied", "GET", f"{S3}/").text
    assert "<Name>open</Name>" in buckets
    assert "closed" not in buckets
    keys = place.request("denied", "GET", f"{S3}/open", params={"list-type": "2"}).text
    assert "mixed/plain" in keys
    assert "locked" not in keys
    names = place.request("denied", "GET", "/v1/buckets/*").text
    assert "open" in names
    assert "closed" not in names


def test_each_of_many_deletes_is_judged(place: Place) -> None:
    place.put(f"{OPEN}/simple/extra", "x")
    body = ("<Delete><Object><Key>simple/extra</Key></Object><Object><Key>mixed/"
            f"{INSIDE}/locked</Key></Object></Delete>")
    answer = _delete(place, "open", body)
    assert answer.status_code == 200, answer.text
    assert "<Deleted><Key>simple/extra</Key></Deleted>" in answer.text
    assert "<Code>AccessDenied</Code>" in answer.text
    assert place.by("free", "GET", "/f/file/status",
                    path=f"{OPEN}/mixed/{INSIDE}/locked").status_code == 200
    closed = _delete(place, "closed", "<Delete><Object><Key>file</Key></Object></Delete>")
    assert "AccessDenied" in closed.text


def _delete(place: Place, bucket: str, body: str) -> requests.Response:
    digest = hashlib.md5(body.encode(), usedforsecurity=False).digest()
    return place.request(
        "denied", "POST", f"{S3}/{bucket}", params={"delete": ""}, data=body,
        headers={"Content-MD5": base64.b64encode(digest).decode()})


def test_uploads_in_parts_go_by_their_key(place: Place) -> None:
    refused = place.request("denied", "POST", f"{S3}/open/mixed/locked", params={"uploads": ""})
    assert refused.status_code == 403
    begun = place.request("free", "POST", f"{S3}/open/mixed/locked", params={"uploads": ""})
    secret_id = begun.text.partition("<UploadId>")[2].partition("<")[0]
    assert secret_id
    listed = place.request("denied", "GET", f"{S3}/open", params={"uploads": ""})
    assert secret_id not in listed.text
    for method, params in (("GET", {}), ("DELETE", {}), ("PUT", {"partNumber": "1"})):
        answer = place.request("denied", method, f"{S3}/open/mixed/locked",
                               params={"uploadId": secret_id, **params},
                               data="x" if method == "PUT" else None)
        assert answer.status_code == 403, answer.text
    place.request("free", "DELETE", f"{S3}/open/mixed/locked",
                  params={"uploadId": secret_id}).raise_for_status()


@pytest.mark.parametrize("user", RULED)
def test_an_upload_in_parts_where_it_is_allowed(place: Place, user: str) -> None:
    url = f"{S3}/open/in/parts/{user}"
    begun = place.request(user, "POST", url, params={"uploads": ""})
    upload = begun.text.partition("<UploadId>")[2].partition("<")[0]
    part = place.request(user, "PUT", url, params={"uploadId": upload, "partNumber": "1"},
                         data=b"content")
    body = ("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"
            f"{part.headers['ETag']}</ETag></Part></CompleteMultipartUpload>")
    done = place.request(user, "POST", url, params={"uploadId": upload}, data=body)
    assert done.status_code == 200, done.text
    assert place.request(user, "GET", url).content == b"content"
    assert place.request(user, "DELETE", url).status_code == 204


def test_an_open_bucket_is_open_as_far_as_its_reader(place: Place) -> None:
    assert place.gateway.request("GET", f"{S3}/open/file", user=None).text == "open"
    for key in ("open/mixed/{INSIDE}/locked", "closed/file"):
        answer = place.gateway.request("GET", f"{S3}/{key.format(INSIDE=INSIDE)}", user=None)
        assert answer.status_code == 403
        assert SECRET not in answer.text


def test_a_copied_bucket_has_only_what_may_be_read(place: Place) -> None:
    started = place.request("denied", "POST", "/v1/buckets/open",
                            json={"action": "copybck", "name": "copied"})
    assert started.status_code == 200, started.text

    def copied() -> list[str]:
        listed = place.request("free", "GET", f"{S3}/copied", params={"list-type": "2"})
        return [] if listed.status_code == 404 else [
            key.partition("<")[0] for key in listed.text.split("<Key>")[1:]]

    wait_for("the copy", lambda: {"file", "mixed/plain", "simple/plain"} <= set(copied()))
    assert not any("locked" in key for key in copied())


def test_recursive_listings_and_changes_of_alluxio(place: Place) -> None:
    listed = place.request("denied", "POST", f"{ALLUXIO}/{OPEN}/list-status",
                           json={"recursive": True})
    assert listed.status_code == 200, listed.text
    assert "plain" in listed.text
    assert "locked" not in listed.text


def test_a_ttl_ends_what_is_allowed_alone(place: Place) -> None:
    tree = f"{OPEN}/passing"
    for name in ("plain", "in/plain", "in/locked"):
        place.put(f"{tree}/{name}", SECRET)
    locked = place.by("free", "GET", "/f/file/status", path=f"{tree}/in/locked").json()
    changed = place.request("denied", "POST", f"{ALLUXIO}/{tree}/set-attribute", json={
        "recursive": True, "ttl": 1, "ttlAction": "DELETE",
        "mode": {"ownerBits": "ALL", "groupBits": "ALL", "otherBits": "ALL"}})
    assert changed.status_code == 200, changed.text
    wait_for("the end of what may end", lambda: (
        place.names("free", tree) == ["in"] and place.names("free", f"{tree}/in") == ["locked"]))
    assert place.by("free", "GET", "/f/file/status", path=f"{tree}/in/locked").json() == locked


def test_who_may_write_but_one_directory_of_a_bucket_has_objects_there(place: Place) -> None:
    url = f"{S3}/open/inner/deep/object"
    for key in ("inner/deep/object", "inner/marker/", "inner/other:name"):
        made = place.request("partly", "PUT", f"{S3}/open/{key}",
                             data="" if key[-1] == "/" else "x")
        assert made.status_code == 200, (key, made.text)
    for key in ("beside", "inn", "innermost/x"):
        assert place.request("partly", "PUT", f"{S3}/open/{key}", data="x").status_code == 403
    listed = place.request("partly", "GET", f"{S3}/open", params={"list-type": "2"}).text
    keys = [key.partition("<")[0] for key in listed.split("<Key>")[1:]]
    assert keys == ["inner/deep/object", "inner/marker/", "inner/other:name"]
    copied = place.request("partly", "PUT", f"{S3}/open/inner/copy",
                           headers={"x-amz-copy-source": "/open/inner/deep/object"})
    assert copied.status_code == 200, copied.text
    stolen = place.request("partly", "PUT", f"{S3}/open/inner/stolen",
                           headers={"x-amz-copy-source": "/open/file"})
    assert stolen.status_code == 403
    assert place.request("partly", "GET", url).text == "x"
    for key in ("inner/deep/object", "inner/marker/", "inner/other:name", "inner/copy"):
        assert place.request("partly", "DELETE", f"{S3}/open/{key}").status_code == 204
    assert place.request("partly", "DELETE", f"{S3}/open").status_code == 403
    left = place.request("partly", "GET", f"{S3}/open", params={"list-type": "2"}).text
    assert "<Key>" not in left


def test_errors_name_paths_as_the_user_writes_them(place: Place) -> None:
    users = {**USERS, "inner": {"hadoop_user": OWNER, "root": OPEN,
                                        "rules": {"deny": [f"{OPEN}/mixed"]}}}
    place.gateway.write_users(users)

    def told() -> str:
        answer = place.by("inner", "GET", "/f/file/status", path="/mixed/plain")
        return answer.text if answer.status_code == 403 else ""

    text = wait_for("the new user", told)
    assert json.loads(text)["error"] == [
        "not allowed by the path rules of this user: /mixed/plain"]
    assert "mixed" not in place.names("inner", "/")

