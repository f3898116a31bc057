"""Hashing in another thread: in order, with its errors, and small pieces at once."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from app.web.overlap import MOST_WAITING, WORTHWHILE, Overlap

GREEN = f"""
from gevent import monkey
monkey.patch_all()
import hashlib
import os
import sys
import threading
import gevent
from gevent import monkey
sys.path.insert(0, ".")
from app.web.overlap import Overlap

native = monkey.get_original("threading", "get_ident")
pieces = [os.urandom({WORTHWHILE} * (1 + n % 3)) for n in range(50)] + [b"small"]
threads = set()
md5 = hashlib.md5()

def update(piece):
    threads.add(native())
    md5.update(piece)

overlap = Overlap(update)
for piece in pieces:
    overlap.feed(piece)
overlap.settle()
assert md5.digest() == hashlib.md5(b"".join(pieces)).digest()
assert threads - {{native()}}, "no other thread took part"

ticks = []
def tick():
    while True:
        ticks.append(1)
        gevent.sleep(0)

ticker = gevent.spawn(tick)
overlap.feed(bytes(64 * 1024 * 1024))
overlap.settle()
assert len(ticks) > 10, "others did not go on meanwhile"
ticker.kill()

shut = monkey.get_original("_thread", "allocate_lock")()
shut.acquire()
seen, fed = [], []

def held_up(piece):
    with shut:
        seen.append(piece)

slow = Overlap(held_up)
sent = [bytes([n]) * {WORTHWHILE} for n in range(100)]

def send():
    for piece in sent:
        slow.feed(piece)
        fed.append(piece)
    slow.settle()

sender = gevent.spawn(send)
most = {MOST_WAITING} // {WORTHWHILE}
for _ in range(1000):
    gevent.sleep(0)
assert len(fed) == most, (len(fed), most)
shut.release()
sender.get()
assert seen == sent

def fail(piece):
    raise KeyError("broken")

broken = Overlap(fail)
broken.feed(bytes({WORTHWHILE}))
try:
    broken.settle()
except KeyError:
    print("done")
"""


def test_under_gevent_another_thread_hashes_in_order() -> None:
    done = subprocess.run(
        [sys.executable, "-c", GREEN], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "done"), done.stderr


def test_under_threads_it_is_done_at_once() -> None:
    md5 = hashlib.md5()
    overlap = Overlap(md5.update)
    overlap.feed(bytes(WORTHWHILE * 2))
    assert md5.digest() == hashlib.md5(bytes(WORTHWHILE * 2)).digest()
    overlap.settle()


def test_what_went_wrong_is_raised() -> None:
    def fail(_piece: bytes) -> None:
        raise KeyError("broken")

    with pytest.raises(KeyError):
        Overlap(fail).feed(b"x")
