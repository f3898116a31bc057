"""The figures of a sort in the shape of AIStore's dSort metrics; only what was counted is told."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.jobs.record import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.jobs.record import Job

NEVER = "0001-01-01T00:00:00Z"
"""How AIStore writes the time of what has not happened."""
_NOTHING = {"count": 0, "packed": 0, "unpacked": 0, "files": 0, "total_ms": 0, "min_ms": 0,
            "max_ms": 0, "min_rate": 0, "max_rate": 0, "avg_rate": 0}


def metrics(job: Job) -> dict[str, Any]:
    """Return the metrics of one sort by the gateway node that ran it."""
    kept: Mapping[str, Any] = job.cursor or {}
    figures = kept.get("figures", {})
    extended = bool(job.spec["extended_metrics"])
    return {
        "local_extraction": _extraction(figures.get("extraction"), job, extended=extended),
        "meta_sorting": _phase(figures.get("sorting"), job),
        "shard_creation": _creation(figures.get("creation"), kept, job, extended=extended),
        "aborted": job.state in (JobState.ABORTED, JobState.FAILED),
        "archived": job.state.over,
        "description": job.spec["description"],
        "warnings": kept.get("warnings", []),
        "errors": list(job.errors),
    }


def summary(job: Job) -> dict[str, Any]:
    """Return the line of a sort in the list of all."""
    full = metrics(job)
    # AIStore has these three in nanoseconds.
    second = 1_000_000_000
    return {
        "id": job.id, "started_time": instant(job.started), "finish_time": instant(job.ended),
        "started_meta_sorting": full["local_extraction"]["elapsed"] * second,
        "started_shard_creation": full["meta_sorting"]["elapsed"] * second,
        "finished_shard_creation": full["shard_creation"]["elapsed"] * second,
        "aborted": full["aborted"], "archived": full["archived"],
        "description": full["description"],
    }


def node_of(job: Job) -> str:
    """Return the id of the gateway that ran a sort, "" for one that has not begun."""
    return str((job.cursor or {}).get("node", ""))


def instant(milliseconds: int) -> str:
    """Return a time in epoch milliseconds as AIStore writes it."""
    if not milliseconds:
        return NEVER
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _extraction(
    figures: Mapping[str, Any] | None, job: Job, *, extended: bool,
) -> dict[str, Any]:
    told = _phase(figures, job)
    shards = (figures or {}).get("shards", _NOTHING)
    told |= {
        "total_count": (figures or {}).get("total", 0), "extracted_count": shards["count"],
        "extracted_size": shards["unpacked"],
        "extracted_record_count": (figures or {}).get("records", 0),
        # Spark keeps what was extracted on its disks, all of it.
        "extracted_to_disk_count": shards["count"], "extracted_to_disk_size": shards["unpacked"],
    }
    return told | ({"single_shard_stats": _detailed(shards)} if extended else {})


def _creation(
    figures: Mapping[str, Any] | None, kept: Mapping[str, Any], job: Job, *, extended: bool,
) -> dict[str, Any]:
    told = _phase(figures, job)
    shards = (figures or {}).get("shards", _NOTHING)
    told |= {"to_create": kept.get("planned", 0), "created_count": shards["count"],
             "moved_shard_count": 0}
    # Shards that are made get their names last: who reads that it is finished looks for them.
    told["running"] = bool(figures) and not job.state.over
    told["finished"] = told["finished"] and job.state is JobState.FINISHED
    return told | ({"single_shard_stats": _detailed(shards)} if extended else {})


def _phase(figures: Mapping[str, Any] | None, job: Job) -> dict[str, Any]:
    started, ended = (figures["started"], figures["ended"]) if figures else (0, 0)
    running = bool(started) and not ended and not job.state.over
    until = ended or job.ended or time.time_ns() // 1_000_000
    return {
        "started_time": instant(started), "end_time": instant(ended),
        "elapsed": max(0, until - started) // 1000 if started else 0,
        "running": running, "finished": bool(ended),
    }


def _detailed(shards: Mapping[str, int]) -> dict[str, int]:
    return {
        "total_ms": shards["total_ms"], "count": shards["count"], "min_ms": shards["min_ms"],
        "max_ms": shards["max_ms"], "avg_ms": shards["total_ms"] // max(1, shards["count"]),
        "min_throughput": shards["min_rate"], "max_throughput": shards["max_rate"],
        "avg_throughput": shards["avg_rate"],
    }
