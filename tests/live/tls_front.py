"""nginx with TLS in front of a cluster that has none, and an authority that nobody else trusts."""

from __future__ import annotations

import os
import signal as signals
import socket
import subprocess
from typing import TYPE_CHECKING, Self

from tests.deploy.front import program
from tests.hadoop.daemon import Daemon, free_port

if TYPE_CHECKING:
    from pathlib import Path

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
SITE = """
pid {directory}/nginx.pid;
error_log stderr info;
worker_processes 1;
{user}
events {{}}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        client_max_body_size 0;
        location / {{
            proxy_pass {upstream};
            proxy_set_header Host $http_host;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering off;
            proxy_buffering off;
        }}
    }}
}}
"""


class Authority:
    """A certificate authority made for a test; `file` is what trusts it."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.file = directory / f"{name}.pem"
        self._key = directory / f"{name}.key"
        _openssl("req", "-x509", *EC, "-days", "2", "-subj", f"/CN=The {name}",
                 "-keyout", self._key, "-out", self.file)

    def certificate(self, host: str) -> tuple[Path, Path]:
        """Return a certificate of this host's, and its key."""
        made, key = (self._directory / f"{host}.{kind}" for kind in ("pem", "key"))
        asked, names = (self._directory / f"{host}.{kind}" for kind in ("csr", "names"))
        names.write_text(f"subjectAltName=DNS:{host}\n")
        _openssl("req", *EC, "-subj", f"/CN={host}", "-keyout", key, "-out", asked)
        _openssl("x509", "-req", "-in", asked, "-CA", self.file, "-CAkey", self._key,
                 "-days", "2", "-extfile", names, "-out", made)
        return made, key


class TlsFront:
    """What is at `upstream` by HTTP, at `url` by HTTPS."""

    def __init__(self, directory: Path, upstream: str, authority: Authority) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.authority = f"localhost:{port}"
        self.url = f"https://{self.authority}"
        self._port = port
        self._access = directory / "access.log"
        certificate, key = authority.certificate("localhost")
        config = directory / "nginx.conf"
        config.write_text(SITE.format(
            directory=directory, port=port, certificate=certificate, key=key, upstream=upstream,
            user="user root;" if os.geteuid() == 0 else ""))
        self._daemon = Daemon(
            "nginx", [program("nginx"), "-c", str(config), "-g", "daemon off;"],
            directory / "nginx.log", {})

    def __enter__(self) -> Self:
        self._daemon.start()
        self._daemon.await_ready("its port", self._listens, seconds=20.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.signal(signals.SIGTERM)

    def requests(self) -> int:
        """Return how many requests came through; a handshake that fails leaves a line, too."""
        return sum("/webhdfs/v1" in line for line in self._access.read_text().splitlines())

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


def _openssl(*arguments: str | Path) -> None:
    subprocess.run([program("openssl"), *arguments], check=True, capture_output=True)
