"""AWS Signature Version 4 as Amazon S3 takes it.

Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)". What a
client signed is compared as it was sent, and again in AWS's canonical spelling: some clients sign
the one, some the other. Both spellings stand for the same request, so neither can be misused.
"""

from __future__ import annotations

import hmac
import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from app.auth.s3_request import decoded_name, octets_of, pairs_of, wire_octets
from app.core.errors import printable
from app.core.object_errors import (
    MalformedAuthorization,
    MalformedQueryAuthorization,
    SigningRuleBroken,
    WrongRegion,
    WrongSignature,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.auth.s3_request import Pairs, SignedRequest

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "s3"
TERMINATOR = "aws4_request"
CONTENT_HASH = "x-amz-content-sha256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
MAX_AUTHORIZATION = 8192
MAX_EXPIRES = 604_800
CACHED_KEYS = 4096
EMPTY_HASH = sha256(b"").hexdigest()

PARAMETERS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
              "X-Amz-SignedHeaders", "X-Amz-Signature")
"""What a presigned URL must have."""

_FIELDS = {"Credential", "SignedHeaders", "Signature"}
_NAMES = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+(;[a-z0-9!#$%&'*+.^_`|~-]+)*")
_SPACES = re.compile(r"[ \t\r\n\f\v]+")


class Credential(NamedTuple):
    """Whose key, and the scope of the signing key made of it; `date` is YYYYMMDD."""

    key_id: str
    date: str
    region: str
    service: str

    @property
    def scope(self) -> str:
        """The scope as a string to sign has it."""
        return f"{self.date}/{self.region}/{self.service}/{TERMINATOR}"


class Claim(NamedTuple):
    """What a request says about its own signature; `expires` in seconds, presigned URLs only."""

    credential: Credential
    signed_headers: str
    signature: str
    stamp: str = ""
    expires: int = 0


def read_header(authorization: str) -> Claim:
    """Return what an Authorization header of version 4 claims. Raises MalformedAuthorization."""
    if len(authorization) > MAX_AUTHORIZATION:
        raise MalformedAuthorization(
            f"the Authorization header has more than {MAX_AUTHORIZATION} characters")
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != ALGORITHM:
        raise MalformedAuthorization(f"the only algorithm of version 4 here is {ALGORITHM}")
    parts = [part.strip().partition("=") for part in rest.split(",")]
    fields = {name: value for name, _, value in parts}
    if len(parts) != len(_FIELDS) or fields.keys() != _FIELDS:
        raise MalformedAuthorization(
            "the Authorization header needs Credential, SignedHeaders and Signature, each once")
    return Claim(read_credential(fields["Credential"]), _checked_names(fields["SignedHeaders"]),
                 fields["Signature"])


def read_query(values: Mapping[str, str]) -> Claim:
    """Return what a presigned URL claims, from its decoded parameters.

    Raises MalformedQueryAuthorization.
    """
    missing = [name for name in PARAMETERS if name not in values]
    if missing:
        raise MalformedQueryAuthorization(
            f"a presigned URL needs {', '.join(PARAMETERS)}; missing: {', '.join(missing)}")
    if values["X-Amz-Algorithm"] != ALGORITHM:
        raise MalformedQueryAuthorization(f"the only X-Amz-Algorithm here is {ALGORITHM}")
    expires = values["X-Amz-Expires"]
    if not re.fullmatch("-?[0-9]{1,9}", expires) or int(expires) > MAX_EXPIRES:
        raise MalformedQueryAuthorization(
            f"X-Amz-Expires is a number of seconds from 0 to {MAX_EXPIRES} (a week)")
    try:
        return Claim(
            read_credential(values["X-Amz-Credential"]),
            _checked_names(values["X-Amz-SignedHeaders"]), values["X-Amz-Signature"],
            values["X-Amz-Date"], int(expires))
    except MalformedQueryAuthorization:
        raise
    except MalformedAuthorization as error:
        raise MalformedQueryAuthorization(str(error)) from error


def read_credential(text: str) -> Credential:
    """Return the parts of a Credential. Raises MalformedAuthorization."""
    parts = text.split("/")
    if len(parts) != len(Credential._fields) + 1 or parts[-1] != TERMINATOR:
        raise MalformedAuthorization(
            "the Credential is mal-formed; expecting"
            f" <key id>/YYYYMMDD/<region>/{SERVICE}/{TERMINATOR}")
    return Credential(*parts[:-1])


def check_scope(credential: Credential, region: str, stamp: str) -> None:
    """Raise MalformedAuthorization unless the scope is this region's, S3's and of this day."""
    if credential.region != region:
        raise WrongRegion(
            f"the region '{printable(credential.region)}' is wrong; expecting '{region}'", region)
    if credential.service != SERVICE:
        raise MalformedAuthorization(
            f"the service '{printable(credential.service)}' is wrong; expecting '{SERVICE}'")
    if credential.date != stamp[:8]:
        raise MalformedAuthorization(
            f"the date of the Credential is '{printable(credential.date)}', that of the request"
            f" is {stamp[:8]}")


@lru_cache(CACHED_KEYS)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Return the key that signs on one day; made once for each."""
    key = b"AWS4" + secret.encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def key_of(secret: str, credential: Credential) -> bytes:
    """Return the signing key of a secret in this scope."""
    return signing_key(secret, credential.date, credential.region, credential.service)


def sign(key: bytes, string_to_sign: str) -> str:
    """Return the signature, 64 hex digits."""
    return hmac.digest(key, wire_octets(string_to_sign), "sha256").hex()


def same(one: str, other: str) -> bool:
    """Compare signatures in a time that tells nothing about them."""
    return hmac.compare_digest(wire_octets(one), wire_octets(other))


def verify(
    request: SignedRequest, claim: Claim, key: bytes, stamp: str, payload_hash: str,
) -> None:
    """Raise WrongSignature, or SigningRuleBroken where headers that matter are not signed."""
    names = claim.signed_headers.split(";")
    _require_signed(request.headers, names)
    rest = (f"{_canonical_headers(request, names)}\n{claim.signed_headers}\n{payload_hash}")
    first: tuple[str, str] | None = None
    for path, query in _spellings(request.raw_path, pairs_of(request.raw_query)):
        canonical = f"{request.method}\n{path}\n{query}\n{rest}"
        hashed = sha256(wire_octets(canonical)).hexdigest()
        string_to_sign = f"{ALGORITHM}\n{stamp}\n{claim.credential.scope}\n{hashed}"
        if same(sign(key, string_to_sign), claim.signature):
            return
        first = first or (canonical, string_to_sign)
    canonical, string_to_sign = first or ("", "")
    raise WrongSignature(
        "the signature is not that of this request", canonical=canonical,
        string_to_sign=string_to_sign)


def _checked_names(names: str) -> str:
    if not _NAMES.fullmatch(names):
        raise MalformedAuthorization(
            "SignedHeaders are names in lower case with ';' between them")
    parts = names.split(";")
    if len(set(parts)) != len(parts):
        raise MalformedAuthorization("SignedHeaders names a header twice")
    return names


def _require_signed(headers: Mapping[str, str], names: list[str]) -> None:
    signed = {*names, CONTENT_HASH}  # the canonical request ends in the latter's value anyway
    unsigned = [name for name in headers if name.startswith("x-amz-") and name not in signed]
    if "host" not in signed:
        unsigned.append("host")
    if unsigned:
        raise SigningRuleBroken(
            "there were headers present in the request which were not signed: "
            + printable(", ".join(unsigned)))


def _canonical_headers(request: SignedRequest, names: list[str]) -> str:
    headers = request.headers
    return "".join([
        f"{name}:{_folded(request.host if name == 'host' else headers.get(name, ''))}\n"
        for name in sorted(names)])


def _folded(value: str) -> str:
    return _SPACES.sub(" ", value).strip(" ")


def _spellings(raw_path: str, pairs: Pairs) -> Iterator[tuple[str, str]]:
    """Yield what a client may have signed as path and query, each spelling once."""
    pairs = [pair for pair in pairs if decoded_name(pair[0]) != "X-Amz-Signature"]
    query = _joined(pairs)
    yield raw_path or "/", query
    tried = {(raw_path or "/", query)}
    query = _joined([(_recoded(name), _recoded(value)) for name, value in pairs if name or value])
    parts = [quote(octets_of(part), safe="") for part in raw_path.split("/")]
    for path in ("/".join(parts), quote(octets_of(raw_path), safe="/")):
        if (path, query) not in tried:
            tried.add((path, query))
            yield path or "/", query


def _joined(pairs: Pairs) -> str:
    return "&".join([f"{name}={value}" for name, value in sorted(pairs)])


def _recoded(text: str) -> str:
    # A plus that was sent as such is a space to those who sign canonically, as in forms.
    return quote(octets_of(text.replace("+", " ")), safe="")


class ChunkSigner:
    """The signatures of one body's chunks, each made from the one before.

    Source: the S3 API Reference, "Signature Calculations for the Authorization Header:
    Transferring Payload in Multiple Chunks", and "… Including Trailing Headers".
    """

    def __init__(self, key: bytes, stamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._context = f"{stamp}\n{scope}"
        self._previous = seed

    def chunk(self, data_sha256_hex: str) -> str:
        """Return the signature of the next chunk, whose data have this SHA-256."""
        return self._next("PAYLOAD", f"{EMPTY_HASH}\n{data_sha256_hex}")

    def trailer(self, canonical_trailer: bytes) -> str:
        """Return the signature of the trailer, a line `name:value` for each header in it."""
        return self._next("TRAILER", sha256(canonical_trailer).hexdigest())

    def _next(self, kind: str, hashes: str) -> str:
        self._previous = sign(
            self._key, f"{ALGORITHM}-{kind}\n{self._context}\n{self._previous}\n{hashes}")
        return self._previous
