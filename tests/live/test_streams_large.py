"""Streams of any size at constant memory: 256 MiB in many writes, 5 GiB in few."""

from __future__ import annotations

import hashlib
import http.client
from base64 import b64encode
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.conftest import HADOOP, backend_options, furnish
from tests.gateway import PASSWORD, Gateway
from tests.live.conftest import new_directory
from tests.live.test_large import Sum
from tests.streams.conftest import Alluxio

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.contract.client import Files

pytestmark = [pytest.mark.slow, pytest.mark.gunicorn]

MIB = 1 << 20
PIECE = hashlib.shake_256(b"a piece of a stream").digest(MIB)
GROWTH = 96 * MIB


class Stream:
    """A stream and the memory of the gateway while it is used."""

    def __init__(self, files: Files, name: str, action: str) -> None:
        self.gateway = files.gateway
        self.peak = 0
        answer = Alluxio(files.gateway).act(files.at(name), action, {})
        assert answer.status == 200, answer
        self.stream_id = answer.json

    @contextmanager
    def asked(
        self, action: str, body: Iterable[bytes] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """Ask over a connection of its own; yield the answer, of which nothing is read yet."""
        token = b64encode(f"someone:{PASSWORD}".encode()).decode()
        with closing(http.client.HTTPConnection(
                "127.0.0.1", self.gateway.port, timeout=120)) as connection:
            connection.request(
                "POST", f"/api/v1/streams/{self.stream_id}/{action}", body=body,
                headers={"Authorization": f"Basic {token}"}, encode_chunked=True)
            yield connection.getresponse()

    def told(self, action: str, body: Iterable[bytes] | None = None) -> bytes:
        """Return a short answer."""
        with self.asked(action, body) as answer:
            assert answer.status == 200
            return answer.read()

    def watched(self, pieces: Iterable[bytes], digest: Sum) -> Iterator[bytes]:
        """Yield the pieces, looking at the memory now and then."""
        for number, piece in enumerate(pieces):
            digest.update(piece)
            if number % 64 == 0:
                self.peak = max(self.peak, self.gateway.memory())
            yield piece


def content(start: int, mib: int) -> Iterator[bytes]:
    """Yield pieces of which no two are the same."""
    for number in range(start, start + mib):
        yield b"%016d" % number + PIECE[16:]


@pytest.fixture(scope="module")
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


def up_and_down(files: Files, mib: int, writes: int) -> int:
    """Write and read so much; return the most memory that the gateway had."""
    writer = Stream(files, f"large-{mib}", "create-file")
    sent, got = Sum(), Sum()
    each = mib // writes
    for number in range(writes):
        body = writer.watched(content(number * each, each), sent)
        assert writer.told("write", body) == str(each * MIB).encode()
    assert writer.told("close") == b""
    reader = Stream(files, f"large-{mib}", "open-file")
    with reader.asked("read") as answer:
        assert answer.headers["Content-Length"] == str(mib * MIB)
        for _ in reader.watched(iter(lambda: answer.read(MIB), b""), got):
            pass
    assert got.value == sent.value
    assert reader.told("read") == b""
    files.call("DELETE", "/f/file", 204, path=files.at(f"large-{mib}"))
    return max(writer.peak, reader.peak)


@pytest.mark.parametrize(("large", "mib", "writes"), [
    pytest.param("embedded", 256, 16),
    pytest.param("namenode", 256, 16, marks=HADOOP),
    # What grows with the file would show on a real cluster as on the embedded one.
    pytest.param("namenode", 5 * 1024, 2, marks=HADOOP),
], indirect=["large"], scope="module")
def test_streams_at_constant_memory(large: Files, mib: int, writes: int) -> None:
    up_and_down(large, 64, 2)
    before = large.gateway.memory()
    assert up_and_down(large, mib, writes) - before < GROWTH
