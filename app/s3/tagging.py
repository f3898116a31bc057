"""Tags of objects and buckets, within AWS's limits."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.core.object_errors import InvalidTag, MalformedDocument, NoSuchAttribute
from app.s3 import documents
from app.s3.xml import answer, empty, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from xml.etree.ElementTree import Element

    from werkzeug import Response

    from app.s3.call import S3Call

MAX_OBJECT_TAGS = 10
MAX_BUCKET_TAGS = 50
MAX_KEY, MAX_VALUE = 128, 256
RECORD = "tags"
_PUNCTUATION = re.compile(r"[_.:/=+\-@]")


def checked(tags: Iterable[tuple[str, str]], limit: int) -> dict[str, str]:
    """Return tags as a map in their order. Raises InvalidTag (AWS's "Tag restrictions")."""
    found: dict[str, str] = {}
    for key, value in tags:
        if key in found:
            raise InvalidTag("Cannot provide multiple Tags with the same key")
        if not 1 <= len(key) <= MAX_KEY or not _fit(key):
            raise InvalidTag("The TagKey you have provided is invalid")
        if len(value) > MAX_VALUE or not _fit(value):
            raise InvalidTag("The TagValue you have provided is invalid")
        if key.lower().startswith("aws:"):
            raise InvalidTag("System tags cannot be added/updated by requester")
        found[key] = value
    if len(found) > limit:
        raise InvalidTag(f"There are {len(found)} tags; at most {limit} are possible")
    return found


def _fit(text: str) -> bool:
    return all(c.isalnum() or unicodedata.category(c)[0] in "LNZ" or _PUNCTUATION.match(c)
               for c in text)


def get_object_tagging(call: S3Call) -> Response:
    """Answer the tags of an object; none is an empty set."""
    call.check_version()
    return _told(call.objects.info(call.bucket, call.key).meta.tags)


def put_object_tagging(call: S3Call) -> Response:
    """Set all tags of an object."""
    call.check_version()
    tags = tags_in(documents.read(call, "Tagging"), MAX_OBJECT_TAGS)
    call.objects.set_meta(call.bucket, call.key, lambda meta: replace(meta, tags=tags))
    return empty()


def delete_object_tagging(call: S3Call) -> Response:
    """Remove all tags of an object."""
    call.check_version()
    call.objects.set_meta(call.bucket, call.key, lambda meta: replace(meta, tags={}))
    return empty(204)


def get_bucket_tagging(call: S3Call) -> Response:
    """Answer the tags of a bucket; none is an error."""
    tags = call.objects.bucket_record(call.bucket).get(RECORD)
    if not tags:
        raise NoSuchAttribute(call.bucket, RECORD)
    return _told(dict(tags))


def put_bucket_tagging(call: S3Call) -> Response:
    """Set all tags of a bucket."""
    set_bucket_tags(call, tags_in(documents.read(call, "Tagging"), MAX_BUCKET_TAGS))
    return empty(204)


def set_bucket_tags(call: S3Call, tags: Mapping[str, str]) -> None:
    """Keep these tags with the bucket in place of those it has."""
    change_record(call, RECORD, [list(pair) for pair in tags.items()])


def delete_bucket_tagging(call: S3Call) -> Response:
    """Remove all tags of a bucket."""
    change_record(call, RECORD, None)
    return empty(204)


def change_record(call: S3Call, name: str, value: Any) -> None:
    """Set one entry of what is kept with a bucket; None removes it."""
    if value is None and name not in call.objects.bucket_record(call.bucket):
        return
    call.objects.change_bucket_record(call.bucket, lambda record: {**record, name: value})


def tags_in(tree: Element, limit: int) -> dict[str, str]:
    """Return the tags of a Tagging document. Raises MalformedDocument, InvalidTag."""
    tags = tree.find("TagSet")
    if tags is None:
        raise MalformedDocument("a Tagging has one TagSet, and that nothing but Tags")
    return tags_of(tags, limit)


def tags_of(node: Element, limit: int) -> dict[str, str]:
    """Return the tags in an element that has nothing else. Raises MalformedDocument, InvalidTag."""
    if any(tag.tag != "Tag" for tag in node):
        raise MalformedDocument(f"a {node.tag} has nothing but Tags")
    return checked([(text_of(tag, "Key"), text_of(tag, "Value")) for tag in node], limit)


def _told(tags: Mapping[str, str]) -> Response:
    return answer("Tagging", [("TagSet", [
        ("Tag", [("Key", key), ("Value", value)]) for key, value in sorted(tags.items())])])
