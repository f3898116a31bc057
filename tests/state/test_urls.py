"""How a URL names a store on a server, and what is said about one that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.state import open_store, shown
from app.state.server_url import parse
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cr3t"


def test_all_parts_are_decoded() -> None:
    url = parse("redis://us%40er:p%2Fa%25s@[::1]:77/d%20b?prefix=a%2Fb", port=1,
                options=("prefix",))
    assert url[:6] == ("redis", "::1", 77, "us@er", "p/a%s", "d b")
    assert url.options == {"prefix": "a/b"}
    assert url.shown == "redis://[::1]:77/d b"


def test_what_is_absent_is_empty_but_for_the_port() -> None:
    assert parse("redis://Host", port=6379, options=())[:6] == ("redis", "host", 6379, "", "", "")


def test_neither_text_nor_representation_shows_who_comes() -> None:
    url = parse(f"redis://me:{SECRET}@host/0", port=6379, options=())
    assert SECRET not in f"{url!r} {url} {url.shown}"


def test_every_store_is_opened_before_its_server_is_there(tmp_path: Path) -> None:
    for url in ("redis://host", "redis://:pw@host:1/15?prefix=a.b_C-1", "rediss://u:p@host/0",
                "postgresql://u:p@host/db", "postgresql://u@host:1/db?sslmode=require",
                "postgresql://u:p@host/db?sslmode=disable"):
        open_store(url, tmp_path)


@pytest.mark.parametrize(("url", "problem"), [
    ("redis://", "names no host"),
    (f"redis://:{SECRET}@", "names no host"),
    (f"redis://:{SECRET}@host:port", "cannot be read"),
    (f"redis://:{SECRET}/x@host", "cannot be read"),
    (f"redis://:1/{SECRET}@host", "names no host"),
    (f"redis://me:1#{SECRET}@host", "has a # or a second @"),
    (f"redis://:{SECRET}@@host", "has a # or a second @"),
    (f"postgresql://me:a@{SECRET}@host/db", "has a # or a second @"),
    (f"redis://:{SECRET}@[host", "cannot be read"),
    (f"redis://:{SECRET}\u2100@host", "cannot be read"),
    (f"redis://:{SECRET}@host/zero", "is a number"),
    (f"redis://:{SECRET}@host/0/1", "is a number"),
    (f"redis://:{SECRET}@host/0?password={SECRET}", "takes the options prefix, ssl_ca_certs"),
    (f"redis://:{SECRET}@host/0?{SECRET}", "cannot be read"),
    (f"redis://:{SECRET}@host/0?prefix=a&prefix=b", "each once"),
    (f"redis://:{SECRET}@host/0?prefix=", "prefix of Redis keys"),
    (f"redis://:{SECRET}@host/0?prefix=a:b", "prefix of Redis keys"),
    (f"postgresql://host/db?x={SECRET}", "takes the options sslmode, sslrootcert"),
    (f"postgresql://:{SECRET}@host/db", "names a user and a database"),
    (f"postgresql://me:{SECRET}@host", "names a user and a database"),
    (f"postgresql://me:{SECRET}@host/db?sslmode=prefer", "disable, require, verify-full"),
    (f"postgresql://me:{SECRET}@host/db?sslrootcert=/nowhere", "sslrootcert cannot be read"),
    (f"postgres://me:{SECRET}@host/db", "is no state store"),
    (f"mysql://me:{SECRET}@host/db", "is no state store"),
    (f"redis:{SECRET}", "is no state store"),
])
def test_what_is_wrong_is_told_without_the_password(
    tmp_path: Path, url: str, problem: str,
) -> None:
    with pytest.raises(ConfigError, match="setting state_url") as caught:
        open_store(url, tmp_path)
    assert problem in str(caught.value)
    seen = caught.getrepr(style="short").reprcrash
    assert SECRET not in f"{caught.value} {caught.value!r} {seen}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_only_urls_without_room_for_a_password_are_shown() -> None:
    assert shown("sqlite:///some/file") == "sqlite:///some/file"
    assert shown(f"redis://:{SECRET}@host/0") == "redis:…"
    assert shown("") == ""
