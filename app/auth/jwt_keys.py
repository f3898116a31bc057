"""Public keys that tokens are signed with: from PEM or a JWK set, from a file or a URL."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from app.auth.watched import Watched
from app.core.auth_errors import WayUnavailable
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.sections.identities import JwtSettings

MIN_RSA_BITS = 2048
MAX_BYTES = 1024 * 1024
MAX_KEYS = 100
AGAIN_SECONDS = 10.0
"""An unknown key id, or a URL that is away, is asked for again after this long, not before."""
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)

log = logging.getLogger(__name__)


class Key(NamedTuple):
    """A public key, its id ("" where it has none), and the signatures that it may be asked for."""

    kid: str
    key: Any
    algorithms: frozenset[str]


class Keys(Protocol):
    """Where keys come from."""

    def known(self, kid: str) -> list[Key]:
        """Return the keys; where none has this id they may be asked for anew.

        Raises WayUnavailable.
        """


def parse(text: str) -> list[Key]:
    """Return the keys of PEM or of a JWK set. Raises ValueError where there is none."""
    try:
        keys = _of_set(json.loads(text)) if text.lstrip().startswith("{") else _of_pem(text)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
    if not keys:
        raise ValueError("there is no public key that signatures can be checked with")
    return keys[:MAX_KEYS]


class FileKeys:
    """The keys of a file, read again when it changes. Raises ConfigError at the start."""

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._watched = Watched((file,), self._read, renewed=lambda _, fresh: fresh,
                                failed=self._failed, clock=clock)

    def known(self, kid: str) -> list[Key]:
        """Return the keys; the file is looked at again for an unknown id."""
        keys = self._watched.current()
        return keys if not kid or any(key.kid == kid for key in keys) else self._watched.latest()

    def _read(self) -> list[Key]:
        try:
            return parse(self._file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(
                self._file, 0, f"cannot be used (setting jwt.keys_file): {error}") from error

    def _failed(self, old: list[Key], error: ConfigError) -> None:
        log.error("the keys of tokens cannot be used, the %d before stay: %s", len(old), error)


class UrlKeys:
    """The keys of a URL, fetched at first use and again beside the requests.

    While the URL is away the last good keys stay. `clock` tells seconds that only grow.
    """

    def __init__(
        self, settings: JwtSettings, *, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._keys: list[Key] = []
        self._fetched = self._tried = float("-inf")
        self._attempts = 0
        self._fetching = threading.Lock()
        _require_secure(settings.jwks_url)

    def known(self, kid: str) -> list[Key]:
        """Return the keys; they are fetched at once where an unknown id is asked for."""
        attempts, now = self._attempts, self._clock()
        rested = now - self._tried >= AGAIN_SECONDS
        unknown = bool(kid) and all(key.kid != kid for key in self._keys)
        if rested and (unknown or not self._keys):
            self._fetch(attempts)
        elif rested and now - self._fetched >= self._settings.refresh_seconds:
            self._tried = now
            threading.Thread(target=self._fetch, args=(attempts,), daemon=True).start()
        elif not self._keys:
            with self._fetching:  # the first fetch, which may be under way
                pass
        if not self._keys:
            raise WayUnavailable("who this is cannot be found out: the keys that tokens are"
                                 " signed with cannot be fetched at the moment")
        return self._keys

    def _fetch(self, attempts: int) -> None:
        """Fetch the keys, unless somebody else has tried to since there were so many attempts."""
        with self._fetching:
            if self._attempts != attempts:
                return
            self._attempts += 1
            self._tried = self._clock()
            try:
                self._keys = parse(self._download())
                self._fetched = self._clock()
            except (requests.RequestException, ValueError) as error:
                log.warning("the keys of %s cannot be fetched, the %d before stay: %s",
                            self._settings.jwks_url, len(self._keys), error)

    def _download(self) -> str:
        settings = self._settings
        with requests.get(
                settings.jwks_url, timeout=settings.timeout, verify=settings.ca_file or True,
                allow_redirects=False, stream=True, auth=_no_credentials,
                headers={"Accept": "application/json"}) as answer:
            if answer.status_code != requests.codes.ok:
                raise ValueError(f"the answer is {answer.status_code}")
            body = b""
            for piece in answer.iter_content(64 * 1024):
                body += piece
                if len(body) > MAX_BYTES:
                    raise ValueError(f"the answer has more than {MAX_BYTES} bytes")
        return body.decode()


def _of_set(document: Any) -> list[Key]:
    entries = document.get("keys", [document]) if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("this is no JWK set")  # noqa: TRY004 one kind of error
    return [key for entry in entries[:MAX_KEYS] if (key := _of_jwk(entry))]


def _of_jwk(entry: Any) -> Key | None:
    """Return the key of a JWK; None for what is no public key for signatures.

    A secret (`oct`) is none, so that nobody takes a public text for one.
    """
    if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    if entry.get("use", "sig") != "sig" or "verify" not in entry.get("key_ops", ["verify"]):
        return None
    try:
        public = jwt.PyJWK.from_dict({
            name: value for name, value in entry.items()
            if name in ("kty", "crv", "x", "y", "n", "e", "alg")}).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, NotImplementedError):
        return None
    algorithms = _algorithms(public)
    if isinstance(entry.get("alg"), str):
        algorithms &= {entry["alg"]}
    kid = entry.get("kid", "")
    return Key(kid if isinstance(kid, str) else "", public, algorithms) if algorithms else None


def _of_pem(text: str) -> list[Key]:
    keys = []
    for block in _PEM.finditer(text):
        if "PRIVATE" in block[1]:
            raise ValueError("a private key is in it; only public ones belong here")
        octets = block[0].encode()
        public = (x509.load_pem_x509_certificate(octets).public_key()
                  if block[1] == "CERTIFICATE" else load_pem_public_key(octets))
        algorithms = _algorithms(public)
        if not algorithms:
            raise ValueError("a key in it is none of RSA (2048 bits and more), EC (P-256, P-384,"
                             " P-521) and Ed25519")
        keys.append(Key("", public, algorithms))
    return keys


def _algorithms(key: Any) -> frozenset[str]:
    """Return the signatures that a key may be asked for, none where it is too weak."""
    if isinstance(key, rsa.RSAPublicKey):
        return _RSA if key.key_size >= MIN_RSA_BITS else frozenset()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return frozenset({_CURVES[key.curve.name]} if key.curve.name in _CURVES else ())
    return frozenset({"EdDSA"} if isinstance(key, ed25519.Ed25519PublicKey) else ())


def _require_secure(url: str) -> None:
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not ((parts.scheme == "https" and parts.hostname) or (parts.scheme == "http" and local)):
        raise ConfigError("jwt.jwks_url", 0, f"'{url}' is not `https://…`: whoever could change"
                          " the keys on their way could be anybody here")


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Have no ~/.netrc add a password."""
    return request
