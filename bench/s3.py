"""S3: objects of 64 MiB and of 4 KiB, one upload of 1 GiB in parts, a bucket listed to its end."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bench.client import BenchError, exchange
from bench.keepalive import KeepAlive
from bench.parties import CREATED, ROOM
from bench.processes import spent
from bench.s3_client import receive
from bench.world import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.report import Figures
    from bench.s3_client import S3Party
    from bench.world import World

GIB = 1024 * MIB
BUCKET, FULL_BUCKET = "objects", "listed"
LARGE = 64 * MIB
LARGE_OBJECTS = 4
SMALL = b"x" * 4096
CONNECTIONS = 16
MOST_SMALL = 20_000
PART = 16 * MIB
PARTS_AT_ONCE = 4
UPLOAD_ID = re.compile(rb"<UploadId>([^<]+)</UploadId>")
NEXT = re.compile(rb"<NextContinuationToken>([^<]+)</NextContinuationToken>")


def parties(world: World) -> tuple[S3Party, ...]:
    """Return who is measured: the gateway and rclone, over the same HDFS."""
    return world.s3_parties()


def prepare(world: World) -> None:
    """Fill the bucket that is listed, and see that each party stores and gives true bytes."""
    for bucket in (BUCKET, FULL_BUCKET):
        world.make_directory(f"{ROOM}/{bucket}")
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in pool.map(lambda number: _make_empty(world, number), range(world.sizes.entries)):
            pass
    data = os.urandom(LARGE)
    for party in parties(world):
        path = f"/{BUCKET}/{party.name}-checked"
        party.call("PUT", path, body=data)
        with party.connect() as sock:
            sock.sendall(party.request("GET", path))
            if receive(sock, LARGE, digest=True) != hashlib.sha256(data).hexdigest():
                raise BenchError(f"{party.name} hands out other bytes than it was given")
        _small_objects(world, party, "warm")


def measure(world: World, party: S3Party) -> Figures:
    """Return speed, CPU of all who serve, and the memory of the server in question."""
    role = party.serves[0]
    world.processes.reset_peak(role)
    figures: Figures = {}
    run = os.urandom(4).hex()

    def timed(name: str, work: Callable[[], None], gibs: float) -> None:
        before, started = world.processes.cpu(), time.monotonic()
        work()
        seconds = time.monotonic() - started
        cpu = spent(before, world.processes.cpu())
        figures[f"{name}, GB/s"] = gibs * GIB / seconds / 1e9
        figures[f"{name}, CPU s a GiB, all"] = sum(cpu[each] for each in party.serves) / gibs
        figures[f"{name}, CPU s a GiB, gateway or rclone"] = cpu[role] / gibs

    paths = [f"/{BUCKET}/{party.name}-{run}-{number}" for number in range(LARGE_OBJECTS)]
    gibs = LARGE * LARGE_OBJECTS / GIB
    data = bytes(LARGE)
    timed("PUT 64 MiB", lambda: _put_each(party, paths, data), gibs)
    timed("GET 64 MiB", lambda: _get_each(party, paths), gibs)
    size = world.sizes.transfer_bytes
    timed("multipart upload", lambda: _in_parts(party, f"{paths[0]}-parts", size), size / GIB)
    figures.update(_small_objects(world, party, run))
    figures.update(_listing(world, party))
    figures["peak memory, gateway or rclone, MiB"] = world.processes.peak_memory(role)
    world.delete(f"{ROOM}/{BUCKET}")
    world.make_directory(f"{ROOM}/{BUCKET}")
    return figures


def _put_each(party: S3Party, paths: list[str], data: bytes) -> None:
    with party.connect() as sock:
        for path in paths:
            sock.sendall(party.request("PUT", path, length=len(data)))
            exchange(sock, data)


def _get_each(party: S3Party, paths: list[str]) -> None:
    with party.connect() as sock:
        for path in paths:
            sock.sendall(party.request("GET", path))
            receive(sock, LARGE)


def _in_parts(party: S3Party, path: str, size: int) -> None:
    begun = UPLOAD_ID.search(party.call("POST", path, {"uploads": ""}, b"")[1])
    if not begun:
        raise BenchError(f"{party.name} gives no id for an upload")
    upload, data = begun[1].decode(), bytes(PART)

    def put(number: int) -> str:
        query = {"partNumber": str(number), "uploadId": upload}
        etag = party.call("PUT", path, query, data)[0].fields["etag"]
        return f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"

    with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
        parts = "".join(pool.map(put, range(1, size // PART + 1)))
    done = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    _, answer = party.call("POST", path, {"uploadId": upload}, done)
    if b"<ETag>" not in answer:
        raise BenchError(f"{party.name} did not complete the upload: {answer[:500]!r}")


def _small_objects(world: World, party: S3Party, run: str) -> Figures:
    """PUT objects of 4 KiB on 16 connections for some seconds, and GET them for as long."""
    paths = [f"/{BUCKET}/{party.name}-{run}-small/{number:06}" for number in range(MOST_SMALL)]
    puts = [party.request("PUT", path, length=len(SMALL)) + SMALL for path in paths]
    figures: Figures = {}
    written = _calls(world, party, "PUT 4 KiB", iter(puts), figures)
    gets = [party.request("GET", path) for path in paths[:written]]
    _calls(world, party, "GET 4 KiB", itertools.cycle(gets), figures)
    return figures


def _calls(
    world: World, party: S3Party, name: str, requests: Iterator[bytes], figures: Figures,
) -> int:
    end = time.monotonic() + world.sizes.pair_seconds
    before = world.processes.cpu()
    # A peer that fails now and then is measured by what it does, and its failures are told.
    calls = KeepAlive(party.address, CONNECTIONS, tolerant=party.name == "rclone")
    count, seconds = calls.run_all(
        itertools.takewhile(lambda _: time.monotonic() < end, requests))
    if calls.failed:
        figures[f"{name}, failed"] = calls.failed
    cpu = spent(before, world.processes.cpu())
    figures[f"{name}, objects a second"] = count / seconds
    figures[f"{name}, CPU ms each, all"] = sum(cpu[each] for each in party.serves) / count * 1e3
    figures[f"{name}, CPU ms each, gateway or rclone"] = cpu[party.serves[0]] / count * 1e3
    return count


def _listing(world: World, party: S3Party) -> Figures:
    """List the whole bucket by ListObjectsV2, a thousand keys a page."""
    before, started = world.processes.cpu(), time.monotonic()
    count, first, token = 0, 0.0, ""
    while True:
        query = {"list-type": "2", **({"continuation-token": token} if token else {})}
        _, body = party.call("GET", f"/{FULL_BUCKET}", query)
        first = first or time.monotonic() - started
        count += body.count(b"<Key>")
        follows = NEXT.search(body)
        if not follows:
            break
        token = follows[1].decode()
    seconds = time.monotonic() - started
    cpu = spent(before, world.processes.cpu())
    if count != world.sizes.entries:
        raise BenchError(f"{party.name} lists {count} keys of {world.sizes.entries}")
    return {"listing, first page, ms": first * 1e3,
            "listing, keys a second": count / seconds,
            "listing, CPU s, all": sum(cpu[each] for each in party.serves)}


def _make_empty(world: World, number: int) -> None:
    sock, head = world.direct.begin_write(f"{ROOM}/{FULL_BUCKET}/key-{number:07}", 0)
    with sock:
        exchange(sock, head, CREATED)
