"""Request bodies on their way up: chunked, small pieces put together, big ones as they come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from requests import exceptions

from app.fs.http_faults import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.fs.answer import Answer
    from app.fs.connection import Connection

COALESCE = 64 * 1024
"""Bytes up to which small pieces wait for each other,"""
LINGER = 1.0
"""and the seconds after which the next one takes all along."""


class _EarlyAnswer(Exception):
    """The upstream has answered before the body was through."""


def send_chunked(connection: Connection, body: Iterable[bytes]) -> Answer:
    """Send `body` chunked after its head and return the answer.

    When the body's iterator raises, the body is ended properly, so that the peer closes the file
    that it writes, the answer is read, and the exception goes on. An answer that comes before the
    body is through ends the sending; it must be an error.
    """
    failure: BaseException | None = None
    broken: exceptions.RequestException | None = None
    try:
        failure = _send(connection, body)
    except _EarlyAnswer:
        connection.spoil()
        return _refusal(connection.receive())
    except exceptions.ConnectionError as error:
        broken = error
    except BaseException:
        connection.close()
        raise
    if broken is not None:
        return _last_words(connection, broken)
    if failure is not None:
        _finish(connection)
        raise failure
    return connection.receive()


class _Writer:
    """Puts small pieces together and frames them as chunks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: list[bytes] = []
        self._size = 0
        self._since = time.monotonic()

    def write(self, piece: bytes) -> None:
        if not piece:
            return
        self._waiting.append(piece)
        self._size += len(piece)
        if self._size >= COALESCE or time.monotonic() - self._since > LINGER:
            self.flush(b"")

    def flush(self, end: bytes) -> None:
        if self._connection.has_answer():
            raise _EarlyAnswer
        if self._size:
            head = b"%x\r\n" % self._size
            self._connection.send_pieces([head, *self._waiting, b"\r\n" + end])
        elif end:
            self._connection.send(end)
        self._waiting.clear()
        self._size = 0
        self._since = time.monotonic()


def _send(connection: Connection, body: Iterable[bytes]) -> BaseException | None:
    writer = _Writer(connection)
    iterator = iter(body)
    failure: BaseException | None = None
    while True:
        try:
            piece = next(iterator, None)
        except BaseException as error:  # noqa: BLE001 - raised again once the file is closed
            failure = error
            break
        if piece is None:
            break
        writer.write(piece)
    writer.flush(b"0\r\n\r\n")
    return failure


def _finish(connection: Connection) -> None:
    try:
        connection.receive().close()
    except exceptions.RequestException:
        return  # the reader's own failure is the one to tell


def _last_words(connection: Connection, broken: exceptions.RequestException) -> Answer:
    connection.spoil()
    try:
        answer = connection.receive()
    except exceptions.RequestException:
        raise broken from None
    return _refusal(answer)


def _refusal(answer: Answer) -> Answer:
    if answer:
        answer.close()
        raise BadAnswer(f"the answer {answer.status_code} came before the body was through")
    return answer
