"""The ways in which one may prove who one is: what each gets, and what each has to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from app.auth import basic

if TYPE_CHECKING:
    from app.auth.basic import Credentials
    from app.auth.users import User

TOKEN_PREFIX = "hfp_"  # noqa: S105 what tokens begin with
"""A Bearer token that begins so, and a Basic password too, is of the way `token` alone."""


class Certificate(NamedTuple):
    """Of a TLS client, verified by whoever ended TLS.

    subject  as in RFC 4514: "CN=alice,OU=people,O=Example"
    names    subjectAltName, each as "DNS:…", "email:…" or "URI:…"
    """

    subject: str
    names: tuple[str, ...] = ()


class Evidence(NamedTuple):
    """What a request brings: its Authorization header as sent, its client's address."""

    authorization: str | None
    source: str
    certificate: Certificate | None = None


class Way(Protocol):
    """One way to prove who one is; `name` stands in `auth.ways` and in the audit line."""

    name: str

    def challenge(self, realm: str) -> str | None:
        """Return the WWW-Authenticate value that asks for this way's evidence, if there is one."""

    def authenticate(self, evidence: Evidence) -> User | None:
        """Return whom the evidence proves.

        None: no evidence of this kind, or not this way's user; the next way is asked. Raises
        NotAuthenticated, TooManyAttempts, StorageFault, WayUnavailable.
        """

    def find(self, name: str) -> User | None:
        """Return the user as this way knows them now, active or not; None: not its user.

        `name` is in NFC. Called often: costs microseconds for whom it was asked for a short while
        ago. Raises WayUnavailable.
        """


def password_of(evidence: Evidence) -> Credentials | None:
    """Return the Basic credentials, but not those whose password is a token; None without any.

    Raises NotAuthenticated for what calls itself Basic and is not.
    """
    if not evidence.authorization or not _is(evidence.authorization, "basic"):
        return None
    credentials = basic.parse(evidence.authorization)
    return None if credentials.password.startswith(TOKEN_PREFIX) else credentials


def token_of(evidence: Evidence) -> str | None:
    """Return the token of this gateway that comes as Bearer or as Basic password; None: none."""
    authorization = evidence.authorization or ""
    text = bearer_of(evidence)
    if text is None and _is(authorization, "basic"):
        text = basic.parse(authorization).password
    return text if text and text.startswith(TOKEN_PREFIX) else None


def bearer_of(evidence: Evidence) -> str | None:
    """Return what comes as Bearer (RFC 6750), whatever it is; None without."""
    authorization = evidence.authorization or ""
    return authorization[7:].strip(" \t") if _is(authorization, "bearer") else None


def _is(authorization: str, scheme: str) -> bool:
    return authorization[:len(scheme) + 1].rstrip(" ").lower() == scheme
