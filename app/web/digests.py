"""Checksums that come with a body and must match before anything changes.

Content-MD5 (RFC 1864) and Content-Digest (RFC 9530) are of the bytes as sent, Repr-Digest
(RFC 9530) of the content as it will be stored, after decompression.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import DigestMismatch, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from hashlib import _Hash

    from werkzeug.datastructures import Headers

    Named = Headers | Mapping[str, str]
    """Headers of a request by their names."""

ALGORITHMS = {"sha-512": "sha512", "sha-256": "sha256", "md5": "md5", "sha": "sha1"}
_KEY = r"[a-z*][a-z0-9_.*-]*"
_MEMBER = re.compile(rf"({_KEY})=:([A-Za-z0-9+/=]*):(?:; *{_KEY}(?:=[^;]*)?)*")


class Check(NamedTuple):
    """One digest to compare: feed `state`, then ask `verify`."""

    header: str
    algorithm: str
    expected: bytes
    state: _Hash

    def verify(self) -> None:
        """Raise DigestMismatch unless what was fed has the expected digest."""
        actual = self.state.digest()
        if actual != self.expected:
            raise DigestMismatch(self.header, self.algorithm, _text(self.expected), _text(actual))


def sent_checks(headers: Named) -> list[Check]:
    """Return the checks of the bytes as sent: Content-MD5 and Content-Digest."""
    checks = _dictionary(headers, "Content-Digest")
    given = headers.get("Content-MD5")
    if given is not None:
        checks.append(_check("Content-MD5", "md5", given.strip()))
    return checks


def stored_checks(headers: Named) -> list[Check]:
    """Return the checks of the content as stored: Repr-Digest."""
    return _dictionary(headers, "Repr-Digest")


def _dictionary(headers: Named, name: str) -> list[Check]:
    given = headers.get(name)
    if given is None:
        return []
    checks = []
    for member in given.split(","):
        match = _MEMBER.fullmatch(member.strip())
        if not match:
            raise InvalidRequest(f"{name} is not of the form sha-256=:<base64>: (RFC 9530)")
        if match[1] in ALGORITHMS:
            checks.append(_check(name, match[1], match[2]))
    if not checks:
        raise InvalidRequest(f"{name} has no algorithm that is known here; known are "
                             + ", ".join(ALGORITHMS))
    return checks


def _check(header: str, algorithm: str, encoded: str) -> Check:
    state = hashlib.new(ALGORITHMS[algorithm], usedforsecurity=False)
    try:
        expected = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        expected = b""
    if len(expected) != state.digest_size:
        raise InvalidRequest(f"{header}: the {algorithm} is not the base64 of"
                             f" {state.digest_size} bytes")
    return Check(header, algorithm, expected, state)


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
