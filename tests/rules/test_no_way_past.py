"""Nobody asks a cluster as a user's Hadoop user but through the rules of that user."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from app.fs.port import FileSystem
from app.fs.ruled_file_system import RuledFileSystem

APP = Path(__file__).parents[2] / "app"
ALLOWED = {
    "app/web/services.py": "it is where the rules come in",
    "app/fs/mounted.py": "below the rules", "app/fs/mounted_routes.py": "below the rules",
    "app/cache/backend.py": "below the rules",
    "app/fs/mounting.py": "admins' mounts, which are judged by their two paths",
    "app/fs/staging.py": "the gateway's own hidden names",
    "app/fs/stream_sweep.py": "the gateway's own hidden names",
    "app/fs/upload_sweep.py": "the gateway's own hidden names",
    "app/fs/lifetime_sweep.py": "it asks for the rules of the owner of a ttl",
}
PATHLESS = {"home", "trash_interval", "storage", "flavor_of", "mount_of"}


def test_the_port_is_asked_for_at_one_place() -> None:
    found = {
        str(file.relative_to(APP.parent)) for file in APP.rglob("*.py")
        if any(isinstance(node, ast.Attribute) and node.attr == "as_user"
               for node in ast.walk(ast.parse(file.read_text())))}
    assert found - {"app/checks"} - {one for one in found if one.startswith("app/checks/")} == set(
        ALLOWED)


def test_each_method_of_the_port_that_has_a_path_is_judged() -> None:
    """None is handed on by chance: each is written down, and asks the judge."""
    for name, method in inspect.getmembers(FileSystem, inspect.isfunction):
        if name.startswith("_") or name in PATHLESS:
            continue
        own = vars(RuledFileSystem).get(name)
        assert own is not None, name
        source = inspect.getsource(own)
        assert "self._judge." in source or "self._check_xattr(" in source, name
        assert list(inspect.signature(own).parameters) == list(
            inspect.signature(method).parameters), name
