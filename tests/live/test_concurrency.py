"""Many at once on one file: every reader sees one whole version, every writer a clear outcome."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import requests

from tests.contract.client import CONTENT, OCTETS, visible_and_hidden
from tests.contract.wire import Wire
from tests.gateway import wait_for

if TYPE_CHECKING:
    from tests.contract.client import Files

SIZE = 300_000
WRITERS, VERSIONS, READERS = 3, 4, 3


def ask(files: Files, method: str, name: str, **options: Any) -> requests.Response:
    """Send a request over a connection of its own."""
    params = {"path": files.at(name), **options.pop("params", {})}
    return requests.request(
        method, files.gateway.url + CONTENT, params=params, auth=("someone", "secret"),
        headers={"Accept-Encoding": "identity", **options.pop("headers", {})}, timeout=60,
        **options)


def version(writer: int, number: int) -> bytes:
    """Return content that is of this version throughout."""
    return b"%02d-%02d|" % (writer, number) * (SIZE // 6 + writer * 100 + number)


def test_each_download_is_one_whole_version(files: Files) -> None:
    files.put("f", version(0, 0))
    over = threading.Event()
    known = {hashlib.sha256(version(w, n)).digest() for w in range(WRITERS)
             for n in range(VERSIONS)}
    replaces_at_once = files.backend != "httpfs"

    def write(writer: int) -> list[int]:
        return [ask(files, "PUT", "f", data=version(writer, number),
                    params={"overwrite": "true"}).status_code for number in range(VERSIONS)]

    def read() -> list[tuple[str, bytes]]:
        seen: list[tuple[str, bytes]] = []
        while not over.is_set() or not seen:
            try:
                answer = ask(files, "GET", "f")
            except requests.exceptions.ChunkedEncodingError:
                continue  # broken off, and seen to be so
            if answer.status_code == 404:
                # HttpFS cannot replace in one step: for a moment nothing has the name.
                assert not replaces_at_once
                continue
            assert answer.status_code == 200, answer.text
            seen.append((answer.headers["ETag"], hashlib.sha256(answer.content).digest()))
        return seen

    with ThreadPoolExecutor(WRITERS + READERS) as pool:
        reading = [pool.submit(read) for _ in range(READERS)]
        statuses = [status for done in pool.map(write, range(WRITERS)) for status in done]
        over.set()
        seen = [one for future in reading for one in future.result()]
    assert set(statuses) <= ({201} if replaces_at_once else {201, 404, 409})
    assert 201 in statuses
    assert {digest for _, digest in seen} <= known
    assert len(set(seen)) == len({tag for tag, _ in seen}), "one ETag for two contents"
    assert hashlib.sha256(files.read("f")).digest() in known
    wait_for("only the file", lambda: visible_and_hidden(files) == ["f"])


def test_an_archive_has_what_is_replaced_meanwhile(files: Files) -> None:
    files.put("d/f", version(0, 0))
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            assert ask(files, "PUT", "d/f", data=version(1, 1),
                       params={"overwrite": "true"}).status_code == 201

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            for _ in range(8):
                answer = files.gateway.request(
                    "GET", "/f/archive", params={"path": files.at("d")})
                with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
                    names = tar.getnames()
                # HttpFS cannot replace in one step: for a moment nothing has the name.
                assert names == ["d", "d/f"] or (files.backend == "httpfs" and names == ["d"])
        finally:
            over.set()
        writing.result()


def test_of_uploads_that_do_not_overwrite_one_wins(files: Files) -> None:
    for attempt in range(3):
        name = f"f{attempt}"
        wires = [Wire(files.gateway) for _ in range(4)]
        for wire in wires:
            wire.send_head("PUT", f"{CONTENT}?path={files.at(name)}",
                           [*OCTETS.items(), ("Transfer-Encoding", "chunked")])
            wire.send_chunk(b"begun ")
        for number, wire in enumerate(wires):
            wire.send_chunk(b"by %d" % number)
            wire.send_chunk(b"")
        statuses = [wire.answer().status for wire in wires]
        for wire in wires:
            wire.socket.close()
        assert sorted(statuses) == [201, 409, 409, 409]
        assert files.read(name) == b"begun by %d" % statuses.index(201)
    wait_for("only the files", lambda: visible_and_hidden(files) == ["f0", "f1", "f2"])


def test_appends_at_once_are_all_there_once(files: Files) -> None:
    files.put("f", b"")
    records = [b"<%02d>" % number * 5000 for number in range(12)]

    def append(record: bytes) -> int:
        return ask(files, "POST", "f", data=record, headers=OCTETS).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(append, records))
    assert statuses == [201] * len(records)
    content = files.read("f")
    assert len(content) == sum(map(len, records))
    assert all(record in content for record in records)
    wait_for("only the file", lambda: visible_and_hidden(files) == ["f"])


def test_slow_downloads_do_not_keep_others_waiting(files: Files) -> None:
    content = bytes(8_000_000)
    files.put("big", content)
    wires = [Wire(files.gateway) for _ in range(60)]
    try:
        for wire in wires:
            wire.send_head("GET", f"{CONTENT}?path={files.at('big')}")
        for wire in wires:
            assert wire.socket.recv(1)
        for number in range(20):
            files.put(f"quick-{number}", b"x")
            assert files.status(f"quick-{number}")["length"] == 1
    finally:
        for wire in wires:
            wire.socket.close()
