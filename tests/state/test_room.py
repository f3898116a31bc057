"""Who waits for a place gets one in turn, and places are neither lost nor made."""

from __future__ import annotations

import threading
import time

import pytest

from app.state.room import Room
from tests.gateway import wait_for


def test_there_is_room_for_so_many_and_no_more() -> None:
    room = Room(2)
    assert room.enter(patience=0)
    assert room.enter(patience=0)
    began = time.monotonic()
    assert not room.enter(patience=0.05)
    assert time.monotonic() - began >= 0.05
    room.leave()
    assert room.enter(patience=0)
    assert not room.enter(patience=0)


def test_who_waited_is_before_who_comes_again() -> None:
    room = Room(1)
    assert room.enter(patience=0)
    order: list[int] = []

    def work(number: int) -> None:
        assert room.enter(patience=30)
        order.append(number)
        room.leave()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for number, thread in enumerate(threads):
        thread.start()
        wait_for("its place in the queue", lambda n=number: len(room._waiting) == n + 1)
    room.leave()
    assert room.enter(patience=30)
    for thread in threads:
        thread.join(30)
    assert order == [0, 1, 2, 3, 4]


def test_a_place_that_came_while_giving_up_is_taken_or_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = Room(1)
    assert room.enter(patience=0)

    def leave_late(_: threading.Event, __: float) -> bool:
        room.leave()
        return False

    with monkeypatch.context() as late:
        late.setattr(threading.Event, "wait", leave_late)
        assert room.enter(patience=0)
    assert not room.enter(patience=0)

    def leave_and_be_killed(_: threading.Event, __: float) -> bool:
        room.leave()
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(threading.Event, "wait", leave_and_be_killed)
        with pytest.raises(KeyboardInterrupt):
            room.enter(patience=0)
    assert room.enter(patience=0)


def test_who_is_killed_while_waiting_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(1)
    assert room.enter(patience=0)

    def be_killed(_: threading.Event, __: float) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(threading.Event, "wait", be_killed)
        with pytest.raises(KeyboardInterrupt):
            room.enter(patience=0)
    room.leave()
    assert room.enter(patience=0)
    assert not room.enter(patience=0)
