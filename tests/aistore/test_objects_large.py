"""Objects of any size at constant memory: 256 MiB up and down."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.aistore.conftest import AIStore, furnished, world_in
from tests.conftest import backend_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = [pytest.mark.slow, pytest.mark.gunicorn]

MIB = 1 << 20
PIECE = hashlib.shake_256(b"a piece of an object").digest(MIB)
GROWTH = 64 * MIB


@pytest.fixture(scope="module", params=[
    "embedded", pytest.param("namenode", marks=pytest.mark.hadoop)])
def large(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[AIStore]:
    """Yield a client on a backend, its bucket removed afterwards: disks are finite."""
    options = backend_options(request, request.param)
    for gateway in world_in(tmp_path_factory.mktemp("large"), **options):
        yield furnished(gateway, "bck")
        furnished(gateway)


def content(mib: int) -> Iterator[bytes]:
    """Yield pieces of which no two are the same."""
    for number in range(mib):
        yield b"%016d" % number + PIECE[16:]


def up_and_down(ais: AIStore, mib: int) -> int:
    """Put and get so much; return the most memory that the gateway had meanwhile."""
    peak = 0

    def watched(pieces: Iterable[bytes], digest: Any) -> Iterator[bytes]:
        nonlocal peak
        for number, piece in enumerate(pieces):
            digest.update(piece)
            if number % 16 == 0:
                peak = max(peak, ais.gateway.memory())
            yield piece

    sent, got = hashlib.md5(), hashlib.md5()
    ais.put("bck", "large", watched(content(mib), sent))
    answer = ais.object("GET", "bck", "large", stream=True)
    assert answer.headers["Content-Length"] == str(mib * MIB)
    assert answer.headers["ETag"] == f'"{sent.hexdigest()}"'
    for _ in watched(answer.iter_content(MIB), got):
        pass
    assert got.digest() == sent.digest()
    assert ais.object("DELETE", "bck", "large").status_code == 200
    return peak


def test_an_object_at_constant_memory(large: AIStore) -> None:
    up_and_down(large, 32)
    before = large.gateway.memory()
    assert up_and_down(large, 256) - before < GROWTH
