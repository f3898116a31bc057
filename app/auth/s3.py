"""From a signed request to the principal behind it: signatures of version 4 and 2, HTTP Basic."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple

from app.auth import sigv2, sigv4
from app.auth.s3_request import (
    SignedRequest,
    moment_of,
    moment_of_headers,
    only_values,
    pairs_of,
    refuse_two_ways,
    wire_octets,
)
from app.auth.sigv4 import CONTENT_HASH, ChunkSigner
from app.auth.ways import Evidence
from app.core.errors import (
    InsecureTransport,
    InvalidParameter,
    InvalidRequest,
    MissingParameter,
    NotAuthenticated,
)
from app.core.object_errors import (
    ClockSkew,
    ExpiredRequest,
    MalformedAuthorization,
    MalformedQueryAuthorization,
    SigningRuleBroken,
    UnknownAccessKey,
    WrongSignature,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.auth.authenticator import Authenticator
    from app.auth.directory import Directory
    from app.auth.keys import AccessKey, KeyDirectory
    from app.auth.s3_request import Moment
    from app.auth.sigv4 import Claim
    from app.core.identity import Principal
    from app.settings import S3Settings

__all__ = ["Caller", "ChunkSigner", "S3Authenticator", "SignedRequest"]

SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
PAYLOADS = frozenset({
    sigv4.UNSIGNED_PAYLOAD, SIGNED_CHUNKS, f"{SIGNED_CHUNKS}-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER"})
_HASH = re.compile("[0-9a-f]{64}")
_SESSION_TOKEN = "X-Amz-Security-Token"  # noqa: S105 the name of a header
_V4 = frozenset({*sigv4.PARAMETERS, _SESSION_TOKEN, "X-Amz-Content-Sha256"})
_V4_MARKS = frozenset({"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"})
_V2 = frozenset(sigv2.PARAMETERS)
_V2_MARKS = frozenset({"AWSAccessKeyId", "Signature"})
_NONE: Mapping[str, str] = {}


class Caller(NamedTuple):
    """Who sent a request; no `principal` is an anonymous one.

    scheme        "v4", "v4-query", "v2", "v2-query", "basic", "certificate", "anonymous"
    payload_hash  x-amz-content-sha256 as sent, "" where there is none
    chunks        for bodies whose chunks are signed
    way           which way (app.auth.ways) proved it, "" for signatures and nobody
    """

    principal: Principal | None
    scheme: str
    payload_hash: str
    chunks: ChunkSigner | None
    way: str = ""

    @property
    def signed(self) -> bool:
        """Tell whether the request bears a signature."""
        return self.scheme.startswith("v")


class S3Authenticator:
    """Checks who sent an S3 request; `wall_clock` tells seconds since the epoch."""

    def __init__(
        self, settings: S3Settings, keys: KeyDirectory, users: Directory, ways: Authenticator,
        *, wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._region = settings.region
        self._skew = settings.clock_skew
        self._keys = keys
        self._users = users
        self._ways = ways
        self._clock = wall_clock

    def authenticate(self, request: SignedRequest) -> Caller:
        """Return the caller, whose signature or password is right if there is one.

        Raises NotAuthenticated and its kin in object_errors, InvalidRequest, TooManyAttempts,
        InsecureTransport, StorageFault.
        """
        authorization = request.headers.get("authorization")
        values = only_values(pairs_of(request.raw_query), _V4 | _V2) if request.raw_query else _NONE
        v4, v2 = not _V4_MARKS.isdisjoint(values), not _V2_MARKS.isdisjoint(values)
        if v4 + v2 + (authorization is not None) > 1:
            raise refuse_two_ways()
        if _SESSION_TOKEN in values or _SESSION_TOKEN.lower() in request.headers:
            raise MalformedAuthorization(
                "there are no temporary credentials here, so no X-Amz-Security-Token is taken")
        if v4:
            return self._v4_query(request, values)
        if v2:
            return self._v2_query(request, values)
        if authorization is None:
            return self._by_certificate(request) or Caller(
                None, "anonymous", _unsigned_hash(request), None)
        return self._by_header(request, authorization)

    def check_policy_signature(
        self, fields: Mapping[str, str], policy_base64: str,
    ) -> Principal:
        """Return who signed the policy of a browser's form; `fields` have lower-case names.

        Whether the policy allows the form, and until when, is not looked at.
        Raises NotAuthenticated and its kin, InvalidParameter.
        """
        if "x-amz-security-token" in fields:
            raise MalformedAuthorization(
                "there are no temporary credentials here, so no X-Amz-Security-Token is taken")
        if "x-amz-signature" in fields or "x-amz-algorithm" in fields:
            return self._v4_policy(fields, policy_base64)
        if "signature" in fields or "awsaccesskeyid" in fields:
            for name in ("AWSAccessKeyId", "Signature"):
                _field(fields, name)
            key, principal = self._owner(fields["awsaccesskeyid"])
            expected = sigv2.sign(key.secret, wire_octets(policy_base64))
            if not sigv2.same(expected, fields["signature"]):
                raise WrongSignature("the signature is not that of this policy",
                                     string_to_sign=policy_base64)
            return principal
        raise NotAuthenticated("the form has no signature")

    def _by_header(self, request: SignedRequest, authorization: str) -> Caller:
        scheme = authorization.partition(" ")[0]
        if scheme.startswith("AWS4"):
            return self._v4_header(request, authorization)
        if scheme == "AWS":
            return self._v2_header(request, authorization)
        if scheme.lower() == "basic":
            return self._by_password(request)
        if not scheme:
            raise SigningRuleBroken("the Authorization header is empty")
        raise InvalidParameter("Authorization", scheme, f"{sigv4.ALGORITHM}, AWS or Basic")

    def _by_password(self, request: SignedRequest) -> Caller:
        if not request.confidential:
            raise InsecureTransport(
                "passwords are not taken over plain HTTP; use HTTPS or sign the request")
        return self._by_way(request, "basic")

    def _by_certificate(self, request: SignedRequest) -> Caller | None:
        """Return whom the client's certificate stands for; without one the caller is anonymous."""
        try:
            return self._by_way(request, "certificate") if request.certificate else None
        except NotAuthenticated:
            return None

    def _by_way(self, request: SignedRequest, scheme: str) -> Caller:
        payload_hash = _unsigned_hash(request)
        who = self._ways.identify(Evidence(
            request.headers.get("authorization"), request.source, request.certificate))
        return Caller(who.principal, scheme, payload_hash, None, who.way)

    def _v4_header(self, request: SignedRequest, authorization: str) -> Caller:
        claim = sigv4.read_header(authorization)
        moment = moment_of_headers(request.headers)
        sigv4.check_scope(claim.credential, self._region, moment.stamp)
        payload_hash = request.headers.get(CONTENT_HASH, "")
        if not payload_hash:
            raise InvalidRequest(f"missing required header for this request: {CONTENT_HASH}")
        key, principal = self._owner(claim.credential.key_id)
        self._check_skew(moment)
        chunks = _verified(request, claim, moment.stamp, payload_hash, key)
        return Caller(principal, "v4", payload_hash, chunks)

    def _v4_query(self, request: SignedRequest, values: Mapping[str, str]) -> Caller:
        claim = sigv4.read_query(values)
        moment = moment_of(claim.stamp)
        try:
            sigv4.check_scope(claim.credential, self._region, moment.stamp)
        except MalformedAuthorization as error:
            raise MalformedQueryAuthorization(str(error)) from error
        key, principal = self._owner(claim.credential.key_id)
        now = self._clock()
        if moment.seconds > now + self._skew:
            raise SigningRuleBroken("the request is not valid yet")
        if now >= moment.seconds + claim.expires:
            raise ExpiredRequest("the request has expired")
        sent = request.headers.get(CONTENT_HASH) or values.get("X-Amz-Content-Sha256", "")
        chunks = _verified(request, claim, moment.stamp, sent, key)
        return Caller(principal, "v4-query", sent, chunks)

    def _v4_policy(self, fields: Mapping[str, str], policy_base64: str) -> Principal:
        for name in ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"):
            _field(fields, name)
        if fields["x-amz-algorithm"] != sigv4.ALGORITHM:
            raise InvalidParameter("X-Amz-Algorithm", fields["x-amz-algorithm"], sigv4.ALGORITHM)
        credential = sigv4.read_credential(fields["x-amz-credential"])
        sigv4.check_scope(credential, self._region, moment_of(fields["x-amz-date"]).stamp)
        key, principal = self._owner(credential.key_id)
        expected = sigv4.sign(sigv4.key_of(key.secret, credential), policy_base64)
        if not sigv4.same(expected, fields["x-amz-signature"]):
            raise WrongSignature("the signature is not that of this policy",
                                 string_to_sign=policy_base64)
        return principal

    def _v2_header(self, request: SignedRequest, authorization: str) -> Caller:
        key_id, signature = sigv2.read_header(authorization)
        moment = moment_of_headers(request.headers)
        payload_hash = _unsigned_hash(request)
        key, principal = self._owner(key_id)
        self._check_skew(moment)
        sigv2.verify(request, key.secret, signature)
        return Caller(principal, "v2", payload_hash, None)

    def _v2_query(self, request: SignedRequest, values: Mapping[str, str]) -> Caller:
        key_id, signature, end = sigv2.read_query(values)
        payload_hash = _unsigned_hash(request)
        key, principal = self._owner(key_id)
        if self._clock() >= end:
            raise ExpiredRequest("the request has expired")
        sigv2.verify(request, key.secret, signature, expires=values["Expires"])
        return Caller(principal, "v2-query", payload_hash, None)

    def _owner(self, key_id: str) -> tuple[AccessKey, Principal]:
        """Return an active key and whose it is. Raises UnknownAccessKey."""
        key = self._keys.find(key_id)
        user = self._users.find(key.user) if key and key.active else None
        if key is None or user is None or not user.active:
            raise UnknownAccessKey("the access key id does not exist here, or is not active")
        return key, user.principal

    def _check_skew(self, moment: Moment) -> None:
        if abs(moment.seconds - self._clock()) > self._skew:
            raise ClockSkew(
                "the difference between the request time and the gateway's time is too large")


def _verified(
    request: SignedRequest, claim: Claim, stamp: str, payload_hash: str, key: AccessKey,
) -> ChunkSigner | None:
    """Return what signs the chunks of a request whose signature is right, if they are signed."""
    signed_hash = payload_hash or sigv4.UNSIGNED_PAYLOAD
    if signed_hash not in PAYLOADS and not _HASH.fullmatch(signed_hash):
        raise _bad_hash(payload_hash, ", ".join(sorted(PAYLOADS)) + " or a SHA-256 in hex")
    signing_key = sigv4.key_of(key.secret, claim.credential)
    sigv4.verify(request, claim, signing_key, stamp, signed_hash)
    if not payload_hash.startswith(SIGNED_CHUNKS):
        return None
    return ChunkSigner(signing_key, stamp, claim.credential.scope, claim.signature)


def _unsigned_hash(request: SignedRequest) -> str:
    """Return x-amz-content-sha256 of a request that has no signature for chunks to start from."""
    payload_hash = request.headers.get(CONTENT_HASH, "")
    if payload_hash.startswith(SIGNED_CHUNKS):
        raise _bad_hash(payload_hash, "a chunked body without signatures, as the request has none"
                                      " of version 4")
    return payload_hash


def _bad_hash(payload_hash: str, allowed: str) -> InvalidParameter:
    return InvalidParameter(CONTENT_HASH, payload_hash, allowed)


def _field(fields: Mapping[str, str], name: str) -> str:
    """Return a field of a form. Raises MissingParameter."""
    value = fields.get(name.lower())
    if not value:
        raise MissingParameter(name, "what the policy was signed with")
    return value
