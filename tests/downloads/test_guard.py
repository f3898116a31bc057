"""Which hosts and addresses may be downloaded from."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.download_errors import DownloadsDisabled, SourceAway, SourceFault, SourceRefused
from app.downloads.guard import Guard, why_not_public
from app.downloads.links import parse_link
from app.setting_types import Hosts

if TYPE_CHECKING:
    from collections.abc import Sequence

PUBLIC = ("93.184.216.34", "2606:2800:21f:cb07::1")
NOT_PUBLIC = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192",
    "192.168.1.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:10.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:1::1",
    "2001:0:7f00:1::1", "2001:db8::1", "fd00:ec2::254", "fc00::1", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1", "100::1", "5f00::1", "3fff::1",
)


def guard(*hosts: str, private: Sequence[str] = (), names: dict[str, list[str]] | None = None,
          ) -> Guard:
    known = names or {}
    return Guard(hosts, [ip_network(one) for one in private], lambda host, _: known.get(host, []))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_public_is_refused_by_whatever_name(address: str) -> None:
    assert why_not_public(ip_address(address))
    named = guard("a.example", names={"a.example": [address]})
    with pytest.raises(SourceRefused):
        named.addresses(parse_link("http://a.example/"))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_not(address: str) -> None:
    named = guard("a.example", names={"a.example": [address]})
    assert named.addresses(parse_link("http://a.example/")) == [address]


def test_ipv4_over_nat64_is_what_it_is() -> None:
    named = guard("a.example", names={"a.example": ["64:ff9b::5db8:d822"]})
    assert named.addresses(parse_link("http://a.example/")) == ["64:ff9b::5db8:d822"]


def test_one_inner_address_among_many_is_enough_to_refuse() -> None:
    named = guard("a.example", names={"a.example": [*PUBLIC, "10.0.0.1"]})
    with pytest.raises(SourceRefused, match=r"10\.0\.0\.1"):
        named.addresses(parse_link("http://a.example/"))


def test_private_networks_open_what_they_name_and_no_more() -> None:
    inner = guard("a.example", "b.example", private=["10.1.0.0/16", "fd00:1::/64"], names={
        "a.example": ["10.1.2.3", "::ffff:10.1.2.4", "fd00:1::5"], "b.example": ["10.2.0.1"]})
    assert inner.addresses(parse_link("http://a.example/")) == [
        "10.1.2.3", "10.1.2.4", "fd00:1::5"]
    with pytest.raises(SourceRefused):
        inner.addresses(parse_link("http://b.example/"))


def test_an_address_in_a_link_is_a_host_like_others() -> None:
    with pytest.raises(SourceRefused, match=r"download\.hosts"):
        guard("a.example").addresses(parse_link("http://93.184.216.34/"))
    with pytest.raises(SourceRefused, match="private_networks"):
        guard("127.0.0.1").addresses(parse_link("http://127.0.0.1/"))
    assert guard("127.0.0.1:81", "[::1]:82", private=["127.0.0.0/8", "::1/128"]).addresses(
        parse_link("http://[::1]:82/")) == ["::1"]


@pytest.mark.parametrize(("pattern", "link", "allowed"), [
    ("a.example", "http://a.example/", True), ("a.example", "https://a.example/", True),
    ("a.example", "http://A.EXAMPLE./", True), ("A.Example.", "http://a.example/", True),
    ("a.example", "http://a.example:443/", True), ("a.example", "http://a.example:8080/", False),
    ("a.example:8080", "http://a.example:8080/", True),
    ("a.example:8080", "http://a.example/", False),
    ("a.example", "http://b.a.example/", False), ("a.example", "http://aa.example/", False),
    ("a.example", "http://a.example.evil/", False),
    ("*.a.example", "http://b.a.example/", True), ("*.a.example", "http://c.b.a.example/", True),
    ("*.a.example", "http://a.example/", False), ("*.a.example", "http://ba.example/", False),
    ("*.a.example:81", "http://b.a.example:81/", True),
    ("*.0.0.1", "http://127.0.0.1/", False),
    ("xn--bcher-kva.example", "http://bücher.example/", True),
])
def test_hosts(pattern: str, link: str, *, allowed: bool) -> None:
    one = guard(pattern)
    if allowed:
        one.check_host(parse_link(link))
    else:
        with pytest.raises(SourceRefused):
            one.check_host(parse_link(link))


def test_without_hosts_downloads_are_off() -> None:
    with pytest.raises(DownloadsDisabled, match=r"download\.hosts"):
        guard().addresses(parse_link("http://a.example/"))


def test_a_name_without_an_address() -> None:
    with pytest.raises(SourceAway):
        guard("a.example").addresses(parse_link("http://a.example/"))
    with pytest.raises(SourceAway):
        Guard(["nowhere.invalid"], []).addresses(parse_link("http://nowhere.invalid/"))


def test_an_answer_of_the_resolver_that_is_none() -> None:
    with pytest.raises(SourceFault):
        guard("a.example", names={"a.example": ["nonsense"]}).addresses(
            parse_link("http://a.example/"))


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public(address: object) -> None:
    found = ip_address(str(address))
    if found.is_private or found.is_loopback or found.is_multicast or found.is_link_local:
        assert why_not_public(found)


@pytest.mark.parametrize("text", [
    "a.example", "*.a.example:8080", "192.0.2.7:1", "[::1]", "[2001:db8::7]:65535"])
def test_hosts_in_the_settings(text: str) -> None:
    assert Hosts().parse([text]) == (text,)
    Guard([text], [])


@pytest.mark.parametrize("text", [
    "", "*", "http://a", "a/b", "a:0", "a:65536", "a:x", "[:::]", "[::1", "[::1]:0", "[::1]:65536",
    "[127.0.0.1]", "a.*.b", "u@a", "::1"])
def test_hosts_that_the_settings_do_not_take(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Hosts().parse([text])
