"""Sorting shards by a real Spark: formats, algorithms, figures; and that nothing is ever left."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.auth.job_tokens import Grant, JobTokens
from app.sorting.spark_order import Piece, merged, sort_key
from app.state import open_store
from tests.aistore.conftest import AIStore, error_of, furnished, world_in
from tests.clients.tools import environment
from tests.gateway import Gateway, wait_for
from tests.sorting.shards import files_of, make_shard

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.gunicorn
PATIENCE = 400.0
LEAST = {"bucket": "bck", "extension": ".tar", "input_format": "in-{0..3}",
         "output_format": "out-{00..99}", "output_shard_size": "10KB"}
NUMBERS = random.Random(7).sample(range(10_000), 40)


@pytest.fixture(scope="module")
def spark_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway with PySpark; two sorts at once, one in each worker."""
    settings = {"sort": {"python": str(environment("pyspark") / "python"), "master": "local[2]",
                         "memory": "512m"}, "jobs": {"at_once": 1}}
    yield from world_in(tmp_path_factory.mktemp("sort"), settings=settings)


@pytest.fixture(scope="module")
def ais(spark_gateway: Gateway) -> AIStore:
    """Return a client with the shards in bucket `bck`, and an empty bucket `out`."""
    client = furnished(spark_gateway, "bck")
    client.make_bucket("out")
    for extension in (".tar", ".tgz", ".zip"):
        for number in range(4):
            client.put("bck", f"in-{number}{extension}", make_shard(extension, files(number)))
    client.put("bck", "broken-0.tgz", make_shard(".tgz", files(0)))
    client.put("bck", "broken-1.tgz", make_shard(".tgz", files(1))[:-100])
    client.put("bck", "order.txt", "".join(
        f"{record}|{'even-%03d' if NUMBERS[index] % 2 == 0 else 'odd.tgz'}\n"
        for index, record in enumerate(records())))
    return client


def records() -> list[str]:
    return [f"dir/rec{index:02d}" for index in range(len(NUMBERS))]


def files(shard: int) -> list[tuple[str, bytes]]:
    """Return what is in an input shard: ten records of two files each, and one of another's."""
    own = list(enumerate(records()))[shard * 10:shard * 10 + 10]
    made = [one for index, record in own for one in (
        (f"{record}.bin", bytes([index]) * 3000), (f"{record}.cls", b"%d\n" % NUMBERS[index]))]
    return [*made, ("dir/rec00.bin", b"again")] if shard == 3 else made


def contents() -> dict[str, bytes]:
    """Return all files of all input shards, the first where there are two."""
    found: dict[str, bytes] = {}
    for shard in range(4):
        for name, content in files(shard):
            found.setdefault(name, content)
    return found


RUNS: dict[str, dict[str, Any]] = {
    "content": {
        "input_format": "in-{0..4}", "output_bucket": "out", "output_format": "tar/s-%04d",
        "algorithm": {"kind": "content", "extension": ".cls", "format_type": "int",
                      "decreasing": True},
        "missing_shards": "warn", "duplicated_records": "warn", "extended_metrics": True,
        "extract_concurrency_limit": 1, "create_concurrency_limit": 2, "description": "my first"},
    "shuffle": {
        "extension": ".zip", "output_bucket": "out", "output_format": "z@2-end",
        "output_shard_size": "", "algorithm": {"kind": "shuffle", "seed": "3"}},
    "order": {
        "extension": ".tgz", "output_bucket": "out", "output_format": "", "order_file_sep": "|",
        "order_file": "ais://bck/order.txt", "output_shard_size": "1GB"},
    "broken": {"extension": ".tgz", "input_format": "broken-{0..1}", "output_bucket": "out"},
    "dry": {"dry_run": True, "output_bucket": "out"},
}


@pytest.fixture(scope="module")
def runs(ais: AIStore) -> dict[str, dict[str, Any]]:
    """Return the metrics of all sorts, once they are over, each with its `id`."""
    ids = {name: start(ais, **changes) for name, changes in RUNS.items()}
    return {name: {**over(ais, job_id), "id": job_id} for name, job_id in ids.items()}


def start(ais: AIStore, **changes: Any) -> str:
    answer = ais.call("POST", "sort", LEAST | changes)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return answer.text


def metrics(ais: AIStore, job_id: str) -> dict[str, Any]:
    """Return the metrics of the one node that runs a sort."""
    answer = ais.call("GET", "sort", id=job_id)
    assert answer.status_code == 200, answer.text
    by_node: dict[str, dict[str, Any]] = answer.json()
    (found,) = by_node.values()
    return found


def over(ais: AIStore, job_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = metrics(ais, job_id)
        return found if found["archived"] else None

    found = wait_for("the end of the sort", look, seconds=PATIENCE)
    assert found is not None
    return found


def names_in(ais: AIStore, bucket: str) -> list[str]:
    answer = ais.bucket("POST", bucket, {"action": "listobj", "value": {}})
    assert answer.status_code == 200, answer.text
    return sorted(entry["name"] for entry in answer.json()["entries"] or ())


def shards(ais: AIStore, prefix: str, extension: str) -> dict[str, list[tuple[str, bytes]]]:
    return {name: files_of(extension, ais.get("out", name)) for name in names_in(ais, "out")
            if name.startswith(prefix)}


def order_of(parts: dict[str, list[tuple[str, bytes]]]) -> list[str]:
    """Return the records in the order of the shards; each has its files beside each other."""
    names = [name for part in parts.values() for name, _ in part]
    assert {name: content for part in parts.values() for name, content in part} == contents()
    assert len(names) == len(contents())
    assert names == [f"{name[:-4]}{end}" for name in names[::2] for end in (".bin", ".cls")]
    return [name[:-4] for name in names[::2]]


def processes_in(directory: Path) -> list[int]:
    """Return the processes whose working directory is below this one."""
    found = []
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdecimal() and directory in (each / "cwd").readlink().parents:
                found.append(int(each.name))
        except OSError:
            continue
    return found


def nothing_is_left(ais: AIStore) -> None:
    scratch = ais.gateway.directory / "data" / "sort"
    wait_for("the end of Spark", lambda: not processes_in(scratch), seconds=60)
    wait_for("an empty scratch directory", lambda: not list(scratch.iterdir()), seconds=60)
    wait_for("no shards without names", lambda: not [
        name for bucket in ("bck", "out") for name in names_in(ais, bucket)
        if name.startswith(".sort")], seconds=60)


def test_records_are_sorted_by_what_is_in_a_file(
    ais: AIStore, runs: dict[str, dict[str, Any]],
) -> None:
    parts = shards(ais, "tar/", ".tar")
    by_number = sorted(range(40), key=NUMBERS.__getitem__, reverse=True)
    assert order_of(parts) == [records()[index] for index in by_number]
    assert list(parts) == [f"tar/s-{number:04d}.tar" for number in range(len(parts))]
    # A record takes 4,608 bytes: the third one brings a shard to its 10 KiB.
    assert [len(part) for part in parts.values()] == [6] * 13 + [2]


def test_figures_are_those_of_what_was_done(
    ais: AIStore, runs: dict[str, dict[str, Any]],
) -> None:
    found = runs["content"]
    extraction, sorting, creation = (
        found[phase] for phase in ("local_extraction", "meta_sorting", "shard_creation"))
    assert (extraction["total_count"], extraction["extracted_count"]) == (5, 4)
    assert extraction["extracted_record_count"] == 40
    assert extraction["extracted_size"] == 40 * (512 + 3072 + 1024) + 1024
    assert (creation["to_create"], creation["created_count"]) == (14, 14)
    for phase in (extraction, sorting, creation):
        assert (phase["running"], phase["finished"]) == (False, True)
        assert phase["started_time"] <= phase["end_time"]
    assert (extraction["single_shard_stats"]["count"], creation["single_shard_stats"]["count"]) == (
        4, 14)
    assert found["description"] == "my first"
    assert (found["aborted"], found["errors"]) == (False, [])
    missing, double = found["warnings"]
    assert missing == "input shards are missing: in-4.tar"
    assert double == "files are in more than one shard: dir/rec00.bin"
    assert "single_shard_stats" not in runs["shuffle"]["local_extraction"]


def test_a_shuffle_is_the_one_of_its_seed(ais: AIStore, runs: dict[str, dict[str, Any]]) -> None:
    parts = shards(ais, "z", ".zip")
    assert list(parts) == ["z0-end.zip", "z1-end.zip", "z2-end.zip"]
    algorithm = {"kind": "shuffle", "seed": "3"}
    expected = sorted(records(), key=lambda name: sort_key(
        merged(name, [Piece((0, 0), "", 0, None)]), algorithm))
    assert order_of(parts) == expected


def test_an_order_file_says_where_records_go(
    ais: AIStore, runs: dict[str, dict[str, Any]],
) -> None:
    assert not runs["order"]["errors"]
    even, odd = (shards(ais, name, ".tgz") for name in ("even", "odd"))
    assert (list(even), list(odd)) == (["even-000.tgz"], ["odd.tgz"])
    assert order_of(even | odd) == sorted(records(), key=lambda name: (
        NUMBERS[records().index(name)] % 2, name))


def test_a_sort_that_fails_says_why_and_leaves_nothing(
    ais: AIStore, runs: dict[str, dict[str, Any]],
) -> None:
    found = runs["broken"]
    assert (found["aborted"], found["archived"]) == (True, True)
    (error,) = found["errors"]
    assert error.startswith("shard broken-1.tgz cannot be read as .tgz")
    assert not [name for name in names_in(ais, "out") if name.startswith("out")]
    nothing_is_left(ais)


def test_a_dry_run_plans_and_writes_nothing(
    ais: AIStore, runs: dict[str, dict[str, Any]],
) -> None:
    creation = runs["dry"]["shard_creation"]
    assert (creation["to_create"], creation["created_count"]) == (14, 0)
    assert not [name for name in names_in(ais, "out") if name.startswith("out")]


def test_sorts_are_listed_and_forgotten(ais: AIStore, runs: dict[str, dict[str, Any]]) -> None:
    def ids(client: AIStore, **query: str) -> list[str]:
        answer = client.call("GET", "sort", **query)
        assert answer.status_code == 200, answer.text
        return [line["id"] for line in answer.json()]

    mine = runs["content"]["id"]
    assert ids(ais) == [run["id"] for run in runs.values()]
    assert ids(ais, regex="first") == [mine]
    assert ids(ais.as_user("other")) == []
    assert mine in ids(ais.as_user("admin"))
    error_of(ais.call("GET", "sort", regex="("), 400)
    (line,) = ais.call("GET", "sort", regex="first").json()
    assert (line["archived"], line["aborted"], line["description"]) == (True, False, "my first")
    told = f'dSort job with id "{mine}" has not been found'
    for method, path in (("GET", "sort"), ("DELETE", "sort/abort"), ("DELETE", "sort")):
        assert error_of(ais.as_user("other").call(method, path, id=mine), 404) == told
    assert ais.call("DELETE", "sort", id=runs["dry"]["id"]).status_code == 200
    error_of(ais.call("GET", "sort", id=runs["dry"]["id"]), 404)


def test_an_aborted_sort_leaves_nothing(ais: AIStore, runs: dict[str, dict[str, Any]]) -> None:
    job_id = start(ais, output_bucket="out")
    wait_for("Spark", lambda: metrics(ais, job_id)["local_extraction"]["running"],
             seconds=PATIENCE)
    error_of(ais.call("DELETE", "sort", id=job_id), 409)
    assert ais.call("DELETE", "sort/abort", id=job_id).status_code == 200
    assert metrics(ais, job_id)["aborted"]
    nothing_is_left(ais)
    assert ais.call("DELETE", "sort/abort", id=job_id).status_code == 200


def test_a_sort_ends_with_its_worker(ais: AIStore, runs: dict[str, dict[str, Any]]) -> None:
    job_id = start(ais, output_bucket="out")
    scratch = ais.gateway.directory / "data" / "sort"
    wait_for("Spark", lambda: processes_in(scratch), seconds=PATIENCE)
    for worker in ais.gateway.workers():
        ais.gateway.kill_worker(worker)
    wait_for("new workers", lambda: ais.gateway._answers("/readyz"), seconds=60)
    found = over(ais, job_id)
    assert found["aborted"]
    nothing_is_left(ais)


@pytest.mark.parametrize(("user", "changes", "status"), [
    ("someone", {"bucket": "none"}, 404), ("someone", {"output_bucket": "none"}, 404),
    ("someone", {"bucket": ""}, 400), ("someone", {"algorithm": {"kind": "bogo"}}, 400),
    ("someone", {"order_file": "https://order.example/file"}, 501), ("reader", {}, 403),
])
def test_what_cannot_be_sorted_is_refused_at_once(
    ais: AIStore, user: str, changes: dict[str, Any], status: int,
) -> None:
    error_of(ais.as_user(user).call("POST", "sort", LEAST | changes), status)


def test_without_spark_sorting_answers_what_to_install(embedded_aistore: Gateway) -> None:
    client = furnished(embedded_aistore, "bck")
    told = error_of(client.call("POST", "sort", LEAST), 501)
    assert f"`{sys.executable} -m pip install 'pyspark>=4'`" in told
    assert "sort.python" in told
    for path in ("sort", "sort/abort"):
        assert error_of(client.call("DELETE", path, id="nosuch"), 404) == (
            'dSort job with id "nosuch" has not been found')


def test_a_token_opens_what_it_is_for_and_nothing_else(embedded_aistore: Gateway) -> None:
    client = furnished(embedded_aistore, "bck")
    client.make_bucket("out")
    client.put("bck", "a", b"abc")

    class Nobody:
        def find(self, _name: str) -> None: ...

    tokens = JobTokens(open_store("sqlite:", embedded_aistore.directory / "data"), Nobody())
    grant = Grant("someone", "bck", "out", ".sort-x/")
    token = tokens.mint(grant)

    def status(method: str, path: str, *, given: str = token) -> int:
        return client.as_user(None).call(
            method, path, headers={"Authorization": f"Bearer {given}"}, data=b"x").status_code

    assert status("GET", "objects/bck/a") == 200
    assert status("PUT", "objects/out/.sort-x/0") == 200
    assert client.get("out", ".sort-x/0") == b"x"
    for method, path in (
            ("GET", "objects/out/.sort-x/0"), ("PUT", "objects/bck/a"), ("PUT", "objects/out/0"),
            ("PUT", "objects/out/.sort-y/0"), ("DELETE", "objects/bck/a"),
            ("GET", "objects/bck/a?length=1"), ("GET", "buckets/*"), ("GET", "sort"),
            ("POST", "sort"), ("GET", "daemon?what=config")):
        assert status(method, path) == 403, (method, path)
    assert client.get("bck", "a") == b"abc"
    assert status("GET", "objects/bck/a", given="x" * 43) == 401
    elsewhere = embedded_aistore.request(
        "GET", "/f/file/status", user=None, params={"path": "/"},
        headers={"Authorization": f"Bearer {token}"})
    assert elsewhere.status_code == 401
    tokens.revoke(token)
    assert status("GET", "objects/bck/a") == 401


