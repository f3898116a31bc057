"""The figures tell whether Hadoop's RPC is used, by all workers, and how often it was left."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.fs.lane_scene import Doors, doors
from tests.gateway import Gateway, wait_for
from tests.live.conftest import QUICK

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gunicorn


def figures(gateway: Gateway, scene: Doors) -> dict[str, float]:
    """Return what is told of lanes, by kind: open ones, and how often one was lost."""
    text = gateway.request("GET", "/metrics", user=None).text
    found = {}
    for name in ("open_lanes", "lost_lanes_total"):
        for lane in ("rpc", "data"):
            labels = f'lane="{lane}",server="127.0.0.1:{scene.http.port}"'
            line = re.search(rf"^httpfs_proxy_{name}{{{labels}}} (\S+)$", text, re.MULTILINE)
            assert line, text
            found[f"{name} {lane}"] = float(line[1])
    return found


def ask(gateway: Gateway) -> None:
    gateway.request("GET", "/f/file/status", params={"path": "/"}).raise_for_status()


def test_lanes_of_all_workers_are_counted(tmp_path: Path) -> None:
    with doors() as scene, Gateway(
            tmp_path, backend=scene.http.url, workers=2, settings={
                **QUICK, "backend": {"kind": "namenode"}}) as gateway:
        assert set(figures(gateway, scene).values()) == {0}

        def told() -> dict[str, float]:
            gateway._forget_connections()
            ask(gateway)
            return figures(gateway, scene)

        wait_for("both workers have it open", lambda: told()["open_lanes rpc"] == 2)
        assert told()["lost_lanes_total rpc"] == 0
        scene.jmx = None
        scene.rpc["getFileInfo"] = lambda _: b""
        wait_for("both workers have left it", lambda: told()["open_lanes rpc"] == 0)
        assert told()["lost_lanes_total rpc"] == 2


def test_a_worker_that_was_killed_has_no_lane_open(tmp_path: Path) -> None:
    with doors() as scene, Gateway(
            tmp_path, backend=scene.http.url, workers=1, settings={
                **QUICK, "backend": {"kind": "namenode"}}) as gateway:
        ask(gateway)
        assert figures(gateway, scene)["open_lanes rpc"] == 1
        gateway.kill_worker(*gateway.workers())
        wait_for("a new worker", gateway.workers)
        assert figures(gateway, scene)["open_lanes rpc"] == 0
        assert figures(gateway, scene)["lost_lanes_total rpc"] == 0
