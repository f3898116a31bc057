"""Bodies that are XML: read whole within a bound, and only if they are what their headers say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import InvalidRequest
from app.s3.checksums import promised
from app.s3.errors import S3Error
from app.s3.incoming import document_of, headers_of
from app.s3.xml import MAX_DOCUMENT, parse

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from app.s3.call import S3Call


def read(
    call: S3Call, root: str, *, limit: int = MAX_DOCUMENT, checked: bool = False,
) -> Element:
    """Return the root element of the body, which is called `root`, its names without namespaces.

    `checked` bodies must come with a digest. Raises MalformedDocument for what is no such document;
    S3Error and InvalidRequest for more than `limit` bytes and for digests that are not the body's.
    """
    headers = headers_of(call)
    if checked:
        promise = promised(headers, call.caller.payload_hash)
        if not (promise.md5 or promise.kind):
            raise InvalidRequest("Missing required header for this request: Content-MD5 OR"
                                 " x-amz-checksum-*")
    data = document_of(call, headers, limit) if call.body().present else b""
    if not data:
        raise S3Error("MissingRequestBodyError")
    return parse(data, root)


def read_bytes(call: S3Call, *, limit: int = MAX_DOCUMENT) -> bytes:
    """Return a body that need not be there, its digests compared."""
    return document_of(call, headers_of(call), limit) if call.body().present else b""
