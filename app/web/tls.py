"""TLS that gunicorn ends: certificates held in memory, so that a broken new one harms nobody.

gunicorn's main process reads its configuration again on SIGHUP. It ends when a certificate's file
is not there, and its new workers end, one after the other, when they cannot read it. So here the
main process reads the files and tries them. What can be used is handed to workers by a file without
a name; what cannot is refused, and the certificate before stays.
"""

from __future__ import annotations

import os
import ssl
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HANDSHAKE_SECONDS = 20.0
"""The time that a client has for its handshake; deploy/nginx.conf gives as much for a head."""
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of 1.3 are all fine


@dataclass(slots=True)
class Held:
    """What was read and tried: `certificate` is a path to the chain with its key.

    `client_ca` is the text of the certificates that clients' must be signed by, "" for none;
    `refusal` says why what was read later is not used.
    """

    descriptor: int
    client_ca: str
    until: datetime
    refusal: str = ""

    @property
    def certificate(self) -> str:
        """A path that this process and those that it forks can read, and nobody else."""
        return f"/proc/self/fd/{self.descriptor}"

    def told(self, log: Any) -> None:
        """Write to gunicorn's log what became of the last reading."""
        if self.refusal:
            log.error("the new certificate is not used, the one before (valid until %s) stays: %s",
                      self.until.isoformat(), self.refusal)
        else:
            log.info("the certificate is valid until %s", self.until.isoformat())


_held: dict[tuple[str, str, str], Held] = {}


def held(certificate: str, key: str = "", client_ca: str = "") -> Held:
    """Return what the files hold, or held before, when they cannot be used now.

    `key` is "" where the key is in the certificate's file. Raises ValueError where they never
    could be used.
    """
    names = certificate, key, client_ca
    before = _held.get(names)
    try:
        fresh = _read(names, must_count=before is not None)
    except (OSError, ValueError) as error:
        if before is None:
            raise ValueError(f"the certificate cannot be used: {error}") from error
        before.refusal = str(error)
        return before
    _held[names] = fresh
    if before:
        os.close(before.descriptor)
    return fresh


def context(config: Any, default: Callable[[], ssl.SSLContext], client_ca: str) -> ssl.SSLContext:
    """Return the context of a worker (gunicorn's server hook `ssl_context`).

    TLS 1.2 and 1.3, with forward secrecy and authenticated encryption only.
    """
    made = _bounded(default())
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(_CIPHERS)
    made.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if client_ca:
        made.load_verify_locations(cadata=client_ca)
        # A session that goes on would bring a certificate that nobody looked at again.
        made.options |= ssl.OP_NO_TICKET
        made.num_tickets = 0
    made.verify_mode = ssl.VerifyMode(config.cert_reqs)
    return made


def _read(names: tuple[str, str, str], *, must_count: bool) -> Held:
    certificate, key, client_ca = names
    pem = Path(certificate).read_bytes()
    if key:
        pem += b"\n" + Path(key).read_bytes()
    authorities = Path(client_ca).read_text("ascii") if client_ca else ""
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem)
        until = _tried(f"/proc/self/fd/{descriptor}", pem, authorities, must_count=must_count)
    except BaseException:
        os.close(descriptor)
        raise
    return Held(descriptor, authorities, until)


def _tried(path: str, pem: bytes, authorities: str, *, must_count: bool) -> datetime:
    """Return until when the certificate is valid. Raises OSError, ValueError."""
    # Here and not above: the workers' memory is the better for what the main process never loads.
    from cryptography import x509  # noqa: PLC0415

    trial = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trial.load_cert_chain(path, password=_no_password)
    if authorities:
        trial.load_verify_locations(cadata=authorities)
    try:
        found = x509.load_pem_x509_certificate(pem)
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from error
    now = datetime.now(UTC)
    if must_count and not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise ValueError(f"it is valid from {found.not_valid_before_utc.isoformat()} until"
                         f" {found.not_valid_after_utc.isoformat()}, and not now")
    return found.not_valid_after_utc


def _no_password() -> str:
    raise ValueError("the key is encrypted, and there is nobody to ask for its password")


def _bounded(plain: ssl.SSLContext) -> ssl.SSLContext:
    """Have a context's handshakes end in time, and those that fail leave no traceback."""
    cls = type(plain)

    class Bounded(cls):  # type: ignore[misc, valid-type]
        __slots__ = ()

        def wrap_socket(self, sock: Any, *args: Any, **options: Any) -> Any:
            if "gevent.monkey" in sys.modules:
                with _noiseless():
                    return super().wrap_socket(sock, *args, **options)
            sock.settimeout(HANDSHAKE_SECONDS)  # for each of its receives: threads have no better
            secured = super().wrap_socket(sock, *args, **options)
            secured.settimeout(None)
            return secured

    plain.__class__ = Bounded
    return plain


@contextmanager
def _noiseless() -> Iterator[None]:
    """End a greenlet whose client does not come through its handshake in time."""
    import gevent  # noqa: PLC0415 - not where there is none of it

    try:
        with gevent.Timeout(HANDSHAKE_SECONDS):
            yield
    except (OSError, gevent.Timeout) as error:
        # Strangers' noise: gevent would write a traceback for each.
        raise gevent.GreenletExit from error
