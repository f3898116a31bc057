"""The emptying of the trash, by a clock that only the tests move."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.embedded import create_server, trash
from tests.embedded import workers
from tests.embedded.client import Client
from tests.embedded.invariants import check, data_files
from tests.embedded.workers import context, spawn

MINUTES = 1440
INTERVAL = timedelta(minutes=MINUTES)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
START = datetime(2031, 12, 31, 23, 59, 59, 600_000, UTC)


class Clock:
    """Milliseconds since the epoch, at `time` until somebody moves it."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> int:
        return round(self.time.timestamp() * 1000)

    def name(self) -> str:
        return self.time.strftime("%y%m%d%H%M%S")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(directory: Path, clock: Clock) -> Callable[..., Client]:
    """Give what starts a server on the directory, and a client of it."""

    def started(user: str = "alice", minutes: int = MINUTES) -> Client:
        return Client(create_server(directory, trash_minutes=minutes, clock=clock), user)

    return started


@pytest.fixture
def alice(start: Callable[..., Client]) -> Client:
    return start()


def by(client: Client, user: str) -> Client:
    return Client(client.application, user)


def at(user: str) -> str:
    return f"/user/{user}/.Trash"


def throw_away(client: Client, name: str = "f") -> None:
    """Write a file and move it to the trash as the Hadoop shell does."""
    home = f"/user/{client.user}"
    client.create(f"{home}/{name}", name.encode())
    current = f"{at(client.user)}/Current{home}"
    client.put("MKDIRS", current, permission="700")
    moved = client.put("RENAME", f"{home}/{name}", destination=f"{current}/{name}")
    assert moved.json == {"boolean": True}


def change(client: Client) -> None:
    """Ask for some change, which has the server look at the trash."""
    assert client.put("MKDIRS", "/tmp/x").json == {"boolean": True}


def test_what_is_moved_to_the_trash_stays_an_interval_and_goes(
    alice: Client, clock: Clock, directory: Path
) -> None:
    assert alice.get("GETSERVERDEFAULTS", "/").json["FsServerDefaults"]["trashInterval"] == MINUTES
    throw_away(alice)
    clock.time += INTERVAL - HOUR
    change(alice)
    assert alice.names(at("alice")) == ["Current"]
    clock.time += HOUR
    change(alice)
    checkpoint = clock.name()
    assert alice.names(at("alice")) == [checkpoint]
    assert alice.content(f"{at('alice')}/{checkpoint}/user/alice/f") == b"f"
    clock.time += INTERVAL
    change(alice)
    assert alice.names(at("alice")) == [checkpoint], "its name has lost 600 milliseconds"
    clock.time += HOUR
    change(alice)
    assert alice.names(at("alice")) == []
    assert data_files(directory) == {}
    check(directory)


def test_deleting_right_before_a_run_and_after_it(alice: Client, clock: Clock) -> None:
    clock.time += INTERVAL - HOUR
    throw_away(alice, "early")
    clock.time += HOUR
    throw_away(alice, "late")
    first = clock.name()
    clock.time += INTERVAL
    change(alice)
    kept = {name: alice.names(f"{at('alice')}/{name}/user/alice") for name in (first, clock.name())}
    assert kept == {first: ["early"], clock.name(): ["late"]}


def test_checkpoints_made_in_one_second_have_names_of_their_own(
    alice: Client, clock: Clock
) -> None:
    clock.time += INTERVAL - HOUR
    throw_away(alice)
    clock.time += HOUR
    taken = [clock.name(), f"{clock.name()}-1"]
    clock.time -= HOUR
    for name in taken:
        alice.put("MKDIRS", f"{at('alice')}/{name}")
    clock.time += HOUR
    change(alice)
    assert alice.names(at("alice")) == [*taken, f"{clock.name()}-2"]
    clock.time += INTERVAL + HOUR
    change(alice)
    assert alice.names(at("alice")) == []


def test_a_clock_that_is_set_back_stops_nothing(alice: Client, clock: Clock) -> None:
    throw_away(alice)
    clock.time -= 10 * INTERVAL
    change(alice)
    assert alice.names(at("alice")) == [clock.name()]
    clock.time += INTERVAL + HOUR
    change(alice)
    assert alice.names(at("alice")) == []


def test_no_look_is_taken_within_the_hour(alice: Client, clock: Clock) -> None:
    throw_away(alice)
    clock.time += INTERVAL - HOUR / 2
    change(alice)
    clock.time += HOUR / 2
    change(alice)
    assert alice.names(at("alice")) == ["Current"], "looked half an hour ago"
    clock.time += HOUR / 2
    change(alice)
    assert alice.names(at("alice")) == [clock.name()]


def test_a_short_interval_is_its_own_period(start: Callable[..., Client], clock: Clock) -> None:
    alice = start(minutes=2)
    throw_away(alice)
    clock.time += timedelta(minutes=2)
    change(alice)
    assert alice.names(at("alice")) == [clock.name()]
    clock.time += timedelta(minutes=4)
    change(alice)
    assert alice.names(at("alice")) == []


def test_the_trash_of_all_users_is_emptied(
    alice: Client, clock: Clock, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trash, "_USERS_A_STEP", 2)
    users = ["alice", *(f"user{number}" for number in range(6))]
    for user in users:
        throw_away(by(alice, user))
    by(alice, "without").status("/")
    alice.put("SETPERMISSION", at("alice"), permission="000")
    hdfs = by(alice, "hdfs")
    clock.time += INTERVAL
    change(hdfs)
    done = [user for user in users if hdfs.names(at(user)) == [clock.name()]]
    assert len(done) == 2, "a request does a part only"
    for _ in range(5):
        change(hdfs)
    assert [hdfs.names(at(user)) for user in users] == [[clock.name()]] * len(users)
    clock.time += INTERVAL + HOUR
    for _ in range(5):
        change(hdfs)
    assert [hdfs.names(at(user)) for user in users] == [[]] * len(users)
    assert data_files(directory) == {}
    check(directory)


def test_a_large_tree_is_removed_over_several_requests(
    alice: Client, clock: Clock, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.embedded.removal._STEP", 3)
    monkeypatch.setattr(trash, "_PURGE_SECONDS", 0)
    for number in range(30):
        alice.create(f"{at('alice')}/Current/{number}", b"x")
    clock.time += INTERVAL
    change(alice)
    clock.time += INTERVAL + HOUR
    change(alice)
    assert alice.names(at("alice")) == []
    assert 0 < len(data_files(directory)) < 30
    for _ in range(10):
        change(alice)
    assert data_files(directory) == {}
    check(directory)


def test_another_server_goes_on_with_a_run(
    alice: Client, start: Callable[..., Client], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trash, "_USERS_A_STEP", 1)
    for user in ("alice", "bob", "carol"):
        throw_away(by(alice, user))
    clock.time += INTERVAL
    change(by(alice, "alice"))
    other = start("hdfs")
    change(other)
    assert [other.names(at(user)) for user in ("alice", "bob", "carol")] == [[clock.name()]] * 3


def test_a_server_looks_when_it_starts(start: Callable[..., Client], clock: Clock) -> None:
    throw_away(start())
    clock.time += INTERVAL
    assert start().names(at("alice")) == [clock.name()]
    clock.time += INTERVAL + HOUR
    assert start().names(at("alice")) == []


def test_reading_empties_nothing(alice: Client, clock: Clock) -> None:
    throw_away(alice)
    clock.time += INTERVAL
    assert alice.names(at("alice")) == ["Current"]


def test_an_interval_of_0_keeps_all(start: Callable[..., Client], clock: Clock) -> None:
    alice = start(minutes=0)
    assert alice.get("GETSERVERDEFAULTS", "/").json["FsServerDefaults"]["trashInterval"] == 0
    throw_away(alice)
    alice.put("MKDIRS", f"{at('alice')}/{clock.name()}")
    clock.time += 100 * INTERVAL
    change(start(minutes=0))
    assert alice.names(at("alice")) == ["311231235959", "Current"]


def test_a_negative_interval_is_refused(directory: Path) -> None:
    with pytest.raises(ValueError, match="trash_minutes is -1"):
        create_server(directory, trash_minutes=-1)


def test_names_that_are_no_times_are_left_alone(alice: Client, clock: Clock) -> None:
    names = ["1", "200101", "201301000000", "200101000000x", "200101000000-", "x200101000000",
             "200101000000-1-2", "\N{ARABIC-INDIC DIGIT TWO}00101000000", "-200101000000"]
    for name in [*names, "200101000000", "200101000000-7"]:
        alice.create(f"{at('alice')}/{name}/f", b"x")
    alice.create(f"{at('alice')}/200202000000", b"a file")
    alice.create("/user/alice/200101000000/f", b"not in the trash")
    alice.create("/user/bob.txt", b"x", **{"user.name": "hdfs"})
    by(alice, "bob").create(at("bob"), b"a file called .Trash")
    clock.time += HOUR
    change(alice)
    assert sorted(alice.names(at("alice"))) == sorted(names)
    assert alice.names("/user/alice/200101000000") == ["f"]
    assert by(alice, "bob").content(at("bob")) == b"a file called .Trash"


def test_what_snapshots_hold_is_left_alone(alice: Client, clock: Clock) -> None:
    hdfs, bob = by(alice, "hdfs"), by(alice, "bob")
    for path in (f"{at('alice')}/200101000000/d", f"{at('alice')}/Current/d"):
        alice.put("MKDIRS", path)
        hdfs.put("ALLOWSNAPSHOT", path)
        assert hdfs.put("CREATESNAPSHOT", path, snapshotname="s").status == 200
        hdfs.put("SETOWNER", path, owner="hdfs")
    throw_away(bob)
    clock.time += INTERVAL
    change(alice)
    assert alice.names(at("alice")) == ["200101000000", "Current"]
    assert bob.names(at("bob")) == [clock.name()]


def test_quotas_get_back_what_the_trash_had(alice: Client, clock: Clock) -> None:
    hdfs = by(alice, "hdfs")
    alice.status("/user/alice")
    assert hdfs.put("SETQUOTA", "/user/alice", namespacequota=6).status == 200
    throw_away(alice)
    assert alice.put("MKDIRS", "/user/alice/d").error == (403, "NSQuotaExceededException")
    clock.time += INTERVAL
    change(alice)
    clock.time += INTERVAL + HOUR
    change(alice)
    usage = alice.get("GETQUOTAUSAGE", "/user/alice").json["QuotaUsage"]
    assert usage["fileAndDirectoryCount"] == 2, "the home and its .Trash"


def test_a_failure_of_the_emptier_fails_no_request(
    alice: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    throw_away(alice)
    clock.time += INTERVAL
    with monkeypatch.context() as broken:
        broken.setattr(trash, "_save", fail)
        change(alice)
        change(alice)
    assert caplog.text.count("the trash was not emptied") == 1, "not with each request"
    assert alice.names(at("alice")) == ["Current"], "rolled back"
    clock.time += HOUR
    change(alice)
    assert alice.names(at("alice")) == [clock.name()]


def test_processes_do_not_both_empty_it(alice: Client, clock: Clock, directory: Path) -> None:
    throw_away(alice)
    clock.time += INTERVAL
    barrier = context.Barrier(4)
    processes = [
        spawn(workers.fill_trash, directory, clock(), number, barrier) for number in range(4)
    ]
    for process in processes:
        process.join(workers.DEADLINE_SECONDS)
    assert [process.exitcode for process in processes] == [0] * 4
    assert alice.names(at("alice")) == [clock.name(), "Current"]
    check(directory)


def test_a_layout_without_the_emptiers_state_gets_it(
    start: Callable[..., Client], clock: Clock, directory: Path
) -> None:
    throw_away(start())
    with closing(sqlite3.connect(directory / "namespace.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM counters WHERE name LIKE 'trash %'")
    assert start().names(at("alice")) == [clock.name()]
