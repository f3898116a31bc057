"""TLS at the gateway itself, as deploy/gunicorn.conf.py takes it from the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.checks.pem import Pair, check_authorities, check_pair, is_for, names_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.x509 import Certificate

    from app.checks.report import Report
    from app.settings import Settings

ABOUT = "TLS"


def check_door(settings: Settings, environment: Mapping[str, str], report: Report) -> None:
    """Look at GATEWAY_TLS_CERT, GATEWAY_TLS_KEY and GATEWAY_TLS_CLIENT_CA."""
    file, key = environment.get("GATEWAY_TLS_CERT", ""), environment.get("GATEWAY_TLS_KEY", "")
    authorities = environment.get("GATEWAY_TLS_CLIENT_CA", "")
    if not file:
        _tell_none(settings, key or authorities, report)
        return
    certificate = check_pair(Pair(file, key), ABOUT, report)
    if certificate:
        _check_names(settings, certificate, file, report)
    if authorities:
        check_authorities(authorities, ABOUT, report)


def _tell_none(settings: Settings, left: str, report: Report) -> None:
    if left:
        report.wrong(ABOUT, "GATEWAY_TLS_KEY or GATEWAY_TLS_CLIENT_CA is set, and GATEWAY_TLS_CERT"
                     " is not: the gateway does not start", "set GATEWAY_TLS_CERT, or none of them")
    elif settings.web.trusted_proxies or settings.auth.allow_plain_http:
        report.right(ABOUT, "GATEWAY_TLS_CERT is not set: TLS ends at a proxy, or nowhere")
    else:
        report.note(ABOUT, "GATEWAY_TLS_CERT is not set, and there is no trusted proxy: passwords"
                    " are taken from loopback only",
                    "run this with the environment of the service; set GATEWAY_TLS_CERT and"
                    " GATEWAY_TLS_KEY there, or web.trusted_proxies")


def _check_names(
    settings: Settings, certificate: Certificate, file: str, report: Report,
) -> None:
    names = names_of(certificate)
    if not names:
        report.wrong(ABOUT, f"{file}: the certificate has no subjectAltName, so no client takes"
                     " it for any host", "have one made that names the gateway's hosts there")
        return
    report.right(ABOUT, f"{file}: it is for {', '.join(names)}")
    wanted = [(urlsplit(settings.web.public_url).hostname, "web.public_url"),
              *((host, "s3.hosts") for host in settings.s3.hosts)]
    for host, setting in wanted:
        if host and not is_for(certificate, host):
            report.wrong(ABOUT, f"{file}: it is not for '{host}' ({setting})",
                         f"have one made that names {host} as well")
