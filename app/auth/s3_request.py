"""What a signature covers of a request, and what its query and its dates say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from app.core.errors import InvalidParameter
from app.core.object_errors import MalformedQueryAuthorization, SigningRuleBroken

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from app.auth.ways import Certificate

STAMP = "%Y%m%dT%H%M%SZ"
MAX_DATE = 64
_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
Pairs = list[tuple[str, str]]
"""Names and values of a query exactly as sent, in that order."""


class SignedRequest(NamedTuple):
    """A request as far as signatures go; text that is not ASCII is the octets in Latin-1.

    raw_path, raw_query  of the request target exactly as sent, before any rewriting
    headers              lower-case names; repeated ones joined by ","
    host                 the Host header as sent, port included
    source               the client's address
    confidential         nobody on the way can have read the credentials
    resource             "/bucket/key", percent-encoded, whether the bucket is in the path or the
                         host's name, and without a prefix of the gateway's own
    certificate          of the TLS client, if it showed one
    """

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    host: str
    source: str
    confidential: bool
    resource: str
    certificate: Certificate | None = None


class Moment(NamedTuple):
    """A point in time: `stamp` as version 4 signs it (20130524T000000Z), `seconds` of the epoch."""

    stamp: str
    seconds: float


def pairs_of(raw_query: str) -> Pairs:
    """Return the pairs of a query as sent; a name without "=" has the value ""."""
    if not raw_query:
        return []
    return [(name, value) for name, _, value in
            [pair.partition("=") for pair in raw_query.split("&")]]


def only_values(pairs: Pairs, names: Container[str]) -> dict[str, str]:
    """Return the decoded values of these parameters. A plus is a plus: Base64 has it.

    Raises MalformedQueryAuthorization where one is there twice or not UTF-8.
    """
    values: dict[str, str] = {}
    for name, value in pairs:
        plain = decoded_name(name)
        if plain not in names:
            continue
        if plain in values:
            raise MalformedQueryAuthorization(f"the query has the parameter {plain} twice")
        try:
            values[plain] = octets_of(value).decode() if "%" in value else value
        except UnicodeDecodeError as error:
            raise MalformedQueryAuthorization(f"{plain} is not UTF-8") from error
    return values


def decoded_name(name: str) -> str:
    """Return a parameter's name without percent-encoding."""
    return octets_of(name).decode("latin-1") if "%" in name else name


def octets_of(text: str) -> bytes:
    """Return the octets that percent-encoded text stands for."""
    return unquote_to_bytes(wire_octets(text))


def wire_octets(text: str) -> bytes:
    """Return the octets that were sent as this text."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")


def refuse_two_ways() -> InvalidParameter:
    """Return the error for a request that brings credentials in more than one way."""
    return InvalidParameter(
        "Authorization", "(not shown)", "one way to sign: the header Authorization, the parameter"
        " X-Amz-Algorithm or the parameter Signature")


def moment_of(text: str) -> Moment:
    """Return the time that a date header tells, in ISO 8601's basic form or as RFC 1123 has it.

    Raises SigningRuleBroken for anything else and for times before 1970.
    """
    basic = _STAMP.fullmatch(text)
    try:
        when = datetime.fromisoformat(text) if basic else _http_date(text)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise SigningRuleBroken(_NO_DATE) from error
    seconds = when.timestamp()
    if seconds < 0:
        raise SigningRuleBroken(_NO_DATE)
    return Moment(text if basic else when.strftime(STAMP), seconds)


def moment_of_headers(headers: Mapping[str, str]) -> Moment:
    """Return when a request says that it was signed: x-amz-date, else Date."""
    return moment_of(headers.get("x-amz-date", headers.get("date", "")))


def _http_date(text: str) -> datetime:
    if not text or len(text) > MAX_DATE:
        raise ValueError("no date")
    when = parsedate_to_datetime(text)
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


_NO_DATE = "a signed request needs a valid Date or x-amz-date header"
