"""Processes that are killed, and processes that work on one directory at once."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from app.embedded import create_server
from tests.embedded import workers
from tests.embedded.client import Client
from tests.embedded.invariants import check, data_files
from tests.embedded.workers import DEADLINE_SECONDS, HOME, MIB, context, spawn


def kill(process: BaseProcess) -> None:
    process.kill()
    process.join()


def succeed(*processes: BaseProcess) -> None:
    for process in processes:
        process.join(DEADLINE_SECONDS)
        assert process.exitcode == 0


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def number(directory: Path, question: str) -> int:
    with closing(sqlite3.connect(directory / "namespace.db")) as connection:
        return int(connection.execute(question).fetchone()[0])


@pytest.fixture
def killed_upload(directory: Path, alice: Client) -> None:
    alice.create(f"{HOME}/f", b"old")
    writer = spawn(workers.upload, directory)
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
    writer = spawn(workers.append, directory)
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


def test_an_append_after_a_killed_one_drops_what_that_wrote(directory: Path, alice: Client) -> None:
    alice.create(f"{HOME}/f", b"old content")
    writer = spawn(workers.append, directory)
    wait_until(lambda: 3 * MIB + 11 in data_files(directory).values())
    kill(writer)
    assert alice.post("APPEND", f"{HOME}/f", b"+new").status == 200
    assert alice.content(f"{HOME}/f") == b"old content+new"
    assert list(data_files(directory).values()) == [15]
    check(directory)


def test_processes_may_all_be_the_first(tmp_path: Path) -> None:
    for round_ in range(2):
        directory = tmp_path / str(round_)
        barrier = context.Barrier(8)
        succeed(*[spawn(workers.start_and_write, directory, i, barrier) for i in range(8)])
        users = Client(create_server(directory)).names("/user")
        assert [user for user in users if user.startswith("user")] == ["user0", "user1", "user2"]
        check(directory)


def test_a_server_may_be_forked(directory: Path) -> None:
    succeed(spawn(workers.fork_and_write, directory))
    names = Client(create_server(directory)).names(HOME)
    assert names == ["before", *(f"forked{i}" for i in range(workers.FORKS)), "parent"]


def test_processes_share_a_directory(directory: Path) -> None:
    succeed(*[spawn(workers.churn, directory, seed, 400) for seed in range(4)])
    check(directory)


def test_processes_killed_in_the_middle_leave_a_sound_directory(directory: Path) -> None:
    create_server(directory)
    made = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'data'"
    for round_ in range(4):
        goal = number(directory, made) + 100 + 17 * round_
        killed = [spawn(workers.churn, directory, 10 * round_ + i, 1_000_000) for i in range(3)]
        wait_until(lambda: number(directory, made) > goal)  # noqa: B023 - called at once
        for worker in killed:
            assert worker.is_alive()
            kill(worker)
        fresh = Client(create_server(directory))
        fresh.put("MKDIRS", f"{HOME}/round{round_}")
        assert f"round{round_}" in fresh.names(HOME)
        check(directory)
    assert number(directory, "SELECT count(*) FROM inodes WHERE lease IS NOT NULL") == 0
    assert len(list((directory / "leases").iterdir())) <= 1, "only of the process that looks"
