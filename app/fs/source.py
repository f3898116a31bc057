"""A file's bytes on their way from HDFS: all that were asked for, or an error.

When the connection breaks in the middle of a version of the file that cannot change under the
reader (it was opened by its inode number, or lies in a snapshot), the rest is asked for anew.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.core.errors import GatewayError, UpstreamFault, UpstreamUnavailable
from app.fs.calls import FAULTS, OK
from app.fs.faults import translated
from app.fs.http_faults import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.paths import HdfsPath
    from app.fs.answer import Answer

PAUSES = (0.0, 0.2, 1.0)
"""Seconds before each new attempt in a row that brings no byte; after them the reader is told."""
_WORTH_ANOTHER_TRY = (UpstreamFault, UpstreamUnavailable)


class Source:
    """The bytes from `offset`; the first answer has come when the constructor returns.

    `ask(offset, length)` opens the file, `check` is called before the last piece is handed out.
    """

    def __init__(
        self, ask: Callable[[int, int], Answer], path: HdfsPath, offset: int, length: int, *,
        check: Callable[[], None] | None, repeatable: bool,
    ) -> None:
        self._ask = ask
        self._path = path
        self._offset = offset
        self._left = length
        self._check = check
        self._pauses = PAUSES if repeatable else ()
        self._vain = 0
        self._answer = self._opened()

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes, b"" at the end. Raises UpstreamError, also when cut short."""
        while self._left:
            try:
                return self._piece(size)
            except FAULTS as error:
                self._reopen(translated(error, self._path), error)
            except UpstreamFault as error:
                self._reopen(error, error)
            except BaseException:
                self.close()
                raise
        return b""

    def close(self) -> None:
        """Let go of the connection; the end need not have been reached."""
        self._answer.close()

    def _opened(self) -> Answer:
        answer = self._ask(self._offset, self._left)
        told = answer.headers.get("content-length", str(self._left))
        if answer.status_code != OK:
            answer.close()
            raise BadAnswer(f"status {answer.status_code} in answer to OPEN")
        if told != str(self._left):
            answer.close()
            raise UpstreamFault(f"HDFS answers {told} bytes where {self._left} were asked for")
        return answer

    def _piece(self, size: int) -> bytes:
        data = self._answer.read(min(size, self._left))
        if not data:
            raise BadAnswer(f"HDFS ended the file {self._left} bytes too early")
        if len(data) == self._left:
            self._finish()
        self._offset += len(data)
        self._left -= len(data)
        self._vain = 0
        return data

    def _finish(self) -> None:
        # Before the last piece is handed out: after it, a reader who counts would be content.
        if self._answer.read(1):
            self._vain = len(self._pauses)
            raise UpstreamFault("HDFS answers more bytes than were asked for")
        if self._check is not None:
            self._check()

    def _reopen(self, fault: GatewayError, cause: Exception) -> None:
        """Ask for the rest, or raise `fault` when that brought nothing several times."""
        self.close()
        while isinstance(fault, _WORTH_ANOTHER_TRY) and self._vain < len(self._pauses):
            time.sleep(self._pauses[self._vain])
            self._vain += 1
            try:
                self._answer = self._opened()
            except FAULTS as error:
                fault, cause = translated(error, self._path), error
            else:
                return
        raise fault from cause
