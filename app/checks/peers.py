"""Whether a cluster's servers are there, and who they say they are by TLS."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509

from app.checks.pem import check_dates, names_of, subject
from app.fs.pool import DEFAULT_PORTS
from app.fs.tls_faults import explained
from app.fs.trust import upstream_context

if TYPE_CHECKING:
    from app.checks.report import Report
    from app.settings import BackendSettings


def check_server(
    url: str, settings: BackendSettings, seconds: float, about: str, report: Report,
) -> str:
    """Look at one server; return this host's address as the server sees it, "" for no way there.

    `settings` are those of its cluster, and their files can be used.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
    try:
        with closing(socket.create_connection((host, port), seconds)) as plain:
            address = str(plain.getsockname()[0])
            if parts.scheme == "https":
                context = upstream_context(settings) or ssl.create_default_context()
                with context.wrap_socket(plain, server_hostname=host) as secure:
                    _tell_certificate(secure.getpeercert(binary_form=True), url, about, report)
            return address
    except ssl.SSLError as error:
        report.wrong(about, f"{url}: {explained(error)}", _shown(host, port, seconds))
    except socket.gaierror:
        report.wrong(about, f"{url}: nobody knows a host '{host}'",
                     "mend the name in the URL, or DNS, or /etc/hosts")
    except OSError as error:
        report.wrong(about, f"{url}: no connection: {error.strerror or error}",
                     "start the server, mend the port in the URL, or let this host through the"
                     " firewall")
    return ""


def _tell_certificate(raw: bytes | None, url: str, about: str, report: Report) -> None:
    certificate = x509.load_der_x509_certificate(raw or b"")
    report.right(about, f"{url}: its certificate is for {', '.join(names_of(certificate))}, valid"
                 f" until {certificate.not_valid_after_utc:%Y-%m-%d}")
    check_dates([certificate], url, about, report)


def _shown(host: str, port: int, seconds: float) -> str:
    """Return what the server shows to who believes everything; nothing is told to it."""
    believing = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    believing.check_hostname = False
    believing.verify_mode = ssl.CERT_NONE
    try:
        with (closing(socket.create_connection((host, port), seconds)) as plain,
              believing.wrap_socket(plain, server_hostname=host) as secure):
            raw = secure.getpeercert(binary_form=True)
        certificate = x509.load_der_x509_certificate(raw or b"")
    except (OSError, ValueError):
        return f"see what it says: openssl s_client -connect {host}:{port} -servername {host}"
    return (f"it shows a certificate of {subject(certificate)}, for"
            f" {', '.join(names_of(certificate)) or 'no host at all'}, by"
            f" '{certificate.issuer.rfc4514_string()}', valid from"
            f" {certificate.not_valid_before_utc:%Y-%m-%d} to"
            f" {certificate.not_valid_after_utc:%Y-%m-%d}")
