"""The file API's contract with the cache on: who reads through it sees no difference."""

from __future__ import annotations

from tests.conftest import BACKENDS
from tests.contract import (
    test_archive,
    test_changed_meanwhile,
    test_changes,
    test_download,
    test_lengths,
    test_paths,
    test_upload,
    test_users,
)

OVER = BACKENDS[:1]
MODULES = (test_archive, test_changed_meanwhile, test_changes, test_download, test_lengths,
           test_paths, test_upload, test_users)
tree, trees, confined = test_archive.tree, test_archive.trees, test_users.confined
globals().update({
    f"{module.__name__.rpartition('.')[2]}_{name.removeprefix('test_')}": test
    for module in MODULES for name, test in vars(module).items() if name.startswith("test_")})
