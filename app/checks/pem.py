"""Whether certificates and keys in PEM files belong together, and are good now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.checks.report import Report

SOON = timedelta(days=30)
READABLE_BY_OTHERS = 0o007


class Pair(NamedTuple):
    """The files of a certificate and its key, as settings name them; `key` may be the same."""

    certificate: str
    key: str


def check_pair(pair: Pair, about: str, report: Report) -> x509.Certificate | None:
    """Look at a certificate and its key; return the certificate if it could be read."""
    chain = _chain(pair.certificate, about, report)
    if not chain:
        return None
    key = _key(pair.key or pair.certificate, about, report)
    if key is not None and _public(chain[0]) != _bytes(key.public_key()):
        _tell_mismatch(pair, chain, key, about, report)
    elif key is not None:
        report.right(about, f"{pair.certificate}: certificate of {subject(chain[0])}, and its key")
    check_dates(chain, pair.certificate, about, report)
    _check_order(chain, pair.certificate, about, report)
    return chain[0]


def check_authorities(file: str, about: str, report: Report) -> None:
    """Look at a file of authorities that are to be trusted."""
    chain = _chain(file, about, report)
    if chain:
        names = ", ".join(subject(each) for each in chain[:5])
        more = f" and {len(chain) - 5} more" if len(chain) > 5 else ""  # noqa: PLR2004
        report.right(about, f"{file}: trusts {names}{more}")
        check_dates(chain, file, about, report)


def check_dates(
    chain: Sequence[x509.Certificate], where: str, about: str, report: Report,
) -> None:
    """Tell of certificates that are not valid now, or not for long any more."""
    now = datetime.now(UTC)
    for each in chain:
        since, until = each.not_valid_before_utc, each.not_valid_after_utc
        who = f"{where}: the certificate of {subject(each)}"
        if until < now:
            report.wrong(about, f"{who} has expired on {until:%Y-%m-%d %H:%M} UTC",
                         "have it renewed, then put the new one in its place")
        elif since > now:
            report.wrong(about, f"{who} is not valid before {since:%Y-%m-%d %H:%M} UTC",
                         "is the clock of this host right?")
        elif until - now < SOON:
            report.note(about, f"{who} expires on {until:%Y-%m-%d %H:%M} UTC", "renew it in time")


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the host names and addresses that a certificate is for, [] if nobody can read them."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # noqa: BLE001 - the parser's errors have no class in common
        return []
    return [*found.get_values_for_type(x509.DNSName),
            *map(str, found.get_values_for_type(x509.IPAddress))]


def is_for(certificate: x509.Certificate, host: str) -> bool:
    """Tell whether a certificate is for this host: by its name, or one with `*` before its zone."""
    known = {name.lower() for name in names_of(certificate)}
    return host.lower() in known or f"*.{host.lower().partition('.')[2]}" in known


def subject(certificate: x509.Certificate) -> str:
    """Return whose certificate it is, as RFC 4514 writes it."""
    return f"'{certificate.subject.rfc4514_string()}'"


def _chain(file: str, about: str, report: Report) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(Path(file).read_bytes())
    except OSError as error:
        report.wrong(about, f"{file} cannot be read: {error.strerror}",
                     "give the gateway's user the right to read it")
    except (ValueError, x509.InvalidVersion):
        report.wrong(about, f"{file} holds no certificate in PEM",
                     "it begins with -----BEGIN CERTIFICATE-----; DER becomes PEM by"
                     f" `openssl x509 -inform der -in {file}`")
    else:
        return found
    return []


def _key(file: str, about: str, report: Report) -> Any:
    """Return the private key; None after telling why not."""
    try:
        raw = Path(file).read_bytes()
        mode = Path(file).stat().st_mode
        key = load_pem_private_key(raw, None)
    except OSError as error:
        report.wrong(about, f"the key {file} cannot be read: {error.strerror}",
                     "give the gateway's user the right to read it")
        return None
    except TypeError:
        report.wrong(about, f"the key in {file} has a passphrase, and there is nobody to ask",
                     f"take it off: openssl pkey -in {file} -out NEW; chmod 600 NEW")
        return None
    except ValueError:
        report.wrong(about, f"{file} holds no private key in PEM",
                     "name the file that begins with -----BEGIN PRIVATE KEY-----")
        return None
    if mode & READABLE_BY_OTHERS:
        report.note(about, f"everyone on this host can read the key {file}", f"chmod o-rwx {file}")
    return key


def _tell_mismatch(
    pair: Pair, chain: list[x509.Certificate], key: Any, about: str, report: Report,
) -> None:
    own = _bytes(key.public_key())
    if any(_public(each) == own for each in chain[1:]):
        report.wrong(about, f"{pair.certificate}: the certificate that belongs to the key is not"
                     " the first", "put it first, then the one that vouches for it, and so on")
    else:
        report.wrong(about, f"the key in {pair.key or pair.certificate} does not belong to the"
                     f" certificate in {pair.certificate}",
                     "name the key that the certificate was asked for with")


def _check_order(
    chain: list[x509.Certificate], file: str, about: str, report: Report,
) -> None:
    for each, after in pairwise(chain):
        if not _issued(each, after):
            report.wrong(about, f"{file}: after the certificate of {subject(each)} comes that of"
                         f" {subject(after)}, which does not vouch for it",
                         "order them: the server's first, then the one that vouches for it, and"
                         " so on up to, not with, the root")


def _issued(each: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        each.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _public(certificate: x509.Certificate) -> bytes:
    return _bytes(certificate.public_key())


def _bytes(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded
