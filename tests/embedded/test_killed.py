"""Processes that are killed, and processes that work on one directory at once."""

import io
import multiprocessing
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from app.embedded import create_server
from tests.embedded.client import Client
from tests.embedded.invariants import check, data_files

HOME = "/user/alice"
DEADLINE_SECONDS = 60.0
MIB = 1024 * 1024

_context = multiprocessing.get_context("fork")


def spawn(work: Callable[..., None], *arguments: object) -> BaseProcess:
    process = _context.Process(target=work, args=arguments)
    process.start()
    return process


def kill(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class Endless(io.RawIOBase):
    """A body that gives some pieces and then keeps the server waiting."""

    def __init__(self, pieces: int) -> None:
        self._pieces = pieces

    def read(self, size: int = -1) -> bytes:
        if self._pieces:
            self._pieces -= 1
            return b"x" * MIB
        time.sleep(DEADLINE_SECONDS)
        raise TimeoutError


def _upload(directory: Path) -> None:
    Client(create_server(directory)).put("CREATE", f"{HOME}/f", Endless(3), overwrite="true")


def _append(directory: Path) -> None:
    Client(create_server(directory)).post("APPEND", f"{HOME}/f", Endless(3))


def _unlocked(directory: Path) -> int:
    with closing(sqlite3.connect(directory / "namespace.db")) as connection:
        return int(
            connection.execute("SELECT count(*) FROM inodes WHERE lease IS NOT NULL").fetchone()[0]
        )


@pytest.fixture
def killed_upload(directory: Path, alice: Client) -> None:
    alice.create(f"{HOME}/f", b"old")
    writer = spawn(_upload, directory)
    wait_until(lambda: 3 * MIB in data_files(directory).values())
    kill(writer)


def test_a_killed_upload_leaves_no_data_after_the_next_start(
    directory: Path, killed_upload: None
) -> None:
    assert Client(create_server(directory)).content(f"{HOME}/f") == b""
    assert data_files(directory) == {}
    check(directory)


def test_a_killed_upload_is_recovered_when_the_file_is_wanted(
    directory: Path, alice: Client, killed_upload: None
) -> None:
    assert alice.post("APPEND", f"{HOME}/f", b"more").status == 200
    assert alice.content(f"{HOME}/f") == b"more"
    assert list(data_files(directory).values()) == [4]
    check(directory)


def test_a_killed_append_leaves_the_old_content(directory: Path, alice: Client) -> None:
    alice.create(f"{HOME}/f", b"old content")
    writer = spawn(_append, directory)
    wait_until(lambda: 3 * MIB + 11 in data_files(directory).values())
    assert alice.content(f"{HOME}/f") == b"old content"
    busy = (403, "AlreadyBeingCreatedException")
    assert alice.post("APPEND", f"{HOME}/f", b"x").error == busy
    create_server(directory)
    assert alice.post("APPEND", f"{HOME}/f", b"x").error == busy, "its writer still lives"
    kill(writer)
    again = Client(create_server(directory))
    assert again.content(f"{HOME}/f") == b"old content"
    assert list(data_files(directory).values()) == [11]
    assert again.post("APPEND", f"{HOME}/f", b"+new").status == 200
    assert again.content(f"{HOME}/f") == b"old content+new"
    check(directory)


def _start_and_write(directory: Path, number: int, barrier: Barrier) -> None:
    barrier.wait(DEADLINE_SECONDS)
    user = f"user{number % 3}"
    Client(create_server(directory), user).create(f"/user/{user}/f{number}", b"x")


def test_processes_may_all_be_the_first(tmp_path: Path) -> None:
    for round_ in range(5):
        directory = tmp_path / str(round_)
        barrier = _context.Barrier(8)
        workers = [spawn(_start_and_write, directory, number, barrier) for number in range(8)]
        for worker in workers:
            worker.join(DEADLINE_SECONDS)
            assert worker.exitcode == 0
        users = Client(create_server(directory)).names("/user")
        assert [user for user in users if user.startswith("user")] == ["user0", "user1", "user2"]
        check(directory)


def _churn(directory: Path, seed: int, count: int) -> None:
    """Create, read, rename and delete at random names that the other processes use too."""
    client = Client(create_server(directory))
    chance = random.Random(seed)

    def name() -> str:
        return f"{HOME}/churn/{chance.randrange(3)}/{chance.randrange(8)}"

    for number in range(count):
        path, other = name(), name()
        content = f"{path} {seed} {number}".encode() * chance.randrange(1, 200)
        actions: list[Callable[[], object]] = [
            lambda p=path, c=content: client.put("CREATE", p, c, overwrite="true"),  # type: ignore[misc]
            lambda p=path: client.get("OPEN", p),  # type: ignore[misc]
            lambda p=path: client.post("APPEND", p, b"tail"),  # type: ignore[misc]
            lambda p=path: client.delete(p),  # type: ignore[misc]
            lambda p=path: client.delete(p.rpartition("/")[0], recursive="true"),  # type: ignore[misc]
            lambda p=path, o=other: client.put(  # type: ignore[misc]
                "RENAME", p, destination=o, renameoptions="OVERWRITE"
            ),
            lambda p=path: client.get("LISTSTATUS", p.rpartition("/")[0]),  # type: ignore[misc]
        ]
        weights = [6, 4, 3, 2, 1, 4, 2]
        chance.choices(actions, weights)[0]()


def test_processes_share_a_directory(directory: Path, alice: Client) -> None:
    workers = [spawn(_churn, directory, seed, 400) for seed in range(4)]
    for worker in workers:
        worker.join(DEADLINE_SECONDS)
        assert worker.exitcode == 0
    alice.put("MKDIRS", f"{HOME}/churn/settled")
    check(directory)


def test_processes_killed_in_the_middle_leave_a_sound_directory(
    directory: Path, alice: Client
) -> None:
    for round_ in range(4):
        workers = [spawn(_churn, directory, 10 * round_ + seed, 10_000) for seed in range(3)]
        time.sleep(0.3 + 0.1 * round_)
        for worker in workers:
            assert worker.is_alive()
            kill(worker)
        fresh = Client(create_server(directory))
        fresh.put("MKDIRS", f"{HOME}/churn/round{round_}")
        assert f"round{round_}" in fresh.names(f"{HOME}/churn")
        check(directory)
    assert _unlocked(directory) == 0
    assert list((directory / "leases").iterdir()) == []
