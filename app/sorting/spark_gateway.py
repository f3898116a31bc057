"""Objects of the gateway as Spark's workers read and write them, with the token of their job."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from app.sorting.spark_errors import SortError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT = 300.0
_TRIES = 4
_PIECE = 256 * 1024
_MAX_TOLD = 2000
_LATER = (429, 502, 503, 504)


class Gateway(NamedTuple):
    """A gateway at `url`, and the token that opens the buckets of one job there."""

    url: str
    token: str

    @contextmanager
    def reading(self, bucket: str, name: str) -> Iterator[tuple[IO[bytes], int | None] | None]:
        """Give the bytes of an object, and how many there are, None where that is not told.

        Give None where there is no such object. Raises SortError.
        """
        connection, response = self._got(bucket, name)
        try:
            if response.status == http.client.NOT_FOUND:
                yield None
            elif response.status != http.client.OK:
                raise SortError(f"reading {bucket}/{name} failed: {_told(response)}")
            else:
                yield response, response.length
        except (OSError, http.client.HTTPException) as error:
            raise SortError(f"reading {bucket}/{name} broke off: {error!r}") from error
        finally:
            connection.close()

    @contextmanager
    def writing(self, bucket: str, name: str) -> Iterator[Writer]:
        """Give what an object is written to; it is there when all went well. Raises SortError."""
        connection = self._connection()
        try:
            connection.putrequest("PUT", self._path(bucket, name), skip_accept_encoding=True)
            for header, value in (*self._headers.items(), ("Transfer-Encoding", "chunked"),
                                  ("Content-Type", "application/octet-stream")):
                connection.putheader(header, value)
            connection.endheaders()
            writer = Writer(connection)
            yield writer
            writer.end()
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise SortError(f"writing {bucket}/{name} failed: {_told(response)}")
        except (OSError, http.client.HTTPException) as error:
            raise SortError(f"writing {bucket}/{name} broke off: {error!r}") from error
        finally:
            connection.close()

    def _got(self, bucket: str, name: str) -> tuple[Any, http.client.HTTPResponse]:
        for left in reversed(range(_TRIES)):
            connection = self._connection()
            try:
                connection.request("GET", self._path(bucket, name), headers=self._headers)
                response = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if not left:
                    raise SortError(f"the gateway cannot be reached at {self.url}: {error}"
                                    " (setting sort.gateway_url)") from error
            else:
                if response.status not in _LATER or not left:
                    return connection, response
                connection.close()
            time.sleep(2.0 ** (_TRIES - left - 2))
        raise AssertionError

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else (
            http.client.HTTPConnection)
        return kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)

    def _path(self, bucket: str, name: str) -> str:
        return f"{urlsplit(self.url).path.rstrip('/')}/v1/objects/{quote(bucket)}/{quote(name)}"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Writer:
    """A file that is the body of a request; it is only ever written."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._held = bytearray()
        self.written = 0

    def write(self, data: bytes | memoryview) -> int:
        """Take some bytes."""
        self._held += data
        self.written += len(data)
        if len(self._held) >= _PIECE:
            self._send()
        return len(data)

    def flush(self) -> None:
        """Have nothing to do: what is held goes when it is enough."""

    def end(self) -> None:
        """Send what is left, and the end of the body."""
        self._send()
        self._connection.send(b"0\r\n\r\n")

    def _send(self) -> None:
        if self._held:
            self._connection.send(b"%x\r\n%b\r\n" % (len(self._held), bytes(self._held)))
            self._held.clear()


def _told(response: http.client.HTTPResponse) -> str:
    """Return what the gateway says of an error."""
    text = response.read(_MAX_TOLD).decode("utf-8", "replace").strip()
    try:
        return f"{response.status} {json.loads(text)['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{response.status} {text}"
