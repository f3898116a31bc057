"""The certificate that a client proved itself by, whoever ended TLS.

Where gunicorn ended it, the connection has the certificate, verified by GATEWAY_TLS_CLIENT_CA.
Where a proxy did, its headers have it: those of a peer in web.trusted_proxies alone, and only in
the form that `web.certificate_header` names: a proxy that does not set a header passes on what its
clients made up.
"""

from __future__ import annotations

import base64
import binascii
import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from cryptography import x509

from app.auth.ways import Certificate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.web.exchange import Exchange

NONE, ESCAPED, RFC9440 = "none", "x-ssl-client-cert", "client-cert"
FORMS = (NONE, ESCAPED, RFC9440)


def client_certificate(exchange: Exchange, form: str) -> Certificate | None:
    """Return the certificate of who sent a request, None without one that was verified.

    `form` is the setting `web.certificate_header`. On a trusted proxy's own connection to the
    gateway a certificate is the proxy's and nobody's who stands behind it.
    """
    environ = exchange.environ
    if exchange.origin.trusted_peer:
        der = _from_headers(environ, form)
    else:
        der = _from_socket(environ.get("gunicorn.socket"))
    return parsed(der) if der else None


@lru_cache(256)
def parsed(der: bytes) -> Certificate | None:
    """Return what a certificate tells of its subject, None for what is no certificate."""
    try:
        found = x509.load_der_x509_certificate(der)
        subject = found.subject.rfc4514_string()
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return Certificate(subject)
    except Exception:  # noqa: BLE001 - the parser's errors have no class in common
        return None
    names = extension.value
    return Certificate(subject, (
        *(f"DNS:{name}" for name in names.get_values_for_type(x509.DNSName)),
        *(f"email:{name}" for name in names.get_values_for_type(x509.RFC822Name)),
        *(f"URI:{name}" for name in names.get_values_for_type(x509.UniformResourceIdentifier))))


def _from_socket(sock: Any) -> bytes | None:
    ask = getattr(sock, "getpeercert", None)
    if ask is None or sock.context.verify_mode == ssl.CERT_NONE:
        return None
    der: bytes | None = ask(binary_form=True)
    return der


def _from_headers(environ: Mapping[str, Any], form: str) -> bytes | None:
    """Return the certificate as DER; None for none, and for what is not written as `form` says."""
    try:
        if form == ESCAPED and environ.get("HTTP_X_SSL_CLIENT_VERIFY") == "SUCCESS":
            pem = unquote_to_bytes(environ.get("HTTP_X_SSL_CLIENT_CERT", ""))
            return ssl.PEM_cert_to_DER_cert(pem.decode("ascii").strip())
        if form == RFC9440:
            text = environ.get("HTTP_CLIENT_CERT", "")
            inner = text[1:-1] if len(text) > 1 and text[0] == text[-1] == ":" else ""
            return base64.b64decode(inner, validate=True)
    except (ValueError, binascii.Error):
        return None
    return None
