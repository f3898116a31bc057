"""URLs behind a proxy that ends TLS: those by which the client knows the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.auth.hadoop_token import from_url_string
from tests.gateway import PASSWORD, Gateway
from tests.webhdfs.client import PREFIX, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.webhdfs.client import Answer

FORWARDED = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https",
             "X-Forwarded-Host": "files.example.com"}


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("proxied"), workers=1,
                 settings={"web": {"trusted_proxies": ["127.0.0.1/32"]}}) as gateway:
        yield gateway


def ask(gateway: Gateway, method: str, target: str) -> Answer:
    client = Client(gateway.url)
    return client.send(method, f"{gateway.url}{PREFIX}{target}", headers=FORWARDED,
                       auth=("someone", PASSWORD))


@pytest.mark.gunicorn
def test_the_second_step_goes_through_the_proxy(proxied: Gateway) -> None:
    location = ask(proxied, "PUT", "/tmp/f?op=CREATE&permission=600").headers["Location"]
    assert location.startswith(
        "https://files.example.com/webhdfs/v1/tmp/f?op=CREATE&permission=600&data=true&ticket=")


@pytest.mark.gunicorn
def test_tokens_are_of_the_clients_scheme_and_host(proxied: Gateway) -> None:
    answer = ask(proxied, "GET", "/?op=GETDELEGATIONTOKEN")
    token = from_url_string(answer.json["Token"]["urlString"])
    assert (token.kind, token.service) == ("SWEBHDFS delegation", "files.example.com:443")
