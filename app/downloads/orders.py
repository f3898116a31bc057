"""How a download is to be done, as its request says: headers, time, connections, pace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_HEADERS = 32
MAX_VALUE = 8192
_NAMES = frozenset((
    "accept", "accept-language", "api-key", "apikey", "authorization", "private-token", "referer",
    "user-agent"))
_NAME = re.compile(r"x-[a-z0-9-]{1,100}")
_NOT_X = re.compile(r"x-(forwarded|real-ip|original|rewrite|http-method|aws-ec2|google-metadata"
                    r"|client-ip|cluster-client|accel|sendfile)")
"""What makes inner servers believe whom a request is from, or opens a cloud's metadata."""
_VALUE = re.compile(r"[\x21-\x7e\xa0-\xff](?:[\t\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?")
_ALLOWED = ("one of Accept, Accept-Language, Api-Key, Apikey, Authorization, Private-Token,"
            " Referer, User-Agent, or X-… (not of proxies and clouds)")


class Orders(NamedTuple):
    """`timeout` is seconds for one object, `connections` objects at once; 0: as the settings say.

    `bytes_per_hour` is the pace of the whole download, 0 for none.
    """

    timeout: float = 0.0
    connections: int = 0
    bytes_per_hour: int = 0


def checked_headers(headers: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that a client wants sent to sources. Raises InvalidParameter."""
    if len(headers) > MAX_HEADERS:
        raise InvalidParameter("headers", str(len(headers)), f"at most {MAX_HEADERS} headers")
    for name, value in headers.items():
        lower = name.lower()
        if lower not in _NAMES and (not _NAME.fullmatch(lower) or _NOT_X.match(lower)):
            raise InvalidParameter("headers", name, _ALLOWED)
        if not isinstance(value, str) or len(value) > MAX_VALUE or not _VALUE.fullmatch(value):
            # The value may be a secret, and is not repeated.
            raise InvalidParameter(f"headers.{name}", "…", "one line of Latin-1 text, at most"
                                   f" {MAX_VALUE} characters")
    return {name.lower(): value for name, value in headers.items()}
