"""The way `certificate`: TLS client certificates, which whoever ended TLS has verified."""

from __future__ import annotations

import logging
import unicodedata
from typing import TYPE_CHECKING, Any

import re2
from cryptography import x509

from app.auth.mapping import Mapper, Told, Unmapped
from app.auth.seen import SeenUsers
from app.sections.identity_kinds import pair
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from app.auth.users import User, UserDirectory
    from app.auth.ways import Certificate, Evidence
    from app.core.paths import HdfsPath
    from app.sections.identities import CertificateSettings
    from app.state.store import Store

MAX_TEXT = 4096
_MAX_MEMORY = 1024 * 1024

log = logging.getLogger(__name__)


class CertificateWay:
    """Takes subjects and alternative names for users; `users` are for those in `settings.users`.

    It counts only where a request has no Authorization header. Raises ConfigError.
    """

    name = "certificate"

    def __init__(
        self, settings: CertificateSettings, users: UserDirectory | None, store: Store,
    ) -> None:
        if not (settings.users or settings.patterns):
            raise ConfigError("certificate.patterns", 0, "the way 'certificate' needs patterns or"
                              " users; there are none")
        self._users = users
        self._exact = {_normal(text): name for text, name in map(pair, settings.users)}
        self._patterns = [_compiled(text) for text in settings.patterns]
        self._mapper = Mapper(settings)
        self._seen = SeenUsers(self.name, self._mapper, store, settings.known_seconds)

    def challenge(self, realm: str) -> str | None:
        """Ask for nothing: certificates belong to TLS."""
        _ = realm
        return None

    def find(self, name: str) -> User | None:
        """Return a user of the users file who has a certificate, or one who came with one."""
        if self._users and name in self._exact.values():
            return self._users.find(name)
        return self._seen.find(name)

    def rooms(self) -> set[HdfsPath]:
        """Return the directories of users that came a short while ago."""
        return self._seen.rooms()

    def problems(self) -> list[str]:
        """Return users of certificates who are not in the users file, in plain words."""
        return [f"certificates: user '{name}' is not in the users file"
                for name in sorted(set(self._exact.values()))
                if not (self._users and self._users.find(name))]

    def authenticate(self, evidence: Evidence) -> User | None:
        """Return whom the certificate stands for; None for nobody, or beside credentials."""
        certificate = evidence.certificate
        if certificate is None or evidence.authorization is not None:
            return None
        texts = [_normal(text) for text in (certificate.subject, *certificate.names)
                 if text and len(text) <= MAX_TEXT]
        exact = next((self._exact[text] for text in texts if text in self._exact), None)
        if exact is not None:
            user = self._users.find(exact) if self._users else None
            return user if user and user.active else None
        return self._by_pattern(certificate, texts)

    def _by_pattern(self, certificate: Certificate, texts: list[str]) -> User | None:
        name = next((found[1] for pattern in self._patterns for text in texts
                     if (found := pattern.fullmatch(text)) and found[1]), None)
        if name is None:
            return None
        values, units = _parts(certificate.subject)
        try:
            return self._seen.note(Told(name, values, units))
        except Unmapped as error:
            log.warning("who has the certificate %r does not come in: %s",
                        certificate.subject[:MAX_TEXT], error)
            return None


def _compiled(text: str) -> Any:
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    try:
        pattern = re2.compile(text, options)
    except re2.error as error:
        raise ConfigError("certificate.patterns", 0, f"'{text}' is no pattern of RE2") from error
    if pattern.groups < 1:
        raise ConfigError("certificate.patterns", 0, f"'{text}' has no group for the user: put"
                          " parentheses around what is the name")
    return pattern


def _parts(subject: str) -> tuple[dict[str, str], list[str]]:
    """Return the attributes that a subject has once, by short names, and its units."""
    try:
        parsed = x509.Name.from_rfc4514_string(subject)
    except ValueError:
        return {}, []
    pairs = [(one.rfc4514_attribute_name, str(one.value)) for one in parsed]
    names = [name for name, _ in pairs]
    return ({name: value for name, value in pairs if names.count(name) == 1},
            [value for name, value in pairs if name == "OU"])


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)
