"""What Spark's workers do: take shards apart, and make new ones."""

from __future__ import annotations

import resource
import shutil
import time
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from app.sorting.spark_errors import SortError
from app.sorting.spark_gateway import Gateway
from app.sorting.spark_order import content_key
from app.sorting.spark_shards import Member, read_shard, size_in_shard, split_name, write_shard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Place = tuple[int, int]
Goal = tuple[int, int, int]

SPARE_DISK = 1024**3
"""So many bytes of the scratch directory's disk are left to others."""
_LOOK_AFTER = 64 * 1024**2
_limited: list[int] = []


def extract(
    part: Iterable[tuple[Place, str]], task: dict[str, Any], seen: Seen,
) -> Iterator[tuple[Place, tuple[Any, ...]]]:
    """Yield each file of these input shards under its place.

    A file is (record, extension, size in a shard, key or None, name, about, data). What was seen
    of each shard goes to `seen`: None for a missing one, else [packed bytes, unpacked bytes,
    files, milliseconds].
    """
    limit_memory(task["memory_bytes"])
    gateway = Gateway(*task["gateway"])
    for (number, _), name in part:
        started = time.monotonic()
        with gateway.reading(task["bucket"], name) as found:
            if found is None:
                seen.add({number: None})
                continue
            source = Counted(found[0])
            unpacked = files = 0
            for one in _files(name, source, number, task):
                unpacked += one[1][2]
                files += 1
                yield one
            source.drain()
            if found[1] not in (None, source.count):
                raise SortError(f"reading {task['bucket']}/{name} broke off after {source.count}"
                                f" of {found[1]} bytes")
        elapsed = round((time.monotonic() - started) * 1000)
        seen.add({number: [source.count, unpacked, files, elapsed]})


def _files(
    shard: str, source: Counted, number: int, task: dict[str, Any],
) -> Iterator[tuple[Place, tuple[Any, ...]]]:
    extension, algorithm = task["extension"], task["algorithm"]
    wanted = algorithm["extension"] if algorithm["kind"] == "content" else None
    since = 0
    members = read_shard(shard, source, extension, most=task["most"], room=task["room"])  # type: ignore[arg-type]
    for index, member in enumerate(members):
        since += len(member.data)
        if since >= _LOOK_AFTER:
            since = 0
            check_disk(task["scratch"])
        record, own = split_name(member.name)
        key = None
        if own == wanted:
            key = content_key(member.name, member.data, algorithm["format_type"])
        yield (number, index), (
            record, own, size_in_shard(member, extension), key, *member)


def create(part: Iterable[tuple[Goal, tuple[Any, ...]]], task: dict[str, Any], made: Seen) -> None:
    """Write the output shards of a partition, whose files come in their order.

    What was made goes to `made`: [bytes written, bytes of contents, files, milliseconds].
    """
    limit_memory(task["memory_bytes"])
    gateway = Gateway(*task["gateway"])
    for shard, files in groupby(part, lambda one: one[0][0]):
        started = time.monotonic()
        contents = Contents(one[1] for one in files)
        with gateway.writing(task["output_bucket"], f"{task['staged']}{shard:09d}") as target:
            count = write_shard(target, task["extension"], contents)  # type: ignore[arg-type]
        elapsed = round((time.monotonic() - started) * 1000)
        made.add({shard: [target.written, contents.count, count, elapsed]})


def check_disk(directory: str) -> None:
    """Raise SortError where the disk of the scratch directory, if it is here, is nearly full."""
    if Path(directory).is_dir() and shutil.disk_usage(directory).free < SPARE_DISK:
        raise SortError("the disk of sort.scratch is full")


def limit_memory(size: int) -> None:
    """Let this process have `size` bytes more than it has now, and no more; once for all."""
    if _limited:
        return
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return  # no Linux
    limit = pages * resource.getpagesize() + size
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    _limited.append(limit)


class Seen(Protocol):
    """Takes figures of shards by their numbers: an accumulator of Spark's."""

    def add(self, term: dict[int, Any], /) -> None:
        """Add figures."""


class ByNumber:
    """Tells Spark how to put such figures together: those of what was done twice count once."""

    def zero(self, _value: dict[int, Any]) -> dict[int, Any]:
        """Return what there is before any."""
        return {}

    def addInPlace(self, one: dict[int, Any], other: dict[int, Any]) -> dict[int, Any]:  # noqa: N802
        """Add `other` to `one`; the name is Spark's."""
        one.update(other)
        return one


class Counted:
    """A file that knows how many bytes were read of it."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.count = 0

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes."""
        data = self._source.read(size)
        self.count += len(data)
        return data

    def drain(self) -> None:
        """Read what is left: only then is it known whether the body broke off."""
        while self.read(_LOOK_AFTER):
            pass


class Contents:
    """The files of one shard, with the sum of their bytes so far."""

    def __init__(self, files: Iterable[tuple[Any, ...]]) -> None:
        self._files = files
        self.count = 0

    def __iter__(self) -> Iterator[Member]:
        for one in self._files:
            member = Member(*one)
            self.count += len(member.data)
            yield member
