"""Where a request comes from: what a proxy says, and who is believed."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from app.web.origin import Origin, origin_of

PROXIES = (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"))
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def origin(peer: str, proxies: Any = PROXIES, **headers: str) -> Origin:
    """Return the origin of a request over plain HTTP from `peer`."""
    return origin_of({
        "REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "gw.example.net",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        **{f"HTTP_X_FORWARDED_{name}": value for name, value in headers.items()}}, proxies)


@pytest.mark.parametrize(("forwarded", "address"), [
    ("203.0.113.5", "203.0.113.5"), ("127.0.0.1, 203.0.113.5", "203.0.113.5"),
    ("203.0.113.5, 10.1.1.1", "203.0.113.5"), ("203.0.113.5:1234", "203.0.113.5"),
    ("[2001:db8::5]:1234, 10.1.1.1", "2001:db8::5"), ("[2001:db8::5]", "2001:db8::5"),
    ("2001:db8::5", "2001:db8::5"),
])
def test_the_client_is_the_last_hop_that_is_no_proxy(forwarded: str, address: str) -> None:
    found = origin("127.0.0.1", FOR=forwarded, PROTO="http")
    assert found.address == address
    assert not found.confidential


@pytest.mark.parametrize("forwarded", ["unknown", "_hidden", "127.0.0.1.9", "nonsense, 10.1.1.1"])
def test_a_client_that_the_proxy_does_not_name_is_not_local(forwarded: str) -> None:
    found = origin("127.0.0.1", FOR=forwarded, PROTO="http")
    assert not found.local
    assert not found.confidential
    assert not found.within(LOOPBACK)
    assert origin("127.0.0.1", FOR=forwarded, PROTO="https").confidential


def test_a_local_client_is_local() -> None:
    for found in (origin("127.0.0.1", ()), origin("127.0.0.1"), origin("::1", ()),
                  origin("127.0.0.1", FOR="127.0.0.1")):
        assert found.confidential
        assert found.within(LOOPBACK)


def test_the_client_of_a_local_proxy_that_nobody_configured_is_not_local() -> None:
    found = origin("127.0.0.1", (), FOR="127.0.0.1")
    assert not found.confidential
    assert not found.within(LOOPBACK)


@pytest.mark.parametrize("header", [
    "X_REAL_IP", "X_CLIENT_IP", "X_FORWARDED_PORT", "X_FORWARDED_SERVER", "X_FORWARDED_SSL",
    "TRUE_CLIENT_IP", "CF_CONNECTING_IP", "FORWARDED", "VIA",
])
def test_whatever_a_proxy_writes_its_client_is_not_local(header: str) -> None:
    found = origin_of({
        "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "SERVER_NAME": "gateway",
        "SERVER_PORT": "80", f"HTTP_{header}": "127.0.0.1"}, ())
    assert not found.confidential
    assert found.client is None


def test_other_networks_are_what_they_are() -> None:
    assert origin("192.0.2.7", ()).within((ip_network("192.0.2.0/24"),))
    assert not origin("192.0.2.7", ()).within(LOOPBACK)
    assert not origin("", ()).within(LOOPBACK)


def test_a_proxy_that_forwards_and_names_nobody_has_no_local_client() -> None:
    origin = origin_of({
        "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "SERVER_NAME": "gateway",
        "SERVER_PORT": "80", "HTTP_X_FORWARDED_PROTO": "http",
    }, (ip_network("127.0.0.1/32"),))
    assert not origin.local
    assert not origin.confidential


@pytest.mark.parametrize(("peer", "proxies", "headers", "client"), [
    ("192.0.2.7", (), {}, "192.0.2.7"),
    ("::ffff:192.0.2.7", (), {}, "192.0.2.7"),
    ("127.0.0.1", (), {}, "127.0.0.1"),
    ("fe80::1%eth0", (), {}, "fe80::1"),
    ("10.0.0.9", PROXIES, {"FOR": "192.0.2.7"}, "192.0.2.7"),
    ("10.0.0.9", PROXIES, {"FOR": "127.0.0.1, 192.0.2.7", "PROTO": "https"}, "192.0.2.7"),
    ("127.0.0.1", PROXIES, {"FOR": "127.0.0.1"}, "127.0.0.1"),
    ("", (), {"FOR": "192.0.2.7"}, "192.0.2.7"),
])
def test_a_client_beyond_doubt(
    peer: str, proxies: Any, headers: dict[str, str], client: str,
) -> None:
    assert str(origin(peer, proxies, **headers).client) == client


@pytest.mark.parametrize(("peer", "proxies", "headers"), [
    # A stranger says who it is, or a proxy of which nobody told us.
    ("127.0.0.1", (), {"FOR": "127.0.0.1"}), ("192.0.2.7", (), {"FOR": "192.0.2.7"}),
    ("192.0.2.7", (), {"PROTO": "https"}),
    # A proxy that does not say whom it serves, or in no address.
    ("127.0.0.1", PROXIES, {}), ("10.0.0.9", PROXIES, {}), ("10.0.0.9", PROXIES, {"FOR": ""}),
    ("10.0.0.9", PROXIES, {"PROTO": "https"}), ("10.0.0.9", PROXIES, {"FOR": "unknown"}),
    ("10.0.0.9", PROXIES, {"FOR": "127.0.0.1, x"}),
    # A socket's peer has no address.
    ("", (), {}), ("", (), {"FOR": "unix:"}),
])
def test_a_client_that_may_be_anybody(peer: str, proxies: Any, headers: dict[str, str]) -> None:
    assert origin(peer, proxies, **headers).client is None


def test_a_proxy_is_not_taken_for_the_client_that_it_does_not_name() -> None:
    assert not origin("10.0.0.9", FOR="unknown").within(PROXIES)
    assert origin("10.0.0.9").within(PROXIES)
