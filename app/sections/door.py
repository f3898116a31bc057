"""What can be set of who comes in, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.sections.declaring import setting
from app.sections.identity_kinds import WayNames
from app.setting_types import AtLeast, Choice, Flag, Networks, NetworkUsers, Seconds, Text

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Who may come in."""

    users_file: Path = setting(Path("config/users.yaml"), Text(Path), (
        "The map of users. A relative path is relative to the working directory."))
    ways: tuple[str, ...] = setting(("password",), WayNames(
        "password", "ldap", "jwt", "certificate"), (
            "How clients prove who they are, in the order in which they are asked: `password` (the"
            " users file), `ldap`, `jwt`, `certificate` (sections of these names). The gateway's"
            " own tokens are always taken. A name belongs to the first way that knows it."))
    realm: str = setting("httpfs-proxy", Text(), "The realm that a 401 names.")
    cache_seconds: float = setting(300.0, Seconds(0), (
        "Seconds for which a verified password is remembered (as a keyed hash, in memory), so"
        " that the slow password hash is computed once and not on each request."))
    allow_plain_http: bool = setting(False, Flag(), (
        "Take credentials over plain HTTP from anywhere. Off, they are refused unless the client"
        " is on loopback or a trusted proxy says that the client came by HTTPS."))
    networks: tuple[str, ...] = setting((), NetworkUsers(), (
        "Who a request is from that brings no credentials, by the address it comes from, for"
        " clients that can send none: `127.0.0.0/8=alice`; the smallest network counts. Only for"
        " the dialects of Alluxio (`/api/v1/paths`, `/api/v1/streams`) and AIStore (`/v1`), and not"
        " for browsers. Whoever can reach the gateway from such a network is that user: the log"
        " warns of each."))
    token_max_days: int = setting(365, AtLeast(1), (
        "The longest life in days of a personal access token (`httpfs-proxy tokens`, `/tokens`),"
        " and that of one made without a shorter."))
    lockout_failures: int = setting(5, AtLeast(0), (
        "Failed attempts, per user and per source address, after which attempts are locked"
        " out. 0 turns lockout off."))
    lockout_seconds: float = setting(2.0, Seconds(0.1), (
        "Length of the first lockout; each further failure doubles it."))
    lockout_max_seconds: float = setting(900.0, Seconds(1), "Longest lockout."
                                         " Failures are forgotten after twice this time.")


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How requests reach the gateway and what they may bring."""

    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = setting((), Networks(), (
        "Addresses or networks of reverse proxies whose X-Forwarded-For, -Proto, -Host and -Port"
        " are believed. Anyone else's only tell, as X-Real-IP and Via do, that there is a proxy in"
        " between: its clients do not count as being on this host."))
    certificate_header: str = setting("none", Choice("none", "x-ssl-client-cert", "client-cert"), (
        "The header in which the trusted proxies tell a client's verified certificate:"
        " `x-ssl-client-cert` (PEM, percent-encoded, and X-SSL-Client-Verify: SUCCESS, as"
        " deploy/nginx.conf says it) or `client-cert` (RFC 9440). Every one of them must set it"
        " or take it out of what clients send. `none`: no header is believed."))
    accel: str = setting("", Text(), (
        "Have nginx bring the bytes of large downloads straight from the DataNodes"
        " (X-Accel-Redirect), where it announces itself by this word in X-Gateway-Accel, as"
        " deploy/nginx-accel.conf says it. Choose a long random word: who sends it through a"
        " trusted proxy is told DataNodes' addresses and delegation tokens. Empty is off."))
    public_url: str = setting("", Text(), (
        "The base of URLs in answers (`https://files.example.net`); empty: as the request says."))
    max_body: int = setting(0, AtLeast(0), (
        "Largest request body in bytes, after decompression; more is refused with 413 (by S3 with"
        " EntityTooLarge). 0 is no limit."))
    body_timeout: float = setting(60.0, Seconds(0.1), (
        "Seconds without a byte from a client that is sending a body, after which the upload is"
        " given up and removed."))
    gzip_level: int = setting(1, AtLeast(1, 9), (
        "zlib level of compressed answers, 1 (fast) to 9 (small)."))
    gzip_min: int = setting(1400, AtLeast(0), (
        "JSON answers below this number of bytes are not compressed."))
    metrics_from: tuple[IPv4Network | IPv6Network, ...] = setting(
        ("127.0.0.0/8", "::1/128"), Networks(), (
            "Addresses or networks that may read /metrics without a password."))
    ready_timeout: float = setting(3.0, Seconds(0.1), "Longest answer of /readyz in seconds.")
