"""A stop finishes transfers, a reload drops nothing: on a real gunicorn, with slow clients."""

from __future__ import annotations

import hashlib
import http.client
import os
import signal as signals
import socket
import threading
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
import requests

from tests.gateway import PASSWORD, Gateway, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.gunicorn

SIZE = 32 * 1024 * 1024
"""Far more than the sockets' buffers hold: the rest waits in the worker."""

CONTENT = hashlib.shake_128(b"content").digest(SIZE)
BASIC = {"Authorization": "Basic " + b64encode(f"someone:{PASSWORD}".encode()).decode()}


@pytest.fixture(params=["app.web.worker.GatewayWorker", "gthread"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateway]:
    # A stop waits for idle connections, too: short here, as the tests' own clients have some.
    arguments = ["--graceful-timeout", "60", "--keep-alive", "2", "--threads", "8"]
    with Gateway(
            tmp_path, worker_class=request.param, gunicorn_args=arguments, fresh=True) as running:
        running.make_home("alice")
        yield running


class SlowDownload:
    """A download that has begun and waits."""

    def __init__(self, gateway: Gateway) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        self._connection.request("GET", "/f/file/content?path=big", headers=BASIC)
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200
        self._begun = self._answer.read(1000)

    def finish(self) -> bytes:
        content = self._begun + self._answer.read()
        self._connection.close()
        return content


class SlowUpload:
    """An upload of which one half was sent."""

    def __init__(self, gateway: Gateway, name: str, *, chunked: bool = False) -> None:
        self._chunked = chunked
        self._connection = connection = http.client.HTTPConnection(
            "127.0.0.1", gateway.port, timeout=60)
        connection.putrequest("PUT", f"/f/file/content?path={name}")
        connection.putheader("Authorization", BASIC["Authorization"])
        connection.putheader("Content-Type", "application/octet-stream")
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        else:
            connection.putheader("Content-Length", str(SIZE))
        connection.endheaders()
        self._send(CONTENT[:SIZE // 2])

    def finish(self) -> int:
        self._send(CONTENT[SIZE // 2:])
        if self._chunked:
            self._connection.send(b"0\r\n\r\n")
        answer = self._connection.getresponse()
        answer.read()
        self._connection.close()
        return answer.status

    def _send(self, data: bytes) -> None:
        framed = b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data
        self._connection.send(framed)


def put(gateway: Gateway, name: str) -> None:
    answer = gateway.request(
        "PUT", "/f/file/content", params={"path": name, "overwrite": "true"}, data=CONTENT,
        headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 201, answer.text


def content_of(gateway: Gateway, name: str) -> bytes:
    return gateway.request("GET", "/f/file/content", params={"path": name}).content


def refused(gateway: Gateway) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", gateway.port)) != 0


def test_a_reload_finishes_transfers_in_the_old_workers(gateway: Gateway) -> None:
    put(gateway, "big")
    old = set(gateway.workers())
    download = SlowDownload(gateway)
    uploads = [SlowUpload(gateway, "plain"), SlowUpload(gateway, "chunked", chunked=True)]

    os.kill(gateway.master, signals.SIGHUP)
    wait_for("new workers beside old ones", lambda: len(set(gateway.workers()) - old) == 2)
    wait_for("an answer", lambda: gateway.request("GET", "/readyz").ok)

    assert old & set(gateway.workers()), "the old workers ended with transfers under way"
    assert [upload.finish() for upload in uploads] == [201, 201]
    assert download.finish() == CONTENT
    wait_for("the end of the old workers", lambda: not old & set(gateway.workers()), seconds=60)
    assert content_of(gateway, "plain") == CONTENT
    assert content_of(gateway, "chunked") == CONTENT


def test_a_stop_finishes_transfers(gateway: Gateway) -> None:
    assert gateway._daemon is not None
    put(gateway, "big")
    download = SlowDownload(gateway)
    upload = SlowUpload(gateway, "plain")

    os.kill(gateway.master, signals.SIGTERM)
    wait_for("the stop", lambda: "Handling signal: term" in gateway.logged())
    if "Using worker: gthread" not in gateway.logged():
        # gthread leaves the port open until its last transfer ends, and drops who comes meanwhile.
        wait_for("a closed port", lambda: refused(gateway))

    assert upload.finish() == 201
    assert download.finish() == CONTENT
    wait_for("the end", lambda: not gateway._daemon.running, seconds=60)
    transfers = [line for line in gateway.audit() if line["bytesIn"] + line["bytesOut"] >= SIZE]
    assert [line["complete"] for line in transfers] == [True, True, True]
    gateway.start()
    assert content_of(gateway, "plain") == CONTENT


def test_calls_in_a_row_notice_nothing_of_a_reload(gateway: Gateway) -> None:
    ended = threading.Event()
    failures: list[str] = []
    answers = [0] * 4

    def call(number: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.headers.update(BASIC)
            while not ended.is_set():
                try:
                    answer = session.get(f"{gateway.url}/f/home-directory", timeout=30)
                except requests.RequestException as error:
                    failures.append(repr(error))
                    continue
                if answer.status_code != 200:
                    failures.append(answer.text)
                answers[number] += 1

    with background([lambda n=n: call(n) for n in range(4)], ended):
        gateway.reload()
        seen = list(answers)
        wait_for("answers after the reload",
                 lambda: all(now > before for now, before in zip(answers, seen, strict=True)))

    assert not failures


class background:  # noqa: N801 - it is used like a function
    """Run functions in threads until the end of the block."""

    def __init__(self, work: list[Callable[[], None]], ended: threading.Event) -> None:
        self._threads = [threading.Thread(target=each) for each in work]
        self._ended = ended

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


def test_a_client_that_takes_nothing_is_given_up(tmp_path: Path) -> None:
    with Gateway(tmp_path, environment={"GATEWAY_STALL_TIMEOUT": "2"}) as gateway:
        gateway.make_home("alice")
        put(gateway, "big")
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", gateway.port))
            client.sendall(
                b"GET /f/file/content?path=big HTTP/1.1\r\nHost: localhost\r\n"
                b"Authorization: " + BASIC["Authorization"].encode() + b"\r\n\r\n")
            lines = wait_for("the download's audit line", lambda: [
                line for line in gateway.audit() if line["operation"] == "get_content"], seconds=30)
        assert lines[0]["complete"] is False
        assert lines[0]["bytesOut"] < SIZE
