"""Alluxio's dialect beside the file API for the same work: statuses, one big file by streams.

Its get-status tells the extended attributes too (ttl and pinned are among them), and of a file
where its blocks lie. The others are asked for status and attributes one after the other.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.client import BenchError, discard_body, exchange, expect, read_head
from bench.keepalive import KeepAlive
from bench.parties import CREATED, HADOOP_USER, ROOM
from bench.processes import spent
from bench.status_calls import CONNECTIONS
from bench.transfers import GIB, send
from bench.world import BIG_FILE, MIB, SMALL_FILE

if TYPE_CHECKING:
    from bench.parties import Party
    from bench.report import Figures
    from bench.world import World

WRITTEN = f"{ROOM}/streamed"
STATUS = {"a directory": ROOM, "a file": SMALL_FILE}
_PATHS = "POST /api/v1/paths/{path}"


def parties(world: World) -> tuple[Party, ...]:
    """Return who is measured: the dialect, the file API over the same gateway, and WebHDFS."""
    dialect = replace(
        world.gateway, headers=f"{world.gateway.headers}Content-Length: 0\r\n",
        calls={"status": f"{_PATHS}/get-status", "open": f"{_PATHS}/open-file",
               "create": f"{_PATHS}/create-file"})
    file_api = replace(
        world.gateway, name="file API",
        calls={**world.gateway.calls, "xattrs": "GET /f/file/xattrs?path={path}"})
    direct = replace(world.direct, calls={**world.direct.calls, "xattrs": (
        f"GET /webhdfs/v1{{path}}?op=GETXATTRS&user.name={HADOOP_USER}&encoding=base64")})
    return dialect, file_api, direct


def prepare(world: World) -> None:
    """Write the files that are asked for, and call each party until it is warm."""
    world.write(SMALL_FILE, b"x" * 4096)
    world.write_random(BIG_FILE, world.sizes.transfer_bytes)
    for party in parties(world):
        for path in STATUS.values():
            _calls(world, party, path)


def measure(world: World, party: Party) -> Figures:
    """Return calls a second, CPU a call, and the speed of a big file in both directions."""
    figures: Figures = {}
    for what, path in STATUS.items():
        before = world.processes.cpu()
        count, seconds = _calls(world, party, path)
        cpu = spent(before, world.processes.cpu())
        figures[f"status with attributes of {what}, a second"] = count / seconds
        figures[f"status with attributes of {what}, CPU each, all, µs"] = (
            sum(cpu[role] for role in party.serves) / count * 1e6)
    size = world.sizes.transfer_bytes
    for direction, move in (("read", _read), ("write", _write)):
        before, started = world.processes.cpu(), time.monotonic()
        move(party, size)
        seconds = time.monotonic() - started
        cpu = spent(before, world.processes.cpu())
        figures[f"{direction}, GB/s"] = size / seconds / 1e9
        figures[f"{direction}, CPU s a GiB, all"] = (
            sum(cpu[role] for role in party.serves) / (size / GIB))
    world.delete(WRITTEN)
    return figures


def _calls(world: World, party: Party, path: str) -> tuple[int, float]:
    """Return how many times party told all of a path, in how many seconds."""
    calls = [call for call in ("status", "xattrs") if call in party.calls]
    count, seconds = KeepAlive(party.address, CONNECTIONS).run_for(
        world.sizes.status_seconds, *(party.request(call, path) for call in calls))
    return count // len(calls), seconds


def _read(party: Party, size: int) -> None:
    if "open" not in party.calls:
        sock, head = party.open(BIG_FILE)
        with sock:
            discard_body(sock, head, size)
        return
    stream = _stream(party, "open", BIG_FILE)
    with party.connect() as sock:
        sock.sendall(_stream_request(party, stream, "read", 0, "Connection: close\r\n"))
        head = read_head(sock)
        expect(head, head.rest, 200)
        discard_body(sock, head, size)
    _close(party, stream)


def _write(party: Party, size: int) -> None:
    if "create" not in party.calls:
        sock, head = party.begin_write(WRITTEN, size)
        with sock:
            sock.sendall(head)
            send(sock, bytes(MIB), size)
            exchange(sock, b"", CREATED)
        return
    stream = _stream(party, "create", WRITTEN)
    with party.connect() as sock:
        sock.sendall(_stream_request(party, stream, "write", size))
        send(sock, bytes(MIB), size)
        _, told = exchange(sock, b"")
    _close(party, stream)
    if int(told) != size:
        raise BenchError(f"{told!r} of {size} bytes were written")


def _stream(party: Party, call: str, path: str) -> int:
    with party.connect() as sock:
        return int(exchange(sock, party.request(call, path))[1])


def _close(party: Party, stream: int) -> None:
    with party.connect() as sock:
        exchange(sock, _stream_request(party, stream, "close", 0))


def _stream_request(
    party: Party, stream: int, action: str, length: int, extra: str = "",
) -> bytes:
    headers = party.headers.replace("Content-Length: 0", f"Content-Length: {length}")
    return (f"POST /api/v1/streams/{stream}/{action} HTTP/1.1\r\n"
            f"Host: {party.address[0]}:{party.address[1]}\r\n{headers}{extra}\r\n").encode()
