"""Spark's process: started with a task, listened to, ended with all that it started."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import subprocess
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from app.core.sort_errors import SortFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_LOGGED_LINES = 100
_LINE = 500
_LONGEST_EVENT = 64 * 1024**2
_WAIT_SECONDS = 0.5
_END_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Child:
    """A process that runs `command` in `directory`; as a context manager it runs inside.

    The first line of its input is `task`; the input is open for as long as it shall live, so that
    it ends with this process, whatever ends that.
    """

    def __init__(
        self, name: str, command: Sequence[str], task: Mapping[str, Any], directory: Path,
        environment: Mapping[str, str],
    ) -> None:
        self._name = name
        self._command = command
        self._task = task
        self._directory = directory
        self._environment = environment
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue(1000)
        self._tail: deque[str] = deque(maxlen=20)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        # A session of its own: all its processes are ended as one group.
        self._process = subprocess.Popen(  # noqa: S603 - the settings' own Python
            self._command, cwd=self._directory, env=dict(self._environment),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True)
        for work in (self._listen, self._drain):
            thread = threading.Thread(target=work, daemon=True, name=f"httpfs-proxy-{self._name}")
            thread.start()
            self._threads.append(thread)
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(self._task).encode() + b"\n")
            self._process.stdin.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        for thread in self._threads:
            thread.join(_END_SECONDS)

    def events(self, beat: Callable[[], None]) -> Iterator[dict[str, Any]]:
        """Yield what the child tells; `beat` is called at least every half second.

        Raises SortFailed where it ends without having said that it is done, and what `beat` raises.
        """
        while True:
            beat()
            try:
                event = self._events.get(timeout=_WAIT_SECONDS)
            except queue.Empty:
                continue
            if event is None:
                status = self._process.wait()
                tail = " ".join(list(self._tail)[-5:])
                raise SortFailed(f"Spark's process ended early with status {status}: {tail}")
            if "error" in event:
                raise SortFailed(str(event["error"]))
            if "done" in event:
                return
            yield event

    def _listen(self) -> None:
        assert self._process.stdout
        with self._process.stdout as output:
            try:
                while line := output.readline(_LONGEST_EVENT):
                    self._events.put(json.loads(line))
            except ValueError as error:
                _log.warning("%s: what Spark's process tells cannot be read: %s", self._name, error)
        self._events.put(None)

    def _drain(self) -> None:
        """Put what the child logs into the gateway's log: the first lines, and the last ones."""
        assert self._process.stderr
        count = 0
        with self._process.stderr as output:
            while line := output.readline(_LINE):
                text = line.decode("utf-8", "replace").rstrip()
                count += 1
                if text:
                    self._tail.append(text)
                if text and count <= _LOGGED_LINES:
                    _log.info("%s: %s", self._name, text)
        if count > _LOGGED_LINES:
            _log.info("%s: … %d lines, the last of them: %s", self._name, count,
                      " | ".join(list(self._tail)[-5:]))
