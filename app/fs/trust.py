"""Whom the gateway trusts by TLS, and the certificate that it shows itself."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from app.settings import BackendSettings


class _Sealed(Exception):
    """OpenSSL asks for the passphrase of a key, for which nobody can be asked here."""


def upstream_context(settings: BackendSettings) -> ssl.SSLContext | None:
    """Return what https backends are talked to with, None for what the system trusts.

    Names are checked, TLS is 1.2 or newer. Raises ConfigError for files that cannot be used.
    """
    if settings.client_key and not settings.client_cert:
        raise ConfigError("backend.client_key", 0, "is set, and 'backend.client_cert' is not")
    if not settings.ca_file and not settings.client_cert:
        return None
    context = _trusting(settings.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.client_cert:
        _show(context, settings.client_cert, settings.client_key)
    return context


def _trusting(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError("backend.ca_file", 0, f"'{ca_file}' holds no certificates that can be"
                          f" read: {error}") from error


def _show(context: ssl.SSLContext, certificate: str, key: str) -> None:
    def passphrase() -> str:
        raise _Sealed

    try:
        context.load_cert_chain(certificate, key or None, passphrase)
    except _Sealed:
        raise ConfigError(
            "backend.client_key" if key else "backend.client_cert", 0,
            f"the key in '{key or certificate}' has a passphrase: give one without (`openssl pkey"
            " -in FILE -out NEW`), which only the gateway's user may read") from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(
                "backend.client_key", 0, f"the key in '{key or certificate}' is not that of the"
                f" certificate in '{certificate}'") from error
        raise ConfigError("backend.client_cert", 0, f"'{certificate}' and '{key or certificate}'"
                          f" hold no PEM certificate with its key: {error}") from error
    except OSError as error:
        raise ConfigError("backend.client_cert", 0, f"'{certificate}' or '{key or certificate}'"
                          f" cannot be read: {error.strerror}") from error
