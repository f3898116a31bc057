"""Ttls over real gateways: two that share a state store, and workers that are killed."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import GUNICORN, HADOOP
from tests.gateway import Gateway, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = 40
DIRECTORY = "/user/alice/ttl"
ENDED = re.compile(r"the ttl of (\S+) is over: (\w+) of alice")


@pytest.fixture(params=[
    pytest.param("embedded", marks=GUNICORN), pytest.param("hadoop", marks=HADOOP)])
def gateways(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Gateway, Gateway]]:
    """Yield two gateways of one store, over one cluster: NameNode and HttpFS, if it is real."""
    options: dict[str, Any] = {"settings": {
        "state_url": f"sqlite://{tmp_path}/shared.db", "streams": {"sweep_seconds": 1.0}}}
    urls = [f"embedded://{tmp_path}/hdfs"] * 2
    if request.param == "hadoop":
        cluster = request.getfixturevalue("hadoop")
        urls = [cluster.namenode_url, cluster.httpfs_url]
        options["superuser"] = cluster.superuser
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(Gateway(tmp_path / name, backend=url, **options))
            for name, url in zip("ab", urls, strict=True))
        one.make_home("alice")
        made = one.request("PUT", "/f/directory", params={"path": DIRECTORY})
        assert made.status_code in (200, 201), made.text
        yield one, other
        one.request("DELETE", "/f/file", params={"path": DIRECTORY, "recursive": "true"})


def write(gateway: Gateway, name: str) -> str:
    path = f"{DIRECTORY}/{name}"
    written = gateway.request("PUT", "/f/file/content", params={"path": path}, data=b"x")
    assert written.status_code == 201, written.text
    return path


def set_ttl(gateway: Gateway, path: str, milliseconds: int, action: str = "DELETE") -> None:
    answer = gateway.request("POST", f"/api/v1/paths/{path}/set-attribute", json={
        "ttl": milliseconds, "ttlAction": action})
    assert answer.status_code == 200, answer.text


def names(gateway: Gateway) -> set[str]:
    answer = gateway.request("GET", "/f/listing", params={"path": DIRECTORY})
    assert answer.status_code == 200, answer.text
    return {entry["pathSuffix"] for entry in answer.json()["result"]["statuses"]}


def test_one_of_two_gateways_ends_each_ttl(gateways: tuple[Gateway, Gateway]) -> None:
    one, other = gateways
    for i in range(COUNT):
        set_ttl(gateways[i % 2], write(one, f"short-{i}"), 1500)
    set_ttl(one, write(one, "long"), 3_600_000)
    set_ttl(one, write(one, "freed"), 1500, "FREE")
    set_ttl(other, write(one, "again"), 1500)
    set_ttl(one, f"{DIRECTORY}/again", 3_600_000)
    write(one, "none")
    stay = {"long", "freed", "again", "none"}
    wait_for("the end of all short ones", lambda: names(other) == stay, seconds=60)

    def ended() -> list[str]:
        return sorted(path for gateway in gateways
                      for path, _ in ENDED.findall(gateway.logged()))

    expected = sorted(f"{DIRECTORY}/{name}" for name in (
        *(f"short-{i}" for i in range(COUNT)), "freed"))
    wait_for("a line in the log for each", lambda: len(ended()) >= len(expected))
    assert ended() == expected


def test_a_ttl_ends_though_workers_are_killed(gateways: tuple[Gateway, Gateway]) -> None:
    one, other = gateways
    for i in range(COUNT):
        set_ttl(one, write(one, f"short-{i}"), 2000)
    set_ttl(one, write(one, "long"), 3_600_000)
    for _ in range(3):
        wait_for("the beginning", lambda: len(names(other)) < COUNT + 1, seconds=60)
        for gateway in gateways:
            gateway.kill_worker(wait_for("workers", gateway.workers)[0])
    wait_for("the end of all short ones", lambda: names(other) == {"long"}, seconds=60)
