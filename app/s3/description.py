"""What a request says of the object it makes: headers, metadata, tags; and what nobody may ask.

After the Amazon S3 API Reference, "PutObject"; limits after its User Guide, "Working with object
metadata" and "Categorizing your storage using tags".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from app.core.objects import META_NAME, SYSTEM_HEADERS, ObjectMeta
from app.s3 import tagging
from app.s3.acl import check_canned
from app.s3.errors import S3Error, invalid_argument

if TYPE_CHECKING:
    from collections.abc import Mapping

USER = "x-amz-meta-"
MAX_USER_BYTES = 2 * 1024
DEFAULT_TYPE = "binary/octet-stream"
"""What AWS says of an object whose type nobody said."""
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_UNSUPPORTED = ("x-amz-server-side-encryption", "x-amz-object-lock-", "x-amz-website-redirect-",
                "x-amz-copy-source-server-side-encryption", "x-amz-write-offset-bytes")


def described(headers: Mapping[str, str]) -> ObjectMeta:
    """Return what the headers (lower-case names) say of an object.

    Raises S3Error, InvalidTag for what is not allowed or not to be had.
    """
    refuse_unsupported(headers)
    return ObjectMeta(headers=system_headers(headers), user=user_metadata(headers),
                      tags=tags_of(headers.get("x-amz-tagging", "")))


def refuse_unsupported(headers: Mapping[str, str]) -> None:
    """Raise S3Error where a header asks for what HDFS does not have."""
    for name in headers:
        if name.startswith(_UNSUPPORTED):
            raise S3Error("NotImplemented", "A header you provided implies functionality that is"
                                            f" not implemented: {name}", Header=name)
    check_canned(headers)
    storage = headers.get("x-amz-storage-class", "STANDARD")
    if storage != "STANDARD":
        raise S3Error("InvalidStorageClass", StorageClassRequested=storage)


def system_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that are kept and sent with the object."""
    kept = {name: headers[name] for name in SYSTEM_HEADERS if headers.get(name)}
    # aws-chunked is how the body came, not how the object is coded.
    codings = [coding.strip() for coding in kept.pop("content-encoding", "").split(",")]
    coding = ", ".join(one for one in codings if one and one.lower() != "aws-chunked")
    kept.setdefault("content-type", DEFAULT_TYPE)
    return kept | ({"content-encoding": coding} if coding else {})


def user_metadata(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the x-amz-meta-* without their prefix. Raises S3Error (MetadataTooLarge)."""
    user = {name.removeprefix(USER): value for name, value in headers.items()
            if name.startswith(USER)}
    for name, value in user.items():
        if not META_NAME.fullmatch(name):
            raise invalid_argument(f"{USER}{name}", value, "Metadata has the name of a header.")
    size = sum(len(name.encode()) + len(value.encode()) for name, value in user.items())
    if size > MAX_USER_BYTES:
        raise S3Error("MetadataTooLarge", Size=str(size), MaxSizeAllowed=str(MAX_USER_BYTES))
    return user


def tags_of(header: str) -> dict[str, str]:
    """Return the tags of an x-amz-tagging header: `key=value&key=value`, percent-encoded."""
    tags: dict[str, str] = {}
    for field in filter(None, header.split("&")):
        key, _, value = field.partition("=")
        name = _decoded(key)
        if not name or name in tags:
            raise _not_a_query(header)
        tags[name] = _decoded(value)
    return tagging.checked(tags.items(), tagging.MAX_OBJECT_TAGS)


def _decoded(text: str) -> str:
    try:
        if not _BROKEN_ESCAPE.search(text):
            return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode()
    except UnicodeError:
        pass
    raise _not_a_query(text)


def _not_a_query(given: str) -> S3Error:
    return invalid_argument(
        "x-amz-tagging", given,
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters"
        " without tag name duplicates.")
