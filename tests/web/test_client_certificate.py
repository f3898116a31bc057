"""What a certificate tells of who has it, however odd the certificate is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from app.web.client_certificate import parsed

VERSION_3 = bytes.fromhex("a003020102")
CONSTRAINTS, ALTERNATIVE_NAMES = bytes.fromhex("0603551d13"), bytes.fromhex("0603551d11")


def certificate(alternative_names: str) -> bytes:
    """Return a certificate of alice's whose alternative names are these bytes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "alice")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return made.add_extension(x509.UnrecognizedExtension(
        x509.ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex(alternative_names),
    ), critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_names_that_can_be_read() -> None:
    told = parsed(certificate("3005 8203 616263"))
    assert told
    assert (told.subject, told.names) == ("CN=alice", ("DNS:abc",))


@pytest.mark.parametrize("alternative_names", [
    "3005 a303 040161",  # an X.400 address
    "3008 a506 a103 130161",  # a party of EDI
    "3005 8203 fffefd",  # no letters
    "3009",  # cut off
])
def test_names_that_cannot_be_read_are_nobodys(alternative_names: str) -> None:
    assert parsed(certificate(alternative_names)) is None


def test_what_its_maker_made_up_is_nobodys() -> None:
    der = certificate("3005 8203 616263")
    twice = der.replace(CONSTRAINTS, ALTERNATIVE_NAMES)
    assert len(x509.load_der_x509_certificate(twice).public_bytes(Encoding.DER)) == len(twice)
    of_no_version = der.replace(VERSION_3, VERSION_3[:-1] + b"\7")
    bits_for_letters = certificate("3018 a416 3014 3112 3010 0603 550403 0309 00 6162636465666768")
    for odd in (twice, of_no_version, bits_for_letters, der[:-1], b"", b"0"):
        assert parsed(odd) is None
