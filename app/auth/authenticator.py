"""From what a request brings to a Principal: the ways are asked, one after the other."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, NamedTuple

from app.auth.password_way import WRONG
from app.auth.remembered import Proof
from app.auth.ways import password_of
from app.core.auth_errors import InvalidToken
from app.core.errors import NotAuthenticated, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.auth.directory import Directory
    from app.auth.guard import Guard
    from app.auth.ways import Evidence, Way
    from app.core.errors import GatewayError
    from app.core.identity import Principal

log = logging.getLogger(__name__)
_DESCRIBED = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class Identity(NamedTuple):
    """Who it is, and the name of the way that proved it."""

    principal: Principal
    way: str


class Authenticator:
    """Asks `ways` in their order; what they share about passwords is in `guard`.

    A name that an earlier way knows is that way's: by a later way nobody proves to be someone
    else of this name.
    """

    def __init__(self, ways: Sequence[Way], guard: Guard, directory: Directory, realm: str) -> None:
        self.directory = directory
        self.ways = tuple(ways)
        self._guard = guard
        self._realm = realm

    def authenticate(self, evidence: Evidence) -> Principal:
        """Return who brings this evidence; raises what `identify` does."""
        return self.identify(evidence).principal

    def identify(self, evidence: Evidence) -> Identity:
        """Return who brings this evidence, and by which way that is known.

        Raises NotAuthenticated, TooManyAttempts, WayUnavailable, and StorageFault where failures
        cannot be counted.
        """
        if evidence.authorization is None and evidence.certificate is None:
            raise NotAuthenticated("credentials are required and none were sent")
        proof = self._recalled(evidence) or self._proof(evidence)
        return Identity(self.directory.applied(proof.user).principal, proof.way.name)

    def challenges(self, error: GatewayError) -> list[str]:
        """Return the WWW-Authenticate values of all ways, each once, for a refusal by `error`."""
        found = dict.fromkeys(one for way in self.ways if (one := way.challenge(self._realm)))
        # Clients that look at the first alone know Basic.
        asked = sorted(found, key=lambda one: not one.startswith("Basic "))
        if not isinstance(error, InvalidToken):
            return asked
        description = _DESCRIBED.sub("'", str(error))
        return [f'{one}, error="invalid_token", error_description="{description}"'
                if one.startswith("Bearer ") else one for one in asked]

    def _recalled(self, evidence: Evidence) -> Proof | None:
        proof = evidence.authorization and self._guard.recall(evidence.authorization)
        if proof:
            self._require_own_name(proof)
        return proof or None

    def _proof(self, evidence: Evidence) -> Proof:
        for way in self.ways:
            user = way.authenticate(evidence)
            if user is not None:
                proof = Proof(user, way)
                self._require_own_name(proof)
                if evidence.authorization and password_of(evidence):
                    self._guard.remembered.put(evidence.authorization, proof)
                return proof
        self._guard.refuse(evidence)
        raise NotAuthenticated(_why_nobody(evidence))

    def _require_own_name(self, proof: Proof) -> None:
        """Raise NotAuthenticated where an earlier way knows another user of this name."""
        name = proof.user.principal.name
        owner = self.directory.owner_before(proof.way, name)
        if owner and not (owner.active and owner.principal == proof.user.principal):
            log.warning("user %r, proved by way %r, is refused: an earlier way of auth.ways knows"
                        " a user of this name who is inactive or has other rights",
                        name, proof.way.name)
            raise NotAuthenticated(f"the name '{printable(name)}' is another user's here")


def _why_nobody(evidence: Evidence) -> str:
    if evidence.authorization is None:
        return "credentials are required: the client certificate stands for no user"
    scheme = evidence.authorization.partition(" ")[0]
    if scheme.lower() == "basic":
        return WRONG
    return f"the authentication scheme '{printable(scheme)}' is not taken here"
