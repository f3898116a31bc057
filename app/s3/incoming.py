"""What a request brings: its headers as S3 means them, and its body decoded and checked.

`Content.pieces` is what the object store consumes. It raises at the first sign that the body is
not what was signed or promised, and the last promise (a checksum, a trailer) is looked at when
the last byte is through: who consumes it publishes nothing before it has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import BodyTooLarge, InvalidRequest, LengthRequired
from app.s3.aws_chunked import Decoder, decoded_length
from app.s3.checksums import (
    DEFAULT,
    KINDS,
    SIGNED_CHUNKS,
    STREAMING,
    UNSIGNED_TRAILER,
    Tally,
    base64_of,
    header_of,
    promised,
)
from app.s3.errors import S3Error
from app.web.underscored import underscored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from app.s3.call import S3Call

_SIGNING = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires",
            "x-amz-signature", "x-amz-signedheaders", "x-amz-security-token",
            "x-amz-sdk-checksum-algorithm")
_OF_NOTHING = {(header_of(name), base64_of(kind.start().digest())) for name, kind in KINDS.items()}


def headers_of(call: S3Call) -> dict[str, str]:
    """Return the request's headers by lower-case names.

    What a presigned URL of version 4 says in `x-amz-…` parameters counts like the header, as it
    does at AWS; version 2 does not sign them, so anyone may have added them. A checksum of nothing
    is left out: AWS's SDK for JavaScript puts that into every URL for a body yet to come.
    """
    given = {**call.headers, **underscored(call.exchange.environ)}
    if call.caller.scheme == "v4-query":
        for name, values in call.query.items():
            lower = name.lower()
            if lower.startswith("x-amz-") and lower not in _SIGNING and (
                    (lower, values[0]) not in _OF_NOTHING):
                given.setdefault(lower, values[0])
    return given


class Content:
    """The content that a request brings for an object or a part.

    `also` are kinds of checksums to make beside the one that the client sent; where it sent none
    and none is named here, it is DEFAULT. `etag`, `checksums` and `size` are known when `pieces`
    has ended.
    """

    def __init__(
        self, call: S3Call, headers: Mapping[str, str], also: Iterable[str] = (),
    ) -> None:
        self._body = call.body()
        self._limit = self._body.limit
        payload_hash = call.caller.payload_hash or headers.get("x-amz-content-sha256", "")
        self._promise = promised(headers, payload_hash)
        self._decoder = self._decoder_of(call, headers, payload_hash)
        ends = self._decoder or self._body.chunked or self._body.declared is not None
        if not ends and not call.plain:
            raise LengthRequired("You must provide the Content-Length HTTP header.")
        self.sent_kind = self._promise.kind
        self._tally = Tally(dict.fromkeys([*filter(None, [self.sent_kind]), *also]) or [DEFAULT],
                            sha256=bool(self._promise.sha256))

    def _decoder_of(
        self, call: S3Call, headers: Mapping[str, str], payload_hash: str,
    ) -> Decoder | None:
        """Return what undoes aws-chunked; None for a body that is the content itself."""
        declared = self._body.declared
        if payload_hash in STREAMING:
            declared = decoded_length(headers.get("x-amz-decoded-content-length"))
        if self._limit and (declared or 0) > self._limit:
            raise BodyTooLarge(self._limit)
        if payload_hash not in STREAMING:
            return None
        signed = payload_hash != UNSIGNED_TRAILER
        if signed and call.caller.chunks is None:
            raise InvalidRequest(f"only requests with an AWS4-HMAC-SHA256 Authorization header may"
                                 f" send a body as {payload_hash}")
        return Decoder(declared or 0, signer=call.caller.chunks if signed else None,
                       trailer=payload_hash != SIGNED_CHUNKS,
                       announced=self._promise.announced)

    @property
    def expected(self) -> bool:
        """Tell whether the client waits for `100 Continue` before it sends."""
        return self._body.expected

    def pieces(self) -> Iterator[bytes]:
        """Yield the content. Raises InvalidRequest, WrongSignature, S3Error, BodyTooLarge."""
        sent = self._body.raw()
        for piece in self._decoder.decode(sent) if self._decoder else sent:
            self._tally.update(piece)
            if self._limit and self._tally.size > self._limit:
                raise BodyTooLarge(self._limit)
            yield piece
        self._tally.keep(self._promise, self._decoder.trailers if self._decoder else {})

    @property
    def etag(self) -> str:
        """The MD5 of the content in hex."""
        return self._tally.etag

    @property
    def size(self) -> int:
        """The bytes of the content."""
        return self._tally.size

    @property
    def checksums(self) -> dict[str, str]:
        """The checksums of the content by their kinds, in Base64."""
        return self._tally.checksums


def document_of(call: S3Call, headers: Mapping[str, str], most: int) -> bytes:
    """Return a body that is a document, checked like any content.

    Raises S3Error (MaxMessageLengthExceeded) for more than `most` bytes.
    """
    held = bytearray()
    for piece in Content(call, headers).pieces():
        held += piece
        if len(held) > most:
            raise S3Error("MaxMessageLengthExceeded", MaxMessageLengthBytes=str(most))
    return bytes(held)


def checksum_headers(checksums: Mapping[str, str], kind_of_sum: str) -> dict[str, str]:
    """Return the headers that tell checksums; none where there are none."""
    told = {header_of(kind): value for kind, value in checksums.items()}
    return told | ({"x-amz-checksum-type": kind_of_sum} if told and kind_of_sum else {})
