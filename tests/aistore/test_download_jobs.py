"""Downloads as jobs: workers that die, sources with TLS, real HDFS, settings that forbid them."""

from __future__ import annotations

import json
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from app.downloads.records import PLANS
from app.jobs.ledger import Ledger
from app.state import open_store
from tests.aistore.conftest import ROOT, AIStore, error_of, furnished, users, world_in
from tests.aistore.downloading import (
    Half,
    content_of,
    done,
    gateway_for,
    over,
    serve,
    started,
)
from tests.conftest import BACKENDS, backend_options
from tests.downloads.sources import Source, Visit, certified
from tests.gateway import wait_for

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from app.jobs.record import Job
    from app.state.store import Store
    from tests.gateway import Gateway

pytestmark = pytest.mark.gunicorn
SECRET = {"Authorization": "Bearer opensesame"}


@pytest.fixture(params=["app.web.worker.GatewayWorker", "gthread"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path,
) -> Iterator[tuple[AIStore, Source]]:
    """Yield a gateway that may lose its workers, and its source."""
    with Source(serve) as source:
        for gateway in gateway_for(source, tmp_path, worker_class=request.param):
            yield furnished(gateway, "bck"), source


def store_of(gateway: Gateway) -> Store:
    return open_store("sqlite:", gateway.directory / "data")


def written(gateway: Gateway, job_id: str) -> Job:
    """Return a job as its record is, whatever its worker knows."""
    job = Ledger(store_of(gateway), 60.0).find(job_id)
    assert job is not None
    return job


def await_worker(gateway: Gateway, job_id: str) -> None:
    """Return when nobody is at a job any more."""
    wait_for("its worker is through", lambda: not written(gateway, job_id).worker)


def lets_in(ais: AIStore) -> bool:
    return ais.object("PUT", "bck", "other", data=b"").ok


def test_a_worker_that_is_killed(place: tuple[AIStore, Source]) -> None:
    ais, source = place
    half = Half()
    source.scripts["/x3"] = half
    ais.put("bck", "x3", b"old")
    job_id = started(ais, "download/list", base=source.url, prefix="x", start=1, end=5,
                     limits={"connections": 1}, headers=SECRET)
    wait_for("half of the third", half.begun)
    wait_for("a record of two", lambda: written(ais.gateway, job_id).objects == 2)
    ais.gateway.kill_worker(ais.gateway.worker_of(source.visits[-1].sock))
    assert ais.get("bck", "x3") == b"old"
    wait_for("the third is asked for again", lambda: source.targets().count("/x3") == 2,
             seconds=60.0)
    half.go_on.set()
    told = done(ais, job_id)
    assert told["total"] == 5
    assert len(told["finished_tasks"]) == 5
    assert source.targets() == ["/x1", "/x2", "/x3", "/x3", "/x4", "/x5"]
    assert {visit.headers.get("authorization") for visit in source.visits} == {
        "Bearer opensesame"}
    for name in ("x1", "x2", "x3", "x4", "x5"):
        assert ais.get("bck", name) == content_of(f"/{name}")
    wait_for("nothing hidden is left", lambda: ais.gateway.request(
        "GET", "/f/file/summary", params={"path": f"{ROOT}/bck"},
    ).json()["result"]["summary"]["fileCount"] == 5, seconds=60.0)
    plans = json.dumps(list(store_of(ais.gateway).scan(PLANS)))
    assert "opensesame" not in plans


def test_a_gateway_that_is_reloaded(place: tuple[AIStore, Source]) -> None:
    ais, source = place
    half = Half()
    source.scripts["/x2"] = half
    job_id = started(ais, "download/list", base=source.url, prefix="x", start=1, end=3,
                     limits={"connections": 1})
    wait_for("half of the second", half.begun)
    ais.gateway.reload()
    wait_for("the second is asked for again", lambda: source.targets().count("/x2") == 2,
             seconds=60.0)
    half.go_on.set()
    done(ais, job_id)
    assert source.targets().count("/x1") == 1
    assert ais.get("bck", "x2") == content_of("/x2")


def test_aborted_by_another_worker(place: tuple[AIStore, Source]) -> None:
    ais, source = place
    source.script = Visit.hang
    ids = [started(ais, link=f"{source.url}/{number}", headers=SECRET) for number in range(4)]
    wait_for("all have begun", lambda: len(source.visits) == 4)
    for job_id in ids:
        assert ais.call("DELETE", "download/abort", {"id": job_id}).status_code == 200
    for job_id in ids:
        assert over(ais, job_id)["aborted"]
        await_worker(ais.gateway, job_id)
    assert "opensesame" not in json.dumps(list(store_of(ais.gateway).scan(PLANS)))


def test_a_user_whose_rights_are_taken_away(tmp_path: Path) -> None:
    with Source() as source:
        source.script = half = Half()
        for gateway in gateway_for(source, tmp_path, workers=1):
            ais = furnished(gateway, "bck")
            ais.put("bck", "x", b"old")
            known = users()
            for change in ({"read_only": True}, {"active": False}):
                half.waiting.clear()
                job_id = started(ais, link=f"{source.url}/x", headers=SECRET)
                wait_for("half of it has come", half.begun)
                gateway.write_users({**known, "someone": {**known["someone"], **change}})
                told = over(ais.as_user("admin"), job_id)
                assert told["finished_cnt"] == 0
                gateway.write_users(known)
                wait_for("the user is back", partial(lets_in, ais))
                assert ais.get("bck", "x") == b"old"
            plans = json.dumps(list(store_of(gateway).scan(PLANS)))
            assert "opensesame" not in plans


# --- where it runs


@pytest.fixture(scope="module", params=BACKENDS)
def anywhere(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Gateway, Source]]:
    with Source() as source:
        for gateway in gateway_for(source, tmp_path_factory.mktemp("anywhere"),
                                   **backend_options(request, request.param)):
            yield gateway, source


def test_every_backend(anywhere: tuple[Gateway, Source]) -> None:
    gateway, source = anywhere
    ais = furnished(gateway, "bck")
    source.script = serve
    ais.put("bck", "dir/a", b"old")
    ais.put("bck", "dir/cut", b"old")
    source.scripts["/cut"] = lambda visit: visit.answer(b"x" * 500_000, length=500_001)
    told = over(ais, started(ais, "download", type="multi", objects={
        "dir/a": f"{source.url}/a", "dir/cut": f"{source.url}/cut", "empty": f"{source.url}/b"}))
    assert (told["finished_cnt"], told["error_cnt"]) == (2, 1)
    assert ais.get("bck", "dir/a") == content_of("/a")
    assert ais.get("bck", "dir/cut") == b"old"
    sent = {"bucket": "bck", "link": f"{source.url}/x"}
    error_of(ais.as_user("guest").call("POST", "download/single", sent), 403)


# --- TLS


def test_a_source_with_tls(tmp_path: Path) -> None:
    context, trusted = certified(tmp_path, "127.0.0.1")
    with Source(serve, context) as source:
        hosts = [source.authority, f"localhost:{source.port}"]
        for gateway in gateway_for(
            source, tmp_path / "gateway", workers=1, download={"hosts": hosts},
            environment={"SSL_CERT_FILE": str(trusted)},
        ):
            ais = furnished(gateway, "bck")
            told = over(ais, started(ais, "download/multi", object_map={
                "good": f"{source.url}/good", "bad": f"https://localhost:{source.port}/bad"}))
            assert (told["finished_cnt"], told["error_cnt"]) == (1, 1)
            assert "certificate" in told["download_errors"][0]["error"]
            assert ais.get("bck", "good") == content_of("/good")
            half = Half()
            source.script = half
            job_id = started(ais, link=f"{source.url}/x")
            wait_for("half of it has come", half.begun)
            ais.call("DELETE", "download/abort", {"id": job_id})
            assert over(ais, job_id)["aborted"]
            await_worker(gateway, job_id)


def test_a_tls_record_that_drips(tmp_path: Path) -> None:
    over_now = threading.Event()

    def drip(sock: socket.socket) -> None:
        """Begin a record of 16 KiB, and send the rest of it byte by byte."""
        sock.sendall(b"\x16\x03\x03\x40\x00")
        while not over_now.wait(0.05):
            sock.sendall(b"\0")

    with Source(greeting=drip) as source:
        try:
            for gateway in gateway_for(source, tmp_path, workers=1, download={"timeout": 0.5}):
                ais = furnished(gateway, "bck")
                told = over(ais, started(ais, link=f"https://{source.authority}/x"))
                assert "in time" in told["download_errors"][0]["error"]
        finally:
            over_now.set()


# --- settings


def test_downloads_are_off_unless_hosts_are_named(ais: AIStore) -> None:
    for path in ("download/single", "download/multi", "download/list", "download"):
        told = error_of(ais.call("POST", path, {
            "bucket": "bck", "type": "single", "link": "http://127.0.0.1/x"}), 501)
        assert "download.hosts" in told
    assert ais.call("GET", "download").json() == {}


def test_loopback_is_not_public(tmp_path: Path) -> None:
    with Source(serve) as source:
        settings = {"download": {"hosts": [source.authority, f"localhost:{source.port}"]}}
        for gateway in world_in(tmp_path, workers=1, settings=settings):
            ais = furnished(gateway, "bck")
            told = over(ais, started(ais, "download/multi", object_map={
                "a": f"{source.url}/a", "b": f"http://localhost:{source.port}/b"}))
            assert told["error_cnt"] == 2
            for error in told["download_errors"]:
                assert "loopback" in error["error"] or "no public" in error["error"]
        assert not source.visits
