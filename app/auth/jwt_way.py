"""The way `jwt`: JSON Web Tokens of an OpenID Connect provider, as Bearer (RFC 6750)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt

from app.auth import basic, job_tokens
from app.auth.jwt_keys import FileKeys, UrlKeys
from app.auth.jwt_memory import Tokens, Verified
from app.auth.mapping import Mapper, Told, Unmapped
from app.auth.seen import SeenUsers
from app.auth.ways import TOKEN_PREFIX, bearer_of
from app.core.auth_errors import InvalidToken, WayUnavailable
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from app.auth.jwt_keys import Key, Keys
    from app.auth.users import User
    from app.auth.ways import Evidence
    from app.core.paths import HdfsPath
    from app.sections.identities import JwtSettings
    from app.state.store import Store

_TYPES = ("jwt", "at+jwt", "application/at+jwt")
_WRONG = "the token is not one that is taken here"

log = logging.getLogger(__name__)


class JwtWay:
    """Checks tokens of one provider. Raises ConfigError."""

    name = "jwt"

    def __init__(self, settings: JwtSettings, store: Store) -> None:
        for required in ("issuer", "audience"):
            if not getattr(settings, required):
                raise ConfigError(f"jwt.{required}", 0, "the way 'jwt' needs it")
        if bool(settings.jwks_url) == bool(settings.keys_file):
            raise ConfigError("jwt.jwks_url", 0, "the way 'jwt' needs either jwks_url or keys_file")
        if settings.ca_file and not Path(settings.ca_file).is_file():
            raise ConfigError(settings.ca_file, 0, "there is no such file (setting jwt.ca_file)")
        self._settings = settings
        self._mapper = Mapper(settings)
        self._seen = SeenUsers(self.name, self._mapper, store, settings.known_seconds)
        self._keys: Keys = (UrlKeys(settings) if settings.jwks_url
                            else FileKeys(Path(settings.keys_file)))
        self._tokens = Tokens(self._keys.known)

    def challenge(self, realm: str) -> str | None:
        """Ask for a Bearer token."""
        return basic.challenge(realm, scheme="Bearer")

    def find(self, name: str) -> User | None:
        """Return the user as their last token had them, for `known_seconds` after it."""
        return self._seen.find(name)

    def rooms(self) -> set[HdfsPath]:
        """Return the directories of users that came a short while ago."""
        return self._seen.rooms()

    def problems(self) -> list[str]:
        """Return what keeps tokens from being checked, in plain words."""
        try:
            self._keys.known("")
        except WayUnavailable as error:
            return [f"JWT: {error} ({self._settings.jwks_url})"]
        return []

    def authenticate(self, evidence: Evidence) -> User | None:
        """Return whose token this is. Raises InvalidToken, WayUnavailable."""
        token = bearer_of(evidence)
        if token is None or token.startswith((TOKEN_PREFIX, job_tokens.PREFIX)):
            return None
        if len(token) > basic.MAX_HEADER:
            raise InvalidToken(f"the token has more than {basic.MAX_HEADER} characters")
        told = self._tokens.get(token) or self._verified(token)
        try:
            return self._seen.note(told)
        except Unmapped as error:
            log.warning("a token's bearer does not come in: %s", error)
            raise InvalidToken("the token is of nobody who may come in here") from error

    def _verified(self, token: str) -> Told:
        """Return what a token tells, and remember it. Raises InvalidToken, WayUnavailable."""
        algorithm, kid = self._header(token)
        keys = self._keys.known(kid)
        claims = self._claims(token, algorithm, kid, keys)
        told = self._told(claims)
        until = float(claims["exp"]) + self._settings.leeway
        self._tokens.put(token, Verified(told, kid, keys, until))
        return told

    def _claims(self, token: str, algorithm: str, kid: str, keys: list[Key]) -> dict[str, Any]:
        for key in _candidates(keys, algorithm, kid):
            try:
                claims: dict[str, Any] = jwt.decode(
                    token, key.key, algorithms=[algorithm], audience=self._settings.audience,
                    issuer=self._settings.issuer, leeway=self._settings.leeway,
                    options={"require": ["exp", "iss", "aud"]})
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError as error:
                raise InvalidToken("the token has expired") from error
            except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
                raise InvalidToken(f"{_WRONG}: {error}") from error
            return claims
        raise InvalidToken(f"{_WRONG}: nobody who is known here has signed it")

    def _header(self, token: str) -> tuple[str, str]:
        """Return the algorithm and the key id that a token claims. Raises InvalidToken."""
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken(f"{_WRONG}: it is no JSON Web Token") from error
        algorithm, kid, kind = header.get("alg"), header.get("kid", ""), header.get("typ", "JWT")
        if algorithm not in self._settings.algorithms:
            raise InvalidToken(f"{_WRONG}: its signature is none of "
                               + ", ".join(self._settings.algorithms))
        if "crit" in header or not isinstance(kid, str) or str(kind).lower() not in _TYPES:
            raise InvalidToken(f"{_WRONG}: its header asks for what is not done here")
        return str(algorithm), kid

    def _told(self, claims: dict[str, Any]) -> Told:
        """Return what the claims tell. Raises InvalidToken."""
        if "cnf" in claims:
            raise InvalidToken(f"{_WRONG}: it is bound to a key, which is not asked for here")
        name = _claim(claims, self._settings.user_claim)
        if not isinstance(name, str) or not name:
            raise InvalidToken(f"{_WRONG}: it has no claim '{self._settings.user_claim}'")
        if self._settings.user_claim == "email" and claims.get("email_verified") is not True:
            raise InvalidToken(f"{_WRONG}: its email is not verified")
        groups = _claim(claims, self._settings.groups_claim)
        groups = groups if isinstance(groups, list) else [groups]
        values = {one: _claim(claims, one) for one in self._mapper.names}
        return Told(name, {one: str(value) for one, value in values.items()
                           if isinstance(value, str | int) and not isinstance(value, bool)},
                    [group for group in groups if isinstance(group, str)])


def _candidates(keys: list[Key], algorithm: str, kid: str) -> list[Key]:
    """Return the keys that may have signed: those of the id, or those that have none."""
    return [key for key in keys if algorithm in key.algorithms
            and (key.kid == kid or not key.kid or not kid)]


def _claim(claims: dict[str, Any], dotted: str) -> Any:
    """Return a claim, or what is below one; None where there is none."""
    if dotted in claims:
        return claims[dotted]
    found: Any = claims
    for name in dotted.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
