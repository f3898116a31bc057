"""Who comes in, who does not, and what an attempt costs."""

from __future__ import annotations

import multiprocessing
import threading
import time
from typing import TYPE_CHECKING

import pytest

from app.auth import writer
from app.auth.lockout import SPACE
from app.auth.passwords import Passwords
from app.auth.users import UserDirectory
from app.auth.users_file import read_users
from app.auth.ways import Evidence
from app.core.errors import NotAuthenticated, StorageFault, TooManyAttempts
from app.core.identity import Principal
from app.core.paths import HdfsPath
from app.settings import AuthSettings
from app.state.sqlite import SqliteStore

from .conftest import CHEAP, Gate, basic, password_authenticator, scheme_hash

if TYPE_CHECKING:
    from pathlib import Path

HERE = "192.0.2.1"
RIGHT = basic("alice", "right")
WRONG = basic("alice", "wrong")


def fail(gate: Gate, times: int, name: str = "alice", source: str = HERE) -> None:
    for i in range(times):
        with pytest.raises(NotAuthenticated):
            gate.authenticator.authenticate(Evidence(basic(name, f"wrong {i}"), source))


def test_the_right_password_makes_a_principal(gate: Gate) -> None:
    assert gate.authenticator.authenticate(Evidence(RIGHT, HERE)) == Principal(
        "alice", "hdfs-alice", HdfsPath("/data"), read_only=True, roles=frozenset({"admin"}))


@pytest.mark.parametrize("header", [
    None, "", "Bearer x", "Basic !", WRONG, basic("alice", ""), basic("Alice", "right"),
    basic("bob", "right"), basic("alice", "right "), basic("alice", "x" * 5000),
])
def test_anything_else_does_not(gate: Gate, header: str | None) -> None:
    with pytest.raises(NotAuthenticated):
        gate.authenticator.authenticate(Evidence(header, HERE))


def test_unknown_inactive_and_wrong_are_told_alike_and_cost_alike(gate: Gate) -> None:
    gate.add("inactive", CHEAP.hash("right"), active=False)
    messages = set()
    for name, password in (("alice", "wrong"), ("nobody", "right"), ("inactive", "right")):
        with pytest.raises(NotAuthenticated) as caught:
            gate.authenticator.authenticate(Evidence(basic(name, password), HERE))
        messages.add(str(caught.value))
    assert len(messages) == 1
    # One hash each: alice's own, and nobody's twice.
    assert gate.passwords.checked == [read_users(gate.file)["alice"].password_hash, None, None]


def test_unknown_and_inactive_users_are_counted_too(gate: Gate) -> None:
    gate.add("inactive", CHEAP.hash("right"), active=False)
    for i, name in enumerate(("inactive", "nobody")):
        fail(gate, 5, name, f"198.51.100.{i}")
        with pytest.raises(TooManyAttempts):
            gate.authenticator.authenticate(Evidence(basic(name, "right"), HERE))


def test_after_failures_even_the_right_password_is_refused_for_a_while(gate: Gate) -> None:
    fail(gate, 5)
    checked = len(gate.passwords.checked)
    with pytest.raises(TooManyAttempts) as caught:
        gate.authenticator.authenticate(Evidence(RIGHT, "198.51.100.1"))
    assert caught.value.retry_after == 2
    assert len(gate.passwords.checked) == checked
    gate.wall_clock.now += 2
    assert gate.authenticator.authenticate(Evidence(RIGHT, "198.51.100.1")).name == "alice"
    fail(gate, 4, source="198.51.100.2")


def test_a_source_is_locked_for_all_users(gate: Gate) -> None:
    for i in range(5):
        fail(gate, 1, f"user{i}", "2001:db8::1")
    with pytest.raises(TooManyAttempts):
        gate.authenticator.authenticate(Evidence(RIGHT, "2001:db8::ffff"))
    assert gate.authenticator.authenticate(Evidence(RIGHT, "2001:db8:0:1::1")).name == "alice"


def test_malformed_credentials_are_no_guess(gate: Gate) -> None:
    for _ in range(10):
        with pytest.raises(NotAuthenticated):
            gate.authenticator.authenticate(Evidence("Basic !", HERE))
    assert list(gate.store.scan(SPACE)) == []


def test_no_lockout_where_it_is_turned_off(tmp_path: Path) -> None:
    gate = Gate(tmp_path, AuthSettings(lockout_failures=0))
    fail(gate, 30)
    assert gate.authenticator.authenticate(Evidence(RIGHT, HERE)).name == "alice"


# --- what is remembered


def test_a_verified_password_is_not_hashed_again_and_needs_no_store(gate: Gate) -> None:
    gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    gate.store.close()
    gate.store.get = gate.store.update = pytest.fail  # type: ignore[method-assign,assignment]
    for _ in range(10):
        gate.authenticator.authenticate(Evidence(RIGHT, "198.51.100.1"))
    assert len(gate.passwords.checked) == 1


def test_who_is_remembered_comes_in_during_a_lockout(gate: Gate) -> None:
    gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    fail(gate, 5)
    assert gate.authenticator.authenticate(Evidence(RIGHT, HERE)).name == "alice"
    with pytest.raises(TooManyAttempts):
        gate.authenticator.authenticate(Evidence(WRONG, HERE))


def test_a_wrong_password_is_never_remembered(gate: Gate) -> None:
    fail(gate, 1)
    fail(gate, 1)
    assert len(gate.passwords.checked) == 2
    assert len(gate.authenticator._guard.remembered) == 0


def test_it_is_forgotten_after_a_while(gate: Gate) -> None:
    gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    gate.clock.now += 299
    gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    gate.clock.now += 2
    gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    assert len(gate.passwords.checked) == 2


def test_nothing_is_remembered_for_no_seconds(tmp_path: Path) -> None:
    gate = Gate(tmp_path, AuthSettings(cache_seconds=0))
    for _ in range(3):
        gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    assert len(gate.passwords.checked) == 3


@pytest.mark.parametrize("change", ["passwd", "disable", "remove", "root"])
def test_it_is_forgotten_when_the_users_file_says_otherwise(gate: Gate, change: str) -> None:
    gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    if change == "remove":
        writer.remove_user(gate.file, "alice")
    else:
        writer.set_fields(gate.file, "alice", {
            "passwd": {"password": CHEAP.hash("new")}, "disable": {"active": False},
            "root": {"root": "/elsewhere"}}[change])
    gate.clock.now += 1
    if change == "root":
        assert gate.authenticator.authenticate(Evidence(RIGHT, HERE)).root == "/elsewhere"
        assert len(gate.passwords.checked) == 2
    else:
        with pytest.raises(NotAuthenticated):
            gate.authenticator.authenticate(Evidence(RIGHT, HERE))


def test_who_did_not_change_is_still_remembered(gate: Gate) -> None:
    gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    gate.add("bob", CHEAP.hash("right"))
    gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    assert len(gate.passwords.checked) == 1


def test_neither_password_nor_header_is_kept(gate: Gate) -> None:
    gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    kept = repr(vars(gate.authenticator._guard.remembered)) + repr(list(gate.store.scan(SPACE)))
    assert "right" not in kept
    assert RIGHT.removeprefix("Basic ") not in kept


def test_a_remembered_check_costs_microseconds(gate: Gate) -> None:
    gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(100):
            gate.authenticator.authenticate(Evidence(RIGHT, HERE))
        best = min(best, (time.perf_counter() - start) / 100)
    assert best < 50e-6


# --- upgrades


@pytest.mark.parametrize("scheme", ["bcrypt", "scrypt", "pbkdf2_sha256", "pbkdf2_sha512",
                                    "sha512_crypt"])
def test_an_old_hash_is_replaced_at_a_login(gate: Gate, scheme: str) -> None:
    gate.add("old", scheme_hash(scheme, "pässword"))
    header = basic("old", "pässword")
    with pytest.raises(NotAuthenticated):
        gate.authenticator.authenticate(Evidence(basic("old", "wrong"), HERE))
    assert not read_users(gate.file)["old"].password_hash.startswith("$argon2id$")
    gate.authenticator.authenticate(Evidence(header, HERE))
    upgraded = read_users(gate.file)["old"].password_hash
    assert upgraded.startswith("$argon2id$")
    gate.clock.now += 2
    gate.authenticator.authenticate(Evidence(header, HERE))
    assert gate.passwords.checked[-1] == upgraded
    assert read_users(gate.file)["old"].password_hash == upgraded


def test_a_file_that_cannot_be_written_stops_no_login(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    gate.add("old", scheme_hash("bcrypt", "right"))
    monkeypatch.setattr(writer, "is_writable", lambda _: False)
    for _ in range(3):
        assert gate.authenticator.authenticate(Evidence(basic("old", "right"), HERE)).name == "old"
        gate.clock.now += 400
    assert [r.getMessage() for r in caplog.records if "outdated" in r.getMessage()] == [
        (f"the password hash of user 'old' is outdated, and {gate.file} cannot be written;"
        " `httpfs-proxy users passwd` replaces it")]


def test_a_failed_upgrade_stops_no_login(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    gate.add("old", scheme_hash("bcrypt", "right"))

    def refuse(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "replace_hash", refuse)
    assert gate.authenticator.authenticate(Evidence(basic("old", "right"), HERE)).name == "old"
    assert "No space left" in caplog.text
    assert "right" not in caplog.text.replace(str(gate.file), "")


# --- many at once


def test_parallel_first_requests_with_the_right_password_all_come_in(gate: Gate) -> None:
    names = in_parallel(30, lambda _: gate.authenticator.authenticate(Evidence(RIGHT, HERE)).name)
    assert names == ["alice"] * 30


def test_parallel_guesses_learn_no_more_than_the_allowed_failures(gate: Gate) -> None:
    """All guesses pass the first check before any is counted; the right one is the last."""
    barrier = threading.Barrier(20)
    verify = gate.passwords.verify

    def together(password: str, text: str | None) -> bool:
        barrier.wait(30)
        if password == "right":
            deadline = time.monotonic() + 30
            while not is_locked(gate) and time.monotonic() < deadline:
                time.sleep(0.001)
        return verify(password, text)

    gate.passwords.verify = together  # type: ignore[method-assign]
    gate.passwords._offload = type(gate.passwords._offload)(20)

    def guess(i: int) -> str:
        try:
            gate.authenticator.authenticate(Evidence(basic("alice", "right" if i == 7 else f"{i}"),
                                            f"192.0.2.{i}"))
        except NotAuthenticated:
            return "wrong"
        except TooManyAttempts:
            return "locked"
        return "right"

    answers = in_parallel(20, guess)
    assert answers.count("wrong") == 5
    assert answers.count("locked") == 15


def test_guesses_that_wait_for_their_turn_are_not_even_computed(
    gate: Gate, monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed: list[object] = []
    check = gate.authenticator._guard.lockout.check
    monkeypatch.setattr(gate.authenticator._guard.lockout, "check",
                        lambda counters: check(counters) or passed.append(counters))
    gate.passwords._offload = type(gate.passwords._offload)(1)

    def guess(i: int) -> str:
        try:
            gate.authenticator.authenticate(Evidence(basic("alice", f"{i}"), f"192.0.2.{i}"))
        except (NotAuthenticated, TooManyAttempts) as error:
            return type(error).__name__
        return "right"

    answers: list[str] = []
    with gate.passwords.slot():
        crowd = threading.Thread(target=lambda: answers.extend(in_parallel(12, guess)))
        crowd.start()
        deadline = time.monotonic() + 30
        while len(passed) < 12 and time.monotonic() < deadline:
            time.sleep(0.001)
    crowd.join(60)
    assert sorted(answers) == ["NotAuthenticated"] * 5 + ["TooManyAttempts"] * 7
    assert len(gate.passwords.checked) == 5


def is_locked(gate: Gate) -> bool:
    return any(record["until"] > gate.wall_clock.now for _, record in gate.store.scan(SPACE))


def in_parallel(count: int, work: object) -> list[str]:
    results = [""] * count

    def run(i: int) -> None:
        results[i] = work(i)  # type: ignore[operator]

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_workers_share_the_lockout(gate: Gate) -> None:
    """Two processes guess at once: together they get as many answers as one would."""
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    gate_open = context.Barrier(4)

    def guess(worker: int) -> None:
        authenticator = password_authenticator(
            AuthSettings(), UserDirectory(gate.file),
            SqliteStore(gate.file.with_name("state.db"), clock=gate.wall_clock),
            Passwords(CHEAP), wall_clock=gate.wall_clock)
        gate_open.wait(30)
        for i in range(10):
            try:
                authenticator.authenticate(
                    Evidence(basic("alice", f"{worker} {i}"), f"192.0.2.{worker}"))
            except NotAuthenticated:
                answers.put("wrong")
            except TooManyAttempts:
                answers.put("locked")

    processes = [context.Process(target=guess, args=(i,)) for i in range(4)]
    for process in processes:
        process.start()
    got = [answers.get(timeout=60) for _ in range(40)]
    for process in processes:
        process.join(60)
    assert got.count("wrong") == 5
    assert got.count("locked") == 35
    with pytest.raises(TooManyAttempts):
        gate.authenticator.authenticate(Evidence(RIGHT, "198.51.100.9"))
    # A success on one worker forgets the user's failures for all.
    gate.wall_clock.now += 2
    assert gate.authenticator.authenticate(Evidence(RIGHT, "198.51.100.9")).name == "alice"
    other = gate.worker()
    with pytest.raises(NotAuthenticated):
        other.authenticate(Evidence(WRONG, "198.51.100.10"))


def test_without_a_store_nobody_can_guess(
    gate: Gate, monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StorageFault("gone")

    monkeypatch.setattr(gate.store, "get", broken)
    with pytest.raises(StorageFault):
        gate.authenticator.authenticate(Evidence(RIGHT, HERE))
    assert gate.passwords.checked == []
