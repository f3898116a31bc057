"""What nginx is told of a download that it is to bring, and when it is told nothing."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from werkzeug import Response

from app.web import accel
from app.web.exchange import Exchange, begin

WORD = "the-word"
URL = "http://127.0.0.1:9864/webhdfs/v1/.reserved/.inodes/1?op=OPEN&delegation=x%20y&offset=0"
PROXIES = (ip_network("127.0.0.1"),)


def exchange(peer: str = "127.0.0.1", **environ: str) -> Exchange:
    return begin({
        "REQUEST_METHOD": "GET", "REMOTE_ADDR": peer, "wsgi.url_scheme": "http",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "files.example.net",
        accel.ANNOUNCED: WORD, **environ}, PROXIES)


def asked(
    request: Exchange, *, url: str = URL, word: str = WORD, length: int = accel.WORTH,
    **headers: str,
) -> accel.Handover | None:
    """Return what is handed over of a request."""
    response = Response(headers={"ETag": '"x"', **headers})
    done = accel.handed_over(request, word, response, length, lambda: url)
    assert done is (request.handover is not None)
    return request.handover


def test_the_datanodes_url_is_told_to_the_letter() -> None:
    assert asked(exchange()) == accel.Handover(
        URL, "127.0.0.1:9864", "127.0.0.1", accel.WORTH)


@pytest.mark.parametrize(("authority", "address", "host"), [
    ("localhost:9864", ("127.0.0.1:9864", "[::1]:9864"), "localhost"),
    ("[::1]:9864", ("[::1]:9864",), "::1"),
    ("192.0.2.7", ("192.0.2.7:80",), "192.0.2.7"),
])
def test_names_are_looked_up_and_stay_known(
    authority: str, address: tuple[str, ...], host: str,
) -> None:
    told = asked(exchange(), url=f"http://{authority}/webhdfs/v1/x?op=OPEN")
    assert told
    assert told.url in [f"http://{one}/webhdfs/v1/x?op=OPEN" for one in address]
    assert (told.authority, told.host) == (authority, host)


def test_https_stays_https() -> None:
    told = asked(exchange(), url="https://127.0.0.1/x")
    assert told
    assert told.url == "https://127.0.0.1:443/x"


@pytest.mark.parametrize("options", [
    {"word": ""}, {"word": "another"}, {"length": accel.WORTH - 1}, {"url": ""},
    {"url": "http://no-such-name.invalid:1/"}, {"x-amz-meta-who": "me"},
    {"Access-Control-Allow-Origin": "*"},
], ids=str)
def test_some_answers_are_not_handed_over(options: dict[str, Any]) -> None:
    assert asked(exchange(), **options) is None


@pytest.mark.parametrize("environ", [
    {"REQUEST_METHOD": "HEAD"}, {"HTTP_ORIGIN": "https://elsewhere.example.com"},
    {"CONTENT_LENGTH": "5"}, {"HTTP_TRANSFER_ENCODING": "chunked"},
    {accel.ANNOUNCED: ""}, {accel.ANNOUNCED: "the-wor\xe4"}, {"peer": "192.0.2.1"},
], ids=str)
def test_nor_are_those_to_some_requests(environ: dict[str, str]) -> None:
    assert asked(exchange(**environ)) is None


def test_a_body_without_a_byte_is_no_body() -> None:
    assert asked(exchange(CONTENT_LENGTH="0"))


def test_nothing_of_the_head_is_in_nginxs_own_words() -> None:
    """Whatever nginx would add by itself to a second answer comes under another name."""
    told = asked(exchange())
    assert told
    head = accel.rewritten([
        ("Content-Length", "5"), ("ETag", '"x"'), ("Vary", "Accept-Encoding"), ("Vary", "Origin"),
        ("Cache-Control", "no-cache"), ("Strict-Transport-Security", "max-age=1"),
    ], told)
    assert head == [
        ("X-Accel-Redirect", "@httpfs_proxy_accel"), ("X-Gateway-Datanode", URL),
        ("X-Gateway-Datanode-Authority", "127.0.0.1:9864"),
        ("X-Gateway-Datanode-Host", "127.0.0.1"), ("Content-Length", "0"),
        ("X-Gateway-ETag", '"x"'), ("X-Gateway-Vary", "Accept-Encoding, Origin"),
        ("X-Gateway-Cache-Control", "no-cache")]
