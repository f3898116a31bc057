"""Answers that take long: white space keeps the connection alive until the document is there.

Joining many parts, or copying, can take longer than clients and proxies wait for a first byte. As
AWS does, the answer then begins as 200 with the XML declaration, goes on with spaces, and ends in
the document: the operation's own, or an `<Error>` (Amazon S3 API Reference,
"CompleteMultipartUpload" and "CopyObject"). What is done sooner is answered with its own status.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from werkzeug import Response

from app.s3.errors import S3
from app.s3.xml import DECLARATION, XML_TYPE
from app.web.dialects import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.web.exchange import Exchange

WAIT_SECONDS = 10.0
"""How long a client is left without a byte: half of what the most impatient proxies wait for."""


class _Job:
    """Work under way in a thread of its own; it goes on when nobody waits for it any more."""

    def __init__(self, work: Callable[[], Response]) -> None:
        self._work = work
        self._done = threading.Event()
        self._response: Response | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="patience", daemon=True).start()

    def _run(self) -> None:
        try:
            self._response = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is made
            self._error = error
        self._done.set()

    def wait(self, seconds: float) -> bool:
        """Tell whether the work is done, now or within `seconds`."""
        return self._done.wait(seconds)

    def result(self) -> Response:
        """Return the answer of work that is done, or raise what it raised."""
        if self._error:
            raise self._error
        assert self._response is not None
        return self._response


def patiently(
    exchange: Exchange, work: Callable[[], Response], wait: float = WAIT_SECONDS,
) -> Response:
    """Return the answer that `work` makes, a document; begin it after `wait` seconds at most."""
    job = _Job(work)
    if job.wait(wait):
        return job.result()
    exchange.under_way = True
    return Response(_kept_alive(exchange, job, wait), content_type=XML_TYPE)


def _kept_alive(exchange: Exchange, job: _Job, wait: float) -> Iterator[bytes]:
    """Yield a document that begins now and has its root when the job is done."""
    declaration = DECLARATION.encode()
    yield declaration
    while not job.wait(wait):
        yield b" "
    try:
        document = job.result().get_data()
    except Exception as error:  # noqa: BLE001 - the status is out: told in the document
        known = told(error, exchange)
        document = S3.render(known, S3.row(known), exchange).get_data()
    yield document.removeprefix(declaration)

