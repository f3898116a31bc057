"""What Spark's workers and the flow between them do, seen without Spark."""

from __future__ import annotations

import http.server
import io
import threading
from typing import TYPE_CHECKING, Any

import pytest

from app.sorting import spark_gateway, spark_workers
from app.sorting.spark_errors import SortError
from app.sorting.spark_flow import addressed, summed
from app.sorting.spark_gateway import Gateway
from app.sorting.spark_workers import ByNumber, Counted, create, extract
from tests.sorting.shards import files_of, make_shard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = [("a.txt", b"1" * 600), ("a.cls", b"7"), ("b.txt", b"")]


class Seen:
    def __init__(self) -> None:
        self.value: dict[int, Any] = {}

    def add(self, term: dict[int, Any]) -> None:
        self.value = ByNumber().addInPlace(self.value, term)


class Objects(http.server.BaseHTTPRequestHandler):
    """A gateway's objects: what is in `kept`; 503 first for a name in `busy`."""

    protocol_version = "HTTP/1.1"
    kept: dict[str, bytes]
    busy: set[str]
    seen: list[str]

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        self.seen.append(self.headers["Authorization"])
        name = self.path.removeprefix("/v1/objects/")
        if name in self.busy:
            self.busy.discard(name)
            self.answer(503, b'{"message": "later"}')
        elif name in self.kept:
            self.answer(200, self.kept[name])
        else:
            self.answer(404 if "secret" not in name else 403, b'{"message": "not for you"}')

    def do_PUT(self) -> None:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        if "full" in self.path:
            self.answer(403, b'{"message": "quota exceeded"}')
            return
        self.kept[self.path.removeprefix("/v1/objects/")] = body
        self.answer(200, b"")

    def answer(self, status: int, body: bytes) -> None:
        cut = body[:-10] if "cut" in self.path else body
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(cut)
        self.close_connection = True


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Objects]]:
    monkeypatch.setattr(spark_workers, "limit_memory", lambda _size: None)
    monkeypatch.setattr(spark_gateway.time, "sleep", lambda _seconds: None)
    kind = type("Kept", (Objects,), {"kept": {}, "busy": set(), "seen": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        kind.gateway = (f"http://127.0.0.1:{server.server_port}", "the-token")
        yield kind
        server.shutdown()
        thread.join()


def task(objects: Any, **changes: Any) -> dict[str, Any]:
    return {"gateway": objects.gateway, "bucket": "in", "output_bucket": "out", "staged": ".s/",
            "extension": ".tar", "most": 10**6, "room": 10**9, "memory_bytes": 10**9,
            "scratch": "/nowhere", "algorithm": {
                "kind": "content", "extension": ".cls", "format_type": "int"}} | changes


def test_a_worker_takes_shards_apart(objects: Any) -> None:
    objects.kept["in/s%200.tar"] = shard = make_shard(".tar", FILES)
    objects.busy.add("in/s%200.tar")
    seen = Seen()
    found = list(extract([((4, 0), "s 0.tar"), ((5, 0), "none.tar")], task(objects), seen))
    assert [(place, one[:4], one[4], one[6]) for place, one in found] == [
        ((4, 0), ("a", ".txt", 1536, None), "a.txt", b"1" * 600),
        ((4, 1), ("a", ".cls", 1024, 7), "a.cls", b"7"),
        ((4, 2), ("b", ".txt", 512, None), "b.txt", b"")]
    assert seen.value[5] is None
    assert seen.value[4][:3] == [len(shard), 3072, 3]
    assert set(objects.seen) == {"Bearer the-token"}


def test_a_worker_makes_shards(objects: Any) -> None:
    made = Seen()
    files = [((shard, index, 0), (name, {}, data)) for shard in (2, 3)
             for index, (name, data) in enumerate(FILES)]
    create(files, task(objects), made)
    assert sorted(objects.kept) == ["out/.s/000000002", "out/.s/000000003"]
    for number, packed in zip((2, 3), objects.kept.values(), strict=True):
        assert files_of(".tar", packed) == FILES
        assert made.value[number][:3] == [len(packed), 601, 3]


@pytest.mark.parametrize(("name", "text"), [
    ("secret.tar", "reading in/secret.tar failed: 403 not for you"),
    ("cut.tar", r"reading in/cut\.tar broke off after 10230 of 10240 bytes"),
])
def test_what_cannot_be_read_fails(objects: Any, name: str, text: str) -> None:
    if "cut" in name:
        objects.kept[f"in/{name}"] = make_shard(".tar", FILES)
    with pytest.raises(SortError, match=text):
        list(extract([((0, 0), name)], task(objects), Seen()))


def test_what_cannot_be_written_fails(objects: Any) -> None:
    with pytest.raises(SortError, match=r"writing full/\.s/000000000 failed: 403 quota exceeded"):
        create([((0, 0, 0), ("a", {}, b"x"))], task(objects, output_bucket="full"), Seen())


def test_a_gateway_that_is_not_there_is_told_with_its_setting() -> None:
    gateway = Gateway("http://127.0.0.1:9", "t")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spark_gateway.time, "sleep", lambda _seconds: None)
        with pytest.raises(SortError, match=r"cannot be reached at .* sort\.gateway_url"), \
                gateway.reading("b", "o"):
            pass


def test_a_full_disk_ends_the_sort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spark_workers.check_disk(str(tmp_path / "elsewhere"))
    monkeypatch.setattr(spark_workers, "SPARE_DISK", 2**70)
    with pytest.raises(SortError, match=r"the disk of sort\.scratch is full"):
        spark_workers.check_disk(str(tmp_path))


def test_files_go_where_they_are_told_and_none_is_lost() -> None:
    goals = [((0, 1), (7, 3, 0)), ((0, 0), (8, 4, 1))]
    files = [((0, number), ("r", ".x", 1, None, f"f{number}", {}, b"")) for number in range(3)]
    assert list(addressed([*goals, *files])) == [
        ((8, 4, 1), ("f0", {}, b"")), ((7, 3, 0), ("f1", {}, b""))]
    with pytest.raises(SortError, match="the contents of 1 files were lost"):
        list(addressed([*goals, files[0]]))


def test_figures_of_shards_are_put_together() -> None:
    assert summed([[10, 1000, 2, 100], [30, 500, 3, 500]]) == {
        "count": 2, "packed": 40, "unpacked": 1500, "files": 5, "total_ms": 600, "min_ms": 100,
        "max_ms": 500, "min_rate": 1000, "max_rate": 10000, "avg_rate": 5500}
    assert summed([])["count"] == 0


def test_a_body_is_read_to_its_end() -> None:
    source = Counted(io.BytesIO(b"x" * 100))
    source.read(10)
    source.drain()
    assert source.count == 100
