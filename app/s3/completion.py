"""What CompleteMultipartUpload says: the parts, and what the object must come to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.core.errors import InvalidRequest
from app.core.object_errors import MalformedDocument
from app.core.objects import PartClaim
from app.s3.checksums import KINDS, PREFIX, checksum_given, raw_of
from app.s3.errors import S3Error, invalid_argument
from app.s3.incoming import document_of
from app.s3.xml import parse, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from app.core.objects import ObjectMeta, Upload
    from app.s3.call import S3Call

MAX_DOCUMENT = 8 * 1024 * 1024
"""10,000 parts with ETag, a SHA-256 each, and the white space of generous writers."""
TYPE, SIZE = "x-amz-checksum-type", "x-amz-mp-object-size"
_ROOT, _CHECKSUM = "CompleteMultipartUpload", "Checksum"
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


class Completion:
    """The claims of one request, and the checks of what they make."""

    def __init__(self, claims: Sequence[PartClaim], headers: Mapping[str, str]) -> None:
        self.claims = claims
        self._kind, self._value = checksum_given(headers, composite=True)
        self._type = headers.get(TYPE, "").upper()
        self._size = _size(headers.get(SIZE))

    @classmethod
    def read(cls, call: S3Call, headers: Mapping[str, str]) -> Completion:
        """Return what a request says. Raises MalformedDocument, S3Error, InvalidRequest."""
        # A checksum in the headers is the object's and not that of this body.
        about_body = {name: value for name, value in headers.items()
                      if not name.startswith((PREFIX, "x-amz-sdk-checksum"))}
        return cls(claims_of(document_of(call, about_body, MAX_DOCUMENT)), headers)

    def check(self, upload: Upload) -> None:
        """Raise InvalidRequest, S3Error where the request does not go with the upload."""
        if self._type and self._type != upload.checksum_type:
            raise InvalidRequest(f"The upload was created using the {upload.checksum_type} checksum"
                                 " mode. The complete request must use the same checksum mode.")
        algorithm = upload.checksum_algorithm
        if not algorithm and not self._type:
            self._kind = ""  # as at AWS, where nothing was agreed on when the upload began
        for claim in self.claims:
            kind = next(iter(claim.checksums), "")
            if algorithm and kind and kind != algorithm:
                raise S3Error("BadDigest", f"The {kind.lower()} you specified for part"
                                           f" {claim.number} did not match what we received.")

    def verify(self, meta: ObjectMeta) -> None:
        """Raise InvalidRequest, S3Error (BadDigest) unless the object comes to what was said."""
        size = sum(meta.part_sizes)
        if self._size is not None and self._size != size:
            raise InvalidRequest(f"The provided '{SIZE}' header value {self._size} does not match"
                                 f" what was computed: {size}")
        actual = meta.checksums.get(self._kind, "")
        if self._kind and self._value not in (actual, actual.partition("-")[0]):
            raise S3Error("BadDigest", f"The {self._kind} you specified did not match the"
                                       " calculated checksum.")


def claims_of(data: bytes) -> list[PartClaim]:
    """Return the parts that a document names; of one that is named twice the latter counts.

    Raises MalformedDocument for what is no such document, S3Error for parts that cannot be.
    """
    tree = parse(data, _ROOT)
    claims: list[PartClaim] = []
    for claim in map(_claim, tree.findall("Part")):
        if claims and claims[-1].number == claim.number:
            claims.pop()
        claims.append(claim)
    if not claims:
        raise MalformedDocument(f"a {_ROOT} names at least one Part")
    return claims


def _claim(node: Element) -> PartClaim:
    text = text_of(node, "PartNumber").strip()
    if not _INTEGER.fullmatch(text):
        raise MalformedDocument("a PartNumber is not a number")
    if int(text) < 1:
        raise invalid_argument("PartNumber", text, "PartNumber must be >= 1")
    etag = text_of(node, "ETag").strip().strip('"')
    sums = {child.tag.removeprefix(_CHECKSUM): (child.text or "").strip() for child in node
            if child.tag.startswith(_CHECKSUM)}
    for kind, value in sums.items():
        if len(sums) > 1 or kind not in KINDS or raw_of(value, KINDS[kind].size) is None:
            raise invalid_argument("Checksum", value, "Invalid Base64 or multiple checksums present"
                                                      " in request")
    return PartClaim(int(text), etag, sums)


def _size(header: str | None) -> int | None:
    """Return the size that the object must have, None where nobody said."""
    if header is None:
        return None
    if not _INTEGER.fullmatch(header):
        raise InvalidRequest(f"Value for {SIZE} header is invalid: '{header[:100]}'")
    if int(header) < 0:
        raise InvalidRequest(f"Value for {SIZE} header is less than zero: '{header}'")
    return int(header)
