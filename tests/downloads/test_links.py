"""A link is read in one way or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.download_errors import InvalidLink
from app.downloads.links import Link, object_name, parse_link


@pytest.mark.parametrize(("text", "link"), [
    ("http://data.example.net/a/b.gz", Link("http", "data.example.net", 80, "/a/b.gz")),
    ("HTTPS://Data.Example.NET", Link("https", "data.example.net", 443, "/")),
    ("data.example.net/a", Link("http", "data.example.net", 80, "/a")),
    ("data.example.net:8080", Link("http", "data.example.net", 8080, "/")),
    ("data.example.net/a?u=https://other/", Link("http", "data.example.net", 80,
                                                 "/a?u=https://other/")),
    ("http://data.example.net./a", Link("http", "data.example.net", 80, "/a")),
    ("http://a/b?c=d&e=%2F#f", Link("http", "a", 80, "/b?c=d&e=%2F")),
    ("http://a?b", Link("http", "a", 80, "/?b")),
    ("http://192.0.2.7:81/x", Link("http", "192.0.2.7", 81, "/x")),
    ("http://[2001:DB8::1]:81/x", Link("http", "2001:db8::1", 81, "/x")),
    ("http://[::ffff:127.0.0.1]/", Link("http", "::ffff:7f00:1", 80, "/")),
    ("http://a/é/ü?ß", Link("http", "a", 80, "/%C3%A9/%C3%BC?%C3%9F")),
    ("http://bücher.example/", Link("http", "xn--bcher-kva.example", 80, "/")),
    ("http://my_bucket.example/", Link("http", "my_bucket.example", 80, "/")),
    ("http://a/x@y:z", Link("http", "a", 80, "/x@y:z")),
])
def test_what_a_link_says(text: str, link: Link) -> None:
    found = parse_link(text)
    assert found == link._replace(host=found.host)
    assert found.address == link.address if link.address else found.host == link.host


@pytest.mark.parametrize("text", [
    "", "http://", "http:///etc/passwd", "file:///etc/passwd", "ftp://a/b", "gopher://a:70/1",
    "http:/a", "javascript://a",
    # Credentials, in every place where a parser may see them.
    "http://user@a/", "http://user:word@a/", "http://a@b@c/", "http://a%40b/", "http://@a/",
    # Two parsers, two hosts.
    "http://a\\@b/", "http://a/\\b", "http://a b/", "http://a\tb/", "http://a\r\nHost: b/",
    "http://a\u200bb/", "http://a\u3000b/", "http://a\x00b/", "http://a%2eb/", "http://a%00/",
    "http://a:80:90/", "http://a:/", "http://a:0/", "http://a:65536/", "http://a:-1/",
    "http://a:8o/", "http://a:٨٠/", "http://[::1", "http://::1/", "http://[127.0.0.1]/",
    "http://[a]/", "http://x[::1]/", "http://[::1]x/",
    # An address of one link only.
    "http://[fe80::1%eth0]/", "http://[fe80::1%25eth0]/",
    # Other spellings of 127.0.0.1 and kin.
    "http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://127.1/",
    "http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://127.0.0.01/", "http://127.0.0.1./",
    "http://127.0.0.0x1/", "http://1.2.3.4.5/", "http://256.1.1.1/", "http://0/",
    "http://a.1/", "http://a.0x7f/",
    # Names that are none.
    "http://a..b/", "http://.a/", "http://-a/", "http://a-/", "http://a,b/", "http://*.a/",
    "http://fa\u00df.example/", "http://\u03c2.example/", f"http://{'a' * 64}/",
    f"http://{'a.' * 130}a/", "http://a../",
    f"http://a/{'b' * 4096}", "http://a/\ud800",
])
def test_what_could_be_read_in_two_ways_is_no_link(text: str) -> None:
    with pytest.raises(InvalidLink):
        parse_link(text)


@pytest.mark.parametrize("text", [
    "http://\uff11\uff12\uff17.0.0.1/", "http://\u2460\u2461\u2466.0.0.1/",
    "http://127\u30020\u30020\u30021/", "http://127\uff0e0\uff0e0\uff0e1/",
])
def test_digits_of_other_scripts_are_no_way_round(text: str) -> None:
    with pytest.raises(InvalidLink):
        parse_link(text)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(InvalidLink) as raised:
        parse_link("http://me:opensesame@a/")
    assert "opensesame" not in str(raised.value)


@pytest.mark.parametrize(("text", "name"), [
    ("http://a/b/c.tgz", "c.tgz"), ("a/c.tgz?sig=1/2", "c.tgz"), ("http://a/b%20c", "b c"),
    ("http://a/x%2Fy", "y"), ("http://a/é", "é"),
])
def test_an_object_is_called_as_the_last_part(text: str, name: str) -> None:
    assert object_name(text) == name


@pytest.mark.parametrize("text", [
    "http://a", "http://a/", "http://a/b/", "http://a/..", "http://a/%2e%2e", "http://a/%2F",
    "http://a/%ff",
])
def test_without_a_last_part_there_is_no_name(text: str) -> None:
    with pytest.raises(InvalidLink):
        object_name(text)


def test_a_redirect_is_read_like_a_link() -> None:
    link = parse_link("https://a.example:8443/b/c?d=1")
    assert str(link.joined("e")) == "https://a.example:8443/b/e"
    assert str(link.joined("//b.example/f")) == "https://b.example/f"
    assert link.joined("http://[::1]/").host == "::1"
    for location in ("http://user:word@b/", "file:///etc/passwd", "http://2130706433/",
                     "/a b", "//b\\@c/"):
        with pytest.raises(InvalidLink):
            link.joined(location)


@given(st.text(max_size=40))
def test_whatever_is_taken_has_a_plain_host(text: str) -> None:
    try:
        link = parse_link(text)
    except InvalidLink:
        return
    assert link.scheme in ("http", "https")
    assert link.host
    assert link.host.isascii()
    assert not set(link.host) & set(" @/\\?#%[]\r\n\t")
    assert link.target.startswith("/")
    assert link.target.isascii()
    assert not set(link.target) & set(" \r\n\t#")
    assert parse_link(f"{link.scheme}://{link.authority}{link.target}") == link
