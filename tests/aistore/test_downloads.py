"""Downloads by both years' requests: what is taken, what is refused, what is told of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.aistore.conftest import ROOT, AIStore, error_of, furnished
from tests.aistore.downloading import (
    Half,
    content_of,
    done,
    gateway_for,
    over,
    serve,
    started,
    status,
)
from tests.downloads.sources import Source, Visit
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway import Gateway

pytestmark = pytest.mark.gunicorn


@pytest.fixture(scope="module")
def running() -> Iterator[Source]:
    with Source() as source:
        yield source


@pytest.fixture(scope="module")
def gateway(running: Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    yield from gateway_for(running, tmp_path_factory.mktemp("downloads"))


@pytest.fixture
def source(running: Source) -> Source:
    running.script = serve
    running.scripts.clear()
    running.visits.clear()
    return running


@pytest.fixture
def ais(gateway: Gateway, source: Source) -> AIStore:
    return furnished(gateway, "bck")


def files_in(ais: AIStore) -> int:
    """Return how many files there are in the bucket, hidden ones too."""
    told = ais.gateway.request("GET", "/f/file/summary", params={"path": f"{ROOT}/bck"})
    assert told.status_code == 200, told.text
    return int(told.json()["result"]["summary"]["fileCount"])


# --- what is fetched


def test_one_object(ais: AIStore, source: Source) -> None:
    job_id = started(ais, link=f"{source.url}/a/LICENSE", objname="lic")
    told = done(ais, job_id)
    assert ais.get("bck", "lic") == content_of("/a/LICENSE")
    size = str(len(content_of("/a/LICENSE")))
    assert told["id"] == job_id
    assert told["description"] == f"{source.url}/a/LICENSE -> ais://bck/lic"
    assert (told["finished"], told["scheduled"], told["num_pending"]) == (1, 1, 0)
    [task] = told["finished_tasks"]
    assert (task["name"], task["downloaded"], task["total"], task["running"]) == (
        "lic", size, size, False)
    assert told["started_time"] <= task["start_time"] <= task["end_time"] <= told["finished_time"]
    # It has the properties that a PUT gives, and the type that the source told.
    head = ais.object("HEAD", "bck", "lic")
    assert head.headers["Checksum.type"] == "xxhash"
    assert head.headers["Checksum.value"]


def test_the_last_part_of_the_path_is_the_name(ais: AIStore, source: Source) -> None:
    done(ais, started(ais, link=f"{source.url}/a/b%20c.gz?token=1"))
    assert ais.get("bck", "b c.gz") == content_of("/a/b%20c.gz?token=1")


def test_a_link_without_a_scheme_is_http(ais: AIStore, source: Source) -> None:
    done(ais, started(ais, link=f"{source.authority}/x", objname="dir/x"))
    assert ais.get("bck", "dir/x") == content_of("/x")


def test_single_by_the_names_of_2021(ais: AIStore, source: Source) -> None:
    done(ais, started(ais, "download", type="single", bucket={"name": "bck", "provider": "ais"},
                      object_name="lic", link=f"{source.url}/x", description="my own words"))
    assert ais.get("bck", "lic") == content_of("/x")


@pytest.mark.parametrize(("path", "message"), [
    ("download/multi", {"object_map": {"a": "/1", "d/b": "/2"}}),
    ("download", {"type": "multi", "objects": {"a": "/1", "d/b": "/2"}}),
])
def test_a_map_of_objects(
    ais: AIStore, source: Source, path: str, message: dict[str, Any],
) -> None:
    for members in message.values():
        if isinstance(members, dict):
            members |= {name: f"{source.url}{link[-2:]}" for name, link in members.items()}
    told = done(ais, started(ais, path, **message))
    assert told["total"] == 2
    assert {task["name"] for task in told["finished_tasks"]} == {"a", "d/b"}
    assert (ais.get("bck", "a"), ais.get("bck", "d/b")) == (content_of("/1"), content_of("/2"))


@pytest.mark.parametrize(("path", "name"), [
    ("download/multi", "object_list"), ("download", "objects")])
def test_a_list_of_links(ais: AIStore, source: Source, path: str, name: str) -> None:
    done(ais, started(ais, path, type="multi", **{
        name: [f"{source.url}/x/1.bin", f"{source.url}/y/2.bin"]}))
    assert ais.get("bck", "1.bin") == content_of("/x/1.bin")
    assert ais.get("bck", "2.bin") == content_of("/y/2.bin")


def test_a_list_by_numbers(ais: AIStore, source: Source) -> None:
    told = done(ais, started(
        ais, "download/list", base=f"{source.url}/x", prefix="a-", suffix=".gz", start=8,
        end="12", step=2, digit_count=3))
    assert told["total"] == 3
    for name in ("a-008.gz", "a-010.gz", "a-012.gz"):
        assert ais.get("bck", name) == content_of(f"/x/{name}")


def test_a_list_of_one(ais: AIStore, source: Source) -> None:
    done(ais, started(ais, "download/list", base=f"{source.url}/", prefix="LIC", suffix="ENSE"))
    assert ais.get("bck", "LIC0ENSE") == content_of("/LIC0ENSE")


def test_a_template(ais: AIStore, source: Source) -> None:
    told = done(ais, started(ais, "download", type="range", subdir="in/here",
                             template=f"{source.authority}/a{{0..9..3}}-{{01..02}}.tgz"))
    assert told["total"] == 8
    for name in ("a0-01.tgz", "a9-02.tgz"):
        assert ais.get("bck", f"in/here/{name}") == content_of(f"/{name}")


def test_headers_go_to_the_source(ais: AIStore, source: Source) -> None:
    job_id = started(ais, link=f"{source.url}/x", headers={"Authorization": "Bearer abc",
                                                           "X-Own": "1"})
    told = done(ais, job_id)
    assert source.visits[0].headers["authorization"] == "Bearer abc"
    assert source.visits[0].headers["x-own"] == "1"
    assert "Bearer" not in json.dumps(told)


def test_the_old_object_is_replaced_when_all_is_there(ais: AIStore, source: Source) -> None:
    ais.put("bck", "x", b"old")
    half = Half()
    source.script = half
    job_id = started(ais, link=f"{source.url}/x")
    wait_for("half of it has come", half.begun)
    assert ais.get("bck", "x") == b"old"
    half.go_on.set()
    done(ais, job_id)
    assert ais.get("bck", "x") == content_of("/x")


# --- what fails


@pytest.mark.parametrize(("name", "script", "reason"), [
    ("missing", lambda visit: visit.answer(b"", status="404 Not Found"), "answers 404"),
    ("coded", lambda visit: visit.answer(b"x", "Content-Encoding: br"), "Content-Encoding br"),
    ("endless", lambda visit: visit.send(b"HTTP/1.1 200 OK\r\n\r\nx"), "cut"),
    ("huge", lambda visit: visit.answer(b"", length=50_000_001), "50000000"),
    ("metadata", lambda visit: visit.redirect("http://169.254.169.254/latest/meta-data/"),
     "169.254.169.254 is none of the hosts"),
    ("inner", lambda visit: visit.redirect("http://10.9.8.7/"), "10.9.8.7, which is private"),
    ("round", lambda visit: visit.redirect("/round"), "5 redirects"),
    ("own", lambda visit: visit.redirect("http://[::ffff:127.0.0.1]/"), "none of the hosts"),
    ("password", lambda visit: visit.redirect("http://me:opensesame@127.0.0.1/"), "credentials"),
    ("short", lambda visit: visit.answer(b"x" * 99, length=100), "declared end"),
])
def test_what_a_source_does_wrong_leaves_the_old_object(
    ais: AIStore, source: Source, name: str, script: Any, reason: str,
) -> None:
    ais.put("bck", name, b"old")
    source.scripts[f"/{name}"] = script
    told = over(ais, started(ais, "download/multi", object_map={
        name: f"{source.url}/{name}", "good": f"{source.url}/good"}))
    assert (told["finished_cnt"], told["error_cnt"], told["total"]) == (1, 1, 2)
    [error] = told["download_errors"]
    assert error["name"] == name
    assert reason in error["error"]
    assert "opensesame" not in json.dumps(told)
    assert ais.get("bck", name) == b"old"
    assert ais.get("bck", "good") == content_of("/good")
    assert files_in(ais) == 2


def test_a_source_that_is_away_is_asked_again(ais: AIStore, source: Source) -> None:
    def recovering(visit: Visit) -> None:
        if len(source.visits) < 3:
            visit.answer(b"", status="503 Busy")
        else:
            serve(visit)

    source.script = recovering
    done(ais, started(ais, link=f"{source.url}/x"))
    assert len(source.visits) == 3
    assert ais.get("bck", "x") == content_of("/x")


def test_an_object_has_the_time_that_the_request_gives(ais: AIStore, source: Source) -> None:
    source.script = Visit.hang
    told = over(ais, started(ais, link=f"{source.url}/x", timeout="300ms"))
    assert "longer than 0.3 seconds" in told["download_errors"][0]["error"]


def test_a_pace_is_kept(ais: AIStore, source: Source) -> None:
    def twice(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n", b"x" * 1000)
        visit.source.over.wait(0.2)
        visit.send(b"x" * 1000)

    source.script = twice
    # The first 1,000 bytes use up the pace of many minutes: the rest must not come by then.
    job_id = started(ais, link=f"{source.url}/x", limits={"bytes_per_hour": 1000})
    wait_for("a part of it", lambda: any(
        int(task["downloaded"]) == 1000 for task in status(ais, job_id).get("current_tasks", ())))
    assert status(ais, job_id)["finished_cnt"] == 0
    assert ais.call("DELETE", "download/abort", {"id": job_id}).status_code == 200


def test_no_more_connections_than_asked_for(ais: AIStore, source: Source) -> None:
    half = Half()
    source.script = half
    job_id = started(ais, "download/list", base=source.url, end=5, limits={"connections": 1})
    wait_for("the first has begun", half.begun)
    told = wait_for("it shows", lambda: status(ais, job_id).get("current_tasks"))
    assert len(told) == 1
    assert len(source.visits) == 1
    half.go_on.set()
    done(ais, job_id)


# --- what is refused at once


@pytest.mark.parametrize(("message", "words"), [
    ({}, "link"), ({"link": ""}, "link"), ({"link": 7}, "link"),
    ({"link": "ftp://127.0.0.1/x"}, "http and https"),
    ({"link": "http://me:opensesame@127.0.0.1/x"}, "credentials"),
    ({"link": "http://2130706433/x"}, "usual form"),
    ({"link": "SOURCE/"}, "name"), ({"link": "SOURCE/x", "objname": "a\uf02e"}, "key"),
    ({"link": "SOURCE/x", "bucket": ""}, "bucket"),
    ({"link": "SOURCE/x", "bucket": {"provider": "ais"}}, "bucket.name"),
    ({"link": "SOURCE/x", "bucket": {"name": "bck", "provider": "moon"}}, "provider"),
    ({"link": "SOURCE/x", "timeout": "soon"}, "timeout"),
    ({"link": "SOURCE/x", "timeout": "0s"}, "timeout"),
    ({"link": "SOURCE/x", "limits": {"connections": -1}}, "connections"),
    ({"link": "SOURCE/x", "headers": {"Host": "evil"}}, "headers"),
    ({"link": "SOURCE/x", "headers": {"X-Forwarded-For": "127.0.0.1"}}, "headers"),
    ({"link": "SOURCE/x", "headers": {"X-aws-ec2-metadata-token": "1"}}, "headers"),
    ({"link": "SOURCE/x", "headers": {"Cookie": "a=b"}}, "headers"),
    ({"link": "SOURCE/x", "headers": {"X-A": "b\r\nHost: evil"}}, "headers"),
    ({"link": "SOURCE/x", "headers": {"X-A": 7}}, "headers"),
    ({"link": "SOURCE/x", "headers": ["X-A"]}, "headers"),
])
def test_requests_that_make_no_sense(
    ais: AIStore, source: Source, message: dict[str, Any], words: str,
) -> None:
    sent = json.loads(json.dumps({"bucket": "bck", **message}).replace("SOURCE", source.url))
    told = error_of(ais.call("POST", "download/single", sent), 400)
    assert words in told
    assert "opensesame" not in told
    assert not source.visits


@pytest.mark.parametrize(("path", "message"), [
    ("download", {}), ("download", {"type": "wish"}), ("download", {"type": "multi"}),
    ("download", {"type": "multi", "objects": {}}), ("download", {"type": "multi", "objects": []}),
    ("download", {"type": "multi", "objects": [1]}), ("download", {"type": "multi", "objects": 1}),
    ("download", {"type": "multi", "objects": {"a": 1}}),
    ("download", {"type": "multi", "objects": {"": "SOURCE/x"}}),
    ("download", {"type": "multi", "objects": ["SOURCE/a/x", "SOURCE/b/x"]}),
    ("download", {"type": "range"}), ("download", {"type": "range", "template": "SOURCE/x"}),
    ("download", {"type": "range", "template": "SOURCE/{1..3}/x"}),
    ("download", {"type": "range", "template": "s{1..3}.example/x"}),
    ("download", {"type": "range", "template": "SOURCE/x?n={1..3}"}),
    ("download", {"type": "range", "template": "SOURCE/x{3..1}"}),
    ("download", {"type": "range", "template": "SOURCE/x{1..41}"}),
    ("download/multi", {}), ("download/multi", {"object_map": {}}),
    ("download/multi", {"object_list": []}), ("download/list", {}),
    ("download/list", {"base": "SOURCE", "start": 5, "end": 4}),
    ("download/list", {"base": "SOURCE", "end": 40}), ("download/list", {"base": "SOURCE",
                                                                         "step": 0}),
    ("download/list", {"base": "SOURCE", "start": -1}),
])
def test_plans_that_cannot_be(
    ais: AIStore, source: Source, path: str, message: dict[str, Any],
) -> None:
    sent = json.loads(json.dumps({"bucket": "bck", **message}).replace("SOURCE", source.url))
    error_of(ais.call("POST", path, sent), 400)
    assert ais.call("GET", "download", {"regex": "never"}).json() == []
    assert not source.visits


@pytest.mark.parametrize("link", [
    "http://127.0.0.1/x", "http://127.0.0.1:1/x", "http://169.254.169.254/x", "http://[::1]/x",
    "http://example.net/x", "http://localhost/x",
])
def test_hosts_that_are_not_allowed(ais: AIStore, link: str) -> None:
    assert "download.hosts" in error_of(
        ais.call("POST", "download/single", {"bucket": "bck", "link": link}), 403)


def test_one_host_among_many_that_is_not_allowed(ais: AIStore, source: Source) -> None:
    error_of(ais.call("POST", "download/multi", {"bucket": "bck", "object_list": [
        f"{source.url}/a", "http://example.net/b"]}), 403)
    assert not source.visits


def test_a_missing_bucket(ais: AIStore, source: Source) -> None:
    error_of(ais.call("POST", "download/single", {
        "bucket": "none", "link": f"{source.url}/x"}), 404)


def test_who_may_not_write(ais: AIStore, source: Source) -> None:
    sent = {"bucket": "bck", "link": f"{source.url}/x"}
    error_of(ais.as_user("reader").call("POST", "download/single", sent), 403)
    # Another Hadoop user, whom HDFS does not let write there.
    error_of(ais.as_user("guest").call("POST", "download/single", sent), 403)
    error_of(ais.as_user(None).call("POST", "download/single", sent), 401)
    assert not source.visits


def test_a_bucket_that_does_not_allow_downloads(ais: AIStore, source: Source) -> None:
    set_props = ais.bucket("PATCH", "bck", {"action": "setbprops", "value": {
        "access": str(2**64 - 1 - (1 << 4))}})
    assert set_props.status_code == 200, set_props.text
    told = error_of(ais.call("POST", "download/single", {
        "bucket": "bck", "link": f"{source.url}/x"}), 403)
    assert "DOWNLOAD" in told


def test_nothing_to_download_from_a_cloud(ais: AIStore) -> None:
    error_of(ais.call("POST", "download", {"type": "cloud", "bucket": "bck"}), 501)
    error_of(ais.call("POST", "download", {
        "type": "single", "bucket": "bck", "object_name": "a", "from_cloud": True}), 501)


@pytest.mark.parametrize(("method", "path"), [
    ("PUT", "download"), ("GET", "download/single"), ("POST", "download/other"),
    ("DELETE", "download/other"), ("GET", "download/abort"),
])
def test_other_urls(ais: AIStore, method: str, path: str) -> None:
    error_of(ais.call(method, path), 400)


# --- what is told


def test_lists_of_both_years(ais: AIStore, source: Source) -> None:
    first = started(ais, link=f"{source.url}/x", description="multi-x of mine")
    second = started(ais, link=f"{source.url}/y", description="single-y (1)")
    done(ais, first)
    done(ais, second)
    by_id = ais.call("GET", "download").json()
    assert {first, second} <= set(by_id)
    assert by_id[first]["description"] == "multi-x of mine"
    assert by_id[first]["finished_cnt"] == 1
    assert "finished_tasks" not in by_id[first]

    def found(regex: str) -> set[str]:
        listed = ais.call("GET", "download", {"regex": regex}).json()
        assert isinstance(listed, list)
        return {one["id"] for one in listed} & {first, second}

    assert found("^multi-") == {first}
    assert found("") == {first, second}
    assert found(r"\([0-9]\)$") == {second}
    assert first in ais.call("GET", "download", regex="^multi-").json()
    error_of(ais.call("GET", "download", {"regex": "("}), 400)
    error_of(ais.call("GET", "download", {"regex": "a", "id": first}), 400)


def test_downloads_are_their_users_and_the_admins(ais: AIStore, source: Source) -> None:
    job_id = started(ais, link=f"{source.url}/x")
    done(ais, job_id)
    other, admin = ais.as_user("other"), ais.as_user("admin")
    for method, path in (("GET", "download"), ("DELETE", "download/abort"),
                         ("DELETE", "download/remove"), ("DELETE", "download")):
        error_of(other.call(method, path, {"id": job_id}), 404)
    assert job_id not in other.call("GET", "download").json()
    assert job_id in admin.call("GET", "download").json()
    assert admin.call("DELETE", "download/remove", {"id": job_id}).status_code == 200
    error_of(ais.call("GET", "download", {"id": job_id}), 404)


def test_by_link_bucket_and_name(ais: AIStore, source: Source) -> None:
    job_id = started(ais, link=f"{source.url}/x", objname="mine")
    done(ais, job_id)
    asked = {"link": f"{source.url}/x", "bucket": "bck", "objname": "mine"}
    assert ais.call("GET", "download", asked).json()["id"] == job_id
    error_of(ais.call("GET", "download", {**asked, "objname": "other"}), 404)
    error_of(ais.call("DELETE", "download", asked), 400)
    assert error_of(ais.call("DELETE", "download", {**asked, "objname": "other"}),
                    400) == "ID not specified"


def test_ids_that_are_none(ais: AIStore) -> None:
    for path in ("download", "download/abort", "download/remove"):
        error_of(ais.call("DELETE", path, {"id": "nonsense"}), 404)
        assert error_of(ais.call("DELETE", path, {}), 400) == "ID not specified"
        assert error_of(ais.call("DELETE", path), 400) == "ID not specified"
    error_of(ais.call("GET", "download", {"id": "nonsense"}), 404)


# --- ending them


def test_abort_and_remove(ais: AIStore, source: Source) -> None:
    ais.put("bck", "x", b"old")
    half = Half()
    source.script = half
    job_id = started(ais, link=f"{source.url}/x")
    wait_for("half of it has come", half.begun)
    told = wait_for("it shows", lambda: status(ais, job_id).get("current_tasks"))
    assert told[0]["name"] == "x"
    assert told[0]["running"] is True
    assert told[0]["total"] == str(len(content_of("/x")))
    assert "not over" in error_of(ais.call("DELETE", "download/remove", {"id": job_id}), 409)
    assert ais.call("DELETE", "download/abort", {"id": job_id}).status_code == 200
    told_of = over(ais, job_id)
    assert told_of["aborted"]
    assert told_of["finished_cnt"] == 0
    wait_for("nothing is left of it", lambda: files_in(ais) == 1)
    assert ais.get("bck", "x") == b"old"
    assert ais.call("DELETE", "download/abort", {"id": job_id}).status_code == 200
    error_of(ais.call("DELETE", "download", {"id": job_id}), 400)
    assert ais.call("DELETE", "download/remove", id=job_id).status_code == 200
    error_of(ais.call("GET", "download", id=job_id), 404)


def test_one_object_of_several_is_cancelled(ais: AIStore, source: Source) -> None:
    half = Half()
    source.scripts["/slow"] = half
    job_id = started(ais, "download/multi", object_map={
        "slow": f"{source.url}/slow", "quick": f"{source.url}/quick"})
    wait_for("half of it has come", half.begun)
    asked = {"link": f"{source.url}/slow", "bucket": "bck", "objname": "slow"}
    assert ais.call("DELETE", "download", asked).status_code == 200
    told = over(ais, job_id)
    assert not told["aborted"]
    assert (told["finished_cnt"], told["error_cnt"]) == (1, 1)
    assert told["download_errors"] == [{"name": "slow", "error": "it was cancelled"}]
    assert ais.get("bck", "quick") == content_of("/quick")
    error_of(ais.object("GET", "bck", "slow"), 404)


def test_cancelling_by_the_only_object(ais: AIStore, source: Source) -> None:
    half = Half()
    source.script = half
    job_id = started(ais, link=f"{source.url}/x")
    wait_for("half of it has come", half.begun)
    asked = {"link": f"{source.url}/x", "bucket": "bck", "objname": "x"}
    assert ais.call("DELETE", "download", asked).status_code == 200
    assert over(ais, job_id)["aborted"]
