"""The part of the file API's contract that reads, with the cache on before a real HDFS."""

from __future__ import annotations

from tests.conftest import BACKENDS
from tests.contract import test_archive, test_changed_meanwhile, test_download, test_lengths

OVER = BACKENDS[1:]
MODULES = (test_archive, test_changed_meanwhile, test_download, test_lengths)
tree, trees = test_archive.tree, test_archive.trees
globals().update({
    f"{module.__name__.rpartition('.')[2]}_{name.removeprefix('test_')}": test
    for module in MODULES for name, test in vars(module).items() if name.startswith("test_")})
