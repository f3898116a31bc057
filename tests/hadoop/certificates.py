"""Certificate authorities for tests, and Java's stores of what they made."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from tests.hadoop.jars import java

STORE_PASSWORD = "changeit"
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Identity:
    """A certificate (PEM, in `certificate`) and its key (PEM, in `key`)."""

    certificate: Path
    key: Path


class Authority:
    """An authority that nobody trusts but those who are given its `file`.

    `days` are those for which it is valid from yesterday on; less than 1: it has expired.
    """

    def __init__(self, directory: Path, name: str = "authority", *, days: float = 2) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(f"The {name}")
        self.file = directory / f"{name}.pem"
        authority = x509.BasicConstraints(ca=True, path_length=None)
        made = _begun(self._name, self._name, self._key, days).add_extension(
            authority, critical=True).sign(self._key, hashes.SHA256())
        self.file.write_bytes(made.public_bytes(_PEM))

    def identity(
        self, name: str, *hosts: str, days: float = 2, password: str = "",
    ) -> Identity:
        """Return a certificate for `name` and these host names; `password` encrypts the key."""
        key = ec.generate_private_key(ec.SECP256R1())
        begun = _begun(_named(name), self._name, key, days)
        if hosts:
            names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
            begun = begun.add_extension(names, critical=False)
        made = begun.sign(self._key, hashes.SHA256())
        found = Identity(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        found.certificate.write_bytes(made.public_bytes(_PEM))
        sealed: Any = serialization.NoEncryption()
        if password:
            sealed = serialization.BestAvailableEncryption(password.encode())
        found.key.touch(mode=0o600)
        found.key.write_bytes(key.private_bytes(
            _PEM, serialization.PrivateFormat.PKCS8, sealed))
        return found

    def truststore(self) -> Path:
        """Return a store, made by keytool, that trusts this authority."""
        store = self.file.with_suffix(".jks")
        subprocess.run(
            [Path(java()).with_name("keytool"), "-importcert", "-noprompt", "-alias", "authority",
             "-file", self.file, "-keystore", store, "-storepass", STORE_PASSWORD],
            check=True, capture_output=True)
        return store


def keystore(identity: Identity) -> Path:
    """Return a PKCS #12 store with the certificate and its key."""
    store = identity.key.with_suffix(".p12")
    key: Any = serialization.load_pem_private_key(identity.key.read_bytes(), None)
    store.write_bytes(pkcs12.serialize_key_and_certificates(
        b"server", key, x509.load_pem_x509_certificate(identity.certificate.read_bytes()), None,
        serialization.BestAvailableEncryption(STORE_PASSWORD.encode())))
    return store


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(subject: x509.Name, issuer: x509.Name, key: Any, days: float,
           ) -> x509.CertificateBuilder:
    since = datetime.now(UTC) - timedelta(days=1)
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(since).not_valid_after(since + timedelta(days=days)))
