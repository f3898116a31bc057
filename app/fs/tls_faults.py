"""What went wrong between two ends of TLS, in words that say whose turn it is."""

from __future__ import annotations

import ssl
from typing import TypeGuard

BY_CODE = {
    7: "the authority of its certificate is none that is trusted (backend.ca_file)",
    9: "its certificate is not valid yet; is the clock right?",
    10: "its certificate, or one that vouches for it, has expired",
    18: "its certificate is vouched for by itself alone; name it in backend.ca_file to trust it",
    19: "the authority of its certificate is none that is trusted (backend.ca_file)",
    20: "the authority of its certificate is none that is trusted (backend.ca_file)",
    21: "the authority of its certificate is none that is trusted (backend.ca_file)",
}
"""By OpenSSL's X509_V_ERR_*."""
OTHER_NAME = "its certificate is for another name"
_NAMES = frozenset({62, 64})
BY_REASON = (
    (("ALERT_CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA",
      "ALERT_CERTIFICATE_UNKNOWN", "ALERT_CERTIFICATE_EXPIRED", "ALERT_CERTIFICATE_REVOKED",
      "ALERT_UNSUPPORTED_CERTIFICATE", "ALERT_DECRYPT_ERROR"),
     ("it takes no client without a certificate that it trusts (backend.client_cert is that of the"
      " gateway)")),
    (("ALERT_HANDSHAKE_FAILURE",),
     ("it broke the handshake off: perhaps it takes no client without a certificate"
      " (backend.client_cert)")),
    (("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "WRONG_SSL_VERSION"),
     "it speaks no TLS of version 1.2 or newer"),
    (("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"),
     "it does not speak TLS; is its URL one of http?"),
)
"""By what OpenSSL's reason ends with."""


def explained(error: ssl.SSLError) -> str:
    """Return one sentence about the other end, and OpenSSL's own words."""
    sentence = _sentence(error)
    return f"{sentence} ({error})" if sentence else str(error)


def is_verdict(error: OSError) -> TypeGuard[ssl.SSLError]:
    """Tell whether the other end said no, as opposed to a connection that broke."""
    return isinstance(error, ssl.SSLError) and not isinstance(
        error, ssl.SSLEOFError | ssl.SSLZeroReturnError)


def _sentence(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _NAMES:
            return OTHER_NAME
        return BY_CODE.get(error.verify_code, "its certificate cannot be trusted")
    reason = error.reason or ""
    return next((sentence for ends, sentence in BY_REASON if reason.endswith(ends)), "")
