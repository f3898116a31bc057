"""A worker that reads files through the cache until it is killed, and others who count.

Arguments: the disk, the state store, the number of the first file. It prints a line when it is
about to begin.
"""

from __future__ import annotations

import itertools
import random
import sys
from pathlib import Path

from app.cache.read_cache import ReadCache
from app.sections import CacheSettings
from app.state.sqlite import SqliteStore
from tests.cache.conftest import CAPACITY, CHUNK, Upstream, read

FILES = 40
SIZE = 9 * CHUNK + 321


def main(disk: str, store: str, seed: str) -> None:
    """Read for ever."""
    cache = ReadCache(
        CacheSettings(mountpaths=(disk,), capacity=CAPACITY, chunk_size=CHUNK),
        SqliteStore(Path(store)), "one")
    chance = random.Random(int(seed))
    files = [Upstream(SIZE, number=number) for number in range(1, FILES + 1)]
    print("begins", flush=True)
    for turn in itertools.count():
        upstream = chance.choice(files)
        if turn % 7 == 3:
            cache.evict(upstream.key)
        if read(cache, upstream) != upstream.content:
            print("WRONG", flush=True)
        if turn % 10 == 0:
            cache.beat()


if __name__ == "__main__":
    main(*sys.argv[1:])
