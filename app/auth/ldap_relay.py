"""The way to an LDAP server: TCP and TLS by Python, for libldap to speak through.

libldap's own TLS waits for good, or spins, where a server takes a connection and says nothing. Here
all waiting has an end and lets others go on, certificates and names are checked by OpenSSL, and no
ldap.conf of the host makes that less strict. libldap gets one end of a pair of sockets.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from app.sections.identities import LdapSettings

PORTS = {"ldap": 389, "ldaps": 636}
_PIECE = 64 * 1024
_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR
_SEQUENCE, _LONG, _SIZE = 0x30, 0x80, 0x7F
_START_TLS = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
"""LDAPMessage 1, an ExtendedRequest of RFC 4511, 4.14.1, in BER."""


class Relay:
    """Opens connections as `settings` say; what goes wrong is an OSError."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._context: ssl.SSLContext | None = None

    def open(self, url: str) -> int:
        """Return a descriptor that what is sent to and from `url` goes through; close it."""
        server = self._connected(url)
        ours, theirs = socket.socketpair()
        # libldap closes its end in any case; to wait for longer than that would be for nothing.
        for each in (ours, server):
            each.settimeout(self._settings.timeout)
        threading.Thread(target=_carry, args=(ours, server), daemon=True).start()
        # libldap waits by poll, with an end: half an answer must not have it wait by read.
        theirs.setblocking(False)
        return theirs.detach()

    def _connected(self, url: str) -> socket.socket:
        parts = urlsplit(url)
        host = parts.hostname or ""
        plain = socket.create_connection(
            (host, parts.port or PORTS[parts.scheme]), self._settings.timeout)
        try:
            if parts.scheme == "ldap" and not self._settings.start_tls:
                return plain
            if parts.scheme == "ldap":
                _start_tls(plain)
            return self._tls().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._settings.ca_file or None)
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        return self._context


def _carry(ours: socket.socket, server: socket.socket) -> None:
    """Carry octets both ways until one side ends."""
    ends = {ours.fileno(): ours, server.fileno(): server}
    poll = select.poll()
    for descriptor in ends:
        poll.register(descriptor, _READABLE)
    with ours, server, contextlib.suppress(OSError):
        while True:
            waiting = isinstance(server, ssl.SSLSocket) and server.pending()
            ready = [server] if waiting else [ends[found] for found, _ in poll.poll()]
            for source in ready:
                piece = _received(source)
                if piece == b"":
                    return
                (server if source is ours else ours).sendall(piece or b"")


def _received(source: socket.socket) -> bytes | None:
    """Return what is there, b"" at the end, None where TLS had words of its own alone."""
    patience = source.gettimeout()
    source.settimeout(0)
    try:
        return source.recv(_PIECE)
    except ssl.SSLWantReadError:
        return None
    finally:
        source.settimeout(patience)


def _start_tls(plain: socket.socket) -> None:
    """Ask for TLS, and return when the server is about to begin with it."""
    plain.sendall(_START_TLS)
    tag, message = _element(plain)
    body = message[3:]
    # messageID 1, then an ExtendedResponse whose first element is the result: ENUMERATED 0.
    if tag != _SEQUENCE or message[:3] != b"\x02\x01\x01" or (
            body[:1] != b"\x78" or len(body) == 1):
        raise ConnectionError("the server does not answer StartTLS as LDAP has it")
    skipped = 2 if body[1] < _LONG else 2 + (body[1] & _SIZE)
    if body[skipped:skipped + 3] != b"\x0a\x01\x00":
        raise ConnectionError("the server refuses StartTLS")


def _element(plain: socket.socket) -> tuple[int, bytes]:
    """Read one element of BER, and not an octet more."""
    tag, size = _exactly(plain, 2)
    if size >= _LONG:
        size = int.from_bytes(_exactly(plain, min(size & _SIZE, 4)))
    if size > _PIECE:
        raise ConnectionError("the server's answer to StartTLS is too long")
    return tag, _exactly(plain, size)


def _exactly(plain: socket.socket, count: int) -> bytes:
    octets = b""
    while len(octets) < count:
        piece = plain.recv(count - len(octets))
        if not piece:
            raise ConnectionError("the server has closed the connection")
        octets += piece
    return octets
