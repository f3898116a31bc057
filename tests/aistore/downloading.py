"""What the tests of downloads share: a source on loopback, and a gateway that may ask it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tests.aistore.conftest import AIStore, world_in
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.downloads.sources import Source, Visit
    from tests.gateway import Gateway

CONTENT = bytes(range(256)) * 1000


def gateway_for(source: Source, directory: Path, **options: Any) -> Iterator[Gateway]:
    """Yield a gateway that may download from a source on 127.0.0.1."""
    download = {"hosts": [source.authority, "10.9.8.7", f"localhost:{source.port}",
                          "nowhere.invalid"],
                "private_networks": ["127.0.0.1/32"], "max_bytes": 50_000_000, "max_objects": 40,
                "at_once": 3, **options.pop("download", {})}
    yield from world_in(directory, settings={"download": download}, **options)


class Half:
    """A script that sends half of its content, and the rest when it is told to."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.waiting = threading.Event()

    def begun(self) -> bool:
        return self.waiting.is_set()

    def __call__(self, visit: Visit) -> None:
        content = content_of(visit.target)
        visit.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode(),
                   content[:1000])
        self.waiting.set()
        while not self.go_on.wait(0.02):
            if visit.source.over.is_set():
                return
        visit.send(content[1000:])


def serve(visit: Visit) -> None:
    """Answer with content that tells its path."""
    visit.answer(content_of(visit.target), "Content-Type: text/x-own")


def content_of(target: str) -> bytes:
    """Return what `serve` answers."""
    return target.encode() + b"\n" + CONTENT


def started(ais: AIStore, path: str = "download/single", **message: Any) -> str:
    """Start a download that must be taken; return its id."""
    answer = ais.call("POST", path, {"bucket": "bck", **message})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.json()) == ["id"]
    return str(answer.json()["id"])


def status(ais: AIStore, job_id: str) -> dict[str, Any]:
    """Return what is told of a download."""
    answer = ais.call("GET", "download", {"id": job_id})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def over(ais: AIStore, job_id: str) -> dict[str, Any]:
    """Wait until a download is over; return what is told of it then."""
    def ended() -> dict[str, Any] | None:
        told = status(ais, job_id)
        return None if told["finished_time"].startswith("0001") else told

    found = wait_for("the download is over", ended, seconds=60.0)
    assert found
    return found


def done(ais: AIStore, job_id: str) -> dict[str, Any]:
    """Wait until a download is over, which must have brought all its objects."""
    told = over(ais, job_id)
    assert told["error_cnt"] == 0, told
    assert told["finished_cnt"] == told["total"] == told["scheduled_cnt"]
    assert told["all_dispatched"]
    assert not told["aborted"]
    assert "current_tasks" not in told
    return told
