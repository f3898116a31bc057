"""Certificates in memory: what is refused, and what stays then."""

from __future__ import annotations

import logging
import ssl
import subprocess
from pathlib import Path

import pytest

from app.web import tls
from tests.deploy.front import Certificate, program


def test_what_workers_read_is_chain_and_key_in_one(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    held = tls.held(str(certificate.file), str(certificate.key))
    assert Path(held.certificate).read_bytes() == (
        certificate.file.read_bytes() + b"\n" + certificate.key.read_bytes())
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(held.certificate)


def test_one_file_may_hold_both(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.key.read_bytes() + certificate.file.read_bytes())
    assert tls.held(str(both)).refusal == ""


def test_a_key_with_a_password_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    locked = tmp_path / "locked.pem"
    subprocess.run([program("openssl"), "pkey", "-in", certificate.key, "-aes256", "-passout",
                    "pass:secret", "-out", locked], check=True, capture_output=True)
    with pytest.raises(ValueError, match="the key is encrypted"):
        tls.held(str(certificate.file), str(locked))


def test_authorities_that_are_none_are_refused_with_all_that_came_with_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    certificate = Certificate(tmp_path)
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(certificate.file.read_bytes())
    names = str(certificate.file), str(certificate.key), str(authorities)
    first = tls.held(*names)
    content = Path(first.certificate).read_bytes()
    Certificate(tmp_path)
    authorities.write_text("nobody\n")
    second = tls.held(*names)
    second.told(logging.getLogger("gunicorn.error"))
    assert second is first
    assert Path(second.certificate).read_bytes() == content
    assert "the new certificate is not used" in caplog.text

    authorities.write_bytes(certificate.file.read_bytes())
    third = tls.held(*names)
    assert third.refusal == ""
    assert Path(third.certificate).read_bytes() != content
