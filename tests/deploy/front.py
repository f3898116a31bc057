"""What stands before the gateway in these tests: certificates, TLS by gunicorn, and nginx."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal as signals
import socket
import ssl
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import requests

from tests.gateway import REPOSITORY, Gateway
from tests.hadoop.daemon import Daemon, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TEMPLATE = REPOSITORY / "deploy" / "nginx.conf"
ACCEL = REPOSITORY / "deploy" / "nginx-accel.conf"
SERVER_NAME = "files.example.net"
ALIAS = "198.51.100.7"
"""An address of documentation (RFC 5737), given to the loopback device where there is no other."""


class Certificate:
    """A certificate of the server's name and addresses, signed by itself."""

    def __init__(self, directory: Path, *addresses: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.file = directory / "certificate.pem"
        self.key = directory / "key.pem"
        ips = "".join(f",IP:{address}" for address in ("127.0.0.1", *addresses))
        subprocess.run(
            [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={SERVER_NAME}",
             "-addext", f"subjectAltName=DNS:{SERVER_NAME},DNS:localhost{ips}",
             "-keyout", self.key, "-out", self.file],
            check=True, capture_output=True)

    def context(self, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
        """Return a client's context that trusts this certificate."""
        context = ssl.create_default_context(cafile=str(self.file))
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = newest
        return context


class TlsGateway(Gateway):
    """A gateway whose gunicorn ends TLS itself."""

    def __init__(self, directory: Path, certificate: Certificate, **options: Any) -> None:
        environment = {"GATEWAY_TLS_CERT": str(certificate.file),
                       "GATEWAY_TLS_KEY": str(certificate.key)}
        super().__init__(directory, environment=environment, **options)
        self.url = self.url.replace("http://", "https://")
        self.certificate = certificate

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        return super().request(method, path, verify=str(self.certificate.file), **options)

    def _answers(self, path: str) -> bool:
        try:
            return self.request("GET", path, user=None, timeout=10).status_code == 200
        except requests.RequestException:
            return False


class Nginx:
    """nginx with deploy/nginx.conf; only its port, paths and the gateway's address are put in.

    `listening` is one more line of the server, where something else is to be listened on, too.
    `accel` is the word of the gateway's `web.accel`, "" to leave deploy/nginx-accel.conf out;
    `datanode_ca` a file of who signs the DataNodes' certificates. `changes` and `accel_changes`
    are further replacements in the site and there, by patterns that each must match once.
    """

    def __init__(
        self, directory: Path, gateway: Gateway, certificate: Certificate, *, listening: str = "",
        accel: str = "", datanode_ca: Path | None = None, changes: Mapping[str, str] | None = None,
        accel_changes: Mapping[str, str] | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = free_port()
        self.url = f"https://{SERVER_NAME}:{self.port}"
        self.certificate = certificate
        self._config = directory / "nginx.conf"
        self._config.write_text(self._main(directory))
        self.access_log = directory / "access.log"
        self.log = directory / "nginx.log"
        site = self._site(gateway, listening)
        if accel:
            site = replaced(site, {
                r"# include /etc/nginx/httpfs-proxy-accel\.conf;":
                    f"include {directory}/accel.conf;"})
            (directory / "accel.conf").write_text(replaced(ACCEL.read_text(), {
                r'set \$gateway_accel "";  # the word': f'set $gateway_accel "{accel}";',
                r"/etc/ssl/certs/ca-certificates\.crt": str(datanode_ca or certificate.file),
                **(accel_changes or {})}))
        (directory / "site.conf").write_text(replaced(site, changes or {}))
        self._daemon = Daemon(
            "nginx", [program("nginx"), "-c", str(self._config), "-g", "daemon off;"],
            self.log, {})

    def __enter__(self) -> Self:
        self._daemon.start()
        self._daemon.await_ready("its port", self._listens, seconds=20.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.signal(signals.SIGTERM)

    def curl(self, *arguments: str | Path, address: str = "127.0.0.1") -> bytes:
        """Run curl against the server's public name, reached at `address`; return its output."""
        done = subprocess.run(
            [program("curl"), "--silent", "--show-error", "--max-time", "60",
             "--cacert", self.certificate.file,
             "--resolve", f"{SERVER_NAME}:{self.port}:{address}", *arguments],
            check=True, capture_output=True)
        return done.stdout

    @property
    def pids(self) -> list[int]:
        """The process ids of nginx and its workers."""
        master = self._daemon.pid
        children = Path(f"/proc/{master}/task/{master}/children").read_text()
        return [*([master] if master else []), *map(int, children.split())]

    def connected(self) -> ssl.SSLSocket:
        """Return a connection to the server's public name, for HTTP/1.1."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        return self.certificate.context().wrap_socket(plain, server_hostname=SERVER_NAME)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @staticmethod
    def _main(directory: Path) -> str:
        places = "".join(
            f"    {kind}_temp_path {directory}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return (
            f"pid {directory}/nginx.pid;\nerror_log stderr info;\nworker_processes 1;\n"
            f"{'user root;' if os.geteuid() == 0 else ''}\n"
            "events {}\n"
            f"http {{\n    access_log {directory}/access.log;\n"
            f"{places}    include {directory}/site.conf;\n}}\n")

    def _site(self, gateway: Gateway, listening: str) -> str:
        changes = {
            r"server 127\.0\.0\.1:8080;": f"server 127.0.0.1:{gateway.port};",
            r"listen 443 ssl http2;": f"listen 0.0.0.0:{self.port} ssl http2;",
            r"listen \[::\]:443 ssl http2;": listening,
            r"/etc/ssl/httpfs-proxy/fullchain\.pem": str(self.certificate.file),
            r"/etc/ssl/httpfs-proxy/key\.pem": str(self.certificate.key),
            r"/var/log/nginx/httpfs-proxy\.log": str(self.access_log),
        }
        return replaced(TEMPLATE.read_text(), changes)


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """Return `text` with each pattern replaced, which is there once."""
    for pattern, replacement in changes.items():
        text, count = re.subn(pattern, replacement, text)
        assert count == 1, f"{pattern} is {count} times in the configuration"
    return text


def program(name: str) -> str:
    """Return the path of a program that the test needs, or fail."""
    found = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
    assert found, f"{name} is needed; `make test` installs it on Debian, or: apt-get install {name}"
    return found


@contextmanager
def outside_address() -> Iterator[str]:
    """Give an address of this machine that is not loopback: a connection to it comes from it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((ALIAS, 9))  # a route is looked up, nothing is sent
            address = probe.getsockname()[0]
        except OSError:
            address = ""
    if address and not address.startswith("127."):
        yield address
        return
    ip = [program("ip"), "address"]
    # Tests run in several processes at once, and the address is there or not for all of them.
    with (Path(tempfile.gettempdir()) / "httpfs-proxy-alias.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([*ip, "replace", f"{ALIAS}/32", "dev", "lo"], check=True)
        try:
            yield ALIAS
        finally:
            subprocess.run([*ip, "del", f"{ALIAS}/32", "dev", "lo"], check=True)
