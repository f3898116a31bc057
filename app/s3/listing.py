"""Listings: ListObjects, ListObjectsV2, ListObjectVersions, and Alluxio's form of the first."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from werkzeug import Response

from app.core.objects import EntryPage
from app.s3.errors import invalid_argument
from app.s3.times import iso_time
from app.s3.xml import XML_TYPE, answer, element

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.objects import Entry
    from app.s3.call import S3Call
    from app.s3.xml import Field

MAX_KEYS = 1000
_MAX_INTEGER = 2**31 - 1
_TAG_BYTES = 8
_NOT_IN_XML = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")
_LAST_BEFORE_SURROGATES = "\ud7ff"
_LAST_CHARACTER = "\U0010ffff"


class Asked:
    """What a listing's parameters say; names come out as `encoding-type` wants them."""

    def __init__(self, call: S3Call) -> None:
        self.prefix = call.param("prefix")
        self.delimiter = call.param("delimiter")
        self.encoding = call.param("encoding-type")
        if self.encoding not in ("", "url"):
            raise invalid_argument("encoding-type", self.encoding,
                                   "Invalid Encoding Method specified in Request")
        self.max_keys = min(_max_keys(call.param("max-keys")), MAX_KEYS)
        self._call = call

    def encoded(self, name: str) -> str:
        """Return a key or part of one as the answer shows it."""
        return quote(name, safe="/") if self.encoding else name

    def page(self, after: str) -> EntryPage:
        """Return what follows `after`, `max_keys` at most."""
        objects, bucket = self._call.objects, self._call.bucket
        if not self.max_keys:
            objects.bucket(bucket)
            return EntryPage([], None)
        return objects.list(bucket, prefix=self.prefix, delimiter=self.delimiter, after=after,
                            limit=self.max_keys)

    def found(self, page: EntryPage, line: Callable[[Entry, str], Field]) -> list[Field]:
        """Return the objects of a page, each as `line` writes it, and then its prefixes."""
        return [line(entry, self.encoded(entry.key)) for entry in page.entries if entry.status] + [
            ("CommonPrefixes", [("Prefix", self.encoded(entry.key))])
            for entry in page.entries if not entry.status]

    def echoed(self) -> list[Field]:
        """Return the parameters that are told again only where they were given."""
        given: list[Field] = [("Delimiter", self.encoded(self.delimiter))] * bool(self.delimiter)
        return given + [("EncodingType", self.encoding)] * bool(self.encoding)


def _max_keys(text: str) -> int:
    if not text:
        return MAX_KEYS
    if not text.lstrip("+-").isdecimal() or not text.isascii() or len(text) > len("2147483647"):
        raise invalid_argument("max-keys", text, "Provided max-keys not an integer or within"
                                                 " integer range")
    if not 0 <= int(text) <= _MAX_INTEGER:
        raise invalid_argument("max-keys", text, "Argument maxKeys must be an integer between 0"
                                                 f" and {_MAX_INTEGER}")
    return int(text)


def list_objects(call: S3Call) -> Response:
    """Answer version 1: resumed at a marker, which is a key or, with a delimiter, NextMarker."""
    if call.plain:
        return _plain(call)
    asked, marker = Asked(call), call.param("marker")
    page = asked.page(marker)
    fields: list[Field] = [
        ("Name", call.bucket), ("Prefix", _prefix_of_v1(asked)),
        ("Marker", asked.encoded(marker))]
    if page.next_after is not None and asked.delimiter:
        fields.append(("NextMarker", asked.encoded(page.entries[-1].key)))
    fields += [("MaxKeys", asked.max_keys), *asked.echoed(),
               ("IsTruncated", page.next_after is not None)]
    return answer("ListBucketResult", fields + asked.found(
        page, lambda entry, key: _contents(entry, key, owner=True)))


def _prefix_of_v1(asked: Asked) -> str:
    """Return the prefix as it was asked for wherever XML can hold it.

    Clients built on botocore decode everything in an answer of version 1 but the prefix.
    """
    return asked.encoded(asked.prefix) if _NOT_IN_XML.search(asked.prefix) else asked.prefix


def list_objects_v2(call: S3Call) -> Response:
    """Answer version 2: resumed by a token, which is worth more than start-after."""
    asked = Asked(call)
    start, token = call.param("start-after"), call.param("continuation-token")
    page = asked.page(_from_token(token) if token else start)
    owner = call.param("fetch-owner").lower() == "true"
    fields: list[Field] = [("Name", call.bucket), ("Prefix", asked.encoded(asked.prefix))]
    if "continuation-token" in call.query:
        fields.append(("ContinuationToken", token))
    if page.next_after is not None:
        fields.append(("NextContinuationToken", _to_token(page.next_after)))
    if "start-after" in call.query:
        fields.append(("StartAfter", asked.encoded(start)))
    fields += [("KeyCount", len(page.entries)), ("MaxKeys", asked.max_keys), *asked.echoed(),
               ("IsTruncated", page.next_after is not None)]
    return answer("ListBucketResult", fields + asked.found(
        page, lambda entry, key: _contents(entry, key, owner=owner)))


def list_object_versions(call: S3Call) -> Response:
    """Answer each object once, as the version `null` that buckets without versioning have."""
    asked, marker = Asked(call), call.param("key-marker")
    version = call.param("version-id-marker")
    if version and not marker:
        raise invalid_argument("version-id-marker", version, "A version-id marker cannot be"
                                                             " specified without a key marker.")
    page = asked.page(marker)
    fields: list[Field] = [
        ("Name", call.bucket), ("Prefix", asked.encoded(asked.prefix)),
        ("KeyMarker", asked.encoded(marker)), ("VersionIdMarker", version)]
    if page.next_after is not None:
        fields.append(("NextKeyMarker", asked.encoded(page.entries[-1].key)))
        if page.entries[-1].status:
            fields.append(("NextVersionIdMarker", "null"))
    fields += [("MaxKeys", asked.max_keys), *asked.echoed(),
               ("IsTruncated", page.next_after is not None)]
    return answer("ListVersionsResult", fields + asked.found(page, _version))


def _contents(entry: Entry, key: str, *, owner: bool) -> Field:
    status = entry.status
    assert status is not None
    fields: list[Field] = [
        ("Key", key), ("LastModified", iso_time(status.modification_time)),
        ("ETag", f'"{entry.etag}"'), ("Size", status.length)]
    if owner:
        fields.append(("Owner", [("ID", status.owner), ("DisplayName", status.owner)]))
    return ("Contents", [*fields, ("StorageClass", "STANDARD")])


def _version(entry: Entry, key: str) -> Field:
    status = entry.status
    assert status is not None
    return ("Version", [
        ("Key", key), ("VersionId", "null"), ("IsLatest", True),
        ("LastModified", iso_time(status.modification_time)), ("ETag", f'"{entry.etag}"'),
        ("Size", status.length), ("StorageClass", "STANDARD"),
        ("Owner", [("ID", status.owner), ("DisplayName", status.owner)])])


def _to_token(after: str) -> str:
    """Return a continuation token; what is in it is no secret, but it must come back whole."""
    data = after.encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(_tag(data) + data).decode()


def _from_token(token: str) -> str:
    try:
        data = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        tag, after = data[:_TAG_BYTES], data[_TAG_BYTES:]
        if hmac.compare_digest(tag, _tag(after)):
            return after.decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeError):
        pass
    raise invalid_argument("continuation-token", token,
                           "The continuation token provided is incorrect")


def _tag(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_TAG_BYTES, person=b"s3-listing").digest()


def _plain(call: S3Call) -> Response:
    """Answer as Alluxio 1.x does: a token is the first key of the next page, ETags are empty."""
    asked, token = Asked(call), call.param("continuation-token")
    found, following = _plain_page(call, asked, token)
    fields: list[Field] = [
        ("Name", f"/{call.bucket}"), ("Prefix", asked.prefix or None),
        ("ContinuationToken", token or None), ("NextContinuationToken", following or None),
        ("KeyCount", len(found)), ("MaxKeys", asked.max_keys), ("IsTruncated", bool(following))]
    fields += asked.found(EntryPage(found, None), _plain_contents)
    return Response(element('ListBucketResult xmlns=""', fields).encode(), content_type=XML_TYPE)


def _plain_page(call: S3Call, asked: Asked, first: str) -> tuple[list[Entry], str]:
    """Return the entries from the key `first` on, and the key that follows them."""
    found: list[Entry] = []
    after: str | None = _just_before(first) if first else call.param("marker")
    while after is not None and len(found) <= asked.max_keys:
        page = call.objects.list(
            call.bucket, prefix=asked.prefix, delimiter=asked.delimiter, after=after,
            limit=asked.max_keys + 1 - len(found), etags=False)
        found += [entry for entry in page.entries if entry.key >= first]
        after = page.next_after
    return found[:asked.max_keys], found[asked.max_keys].key if found[asked.max_keys:] else ""


def _just_before(key: str) -> str:
    """Return a text that sorts before `key` and has no likely key between itself and that."""
    last = ord(key[-1]) - 1
    before = _LAST_BEFORE_SURROGATES if 0xD800 <= last <= 0xDFFF else chr(last)  # noqa: PLR2004
    return key[:-1] + before + _LAST_CHARACTER


def _plain_contents(entry: Entry, key: str) -> Field:
    status = entry.status
    assert status is not None
    return ("Contents", [
        ("Key", key), ("LastModified", iso_time(status.modification_time, precise=True)),
        ("ETag", ""), ("Size", status.length), ("StorageClass", "STANDARD")])
