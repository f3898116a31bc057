"""The query string, taken strictly: valid UTF-8, bounded, nothing guessed.

Werkzeug replaces bytes that are not UTF-8 and so would name another file than the caller meant.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from app.core.errors import InvalidRequest

MAX_FIELDS = 256
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")

Query = dict[str, list[str]]


def parse_query(text: str) -> Query:
    """Return the values of each name in order, for the raw `text` after the question mark.

    `+` and `%20` both are a space (WHATWG URL, application/x-www-form-urlencoded). Raises
    InvalidRequest for a broken escape, for bytes that are not UTF-8 and for too many fields.
    """
    query: Query = {}
    if not text:
        return query
    fields = text.split("&")
    if len(fields) > MAX_FIELDS:
        raise InvalidRequest(f"the query has more than {MAX_FIELDS} parameters")
    for item in fields:
        if item:
            name, _, value = item.partition("=")
            query.setdefault(_decode(name), []).append(_decode(value))
    return query


def _decode(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text and text.isascii():
        return text
    if _BROKEN_ESCAPE.search(text):
        raise InvalidRequest(f"'{text[:100]}' has a '%' that is not followed by two hex digits")
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeError as error:
        raise InvalidRequest(f"'{text[:100]}' is not percent-encoded UTF-8") from error
