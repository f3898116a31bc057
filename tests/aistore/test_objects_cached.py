"""With a read cache: whether an object is in it, and letting go of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.aistore.conftest import ROOT, AIStore, error_of, furnished, world_in
from tests.conftest import BACKENDS, backend_options
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway import Gateway

CHUNK = 64 * 1024
CONTENT = bytes(range(256)) * (4 * CHUNK // 256)


@pytest.fixture(scope="module", params=BACKENDS)
def caching_gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway with a cache of small chunks over each kind of backend in turn."""
    directory = tmp_path_factory.mktemp("caching")
    cache = {"mountpaths": [str(directory / "disk")], "chunk_size": CHUNK}
    yield from world_in(directory, settings={"cache": cache},
                        **backend_options(request, request.param))


@pytest.fixture
def cached(caching_gateway: Gateway) -> AIStore:
    """Return a client whose bucket has the object `obj`."""
    ais = furnished(caching_gateway, "bck")
    ais.put("bck", "obj", CONTENT)
    return ais


def is_cached(ais: AIStore, key: str = "obj") -> bool:
    """Tell whether all of an object is cached."""
    answer = ais.object("HEAD", "bck", key, check_cached="True")
    if answer.status_code == 404:
        assert error_of(answer, 404) == (
            f"bck/{key} is not in this gateway's cache, or not all of it")
        assert ais.object("HEAD", "bck", key).status_code == 200
        return False
    assert answer.status_code == 200, answer.headers
    assert answer.headers["Objsize"] == str(len(CONTENT))
    return True


def test_what_was_read_is_cached_until_it_is_evicted(cached: AIStore) -> None:
    ais = cached
    assert not is_cached(ais)
    for _ in range(2):
        assert ais.get("bck", "obj") == CONTENT
        wait_for("the object in the cache", lambda: is_cached(ais))
        assert ais.get("bck", "obj", offset=CHUNK - 5, length=10) == CONTENT[CHUNK - 5:CHUNK + 5]
        for action in ("evictobjects", "evictobj"):
            done = ais.object("DELETE", "bck", "obj", {"action": action})
            assert (done.status_code, done.content) == (200, b"")
            assert not is_cached(ais)
    assert ais.get("bck", "obj") == CONTENT


def test_a_part_is_not_all_of_it(cached: AIStore) -> None:
    ais = cached
    assert ais.get("bck", "obj", headers={"Range": "bytes=0-9"}) == CONTENT[:10]
    assert not is_cached(ais)
    assert ais.get("bck", "obj") == CONTENT
    wait_for("the object in the cache", lambda: is_cached(ais))


def test_another_version_is_not_cached_and_another_name_is(cached: AIStore) -> None:
    ais = cached
    assert ais.get("bck", "obj") == CONTENT
    wait_for("the object in the cache", lambda: is_cached(ais))
    done = ais.object("POST", "bck", "obj", {"action": "rename", "name": "renamed"})
    assert done.status_code == 200, done.text
    assert is_cached(ais, "renamed")
    changed = CONTENT[::-1]
    ais.put("bck", "renamed", changed)
    assert not is_cached(ais, "renamed")
    assert ais.get("bck", "renamed") == changed


def test_who_may_not_read_is_told_nothing_from_the_cache(cached: AIStore) -> None:
    ais = cached
    guest = ais.as_user("guest")
    assert guest.get("bck", "obj") == CONTENT
    wait_for("the object in the cache", lambda: is_cached(ais))
    private = ais.gateway.request("PUT", "/f/file/permission", params={
        "path": f"{ROOT}/bck/obj", "permission": "600"})
    assert private.status_code == 204, private.text
    error_of(guest.object("GET", "bck", "obj"), 403)
    error_of(guest.object("HEAD", "bck", "obj", check_cached="True"), 403)
    error_of(guest.object("DELETE", "bck", "obj", {"action": "evictobj"}), 403)
    assert is_cached(ais)
    reader = ais.as_user("reader")
    assert reader.object("DELETE", "bck", "obj", {"action": "evictobj"}).status_code == 200
    assert not is_cached(ais)


def test_an_empty_object_needs_no_cache(cached: AIStore) -> None:
    ais = cached
    ais.put("bck", "empty", b"")
    error_of(ais.object("HEAD", "bck", "empty", check_cached="True"), 404)
    assert ais.object("DELETE", "bck", "empty", {"action": "evictobj"}).status_code == 200
    assert ais.get("bck", "empty") == b""
    error_of(ais.object("HEAD", "bck", "no", check_cached="True"), 404)
