"""HTTP Basic authentication (RFC 7617) in UTF-8."""

from __future__ import annotations

import binascii
import re
import unicodedata
from typing import NamedTuple

from app.core.errors import NotAuthenticated

MAX_HEADER = 8192
_CREDENTIALS = re.compile(r"basic +([A-Za-z0-9+/]+={0,2})[ \t]*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Credentials(NamedTuple):
    """What a client says of itself, in Normalization Form C as RFC 7617 wants it."""

    name: str
    password: str


def parse(authorization: str) -> Credentials:
    """Return the name and password of an Authorization header. Raises NotAuthenticated."""
    if len(authorization) > MAX_HEADER:
        raise NotAuthenticated(f"the Authorization header has more than {MAX_HEADER} characters")
    scheme = authorization.partition(" ")[0]
    if scheme.lower() != "basic":
        raise NotAuthenticated("only the Basic authentication scheme is known here")
    match = _CREDENTIALS.fullmatch(authorization)
    if match is None:
        raise NotAuthenticated("the Basic credentials are not valid base64")
    try:
        text = binascii.a2b_base64(match[1], strict_mode=True).decode()
    except UnicodeDecodeError as error:
        raise NotAuthenticated("the Basic credentials are not valid UTF-8") from error
    except binascii.Error as error:
        raise NotAuthenticated("the Basic credentials are not valid base64") from error
    return _split(text)


def claimed_name(authorization: str | None) -> str:
    """Return whom a header claims to be, for the log; empty where it says nothing readable."""
    try:
        return parse(authorization or "").name
    except NotAuthenticated:
        return ""


def challenge(realm: str, *, scheme: str = "Basic") -> str:
    """Return the WWW-Authenticate header that asks for Basic credentials, or another scheme's."""
    quoted = realm.replace("\\", "\\\\").replace('"', '\\"')
    return f'{scheme} realm="{quoted}"' + (', charset="UTF-8"' if scheme == "Basic" else "")


def _split(text: str) -> Credentials:
    name, colon, password = text.partition(":")
    if not colon or not name:
        raise NotAuthenticated("the Basic credentials are not a name, a colon and a password")
    if _CONTROL.search(text):
        raise NotAuthenticated("the Basic credentials contain control characters")
    return Credentials(
        unicodedata.normalize("NFC", name), unicodedata.normalize("NFC", password))
