"""After the last round: is each name as it was promised, and is nothing else there?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from app.core.paths import HIDDEN_MARK
from app.state import open_store
from chaos.ledger import Finding
from chaos.wire import ask
from chaos.world import ROOM
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from chaos.client import Client
    from chaos.ledger import Move
    from chaos.world import World

SWEPT_SECONDS = 180.0
"""A file that was asked for and never seen is looked for a minute long, others much shorter."""
JOURNALS = ("staged", "streams", "turns", "uploads")
_UPLOAD = re.compile(rb"<Key>([^<]*)</Key><UploadId>([^<]*)</UploadId>")


class Verdict(NamedTuple):
    """What is wrong at the end: nothing, if all went well."""

    lost: list[Finding]
    half_written: list[Finding]
    leftovers: list[str]


def judge(world: World, clients: Sequence[Client]) -> Verdict:
    """Wait for the sweep, and look at everything that HDFS has, past the gateway."""
    _abort_uploads(world)
    leftovers = _leftovers(world)
    files = {path: size for path, size in world.everything().items() if not _is_hidden(path)}
    findings: list[Finding] = []
    for client in clients:
        findings += _findings(world, client, files)
    unknown = sorted(set(files) - {
        client.path(name) for client in clients for name in client.ledger.names})
    leftovers += [path for path in unknown if "/probes/" not in path]
    return Verdict([one for one in findings if one.verdict == "lost"],
                   [one for one in findings if one.verdict == "half-written"], leftovers)


def unexpected(log: str) -> list[str]:
    """Return what the gateway's log has tracebacks of: failures that no code of its foresaw."""
    blocks = log.split("Traceback (most recent call last):\n")[1:]
    return [next((line for line in block.splitlines() if not line.startswith(" ")), "?")
            for block in blocks]


def _findings(world: World, client: Client, files: Mapping[str, int]) -> Iterator[Finding]:
    for name in client.ledger.names:
        path = client.path(name)
        found = client.ledger.judge(name, world.stored(path) if path in files else None)
        if found is not None:
            yield found._replace(name=path)
    for one in torn(client.ledger.moves, lambda name: client.path(name) in files):
        yield one._replace(name=client.path(one.name))


def torn(moves: Sequence[Move], is_there: Callable[[str], bool]) -> Iterator[Finding]:
    """Find renames that were not one step: both names are there, or neither."""
    for move in moves:
        there = [is_there(name) for name in move]
        if all(there):
            yield Finding(move.source, "half-written", "renamed, and still there")
        elif not any(there):
            yield Finding(move.source, "lost", "in the middle of a rename")


def _abort_uploads(world: World) -> None:
    """Abort the multipart uploads that clients began and could not end: S3 keeps them for them."""
    s3, bucket = world.door.s3, world.door.bucket
    listed = ask(s3.address, s3.request("GET", f"/{bucket}", {"uploads": ""}))
    for key, upload in _UPLOAD.findall(listed.body):
        ask(s3.address, s3.request(
            "DELETE", f"/{bucket}/{key.decode()}", {"uploadId": upload.decode()}))


def _leftovers(world: World) -> list[str]:
    """Return what is still hidden, or in a journal, after the sweep had its time."""
    store = open_store("sqlite:", world.gateway.directory / "data")

    def left() -> list[str]:
        hidden = [path for path in world.everything() if _is_hidden(path)]
        records = [f"{space}: {key} {value}" for space in JOURNALS
                   for key, value in store.scan(space)]
        return hidden + records

    try:
        wait_for("nothing left", lambda: not left(), seconds=SWEPT_SECONDS)
    except AssertionError:
        return left()
    return []


def _is_hidden(path: str) -> bool:
    return HIDDEN_MARK in path.removeprefix(ROOM)
