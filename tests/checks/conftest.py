"""A configuration that is right but for what a test makes wrong, and what `check` says of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from app.cli import main
from tests.gateway import QUIET_VARIABLES, hashed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

USERS = {"alice": {"hadoop_user": "alice"}}


class Said(NamedTuple):
    """What came of a check; `wrong` and `notes` are its lines of these kinds."""

    code: int
    text: str

    @property
    def wrong(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith("WRONG")]

    @property
    def notes(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith("note")]


class Checked:
    """Writes a configuration below `directory` and checks it."""

    def __init__(
        self, directory: Path, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.directory = directory
        self.config = directory / "gateway.yaml"
        self.users = directory / "users.yaml"
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def users_are(self, users: Mapping[str, Mapping[str, Any]]) -> None:
        self.users.touch(mode=0o600)
        self.users.write_text(yaml.safe_dump({"users": {
            name: {"password": hashed("secret"), **entry} for name, entry in users.items()}}))

    def __call__(
        self, *, backend: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None, arguments: tuple[str, ...] = (),
        **settings: Any,
    ) -> Said:
        """Check a configuration with this section `backend` and these other sections."""
        document = {
            "data_dir": str(self.directory / "data"),
            "backend": {"url": "embedded:", **(backend or {})},
            "auth": {"users_file": str(self.users), **settings.pop("auth", {})},
            "s3": {"keys_file": str(self.directory / "keys.yaml"),
                   "master_key_file": str(self.directory / "keys.master"),
                   **settings.pop("s3", {})},
            **settings}
        self.config.write_text(yaml.safe_dump(document))
        return self.run(environment, arguments)

    def run(
        self, environment: Mapping[str, str] | None = None, arguments: tuple[str, ...] = (),
    ) -> Said:
        """Check the configuration that is there."""
        before = self._listed()
        with self._monkeypatch.context() as patched:
            for name, value in (environment or {}).items():
                patched.setenv(name, value)
            code = main(["--config", str(self.config), "check", "--seconds", "20", *arguments])
        said = Said(code, self._capsys.readouterr().out)
        assert code == (1 if said.wrong else 0)
        assert self._listed() == before, "a check changes nothing"
        return said

    def _listed(self) -> list[tuple[str, int, int]]:
        return sorted((str(each), each.lstat().st_mtime_ns, each.lstat().st_mode)
                      for each in self.directory.rglob("*"))


@pytest.fixture
def checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> Checked:
    """Return a configuration with one user, alice, over the embedded backend."""
    for name in os.environ:
        if name.startswith(QUIET_VARIABLES):
            monkeypatch.delenv(name)
    made = Checked(tmp_path, capsys, monkeypatch)
    made.users_are(USERS)
    (tmp_path / "data").mkdir(mode=0o700)
    return made
