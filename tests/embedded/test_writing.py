"""Uploads and appends: leases, broken bodies, readers of what is replaced."""

import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from app.embedded import create_server
from tests.embedded.client import Client
from tests.embedded.invariants import check, data_files

HOME = "/user/alice"
MIB = 1024 * 1024


class Body(io.RawIOBase):
    """A request body whose pieces come from functions, called when the server reads."""

    def __init__(self, *pieces: Callable[[], bytes]) -> None:
        self._pieces = list(pieces)

    def read(self, size: int = -1) -> bytes:
        return self._pieces.pop(0)() if self._pieces else b""


def test_a_file_under_construction_is_seen_empty_and_kept_from_others(
    alice: Client, bob: Client, directory: Path
) -> None:
    seen = {}

    def look() -> bytes:
        seen["length"] = alice.status(f"{HOME}/f")["length"]
        seen["create"] = alice.put("CREATE", f"{HOME}/f", b"x").error
        seen["append"] = alice.post("APPEND", f"{HOME}/f", b"x").error
        seen["truncate"] = alice.post("TRUNCATE", f"{HOME}/f", newlength=0).error
        return b"second"

    answer = alice.put("CREATE", f"{HOME}/f", Body(lambda: b"first", look))
    assert answer.status == 201
    busy = (403, "AlreadyBeingCreatedException")
    assert seen == {"length": 0, "create": busy, "append": busy, "truncate": busy}
    assert alice.content(f"{HOME}/f") == b"firstsecond"
    check(directory)


def test_overwriting_takes_the_file_from_its_writer(alice: Client, directory: Path) -> None:
    def overwrite() -> bytes:
        alice.create(f"{HOME}/f", b"mine now", overwrite="true")
        return b"second"

    answer = alice.put("CREATE", f"{HOME}/f", Body(lambda: b"first", overwrite))
    assert answer.error == (404, "FileNotFoundException")
    assert "does not have any open files" in answer.json["RemoteException"]["message"]
    assert alice.content(f"{HOME}/f") == b"mine now"
    check(directory)


@pytest.mark.parametrize("recursive", [False, True])
def test_deleting_a_file_or_its_directory_fails_its_writer(
    alice: Client, directory: Path, recursive: bool
) -> None:
    def delete() -> bytes:
        victim = f"{HOME}/d" if recursive else f"{HOME}/d/f"
        assert alice.delete(victim, recursive="true").json == {"boolean": True}
        return b"second"

    answer = alice.put("CREATE", f"{HOME}/d/f", Body(lambda: b"first", delete))
    assert answer.error == (404, "FileNotFoundException")
    assert data_files(directory) == {}
    check(directory)


def test_a_renamed_file_is_written_to_its_end(alice: Client, directory: Path) -> None:
    def rename() -> bytes:
        answer = alice.put("RENAME", f"{HOME}/f", destination=f"{HOME}/g")
        assert answer.json == {"boolean": True}
        return b"second"

    answer = alice.put("CREATE", f"{HOME}/f", Body(lambda: b"first", rename))
    assert answer.status == 201
    assert alice.content(f"{HOME}/g") == b"firstsecond"
    check(directory)


class GoneError(Exception):
    pass


def fail() -> bytes:
    raise GoneError


def test_a_body_that_breaks_closes_the_file_with_what_came(alice: Client, directory: Path) -> None:
    with pytest.raises(GoneError):
        alice.put("CREATE", f"{HOME}/f", Body(lambda: b"part", fail))
    assert alice.content(f"{HOME}/f") == b"part"
    with pytest.raises(GoneError):
        alice.post("APPEND", f"{HOME}/f", Body(lambda: b"+more", fail))
    assert alice.content(f"{HOME}/f") == b"part+more"
    assert alice.post("APPEND", f"{HOME}/f", b"+end").status == 200
    assert alice.content(f"{HOME}/f") == b"part+more+end"
    check(directory)


def test_a_body_shorter_than_announced_is_an_error(alice: Client, directory: Path) -> None:
    first = alice.once("PUT", f"http://embedded/webhdfs/v1{HOME}/f?op=CREATE&user.name=alice")
    answer = alice.once("PUT", first.headers["Location"], b"four", announced=9)
    assert answer.error == (403, "IOException")
    assert alice.content(f"{HOME}/f") == b"four"
    check(directory)


def test_a_body_longer_than_announced_is_cut(alice: Client) -> None:
    first = alice.once("PUT", f"http://embedded/webhdfs/v1{HOME}/f?op=CREATE&user.name=alice")
    assert alice.once("PUT", first.headers["Location"], b"four+", announced=4).status == 201
    assert alice.content(f"{HOME}/f") == b"four"


def test_a_reader_keeps_what_it_opened(alice: Client, directory: Path) -> None:
    old, new = b"o" * (3 * MIB), b"n" * MIB
    alice.create(f"{HOME}/f", old)
    url = f"http://embedded/webhdfs/v1{HOME}/f?op=OPEN&user.name=alice"
    reading = alice.start("GET", alice.once("GET", url).headers["Location"])
    pieces = iter(reading)
    content = next(pieces)
    alice.create(f"{HOME}/f", new, overwrite="true")
    assert alice.content(f"{HOME}/f") == new
    assert content + b"".join(pieces) == old
    reading.close()
    check(directory)


def test_appends_share_a_data_file_until_it_was_truncated(alice: Client, directory: Path) -> None:
    alice.create(f"{HOME}/f", b"0123456789")
    alice.post("APPEND", f"{HOME}/f", b"abc")
    assert list(data_files(directory).values()) == [13]
    alice.post("TRUNCATE", f"{HOME}/f", newlength=5)
    alice.post("APPEND", f"{HOME}/f", b"xyz")
    alice.post("APPEND", f"{HOME}/f", b"!")
    assert alice.content(f"{HOME}/f") == b"01234xyz!"
    assert alice.content(f"{HOME}/f", offset=4, length=3) == b"4xy"
    check(directory)
    alice.delete(f"{HOME}/f")
    assert data_files(directory) == {}


def test_an_append_leaves_a_snapshot_as_it_was(
    alice: Client, superuser: Client, directory: Path
) -> None:
    alice.create(f"{HOME}/d/f", b"old")
    superuser.put("ALLOWSNAPSHOT", f"{HOME}/d")
    alice.put("CREATESNAPSHOT", f"{HOME}/d", snapshotname="s")
    alice.post("APPEND", f"{HOME}/d/f", b"+new")
    alice.post("TRUNCATE", f"{HOME}/d/f", newlength=1)
    alice.post("APPEND", f"{HOME}/d/f", b"ther")
    assert alice.content(f"{HOME}/d/f") == b"other"
    assert alice.content(f"{HOME}/d/.snapshot/s/f") == b"old"
    alice.delete(f"{HOME}/d/f")
    assert alice.content(f"{HOME}/d/.snapshot/s/f") == b"old"
    check(directory)
    alice.call("DELETE", "DELETESNAPSHOT", f"{HOME}/d", snapshotname="s")
    assert data_files(directory) == {}
    check(directory)


def test_memory_does_not_grow_with_the_body(alice: Client) -> None:
    piece = bytes(MIB)
    tracemalloc.start()
    try:
        answer = alice.put("CREATE", f"{HOME}/f", Body(*[lambda: piece] * 64))
        assert answer.status == 201
        url = f"http://embedded/webhdfs/v1{HOME}/f?op=OPEN&user.name=alice"
        reading = alice.start("GET", alice.once("GET", url).headers["Location"])
        assert sum(len(part) for part in reading) == 64 * MIB
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


def test_noredirect_says_where_to_send_the_body(alice: Client) -> None:
    answer = alice.put("CREATE", f"{HOME}/a b", noredirect="true", permission="600")
    location = answer.json["Location"]
    assert alice.once("PUT", location, b"content").status == 201
    assert alice.content(f"{HOME}/a b") == b"content"
    assert alice.status(f"{HOME}/a b")["permission"] == "600"


def test_a_decomposed_name_stays_as_it_was_sent(alice: Client) -> None:
    alice.create(f"{HOME}/e\u0301", b"nfd")
    assert alice.names(HOME) == ["e\u0301"]
    assert alice.get("GETFILESTATUS", f"{HOME}/\u00e9").status == 404


def test_the_directory_outlives_the_server(directory: Path, alice: Client) -> None:
    alice.create(f"{HOME}/f", b"content")
    assert Client(create_server(directory)).content(f"{HOME}/f") == b"content"


@pytest.mark.parametrize("name", ["\N{ROCKET}", "e\N{COMBINING ACUTE ACCENT}", "%41 b?#\n"])
def test_headers_hold_any_name(alice: Client, name: str) -> None:
    path = f"{HOME}/{name}/f"
    for method, op in (("PUT", "CREATE"), ("POST", "APPEND"), ("GET", "OPEN")):
        url = f"http://embedded/webhdfs/v1{quote(path)}?op={op}&user.name=alice"
        redirect = alice.once(method, url)
        assert redirect.status == 307
        answer = alice.once(method, redirect.headers["Location"], b"x" if method != "GET" else b"")
        assert answer.status in {200, 201}
        for value in (*redirect.headers.values(), *answer.headers.values()):
            assert value.isascii()
            assert value.isprintable()
        if op == "CREATE":
            assert unquote(answer.headers["Location"]) == f"hdfs://embedded{path}"
    assert alice.content(path) == b"xx"
