"""kill -9 while a job goes through many objects: another worker goes on where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.aistore.conftest import furnished, world_in
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aistore.conftest import AIStore
    from tests.gateway import Gateway

NAMES = 6_000
EVERY = 200


@pytest.fixture
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway of its own."""
    yield from world_in(tmp_path_factory.mktemp("killed"))


def job(ais: AIStore, job_id: str) -> Any:
    """Return what is told of a job."""
    answer = ais.bucket("POST", "bck", {"action": "status", "value": {"id": job_id}})
    assert answer.status_code == 200, answer.text
    return answer.json()[0]


def test_a_job_goes_on_after_its_worker_was_killed(gateway: Gateway) -> None:
    ais = furnished(gateway, "bck")
    there = [f"o{number:05d}" for number in range(0, NAMES, EVERY)]
    for key in there:
        ais.put("bck", key)
    begun = ais.bucket("DELETE", "bck", {"action": "delete", "value": {
        "template": f"o{{00000..{NAMES - 1:05d}}}"}})
    assert begun.status_code == 200, begun.text
    wait_for("some of it", lambda: job(ais, begun.text)["err_count"] > EVERY)
    for pid in gateway.workers():
        gateway.kill_worker(pid)
    late = f"o{NAMES - 1:05d}"
    ais.put("bck", late, b"made meanwhile")
    told = wait_for("the end", lambda: (
        one := job(ais, begun.text))["endTime"] and one, seconds=180)
    assert told["status"] == "Completed", told
    assert (told["obj_total"], told["obj_count"] + told["err_count"]) == (NAMES, NAMES)
    assert told["obj_count"] >= len(there)
    assert len(told["errors"]) == 20
    left = ais.bucket("POST", "bck", {"action": "listobj", "value": {"props": "name"}}).json()
    assert left["entries"] == [{"name": late}]
    assert ais.get("bck", late) == b"made meanwhile"


def test_a_summary_is_right_though_its_worker_was_killed(gateway: Gateway) -> None:
    ais = furnished(gateway, "bck")
    for number in range(30):
        ais.put("bck", f"o{number}", b"x" * number)
    begun = ais.bucket("POST", "bck", {"action": "summarybck", "value": {}})
    for pid in gateway.workers():
        gateway.kill_worker(pid)
    message = {"action": "summarybck", "value": {"taskid": begun.text}}

    def counted() -> Any:
        answer = ais.bucket("POST", "bck", message)
        assert answer.status_code in (200, 202), answer.text
        return answer.json() if answer.status_code == 200 else None

    (told,) = wait_for("the summary", counted, seconds=60)
    assert (told["count"], told["size"]) == ("30", str(sum(range(30))))
