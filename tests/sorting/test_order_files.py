"""Order files on their way to Spark's process: they pass through memory in pieces."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, cast

import pytest

from app.core.sort_errors import SortFailed
from app.jobs.record import Job
from app.jobs.running import Running
from app.sorting import order_files
from app.sorting.order_files import OrderFiles
from tests.downloads.sources import Source
from tests.jobs.office import ALICE

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from app.fs.objects import ObjectStore

NO_OBJECTS = cast("ObjectStore", None)
LINK = "https://example.net/order"
FETCHED = """
import sys
from gevent import monkey
monkey.patch_all()
from ipaddress import ip_network
from app.core.download_errors import SourceAway
from app.downloads.reading import fetched
from app.settings import DownloadSettings
settings = DownloadSettings(hosts=(sys.argv[1],), private_networks=(ip_network("127.0.0.0/8"),),
                            timeout=0.5)
try:
    list(fetched(settings, "https://" + sys.argv[1] + "/order"))
except SourceAway as error:
    print(error)
"""


def test_an_order_file_is_kept_in_a_file_and_never_whole_in_memory(tmp_path: Path) -> None:
    target = tmp_path / "order"
    seen: list[int] = []

    def fetch(link: str) -> Iterator[bytes]:
        assert link == LINK
        for number in range(3):
            seen.append(target.stat().st_size)
            yield bytes([65 + number]) * 1_000_000

    OrderFiles(fetch).save(NO_OBJECTS, LINK, Running(Job("1", "sort", "alice"), ALICE), target)
    assert target.read_bytes() == b"".join(bytes([65 + n]) * 1_000_000 for n in range(3))
    assert seen[2] >= 1_000_000


def test_an_order_file_has_no_more_bytes_than_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order_files, "MOST_BYTES", 5)
    with pytest.raises(SortFailed, match="more than 5 bytes"):
        OrderFiles(lambda _link: iter([b"123", b"456"])).save(
            NO_OBJECTS, LINK, Running(Job("1", "sort", "alice"), ALICE), tmp_path / "order")


def test_an_order_file_whose_tls_drips_is_given_up() -> None:
    """Under gevent each byte of a record would begin the socket's timeout anew."""
    over = threading.Event()

    def drip(sock: socket.socket) -> None:
        sock.recv(4096)
        sock.sendall(b"\x16\x03\x03\x40\x00")
        while not over.wait(0.1):
            sock.sendall(b"x")

    try:
        with Source(greeting=drip) as source:
            done = subprocess.run(
                [sys.executable, "-c", FETCHED, source.authority], capture_output=True, text=True,
                timeout=60, check=True)
    finally:
        over.set()
    assert "does not answer in time" in done.stdout
