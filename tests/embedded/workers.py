"""What other processes do to a server's directory; each function runs in one of its own."""

import io
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

from app.embedded import create_server
from tests.embedded.client import Client
from tests.embedded.invariants import check

HOME = "/user/alice"
DEADLINE_SECONDS = 60.0
MIB = 1024 * 1024
FORKS = 4

context = multiprocessing.get_context("spawn")


def spawn(work: Callable[..., None], *arguments: object) -> BaseProcess:
    process = context.Process(target=work, args=arguments)
    process.start()
    return process


class Stalled(io.RawIOBase):
    """A body that gives some pieces and then keeps the server waiting."""

    def __init__(self, pieces: int) -> None:
        self._pieces = pieces

    def read(self, size: int = -1) -> bytes:
        if self._pieces:
            self._pieces -= 1
            return b"x" * MIB
        time.sleep(DEADLINE_SECONDS)
        raise TimeoutError


def upload(directory: Path) -> None:
    Client(create_server(directory)).put("CREATE", f"{HOME}/f", Stalled(3), overwrite="true")


def append(directory: Path) -> None:
    Client(create_server(directory)).post("APPEND", f"{HOME}/f", Stalled(3))


def start_and_write(directory: Path, number: int, barrier: Barrier) -> None:
    barrier.wait(DEADLINE_SECONDS)
    user = f"user{number % 3}"
    Client(create_server(directory), user).create(f"/user/{user}/f{number}", b"x")


def churn(directory: Path, seed: int, count: int) -> None:
    """Create, read, rename and delete at random names that the other processes use too."""
    client = Client(create_server(directory))
    chance = random.Random(seed)
    done: dict[str, int] = {}
    for number in range(count):
        path, other = (
            f"{HOME}/churn/{chance.randrange(3)}/{chance.randrange(8)}" for _ in range(2)
        )
        content = f"{path} {seed} {number}".encode() * chance.randrange(1, 200)
        actions: dict[str, tuple[int, Callable[[], object]]] = {
            "create": (6, lambda: client.put("CREATE", path, content, overwrite="true")),  # noqa: B023
            "open": (4, lambda: client.get("OPEN", path)),  # noqa: B023
            "append": (3, lambda: client.post("APPEND", path, b"tail")),  # noqa: B023
            "delete": (2, lambda: client.delete(path)),  # noqa: B023
            "prune": (1, lambda: client.delete(os.path.dirname(path), recursive="true")),  # noqa: B023, PTH120
            "rename": (
                4,
                lambda: client.put("RENAME", path, destination=other, renameoptions="OVERWRITE"),  # noqa: B023
            ),
        }
        name = chance.choices(list(actions), [weight for weight, _ in actions.values()])[0]
        answer = actions[name][1]()
        done[name] = done.get(name, 0) + (answer.status < 300)  # type: ignore[attr-defined]
    assert all(done.values()), f"some kind of change never succeeded: {done}"


def fork_and_write(directory: Path) -> None:
    """Use the server, then fork as a preloading web server does, and use it in every process."""
    client = Client(create_server(directory))
    client.create(f"{HOME}/before", b"x")
    children = []
    for number in range(FORKS):
        child = os.fork()
        if child == 0:
            client.create(f"{HOME}/forked{number}", str(os.getpid()).encode())
            os._exit(0)
        children.append(child)
    client.create(f"{HOME}/parent", b"x")
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    check(directory)


def fill_trash(directory: Path, now: int, number: int, barrier: Barrier) -> None:
    """Start when all do, and keep making what an emptier would take for a checkpoint."""
    barrier.wait(DEADLINE_SECONDS)
    client = Client(create_server(directory, clock=lambda: now))
    for _ in range(30):
        assert client.put("MKDIRS", f"{HOME}/.Trash/Current/{number}").status == 200
