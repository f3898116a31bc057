"""AIStore's shutdown: gunicorn ends, and with it what is under way, whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import requests

from tests.aistore.clusters import Member, member
from tests.aistore.conftest import users
from tests.contract.client import CONTENT, OCTETS
from tests.contract.wire import Wire
from tests.deploy.test_run import two_free_ports
from tests.gateway import QUIET_VARIABLES, REPOSITORY, Gateway, alive, wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gunicorn
SIZE = 24 * 1024 * 1024
MESSAGE = {"action": "shutdown"}
CLOSE = {"Connection": "close"}
"""An idle connection is waited for, too."""


def upload(gateway: Gateway) -> Wire:
    """Return a connection on which an upload is under way; the gateway has its first bytes."""
    wire = Wire(gateway, timeout=60)
    wire.send_head("PUT", f"{CONTENT}?path=up&overwrite=true", [
        *OCTETS.items(), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue")])
    assert wire.socket.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send_chunk(b"con")
    return wire


def test_a_gateway_ends_and_its_transfers_end_whole(tmp_path: Path) -> None:
    one = member(tmp_path, "one")
    with one.gateway:
        one.gateway.make_home("alice")
        put = one.gateway.request("PUT", "/f/file/content", params={"path": "down"},
                                  data=bytes(SIZE), headers=OCTETS | CLOSE)
        assert put.status_code == 201, put.text
        with Wire(one.gateway, timeout=60) as down, upload(one.gateway) as up:
            down.send_head("GET", f"{CONTENT}?path=down", [])
            head = down.head()
            assert head.status == 200
            stopped = one.admin.call("PUT", "daemon/", MESSAGE)
            assert (stopped.status_code, stopped.content) == (200, b"")
            wait_for("nobody listens", lambda: refused(one.gateway.url))
            assert one.gateway.running
            up.send_chunk(b"tent")
            up.send_chunk(b"")
            assert up.answer().status == 201
            assert len(down.rest(SIZE)) == SIZE
        wait_for("the end", lambda: not one.gateway.running, seconds=60)
        one.gateway.start()
        read = one.gateway.request("GET", "/f/file/content", params={"path": "up"})
        assert read.content == b"content"


def refused(url: str) -> bool:
    """Tell whether nobody takes connections."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.get(f"{url}/healthz", timeout=60, headers=CLOSE)
    except requests.ConnectionError:
        return True
    return False


def test_all_gateways_end(tmp_path: Path) -> None:
    members = [member(tmp_path, name) for name in ("one", "other")]
    with ExitStack() as stack:
        for each in members:
            stack.enter_context(each.gateway)
        workers = [pid for each in members for pid in each.gateway.workers()]
        stopped = members[1].admin.call("PUT", "cluster/", MESSAGE)
        assert stopped.status_code == 200, stopped.text
        wait_for("the end of all", lambda: not any(
            each.gateway.running for each in members), seconds=60)
        assert not any(map(alive, workers))
        # The order is not for those that come after.
        members[0].gateway.start()
        assert set(members[0].what("smap")["pmap"]) >= {members[0].id}
        assert members[0].gateway.running


@pytest.mark.parametrize("worker_class", ["gthread", "gevent"])
def test_under_gunicorn_with_other_workers(tmp_path: Path, worker_class: str) -> None:
    gateway = Gateway(tmp_path, users=users(), worker_class=worker_class, workers=1)
    with gateway:
        one = Member(gateway)
        assert one.what("snode")["public_net"]["direct_url"] == gateway.url
        assert one.put("daemon", **MESSAGE) == 200
        wait_for("the end", lambda: not gateway.running, seconds=60)


def test_make_run_ends_too(tmp_path: Path) -> None:
    data, port = tmp_path / "data", two_free_ports()
    environment = {
        **{name: value for name, value in os.environ.items()
           if not name.startswith((*QUIET_VARIABLES, "DEMO_", "BACKEND"))},
        "DATA": str(data), "PORT": str(port), "DEMO_PASSWORD": "secret"}
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, REPOSITORY / "scripts" / "run_gateway.py"], env=environment,
            stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for("the gateway", lambda: not refused(url), seconds=60)
        with requests.Session() as session:
            session.trust_env = False
            session.auth = ("someone", "secret")
            session.headers.update(CLOSE)
            denied = session.put(f"{url}/v1/daemon", json=MESSAGE, timeout=60)
            assert denied.status_code == 403, denied.text
            listed = data / "users.yaml"
            listed.write_text(listed.read_text().replace(
                "someone:\n", "someone:\n    roles: [admin]\n", 1))
            stopped = wait_for("an admin's word to count", lambda: session.put(
                f"{url}/v1/daemon", json=MESSAGE, timeout=60).status_code == 200)
            assert stopped
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
