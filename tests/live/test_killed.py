"""kill -9 in the middle of an upload: the old file stays whole, and soon nothing else is there."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.contract.client import CONTENT, OCTETS, visible_and_hidden, zipped
from tests.contract.wire import Wire
from tests.gateway import PASSWORD, REPOSITORY, alive, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.client import Files

OLD = b"the old content, all of it " * 10_000
PIECE = os.urandom(1 << 18)
SWEPT_SECONDS = 120.0


class Change(NamedTuple):
    """A way to send content: the request, and whether it makes directories."""

    method: str
    name: str
    more: str = ""

    def target(self, files: Files) -> str:
        """Return the request target."""
        return f"{CONTENT}?path={files.at(self.name)}{self.more}"


CHANGES = [
    pytest.param(Change("PUT", "old", "&overwrite=true"), id="overwrite"),
    pytest.param(Change("PUT", "made/on/the/way"), id="create"),
    pytest.param(Change("POST", "old"), id="append"),
]


def begin(files: Files, change: Change) -> Wire:
    """Send the beginning of a body, and return when HDFS has a hidden file of it."""
    files.put("old", OLD)
    wire = Wire(files.gateway)
    wire.send_head(change.method, change.target(files),
                   [*OCTETS.items(), ("Transfer-Encoding", "chunked")])
    for _ in range(8):
        wire.send_chunk(PIECE)
    wait_for("a hidden file", lambda: "?" in visible_and_hidden(files))
    assert files.names() in (["old"], ["made", "old"])
    assert files.read("old") == OLD
    return wire


def assert_only_the_old_file(files: Files) -> None:
    """Assert that the old file is there at once, and after the sweep nothing else."""
    assert files.read("old") == OLD
    wait_for("only the old file", lambda: visible_and_hidden(files) == ["old"],
             seconds=SWEPT_SECONDS)
    assert files.read("old") == OLD


@pytest.mark.parametrize("change", CHANGES)
def test_the_worker(files: Files, change: Change) -> None:
    with begin(files, change) as wire:
        pid = files.gateway.worker_of(wire.socket)
        files.gateway.kill_worker(pid)
        assert wire.at_end()
    assert_only_the_old_file(files)
    wait_for("two workers again", lambda: len(files.gateway.workers()) == 2)
    files.put("old", b"new", overwrite="true")
    files.append("old", b"er")
    assert files.read("old") == b"newer"


def test_the_whole_gateway(files: Files) -> None:
    with begin(files, Change("PUT", "old", "&overwrite=true")):
        for pid in (files.gateway.master, *files.gateway.workers()):
            os.kill(pid, signal.SIGKILL)
        files.gateway.restart()
    assert_only_the_old_file(files)


CLIENT = """
import base64, socket, sys, time
port, target, method, user = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
with socket.create_connection(("127.0.0.1", port)) as s:
    token = base64.b64encode(user.encode()).decode()
    s.sendall(f"{method} {target} HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Basic {token}\\r\\n"
              "Content-Type: application/octet-stream\\r\\n"
              "Content-Length: 100000000\\r\\n\\r\\n".encode())
    s.sendall(bytes(2000000))
    print("sent", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("change", CHANGES)
def test_the_client(files: Files, change: Change) -> None:
    files.put("old", OLD)
    with client(files, change) as process:
        wait_for("a hidden file", lambda: "?" in visible_and_hidden(files))
        process.kill()
    assert_only_the_old_file(files)


def client(files: Files, change: Change) -> subprocess.Popen[str]:
    """Start a process that sends a part of a body and then hangs."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", CLIENT, str(files.gateway.port), change.target(files),
         change.method, f"someone:{PASSWORD}"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "sent\n"
    return process


@pytest.mark.parametrize("change", CHANGES)
def test_a_client_that_resets_its_connection(files: Files, change: Change) -> None:
    with begin(files, change) as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert_only_the_old_file(files)


@pytest.mark.parametrize("change", CHANGES)
def test_a_client_whose_gzip_ends_early(files: Files, change: Change) -> None:
    files.put("old", OLD)
    packed = zipped(os.urandom(3_000_000))
    with Wire(files.gateway) as wire:
        wire.send_head(change.method, change.target(files), [
            *OCTETS.items(), ("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")])
        wire.send_chunk(packed[:2_000_000])
        wait_for("a hidden file", lambda: "?" in visible_and_hidden(files))
        wire.send_chunk(b"")
        answer = wire.answer()
    assert answer.status == 400
    assert "gzip" in answer.errors
    assert_only_the_old_file(files)


@pytest.mark.parametrize("change", CHANGES)
def test_a_client_whose_digest_is_wrong(files: Files, change: Change) -> None:
    files.put("old", OLD)
    with Wire(files.gateway) as wire:
        wire.send_head(change.method, change.target(files), [
            *OCTETS.items(), ("Content-Length", str(len(PIECE) * 8)),
            ("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==")])
        wire.socket.sendall(PIECE * 8)
        answer = wire.answer()
    assert answer.status == 400
    assert "Content-MD5" in answer.errors
    assert_only_the_old_file(files)


def test_a_client_that_stalls(files: Files) -> None:
    # The gateway's patience is web.body_timeout, a minute; others are served meanwhile.
    with begin(files, Change("PUT", "old", "&overwrite=true")) as wire:
        for i in range(5):
            files.put(f"other-{i}", b"x")
        wire.send_chunk(PIECE)
        wire.send_chunk(b"")
        assert wire.answer().status == 201
    assert files.read("old") == PIECE * 9


@pytest.mark.gunicorn
def test_nothing_of_a_test_gateway_outlives_its_test(tmp_path: object) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.gateway import Gateway\n"
        "gateway = Gateway(Path(sys.argv[1]))\n"
        "gateway.start()\n"
        "print(gateway.master, *gateway.workers(), flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True,
        cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    ) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 3
        assert all(map(alive, pids))
        process.kill()
    wait_for("the end of master and workers", lambda: not any(map(alive, pids)))


@pytest.fixture(autouse=True)
def _two_workers_at_the_end(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "fragile" in request.fixturenames:
        gateway = request.getfixturevalue("fragile")
        wait_for("two workers", lambda: len(gateway.workers()) == 2)
