"""multipart/form-data as browsers send it: fields first, then one file, which is streamed.

Only the framing is here (RFC 7578); werkzeug's decoder does it without reading by itself. What
stands behind the file is read and not looked at (Amazon S3 API Reference, "POST Object").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Field, File, MultipartDecoder, NeedData

from app.s3.errors import S3Error, invalid_argument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from werkzeug.sansio.multipart import Event

MAX_FIELDS = 20 * 1024
"""Bytes of all fields before the file, names and the headers of each counted."""
FILE = "file"
_MAX_BOUNDARY = 200


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names. Raises S3Error."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        raise S3Error("PreconditionFailed", Condition="Bucket POST must be of the enclosure-type"
                                                      " multipart/form-data")
    boundary = options.get("boundary", "").encode("latin-1", "replace")
    if not 0 < len(boundary) <= _MAX_BOUNDARY:
        raise S3Error("MalformedPOSTRequest")
    return boundary


class Form:
    """One form: `fields` by lower-case names, then `content`, the file's.

    The fields are read when this is made; `filename` is the file's as the browser names it.
    Raises S3Error (MalformedPOSTRequest, MaxPostPreDataLengthExceededError, InvalidArgument).
    """

    def __init__(self, pieces: Iterable[bytes], boundary: bytes) -> None:
        self._pieces = iter(pieces)
        self._decoder = MultipartDecoder(boundary)
        self._left = MAX_FIELDS
        self.fields: dict[str, str] = {}
        self.filename = ""
        self._read_fields()

    def content(self) -> Iterator[bytes]:
        """Yield the file's bytes, and read the body to its end."""
        more = True
        while more:
            event = self._event()
            if isinstance(event, Data):
                more = event.more_data
                if event.data:
                    yield bytes(event.data)
        for _ in self._pieces:
            pass

    def _read_fields(self) -> None:
        while True:
            event = self._event()
            if isinstance(event, Field | File):
                # Programs send fields with a file name too: the name alone tells the file.
                if (event.name or "").lower() == FILE:
                    self._begin_file(event)
                    return
                name = (event.name or "").lower()
                self._spend(len(name))
                self.fields.setdefault(name, self._value())
            elif not isinstance(event, Data):
                self._refuse_the_end(event)

    def _begin_file(self, event: File | Field) -> None:
        # Old browsers send the path on their user's disk.
        filename = event.filename if isinstance(event, File) else ""
        self.filename = filename.replace("\\", "/").rpartition("/")[2]

    @staticmethod
    def _refuse_the_end(event: Event) -> None:
        if type(event).__name__ == "Epilogue":
            raise _no_file()

    def _value(self) -> str:
        value, more = b"", True
        while more:
            event = self._event()
            if isinstance(event, Data):
                more = event.more_data
                value += event.data
                self._spend(len(event.data))
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise S3Error("MalformedPOSTRequest") from None

    def _event(self) -> Event:
        """Return the next event; read on as long as there is none."""
        try:
            while isinstance(event := self._decoder.next_event(), NeedData):
                if len(self._decoder.buffer) > MAX_FIELDS:
                    raise S3Error("MaxPostPreDataLengthExceededError")
                self._decoder.receive_data(next(self._pieces, None))
        except (ValueError, AttributeError, TypeError) as error:
            # What the decoder raises for headers and boundaries that are none.
            raise S3Error("MalformedPOSTRequest") from error
        return event

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise S3Error("MaxPostPreDataLengthExceededError")


def _no_file() -> S3Error:
    return invalid_argument(FILE, "0", "POST requires exactly one file upload per request.")
