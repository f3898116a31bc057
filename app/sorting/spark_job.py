"""The process that sorts: reads its task from standard input, tells of it on standard output.

The task is one line of JSON (`app.sorting.task`); then standard input stays open, and its end is
the end of this process, so that it never outlives the gateway's worker that started it. What it
tells are lines of JSON: `figures` whenever they change, `warning`, `planned` (the output shards as
pairs of a group and how many), and last `done` or `error`. All else goes to standard error.

Contents move once between workers. Files are read into an RDD on Spark's disks, keyed by where
they come from; names and sizes alone are grouped to records, sorted and divided into shards; where
each file belongs goes back to where it lies, without moving it, and then all of them go, in order,
to those who write the shards.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import IO, TYPE_CHECKING, Any

from app.sorting.spark_errors import SortError, told
from app.sorting.spark_flow import Flow

if TYPE_CHECKING:
    from pyspark import SparkConf

_STOPPED = 3
_HELD = 4
"""This part of a Python worker's memory may be what it sorts."""


class Events:
    """Tells the gateway what happens, one line of JSON each."""

    def __init__(self, output: IO[str]) -> None:
        self._output = output
        self._lock = threading.Lock()

    def tell(self, **event: Any) -> None:
        """Write one event."""
        with self._lock:
            self._output.write(json.dumps(event, separators=(",", ":")) + "\n")
            self._output.flush()


def main() -> int:
    """Do the task; return the exit status."""
    # Whatever Java or a library prints is not to be taken for an event.
    events = Events(os.fdopen(os.dup(1), "w", encoding="ascii"))
    os.dup2(2, 1)
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        _run(task, events)
    except Exception as error:  # noqa: BLE001 - whatever it is, the gateway is told
        sys.stderr.write(f"{error}\n")
        events.tell(error=told(error))
        return 1
    events.tell(done=True)
    return 0


def _run(task: dict[str, Any], events: Events) -> None:
    try:
        from pyspark import SparkContext  # noqa: PLC0415 - only here is it known to be wanted
    except ImportError as error:
        raise SortError(f"PySpark cannot be imported: {error}") from error
    context = SparkContext(conf=_configuration(task))
    try:
        context.setLogLevel("WARN")
        context.addPyFile(task["code"])
        Flow(context, task, events.tell).run()
    finally:
        context.stop()


def _configuration(task: dict[str, Any]) -> SparkConf:
    from pyspark import SparkConf  # noqa: PLC0415

    conf = SparkConf().setAppName(f"httpfs-proxy sort {task['id']}").setMaster(task["master"])
    conf.set("spark.driver.memory", task["memory"])
    # What sorts and groups goes to the disk long before it meets the limit of its process.
    conf.set("spark.python.worker.memory", f"{task['memory_bytes'] // _HELD // 1024**2}m")
    conf.set("spark.local.dir", task["scratch"])
    conf.set("spark.ui.enabled", "false").set("spark.ui.showConsoleProgress", "false")
    if task["master"].startswith("local"):
        conf.set("spark.driver.host", "127.0.0.1").set("spark.driver.bindAddress", "127.0.0.1")
    if task["master"].partition("[")[0] == "local":
        # Others on this host can connect to loopback, too; Spark makes a secret of its own.
        conf.set("spark.authenticate", "true")
    return conf


def _end_with_input() -> None:
    """End at once when the gateway's end of standard input is closed; Java ends with this."""
    while os.read(0, 4096):
        pass
    os._exit(_STOPPED)


if __name__ == "__main__":
    sys.exit(main())
