"""How a sort flows through Spark: extraction, sorting of what is known of records, creation."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.sorting.spark_errors import SortError
from app.sorting.spark_order import Piece, compression, cuts, merged, read_order, sort_key
from app.sorting.spark_shards import TAR
from app.sorting.spark_workers import ByNumber, create, extract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyspark import RDD, Accumulator, SparkContext

    from app.sorting.spark_order import Record

_REFRESH = 0.5
_MOST_PARTS = 2000
"""Spark keeps a file for each pair of a part that is read and one that is written."""
_EXTRACTING = ("gateway", "bucket", "extension", "algorithm", "most", "room", "memory_bytes",
               "scratch")
_CREATING = ("gateway", "output_bucket", "staged", "extension", "memory_bytes")
_BYTES_OF_LINE = 512
"""What a line of the order file takes in memory, with some room."""
_SHOWN = 20
"""So many of the things that a warning is about are named."""


def by_shard(place: Any) -> int:
    """Return what input shard a place lies in, for Spark to divide by: one and the same object."""
    shard: int = place[0]
    return shard


class Flow:
    """One sort; `tell` takes the events. Raises SortError, and what Spark raises."""

    def __init__(
        self, context: SparkContext, task: dict[str, Any], tell: Callable[..., None],
    ) -> None:
        self._context = context
        self._task = task
        self._tell = tell
        self._width = context.defaultParallelism
        self._figures: dict[str, dict[str, Any]] = {}

    def run(self) -> None:
        """Sort."""
        order = self._order()
        seen, records, contents = self._extracted()
        if order is not None:
            records = self._with_groups(records, order)
        ordered, shards = self._sorted(seen, records, order)
        self._created(contents, ordered, shards)

    # --- the order file

    def _order(self) -> dict[str, str] | None:
        if self._task["order"] is None:
            return None
        most = self._task["memory_bytes"] // _BYTES_OF_LINE
        with Path(self._task["order"]).open(encoding="utf-8", errors="surrogateescape") as lines:
            order, malformed = read_order(lines, self._task["order_separator"], most=most)
        self._react("ekm_malformed_line", "lines of the order file cannot be read",
                    map(str, malformed))
        return order

    def _with_groups(self, records: RDD[Record], order: dict[str, str]) -> RDD[Record]:
        known = self._context.broadcast(order)
        missing = records.filter(lambda record: record.name not in known.value).map(
            lambda record: record.name).take(_SHOWN)
        self._react("ekm_missing_key", "records are not in the order file", missing)
        return records.filter(lambda record: record.name in known.value)

    # --- extraction

    def _extracted(self) -> tuple[dict[int, Any], RDD[Record], RDD[Any]]:
        """Return what is known of each input shard, the records, and the files' contents."""
        task = self._part(*_EXTRACTING)
        inputs = list(enumerate(self._task["inputs"]))
        # A partition is read by one worker: there are no more than may be read at once.
        width = _bounded(len(inputs), self._task["extract_limit"])
        seen = self._accumulator()
        shards = self._context.parallelize(
            [((number, 0), name) for number, name in inputs], min(width, self._width),
        ).partitionBy(width, by_shard)
        from pyspark import StorageLevel  # noqa: PLC0415 - only Spark's own process has it

        contents = shards.mapPartitions(
            lambda part: extract(part, task, seen), preservesPartitioning=True,
        ).persist(StorageLevel.DISK_ONLY)
        pieces = contents.map(lambda one: (one[1][0], Piece(one[0], *one[1][1:4])))
        records = pieces.groupByKey(min(width, self._width)).map(lambda one: merged(*one)).persist(
            StorageLevel.MEMORY_AND_DISK)
        with self._phase("extraction", seen, total=len(inputs)) as figures:
            figures["records"] = records.count()
        found: dict[int, Any] = dict(seen.value)
        if sum(one[1] for one in found.values() if one) > self._task["room"]:
            raise SortError("unpacked, the shards have more bytes than sort.max_bytes allows")
        missing = [name for number, name in inputs if found[number] is None]
        if len(missing) == len(inputs):
            raise SortError(f"none of the {len(inputs)} input shards is there")
        self._react("missing_shards", "input shards are missing", missing)
        double = records.flatMap(lambda record: record.duplicates).take(_SHOWN)
        self._react("duplicated_records", "files are in more than one shard", double)
        return found, records, contents

    # --- sorting

    def _sorted(
        self, seen: dict[int, Any], records: RDD[Record], order: dict[str, str] | None,
    ) -> tuple[RDD[Record], list[int]]:
        """Return the records in their order, and the first of each output shard."""
        algorithm = self._task["algorithm"]
        groups = self._context.broadcast(order or {})
        with self._phase("sorting"):
            ordered = records.sortBy(
                lambda record: (groups.value.get(record.name, ""), sort_key(record, algorithm)),
                ascending=not algorithm["decreasing"], numPartitions=self._width)
            sizes = ordered.map(lambda one: (groups.value.get(one.name, ""), one.size))
            found = [one for one in seen.values() if one]
            unpacked = sum(one[1] for one in found)
            limit = self._task["shard_size"] / (1.0 if self._task["extension"] == TAR else
                                                compression((one[0], one[1]) for one in found))
            if not limit:
                limit = -(-unpacked // self._task["max_shards"])
            planned = list(cuts(sizes.toLocalIterator(), limit, most=self._task["max_shards"]))
        self._tell(planned=[[group, len(list(each))] for group, each in groupby(
            planned, lambda one: one.group)])
        return ordered, [one.first for one in planned]

    # --- creation

    def _created(self, contents: RDD[Any], ordered: RDD[Record], firsts: list[int]) -> None:
        if self._task["dry_run"] or not firsts:
            return
        starts = self._context.broadcast(firsts)

        def placed(one: tuple[Record, int]) -> Iterator[tuple[Any, Any]]:
            record, index = one
            shard = bisect_right(starts.value, index) - 1
            for number, piece in enumerate(record.pieces):
                yield piece.place, (shard, index, number)

        # The same division as that of the contents: Spark joins the two where they lie.
        places = ordered.zipWithIndex().flatMap(placed).partitionBy(
            contents.getNumPartitions(), by_shard)
        width = _bounded(len(firsts), self._task["create_limit"])
        task = self._part(*_CREATING)
        made = self._accumulator()
        shards = places.union(contents).mapPartitions(
            addressed).repartitionAndSortWithinPartitions(width, by_shard)
        with self._phase("creation", made, total=len(firsts)):
            shards.foreachPartition(lambda part: create(part, task, made))
        if len(made.value) != len(firsts):
            raise SortError(f"{len(made.value)} of {len(firsts)} shards were made")

    # --- telling

    def _part(self, *names: str) -> dict[str, Any]:
        """Return what workers need of the task."""
        return {name: self._task[name] for name in names}

    def _accumulator(self) -> Accumulator[dict[int, Any]]:
        return self._context.accumulator({}, ByNumber())

    @contextmanager
    def _phase(
        self, name: str, seen: Accumulator[dict[int, Any]] | None = None, *, total: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """Tell the figures of a phase while it goes on."""
        figures = self._figures[name] = {
            "started": _now(), "ended": 0, "total": total, "records": 0, "shards": summed(())}
        over = threading.Event()

        def watch() -> None:
            known = -1
            while True:
                stop = over.wait(_REFRESH)
                values = [one for one in dict(seen.value).values() if one] if seen else []
                if stop or len(values) != known:
                    known = len(values)
                    figures["shards"] = summed(values)
                    self._tell(figures=self._figures)
                if stop:
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield figures
            figures["ended"] = _now()
        finally:
            over.set()
            watcher.join()

    def _react(self, setting: str, what: str, found: Iterable[str]) -> None:
        """Do what the task says about something that is not as it should be."""
        shown = list(found)
        reaction = self._task["reactions"][setting]
        if not shown or reaction == "ignore":
            return
        text = f"{what}: {', '.join(shown[:_SHOWN])}{' and more' if len(shown) >= _SHOWN else ''}"
        if reaction == "abort":
            raise SortError(f"{text} ({setting}: abort)")
        self._tell(warning=text)


def addressed(part: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Yield each file of a partition under where it goes; where they go comes first."""
    goals: dict[Any, Any] = {}
    for place, told in part:
        if len(told) == 3:  # noqa: PLR2004 - a goal has three numbers, a file has more parts
            goals[place] = told
        elif place in goals:
            yield goals.pop(place), told[4:]
    if goals:
        raise SortError(f"the contents of {len(goals)} files were lost")


def summed(values: Iterable[Sequence[int]]) -> dict[str, int]:
    """Return the figures of shards, each [packed, unpacked, files, ms], put together.

    Rates are in unpacked bytes a second.
    """
    shards = list(values)
    times = [one[3] for one in shards]
    rates = [one[1] * 1000 // max(1, one[3]) for one in shards]
    return {
        "count": len(shards), "packed": sum(one[0] for one in shards),
        "unpacked": sum(one[1] for one in shards), "files": sum(one[2] for one in shards),
        "total_ms": sum(times), "min_ms": min(times, default=0), "max_ms": max(times, default=0),
        "min_rate": min(rates, default=0), "max_rate": max(rates, default=0),
        "avg_rate": sum(rates) // max(1, len(rates))}


def _bounded(count: int, limit: int) -> int:
    """Return into how many parts to divide so many shards; one worker does one part at a time."""
    return max(1, min(count, limit or _MOST_PARTS, _MOST_PARTS))


def _now() -> int:
    return time.time_ns() // 1_000_000
