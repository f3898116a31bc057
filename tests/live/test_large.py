"""Sizes that no memory holds: gigabytes up and down, directories of a million."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import google_crc32c
import pytest
import requests

from app.embedded.inodes import key_of
from tests.conftest import backend_options, furnish
from tests.contract.client import CONTENT, Files
from tests.contract.wire import Wire
from tests.gateway import Gateway
from tests.live.conftest import new_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hadoop.cluster import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.gunicorn]

MIB = 1 << 20
SIZE = 5 * 1024 * MIB
BLOCK = hashlib.shake_256(b"five gibibytes").digest(8 * MIB)
GROWTH = 96 * MIB
SLOW_CLIENTS = 200


class Sum:
    """A CRC32C of what passes: MD5 would cost more than the transfer."""

    def __init__(self) -> None:
        self.value = 0

    def update(self, piece: bytes) -> None:
        """Go on with a piece."""
        self.value = google_crc32c.extend(self.value, piece)


def content() -> Iterator[bytes]:
    """Yield SIZE bytes of which no two blocks are the same."""
    for number in range(SIZE // len(BLOCK)):
        yield b"%016d" % number + BLOCK[16:]


def warm(files: Files) -> int:
    """Use every path once, and return the memory that the gateway has then."""
    for number in range(4):
        files.put(f"warm-{number}", BLOCK, overwrite="true")
        assert files.read(f"warm-{number}") == BLOCK
    return files.gateway.memory()


@pytest.fixture(scope="module", params=[
    "embedded", pytest.param("namenode", marks=pytest.mark.hadoop)])
def large(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Files]:
    """Yield `someone` in a directory on a backend, cleaned afterwards: disks are finite."""
    options = backend_options(request, request.param)
    with Gateway(tmp_path_factory.mktemp("large"), **options) as gateway:
        furnish(gateway)
        files = new_directory(gateway, request.param)
        yield files
        files.call("DELETE", "/f/file", 204, path=files.directory, recursive="true")


def test_five_gibibytes_up_and_down_at_constant_memory(large: Files) -> None:
    before = warm(large)
    peaks = [before]
    sent, got = Sum(), Sum()

    def watched(pieces: Iterator[bytes], digest: Sum) -> Iterator[bytes]:
        for number, piece in enumerate(pieces):
            digest.update(piece)
            if number % 64 == 0:
                peaks.append(large.gateway.memory())
            yield piece

    large.put("five", watched(content(), sent))
    assert large.status("five")["length"] == SIZE
    answer = large.gateway.request(
        "GET", CONTENT, params={"path": large.at("five")}, stream=True,
        headers={"Accept-Encoding": "identity"})
    assert answer.headers["Content-Length"] == str(SIZE)
    for _ in watched(answer.iter_content(MIB), got):
        pass
    assert got.value == sent.value
    tail = large.get("five", 206, headers={"Range": "bytes=-10"})
    assert tail.content == BLOCK[-10:]
    large.call("DELETE", "/f/file", 204, path=large.at("five"))
    assert max(peaks) - before < GROWTH, [peak // MIB for peak in peaks]


def test_many_slow_downloads_at_little_memory(large: Files) -> None:
    before = warm(large)
    large.put("big", itertools.repeat(BLOCK, 4))
    wires = [Wire(large.gateway, timeout=60) for _ in range(SLOW_CLIENTS)]
    try:
        for wire in wires:
            wire.send_head("GET", f"{CONTENT}?path={large.at('big')}")
        for wire in wires:
            assert wire.socket.recv(1)
        times = []
        for _ in range(100):
            started = time.monotonic()
            large.status("big")
            times.append(time.monotonic() - started)
        assert sorted(times)[95] < 0.5
        assert large.gateway.memory() - before < SLOW_CLIENTS * MIB
    finally:
        for wire in wires:
            wire.socket.close()


def listed(gateway: Gateway, path: str) -> tuple[int, float, int]:
    """Return the entries of a listing, the seconds to its first byte, and the memory's growth."""
    gateway.request("GET", "/f/home-directory")
    before = gateway.memory()
    started = time.monotonic()
    answer = gateway.request(
        "GET", "/f/listing", params={"path": path}, stream=True, timeout=300,
        headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    count, first, peak, tail = 0, 0.0, before, b""
    for number, piece in enumerate(answer.iter_content(256 * 1024)):
        first = first or time.monotonic() - started
        text = tail + piece
        count += text.count(b'"pathSuffix"')
        tail = text[-11:] if b'"pathSuffix"' not in text[-11:] else b""
        if number % 50 == 0:
            peak = max(peak, gateway.memory())
    assert text.endswith(b'"error":null}')
    return count, first, peak - before


def test_a_listing_of_many_entries(request: pytest.FixtureRequest, large: Files) -> None:
    if large.backend == "embedded":
        entries = 1_000_000
        fill_embedded(large, "many", entries)
    else:
        entries = 20_000
        fill_namenode(request.getfixturevalue("hadoop"), large.at("many"), entries)
    count, first, growth = listed(large.gateway, large.at("many"))
    assert count == entries
    assert first < 5
    assert growth < GROWTH
    page = large.call("GET", "/f/listing", path=large.at("many"), limit="3")
    assert len(page.json()["result"]["statuses"]) == 3


def fill_namenode(hadoop: Cluster, path: str, entries: int) -> None:
    """Make as many directories."""
    url = f"{hadoop.namenode_url}/webhdfs/v1{path}/a-directory-with-the-number-"

    def make(numbers: range) -> None:
        with requests.Session() as session:
            for number in numbers:
                made = session.put(
                    f"{url}{number:07}", params={"op": "MKDIRS", "user.name": "alice"})
                assert made.json() == {"boolean": True}, made.text

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, (range(first, entries, 8) for first in range(8))))


def fill_embedded(files: Files, name: str, entries: int) -> None:
    """Write as many empty files straight into the embedded server's database."""
    files.mkdir(name)
    database, = (files.gateway.directory / "data" / "hdfs").glob("*.db")
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        (parent,) = connection.execute(
            "SELECT id FROM inodes WHERE name = ? AND is_dir ORDER BY id DESC",
            (key_of(name),)).fetchone()
        connection.executemany(
            "INSERT INTO inodes (parent, name, is_dir, owner, grp, mode, replication, blocksize,"
            " mtime) VALUES (?, ?, 0, 'alice', 'supergroup', 420, 1, 134217728, 1)",
            ((parent, key_of(f"a-file-with-the-number-{n:07}")) for n in range(entries)))
        connection.execute(
            "UPDATE inodes SET children = ? WHERE id = ?", (entries, parent))
