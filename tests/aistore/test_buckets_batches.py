"""Lists and ranges of objects over HTTP: deleted, evicted, prefetched; buckets copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.aistore.conftest import error_of, furnished, world_in
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aistore.conftest import AIStore
    from tests.gateway import Gateway


def keys(ais: AIStore, bucket: str = "bck") -> list[str]:
    """Return the names of a bucket's objects."""
    answer = ais.bucket("POST", bucket, {"action": "listobj", "value": {"props": "name"}})
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["entries"]]


def job(ais: AIStore, job_id: str, bucket: str = "bck") -> Any:
    """Return what is told of a job."""
    answer = ais.bucket("POST", bucket, {"action": "status", "value": {"id": job_id}})
    assert answer.status_code == 200, answer.text
    (told,) = answer.json()
    return told


def ended(ais: AIStore, job_id: str, bucket: str = "bck") -> Any:
    """Wait until a job is over, and return what is told of it."""
    return wait_for("the end of the job", lambda: (
        told := job(ais, job_id, bucket))["endTime"] and told, seconds=120)


def finished(ais: AIStore, method: str, action: str, value: Any, bucket: str = "bck") -> Any:
    """Begin a job, wait until it is over, and return what is told of it."""
    begun = ais.bucket(method, bucket, {"action": action, "value": value})
    assert (begun.status_code, begun.headers["Content-Type"]) == (
        200, "text/plain; charset=utf-8"), begun.text
    return ended(ais, begun.text, bucket)


def test_a_list_is_deleted(everywhere: AIStore) -> None:
    ais = everywhere
    for key in ("o1", "o2", "dir/o3", "o4", "o5"):
        ais.put("bck", key)
    told = finished(ais, "DELETE", "delete", {"objnames": ["o1", "dir/o3"]})
    assert (told["kind"], told["status"], told["obj_count"], told["obj_total"], told["err_count"]
            ) == ("delete", "Completed", 2, 2, 0)
    assert keys(ais) == ["o2", "o4", "o5"]
    finished(ais, "DELETE", "delete", {"objname": ["o2"]})
    finished(ais, "DELETE", "delete", {"template": "o{4..9}"})
    assert keys(ais) == []


@pytest.mark.parametrize("value", [
    {"template": "__tst/test-{1000..1002}"}, {"prefix": "__tst/test-{1000..1002}"},
    {"prefix": "__tst/test-{1000.1002}"}, {"prefix": "__tst/test-", "range": "1000:1002"},
    {"prefix": "__tst/test-", "regex": r"\d\d\d\d", "range": "1000:1002"},
    {"prefix": "__tst/test-", "regex": r"^\d{4}$", "range": ":1002"},
])
def test_a_range_is_deleted_in_each_form(ais: AIStore, value: dict[str, Any]) -> None:
    for number in (1000, 1001, 1002, 1003):
        ais.put("bck", f"__tst/test-{number}")
    ais.put("bck", "__tst/test-word")
    ais.put("bck", "other-1001")
    told = finished(ais, "DELETE", "delete", value)
    assert (told["status"], told["obj_count"], told["err_count"]) == ("Completed", 3, 0)
    assert keys(ais) == ["__tst/test-1003", "__tst/test-word", "other-1001"]


@pytest.mark.parametrize("value", [
    None, {}, {"objnames": []}, {"objnames": [""]}, {"objnames": ["o1", ""]}, {"objnames": "o1"},
    {"objnames": [1]}, {"template": ""}, {"template": "o1"}, {"template": "o"},
    {"template": "o{}"}, {"template": "o{2..1}"}, {"template": "o{0..999999999999}"},
    {"prefix": ""}, {"prefix": "o"}, {"prefix": "o", "regex": r"\d"},
    {"prefix": "o", "regex": r"\d", "range": ""}, {"prefix": "", "regex": "", "range": ""},
    {"range": ":"}, {"prefix": "o", "regex": ".*", "range": "0:9"},
    {"template": "o{0..9}", "range": "5:9"}, {"prefix": "o{0..9}", "regex": "^1$"},
    {"prefix": "o{0..9}", "range": "2:3"}, {"objnames": ["o2"], "prefix": "p"},
    {"template": "o{0..9}", "prefix": "p"}, {"objnames": ["o1"], "template": "p{0..9}"},
    {"objnames": ["o1"], "deadline": "soon"}, {"objnames": ["o1"], "wait": "perhaps"}, "o1", ["o1"],
])
def test_an_empty_or_wrong_selection_is_never_everything(ais: AIStore, value: Any) -> None:
    ais.put("bck", "o1")
    for method, action in (("DELETE", "delete"), ("DELETE", "evictobjects"),
                           ("DELETE", "evictobj"), ("POST", "prefetch")):
        answer = ais.bucket(method, "bck", {"action": action, "value": value})
        if action != "delete" and isinstance(value, dict) and {"deadline", "wait"} & set(value):
            continue  # with the cache off nothing is looked at that comes later
        error_of(answer, 400)
    assert keys(ais) == ["o1"]


def test_what_is_missing_or_refused_is_told_by_name(ais: AIStore) -> None:
    ais.put("bck", "o1")
    ais.put("bck", "o3")
    told = finished(ais, "DELETE", "delete", {"objnames": ["o1", "o2", "a\0b", "o3", ".."]})
    assert (told["status"], told["obj_count"], told["obj_total"], told["err_count"]) == (
        "Completed", 2, 5, 3)
    assert [one.partition(":")[0] for one in told["errors"]] == ["o2", "a\\x00b", ".."]
    assert "no such key: /user/alice/ais/bck/o2" in told["errors"][0]
    assert keys(ais) == []


def test_a_job_does_what_its_user_may(ais: AIStore) -> None:
    ais.put("bck", "o1")
    told = finished(ais.as_user("guest"), "DELETE", "delete", {"objnames": ["o1"]})
    assert (told["obj_count"], told["err_count"]) == (0, 1)
    assert "permission denied" in told["errors"][0]
    assert keys(ais) == ["o1"]
    answer = ais.as_user("reader").bucket(
        "DELETE", "bck", {"action": "delete", "value": {"objnames": ["o1"]}})
    error_of(answer, 403)


def test_ten_thousand_names_with_progress(ais: AIStore) -> None:
    for number in (0, 4999, 9999, 10_000):
        ais.put("bck", f"o{number:05d}")
    told = finished(ais, "DELETE", "delete", {"template": "o{00000..09999}"})
    assert (told["obj_count"], told["obj_total"], told["err_count"], len(told["errors"])) == (
        3, 10_000, 9997, 20)
    assert keys(ais) == ["o10000"]


def test_the_answer_may_wait(ais: AIStore) -> None:
    for key in ("o1", "o2"):
        ais.put("bck", key)
    answer = ais.bucket("DELETE", "bck", {"action": "delete", "value": {
        "objnames": ["o1"], "wait": True, "deadline": "60s"}})
    assert answer.status_code == 200
    assert keys(ais) == ["o2"]
    assert job(ais, answer.text)["status"] == "Completed"
    late = ais.bucket("DELETE", "bck", {"action": "delete", "value": {
        "template": "o{0..1000000}", "wait": True, "deadline": 200_000_000}})
    if late.status_code == 202:
        told = ended(ais, late.text)
    else:
        assert "deadline" in error_of(late, 500)
        told = ais.bucket("POST", "bck", {"action": "status"}).json()[-1]
    assert (told["status"], "deadline" in told["errors"][0]) == ("Failed", True)


def test_a_job_is_seen_and_ended_by_its_user(ais: AIStore) -> None:
    begun = ais.bucket("DELETE", "bck", {"action": "delete", "value": {
        "template": "o{0..1000000}"}})
    assert begun.status_code == 200
    stop = {"action": "stop", "value": {"id": begun.text}}
    wait_for("some progress", lambda: job(ais, begun.text)["err_count"] > 0)
    error_of(ais.as_user("guest").bucket("POST", "bck", stop), 404)
    others = ais.as_user("guest").bucket("POST", "bck", {"action": "status"}).json()
    assert begun.text not in [one["id"] for one in others]
    error_of(ais.as_user("guest").bucket("POST", "bck", {**stop, "action": "status"}), 404)
    error_of(ais.as_user("guest").call("PUT", "cluster", stop), 403)
    assert job(ais, begun.text)["status"] == "InProgress"
    answer = ais.bucket("POST", "bck", stop)
    assert (answer.status_code, answer.content) == (200, b"")
    told = ended(ais, begun.text)
    assert (told["status"], told["aborted"]) == ("Aborted", True)
    assert begun.text in [one["id"] for one in ais.bucket(
        "POST", "bck", {"action": "status"}).json()]
    again = ais.bucket("DELETE", "bck", {"action": "delete", "value": {
        "template": "o{0..1000000}"}})
    assert ais.as_user("admin").call("PUT", "cluster", {"action": "stop", "value": {
        "id": again.text}}).status_code == 200
    assert ended(ais, again.text)


def test_a_bucket_is_copied(everywhere: AIStore) -> None:
    ais = everywhere
    for number in range(6):
        ais.put("bck", f"dir{number % 3}/o{number}", f"words {number}".encode())
    begun = ais.bucket("POST", "bck", {"action": "copybck", "name": "copy"})
    assert begun.status_code == 200, begun.text
    told = ended(ais, begun.text)
    assert (told["kind"], told["status"], told["obj_count"], told["err_count"]) == (
        "copy-bucket", "Completed", 6, 0)
    assert keys(ais, "copy") == keys(ais)
    assert ais.get("copy", "dir1/o1") == b"words 1"
    source, copy = (ais.object("HEAD", one, "dir1/o1").headers for one in ("bck", "copy"))
    assert source["Checksum.value"] == copy["Checksum.value"]
    ais.put("bck", "dir1/o1", b"changed")
    begun = ais.call("POST", "buckets/bck?bto=ais/%40%23/copy", {"action": "copy_bck"})
    ended(ais, begun.text)
    assert ais.get("copy", "dir1/o1") == b"changed"


def test_what_cannot_be_copied(ais: AIStore) -> None:
    for bucket, name, status in (("bck", "bck", 400), ("none", "copy", 404), ("bck", "", 400),
                                 ("bck", "a!b", 400), ("bck", "bck:in", 400)):
        answer = ais.bucket("POST", bucket, {"action": "copybck", "name": name})
        error_of(answer, status)
    assert ais.call("GET", "buckets/*").json()["ais"] == ["bck"]


def test_without_a_cache_evict_does_nothing_and_prefetch_says_what_to_set(
        everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "o1")
    for action, value in (("evictobjects", {"objnames": ["o1"]}),
                          ("evictobj", {"template": "o{0..9}"}), ("evictcb", None)):
        answer = ais.bucket("DELETE", "bck", {"action": action, "value": value})
        assert (answer.status_code, answer.content) == (200, b"")
        error_of(ais.bucket("DELETE", "none", {"action": action, "value": value}), 404)
    assert ais.get("bck", "o1") == b"content"
    answer = ais.bucket("POST", "bck", {"action": "prefetch", "value": {"objnames": ["o1"]}})
    assert "cache.mountpaths" in error_of(answer, 501)


# --- with a cache


@pytest.fixture(scope="module")
def caching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway with a cache."""
    directory = tmp_path_factory.mktemp("caching")
    yield from world_in(directory, settings={
        "cache": {"mountpaths": [str(directory / "mountpath")], "chunk_size": 65536}})


def cached(ais: AIStore, key: str) -> bool:
    """Tell whether an object is in the cache."""
    answer = ais.object("HEAD", "bck", key, check_cached="true")
    assert answer.status_code in (200, 404), answer.text
    return answer.status_code == 200


def test_objects_come_into_the_cache_and_go_again(caching: Gateway) -> None:
    ais = furnished(caching, "bck")
    content = bytes(range(256)) * 1000
    names = [f"dir/o{number}" for number in range(4)]
    for key in names:
        ais.put("bck", key, content)
    assert not any(cached(ais, key) for key in names)
    told = finished(ais, "POST", "prefetch", {"objnames": names[:2]})
    assert (told["kind"], told["obj_count"], told["bytes_count"]) == (
        "prefetch", 2, 2 * len(content))
    assert [cached(ais, key) for key in names] == [True, True, False, False]
    listed = ais.bucket("POST", "bck", {"action": "listobj", "value": {"props": "name"}}).json()
    assert [one.get("flags", 0) for one in listed["entries"]] == [64, 64, 0, 0]
    told = finished(ais, "POST", "prefetch", {"template": "dir/o{1..5}"})
    assert (told["obj_count"], told["err_count"]) == (3, 2)
    assert all(cached(ais, key) for key in names)
    finished(ais, "DELETE", "evictobjects", {"objnames": [names[0], "none"]})
    finished(ais, "DELETE", "evictobj", {"prefix": "dir/o{1.2}"})
    assert [cached(ais, key) for key in names] == [False, False, False, True]
    finished(ais, "DELETE", "evictcb", None)
    assert not any(cached(ais, key) for key in names)
    assert [ais.get("bck", key) for key in names] == [content] * 4
