"""Sources on loopback that do exactly what a test tells them: they lie, cut, hang and redirect."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Script = Callable[["Visit"], None]

PATIENCE = 60.0


class Visit:
    """One request to a source, and the way to answer it."""

    def __init__(self, source: Source, sock: socket.socket, head: bytes) -> None:
        self.source = source
        self.sock = sock
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = lines[0].split(" ")
        self.headers = {name.lower(): value for name, _, value in
                        (line.partition(": ") for line in lines[1:] if line)}

    def send(self, *parts: bytes) -> None:
        """Send as it is."""
        self.sock.sendall(b"".join(parts))

    def answer(self, body: bytes, *fields: str, status: str = "200 OK", length: int = -1) -> None:
        """Send a whole answer; `length` is what it says of its body, if not the truth."""
        told = len(body) if length < 0 else length
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {told}", *fields]
        self.send("\r\n".join(lines).encode(), b"\r\n\r\n", body)

    def redirect(self, location: str, status: str = "302 Found") -> None:
        """Redirect."""
        self.answer(b"", f"Location: {location}", status=status)

    def hang(self) -> None:
        """Say nothing until the other side has gone or the test is over."""
        self.sock.settimeout(0.05)
        while not self.source.over.is_set():
            try:
                if not self.sock.recv(1024):
                    return
            except TimeoutError:
                continue


class Source:
    """A server that answers each request by `script`, or by the one of `scripts` for its path.

    With a `greeting`, this is all that becomes of a connection, whatever is asked.
    """

    def __init__(
        self, script: Script | None = None, context: ssl.SSLContext | None = None, *,
        greeting: Callable[[socket.socket], None] | None = None,
    ) -> None:
        self.script = script
        self._greeting = greeting
        self.scripts: dict[str, Script] = {}
        self.visits: list[Visit] = []
        self.over = threading.Event()
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.authority = f"127.0.0.1:{self.port}"
        self.url = f"http{'s' if context else ''}://{self.authority}"
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(PATIENCE)

    def targets(self) -> list[str]:
        """Return what was asked for, in order."""
        return [visit.target for visit in self.visits]

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        try:
            if self._greeting:
                self._greeting(sock)
                return
            if self._context:
                sock = self._context.wrap_socket(sock, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = sock.recv(65536)
                if not piece:
                    return
                head += piece
            visit = Visit(self, sock, head)
            self.visits.append(visit)
            script = self.scripts.get(visit.target.partition("?")[0], self.script)
            if script is None:
                visit.answer(b"nothing here", status="404 Not Found")
            else:
                script(visit)
        except OSError:
            return
        finally:
            sock.close()


def certified(directory: Path, *names: str) -> tuple[ssl.SSLContext, Path]:
    """Return a server's context with a certificate for these names, and its file to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "source")])
    now = dt.datetime.now(dt.UTC)
    others = [_general_name(name) for name in names]
    certificate = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(others), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256()))
    trusted, private = directory / "source.crt", directory / "source.key"
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return context, trusted


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
