"""Listings of large directories, and what changes while they are read."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.embedded import create_server
from tests.embedded.client import Client

HOME = "/user/alice"


def fill(directory: Path, parent: int, count: int) -> None:
    """Put many empty files into a directory, without asking the server for each."""
    sign = bytes(range(128, 256)) + bytes(range(128))
    with closing(sqlite3.connect(directory / "namespace.db")) as connection, connection:
        connection.executemany(
            """INSERT INTO inodes (parent, name, is_dir, owner, grp, mode, replication,
               blocksize, mtime) VALUES (?, ?, 0, 'alice', 'alice', 420, 3, 1048576, 0)""",
            ((parent, f"{number:07}".encode().translate(sign)) for number in range(count)),
        )
        connection.execute(
            "UPDATE inodes SET children = children + ? WHERE id = ?", (count, parent)
        )


def pages(client: Client, path: str) -> list[str]:
    names: list[str] = []
    while True:
        after = names[-1] if names else ""
        listing = client.get("LISTSTATUS_BATCH", path, startAfter=after).json["DirectoryListing"]
        entries = listing["partialListing"]["FileStatuses"]["FileStatus"]
        names += [entry["pathSuffix"] for entry in entries]
        if not listing["remainingEntries"]:
            return names


def test_a_listing_streams_in_pages(directory: Path, alice: Client) -> None:
    fill(directory, alice.status(HOME)["fileId"], 2500)
    url = f"http://embedded/webhdfs/v1{HOME}?op=LISTSTATUS&user.name=alice"
    pieces = list(alice.start("GET", url))
    assert len(pieces) > 3
    entries = json.loads(b"".join(pieces))["FileStatuses"]["FileStatus"]
    assert [entry["pathSuffix"] for entry in entries] == [f"{n:07}" for n in range(2500)]


def test_remaining_entries_are_counted_from_anywhere(directory: Path, alice: Client) -> None:
    fill(directory, alice.status(HOME)["fileId"], 2500)

    def remaining(client: Client, after: str) -> int:
        answer = client.get("LISTSTATUS_BATCH", HOME, startAfter=after)
        return int(answer.json["DirectoryListing"]["remainingEntries"])

    other = Client(create_server(directory))
    assert remaining(alice, "") == 1500
    assert remaining(alice, "0000999") == 500
    assert remaining(other, "0000999") == 500, "a server that did not see the page before"
    assert remaining(alice, "0001200") == 299
    alice.delete(f"{HOME}/0000000")
    assert remaining(alice, "0000999") == 500
    alice.delete(f"{HOME}/0002400")
    assert remaining(alice, "0000999") == 499


def test_entries_that_go_do_not_disturb_a_listing(directory: Path) -> None:
    alice = Client(create_server(directory, listing_page=2))
    for number in range(6):
        alice.create(f"{HOME}/f{number}")
    url = f"http://embedded/webhdfs/v1{HOME}?op=LISTSTATUS&user.name=alice"
    pieces = iter(alice.start("GET", url))
    content = next(pieces) + next(pieces)
    alice.delete(f"{HOME}/f1")
    alice.delete(f"{HOME}/f4")
    entries = json.loads(content + b"".join(pieces))["FileStatuses"]["FileStatus"]
    assert [entry["pathSuffix"] for entry in entries] == ["f0", "f1", "f2", "f3", "f5"]


@pytest.mark.slow
def test_a_million_entries_list_page_by_page(directory: Path, alice: Client) -> None:
    fill(directory, alice.status(HOME)["fileId"], 1_000_000)
    begun = time.process_time()
    names = pages(alice, HOME)
    assert len(names) == 1_000_000
    assert names == sorted(names)
    assert time.process_time() - begun < 60
