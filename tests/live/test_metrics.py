"""The figures after a worker was killed: what it had under way is no more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.contract.wire import Wire
from tests.gateway import Gateway, wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gunicorn


def active(gateway: Gateway) -> int:
    """Return how many requests are under way, the one that asks included."""
    text = gateway.request("GET", "/metrics", user=None).text
    found = re.search(r"^httpfs_proxy_active_requests (\d+)", text, re.MULTILINE)
    assert found, text
    return int(found[1])


def test_requests_of_a_killed_worker_are_not_under_way(tmp_path: Path) -> None:
    with Gateway(tmp_path, workers=1) as gateway, Wire(gateway) as wire:
        gateway.make_home("alice")
        wire.send_head("PUT", "/f/file/content?path=f", [("Content-Length", "1000")])
        wait_for("the upload", lambda: active(gateway) == 2)
        gateway.kill_worker(gateway.worker_of(wire.socket))
        wait_for("a new worker", gateway.workers)
        wait_for("the question alone", lambda: active(gateway) == 1)
