"""Jobs in a real gunicorn: workers killed in the middle, reloads, stops, several gateways."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.gateway import Gateway, default_users, wait_for
from tests.state.servers import PostgresServer, RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.gunicorn
APPLICATION = "tests.jobs.application:make()"
STEPS, HOLD = 6, 3
STORE_AWAY = 503
PATIENCE = 60.0
WORKERS = ["app.web.worker.GatewayWorker", "gthread"]


class Floor:
    """A gateway in which one job at a time is watched."""

    def __init__(self, gateway: Gateway, directory: Path) -> None:
        self.gateway = gateway
        self._log = directory / "steps.log"
        self._go = directory / "go"

    def start(self, kind: str, user: str = "someone") -> str:
        """Start a job, and return its id when it is held in the middle."""
        spec = {"steps": STEPS, "hold": HOLD, "log": str(self._log), "go": str(self._go)}
        job = self._ask("POST", json={"kind": kind, "user": user, "spec": spec})
        wait_for("the middle", lambda: "held" in self.noted(), seconds=PATIENCE)
        return str(job["id"])

    def go(self) -> None:
        """Let the job go on."""
        self._go.touch()

    def lines(self) -> list[tuple[int, str]]:
        """Return who did what."""
        if not self._log.exists():
            return []
        lines = [line.split() for line in self._log.read_text().splitlines()]
        return [(int(pid), text) for pid, text in lines]

    def noted(self) -> list[str]:
        return [text for _, text in self.lines()]

    def workplace(self) -> int:
        """Return the process of the last line."""
        return self.lines()[-1][0]

    def job(self, job_id: str) -> dict[str, Any]:
        return next(job for job in self._ask("GET") if job["id"] == job_id)

    def abort(self, job_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._ask("DELETE", job_id)
        return answer

    def over(self, job_id: str) -> dict[str, Any]:
        """Return the job when it is over and nobody is at it."""
        def look() -> bool:
            job = self.job(job_id)
            return job["state"] in ("finished", "failed", "aborted") and not job["worker"]

        wait_for("the end of the job", look, seconds=PATIENCE)
        return self.job(job_id)

    def _ask(self, method: str, job_id: str = "", **options: Any) -> Any:
        url = f"{self.gateway.url}/tests/jobs{'/' if job_id else ''}{job_id}"
        with requests.Session() as session:
            session.trust_env = False
            answer = wait_for("an answer", lambda: self._answer(session, method, url, **options),
                              seconds=PATIENCE)
        assert answer.ok, answer.text
        return answer.json()

    @staticmethod
    def _answer(
        session: requests.Session, method: str, url: str, **options: Any,
    ) -> requests.Response | None:
        """Return an answer, None where a look failed as the store or its worker is not there."""
        try:
            answer = session.request(method, url, timeout=60, **options)
        except requests.ConnectionError:
            if method == "GET":
                return None
            raise
        return None if method == "GET" and answer.status_code == STORE_AWAY else answer


@pytest.fixture(params=WORKERS)
def floor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Floor]:
    arguments = ["--threads", "8", "--graceful-timeout", "30", "--keep-alive", "1"]
    with Gateway(tmp_path, application=APPLICATION, worker_class=request.param,
                 gunicorn_args=arguments) as gateway:
        yield Floor(gateway, tmp_path)


def kill_all(gateway: Gateway) -> None:
    """Kill master and workers, and return when they are gone."""
    daemon = gateway._daemon
    assert daemon is not None
    for pid in (gateway.master, *gateway.workers()):
        os.kill(pid, signal.SIGKILL)
    wait_for("the end of the gateway", lambda: not daemon.running, seconds=PATIENCE)


def test_another_worker_goes_on_after_kill_9(floor: Floor) -> None:
    job_id = floor.start("copy")
    wait_for("the report", lambda: floor.job(job_id)["cursor"] == HOLD, seconds=PATIENCE)
    dead = floor.workplace()
    floor.gateway.kill_worker(dead)
    wait_for("another worker", lambda: floor.workplace() != dead, seconds=PATIENCE)
    floor.go()
    job = floor.over(job_id)
    assert (job["state"], job["objects"], job["total"]) == ("finished", STEPS, STEPS)
    noted = floor.noted()
    assert noted == ["0", "1", "2", "held", "held", "3", "4", "5"]


def test_what_cannot_go_on_fails_after_kill_9_and_is_undone_once(floor: Floor) -> None:
    job_id = floor.start("sort")
    floor.gateway.kill_worker(floor.workplace())
    job = floor.over(job_id)
    assert job["state"] == "failed"
    assert "ended before it was done" in job["errors"][0]
    assert floor.noted() == ["0", "1", "2", "held", "undone"]


def test_the_next_gateway_goes_on_after_kill_9_of_all(floor: Floor) -> None:
    job_id = floor.start("copy")
    wait_for("the report", lambda: floor.job(job_id)["cursor"] == HOLD, seconds=PATIENCE)
    kill_all(floor.gateway)
    floor.gateway.start()
    floor.go()
    job = floor.over(job_id)
    assert (job["state"], job["objects"]) == ("finished", STEPS)
    assert floor.noted() == ["0", "1", "2", "held", "held", "3", "4", "5"]


def test_a_reload_hands_on_what_can_go_on(floor: Floor) -> None:
    job_id = floor.start("copy")
    old = set(floor.gateway.workers())
    floor.gateway.reload()
    wait_for("a new worker", lambda: floor.workplace() not in old, seconds=PATIENCE)
    floor.go()
    job = floor.over(job_id)
    assert (job["state"], job["objects"], job["tries"]) == ("finished", STEPS, 0)
    assert [text for text in floor.noted() if text != "held"] == [*map(str, range(STEPS))]


def test_a_stop_keeps_what_can_go_on_for_the_next_start(floor: Floor) -> None:
    job_id = floor.start("copy")
    floor.gateway.stop()
    floor.go()
    floor.gateway.start()
    job = floor.over(job_id)
    assert (job["state"], job["objects"], job["tries"]) == ("finished", STEPS, 0)
    # One worker may end before the other, who then has it for a moment.
    assert [text for text in floor.noted() if text != "held"] == [*map(str, range(STEPS))]


def test_a_job_is_aborted_whichever_worker_is_asked(floor: Floor) -> None:
    job_id = floor.start("sort")
    assert floor.abort(job_id)["state"] == "aborted"
    job = floor.over(job_id)
    assert (job["state"], job["objects"]) == ("aborted", HOLD)
    assert floor.noted() == ["0", "1", "2", "held"]


def test_a_user_taken_out_of_the_users_file_has_no_jobs_running(floor: Floor) -> None:
    job_id = floor.start("copy")
    users = default_users()
    del users["someone"]
    floor.gateway.write_users(users)
    job = floor.over(job_id)
    assert job["state"] == "failed"
    assert "no longer in the users file" in job["errors"][0]


def test_a_reload_lets_end_what_cannot_go_on(tmp_path: Path) -> None:
    with Gateway(tmp_path, application=APPLICATION,
                 gunicorn_args=["--graceful-timeout", "60", "--keep-alive", "1"]) as gateway:
        floor = Floor(gateway, tmp_path)
        job_id = floor.start("sort")
        old = set(gateway.workers())
        os.kill(gateway.master, signal.SIGHUP)
        wait_for("new workers beside one old one", lambda: len(
            set(gateway.workers()) - old) == 2 and len(set(gateway.workers()) & old) == 1,
            seconds=PATIENCE)
        floor.go()
        job = floor.over(job_id)
        assert (job["state"], job["objects"]) == ("finished", STEPS)
        wait_for("new workers only", lambda: not old & set(gateway.workers()), seconds=PATIENCE)
        assert {pid for pid, _ in floor.lines()} <= old


@pytest.mark.parametrize("server", [RedisServer, PostgresServer], ids=["redis", "postgres"])
def test_two_gateways_share_their_jobs(
    tmp_path: Path, server: type[RedisServer | PostgresServer],
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(server()).url()
        gateways = [stack.enter_context(Gateway(
            tmp_path / name, application=APPLICATION, settings={
                "state_url": url, "node": {"lease_seconds": 2.0, "heartbeat_seconds": 0.5}}))
            for name in ("one", "two")]
        first, second = (Floor(gateway, tmp_path) for gateway in gateways)
        aborted = first.start("sort")
        assert second.abort(aborted)["state"] == "aborted"
        assert first.over(aborted)["objects"] == HOLD
        assert first.noted()[-1] == "held"

        (tmp_path / "steps.log").unlink()
        job_id = first.start("copy")
        wait_for("the report", lambda: second.job(job_id)["cursor"] == HOLD, seconds=PATIENCE)
        kill_all(gateways[0])
        second.go()
        job = second.over(job_id)
        assert (job["state"], job["objects"]) == ("finished", STEPS)
        assert {pid for pid, text in second.lines() if text == "5"} <= set(gateways[1].workers())


def test_a_job_ends_while_the_store_is_away(tmp_path: Path) -> None:
    with RedisServer() as server, Gateway(
            tmp_path, application=APPLICATION, settings={"state_url": server.url()}) as gateway:
        floor = Floor(gateway, tmp_path)
        job_id = floor.start("sort")
        server.kill()
        floor.go()
        wait_for("the last step", lambda: floor.noted()[-1] == str(STEPS - 1), seconds=PATIENCE)
        server.start()
        job = floor.over(job_id)
        assert (job["state"], job["objects"], job["tries"]) == ("finished", STEPS, 0)
        assert floor.noted() == ["0", "1", "2", "held", "3", "4", "5"]
