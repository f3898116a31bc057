"""multipart/form-data as browsers send it: fields first, then one file, which is streamed.

Only the framing is here (RFC 7578, RFC 2046). werkzeug's decoder is not used: where a read ends
inside the line of a boundary, it takes a byte of that line for content. What stands behind the
file is read and not looked at (Amazon S3 API Reference, "POST Object").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.http import parse_options_header

from app.s3.errors import S3Error, invalid_argument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_FIELDS = 20 * 1024
"""Bytes of all that stands before the file's content."""
FILE = "file"
_MAX_BOUNDARY = 200
_CRLF = b"\r\n"


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
        self._pieces = filter(None, pieces)
        self._delimiter = _CRLF + b"--" + boundary
        self._held = _CRLF  # so that the first boundary is like all others
        self._left = MAX_FIELDS
        self.fields: dict[str, str] = {}
        self.filename = ""
        self._read_fields()

    def content(self) -> Iterator[bytes]:
        """Yield the file's bytes, and read the body to its end."""
        yield from self._up_to_delimiter()
        self._after_delimiter()
        for _ in self._pieces:
            pass

    def _read_fields(self) -> None:
        for _ in self._limited():
            pass  # what stands before the first boundary
        while self._after_delimiter():
            name, filename = self._part()
            if name == FILE:
                # Old browsers send the path on their user's disk.
                self.filename = filename.replace("\\", "/").rpartition("/")[2]
                return
            self.fields.setdefault(name, _text(b"".join(self._limited())))
        raise invalid_argument(FILE, "0", "POST requires exactly one file upload per request.")

    def _part(self) -> tuple[str, str]:
        """Return the name of a part, and that of its file; what is next is its content."""
        disposition = ""
        for line in iter(self._line, b""):
            header, _, value = _text(line).partition(":")
            if header.strip().lower() == "content-disposition":
                disposition = value
        return _named(disposition)

    # --- the body as it comes

    def _limited(self) -> Iterator[bytes]:
        for piece in self._up_to_delimiter():
            self._spend(len(piece))
            yield piece

    def _up_to_delimiter(self) -> Iterator[bytes]:
        """Yield what stands before the next delimiter, and take that too."""
        while (end := self._held.find(self._delimiter)) < 0:
            # A delimiter may have begun at the end of what there is.
            safe = max(0, len(self._held) - len(self._delimiter) + 1)
            piece, self._held = self._held[:safe], self._held[safe:]
            if piece:
                yield piece
            self._more()
        piece, self._held = self._held[:end], self._held[end + len(self._delimiter):]
        if piece:
            yield piece

    def _after_delimiter(self) -> bool:
        """Tell whether another part follows the delimiter. Raises S3Error for anything else."""
        while len(self._held) < len(_CRLF):
            self._more()
        if self._held.startswith(b"--"):
            return False
        if self._line().strip(b" \t"):
            raise _malformed()
        return True

    def _line(self) -> bytes:
        """Return what stands before the next CR LF, and take both."""
        while (end := self._held.find(_CRLF)) < 0:
            if len(self._held) > self._left:
                raise _too_large()
            self._more()
        line, self._held = self._held[:end], self._held[end + len(_CRLF):]
        self._spend(len(line))
        return line

    def _more(self) -> None:
        piece = next(self._pieces, b"")
        if not piece:
            raise _malformed()
        self._held += piece

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _too_large()


def _named(value: str) -> tuple[str, str]:
    """Return the name of a field, in lower case, and the file's from a Content-Disposition."""
    kind, options = parse_options_header(value.strip())
    name = options.get("name", "")
    if kind != "form-data" or not name:
        raise _malformed()
    return name.lower(), options.get("filename", "")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise _malformed() from None


def _malformed() -> S3Error:
    return S3Error("MalformedPOSTRequest")


def _too_large() -> S3Error:
    return S3Error("MaxPostPreDataLengthExceededError")
