"""docs/tls-nginx.md says what is so: names, numbers and policies are those of code and files."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from app.settings import sections
from app.web import accel, protective, tls
from tests.gateway import REPOSITORY, TUNED

PAGE = (REPOSITORY / "docs" / "tls-nginx.md").read_text()
NGINX = (REPOSITORY / "deploy" / "nginx.conf").read_text()
ACCEL = (REPOSITORY / "deploy" / "nginx-accel.conf").read_text()
SETTINGS = {f"{prefix}.{declared.name}" for prefix, cls in sections().items()
            for declared in fields(cls)}


def test_its_variables_are_read_by_somebody() -> None:
    named = set(re.findall(r"GATEWAY_[A-Z_]+", PAGE))
    settings = {f"GATEWAY_{name}".replace(".", "_").upper() for name in SETTINGS}
    assert len(named) > 4
    assert {name for name in named - settings if name not in TUNED.read_text()} == set()


def test_its_settings_are_settings() -> None:
    named = set(re.findall(r"`((?:web|auth|backend)\.[a-z_]+)`", PAGE))
    assert len(named) > 4
    assert named <= SETTINGS


@pytest.mark.parametrize(("said", "where", "there"), [
    ("A client has 20 seconds for its handshake", str(tls.HANDSHAKE_SECONDS), "20.0"),
    ("from 4 MiB on", str(accel.WORTH), "4194304"),
    (protective.POLICY, PAGE, protective.POLICY),
    ("a head has 20 seconds", NGINX, "client_header_timeout 20s;"),
    ("a body 60 seconds", NGINX, "client_body_timeout 60s;"),
    ("256 requests at once", NGINX, "limit_conn httpfs_proxy_clients 256;"),
    ("the first line of that file", ACCEL, '\nset $gateway_accel "";'),
    ("`/etc/nginx/httpfs-proxy-accel.conf`", NGINX,
     "# include /etc/nginx/httpfs-proxy-accel.conf;"),
    ("`proxy_ssl_trusted_certificate`", ACCEL, "proxy_ssl_trusted_certificate "),
    ("take the comment signs from the two lines", NGINX, "# ssl_verify_client optional;"),
    ("the new certificate is not used", (REPOSITORY / "app/web/tls.py").read_text(),
     "the new certificate is not used, the one before (valid until %s) stays: %s"),
], ids=lambda value: value[:30] if isinstance(value, str) else "")
def test_what_it_says_is_so(said: str, where: str, there: str) -> None:
    assert said in " ".join(PAGE.split())
    assert there in where
