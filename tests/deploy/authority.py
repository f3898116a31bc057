"""An authority of these tests, whose certificates clients have, and those of nobody."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

from tests.deploy.front import program

if TYPE_CHECKING:
    from pathlib import Path


class ClientFiles(NamedTuple):
    """A client's certificate and key."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates of clients."""

    def __init__(self, directory: Path, name: str = "Clients of this test") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.file = directory / "authority.pem"
        self._key = directory / "authority.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", self._key,
                 "-out", self.file)

    def client(self, common_name: str, *names: str, days: int = 2) -> ClientFiles:
        """Return the certificate of somebody of Example's people."""
        files = ClientFiles(self._directory / f"{common_name}.pem",
                            self._directory / f"{common_name}.key")
        request = self._directory / "request.pem"
        extensions = self._directory / "extensions"
        extensions.write_text(f"subjectAltName={','.join(names)}\n" if names else "")
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-utf8", "-subj", f"/O=Example/OU=people/CN={common_name}",
                 "-keyout", files.key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key,
                 "-days", str(days), "-extfile", extensions, "-out", files.certificate)
        return files


def _openssl(*arguments: str | Path) -> None:
    subprocess.run([program("openssl"), *arguments], check=True, capture_output=True)
