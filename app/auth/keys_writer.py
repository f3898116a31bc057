"""Changes to the access keys file: one at a time, all or nothing.

The master key is made with the first access key, and never again while there are keys that were
sealed with another.
"""

from __future__ import annotations

import os
import secrets
import string
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.auth import private_file
from app.auth.keys_file import (
    AccessKey,
    SealedKey,
    new_master,
    read_keys,
    read_master,
    read_sealed,
    text_of,
)
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.auth.keys_file import MasterKey

ID_ALPHABET = string.ascii_uppercase + string.digits
ID_LENGTH = 20
SECRET_ALPHABET = string.ascii_letters + string.digits
SECRET_LENGTH = 40
"""40 of 62 characters are 238 bits; `+` and `/`, which AWS has too, trip clients up."""


def create_key(file: Path, master_key_file: Path, user: str) -> AccessKey:
    """Add a key of `user` and return it, its secret included. Raises ConfigError and OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    target = file.resolve()  # so that a symbolic link stays one
    with private_file.locked(target):
        known = read_sealed(file)
        master = _master(file, master_key_file, known)
        key = AccessKey(_fresh_id(known), user, _random(SECRET_ALPHABET, SECRET_LENGTH),
                        active=True, created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        sealed = SealedKey(
            user, master.seal(key.key_id, user, key.secret), key.active, key.created)
        private_file.replace(
            target, text_of({**known, key.key_id: sealed}),
            lambda fresh: _check(fresh, master_key_file, key))
    return key


def set_active(file: Path, key_id: str, *, active: bool) -> None:
    """Let a key in or keep it out; works without the master key. Raises ConfigError, OSError."""
    _change(file, key_id, lambda key: key._replace(active=active))


def remove_key(file: Path, key_id: str) -> None:
    """Remove a key; works without the master key. Raises ConfigError and OSError."""
    _change(file, key_id, lambda _: None)


def _change(file: Path, key_id: str, change: Callable[[SealedKey], SealedKey | None]) -> None:
    """Put what `change` makes of a key in its place; None removes it."""
    _known(file, key_id)  # before a lock file is made for nothing
    target = file.resolve()
    with private_file.locked(target):
        known = _known(file, key_id)
        changed = change(known[key_id])
        if changed is None:
            del known[key_id]
        else:
            known[key_id] = changed
        private_file.replace(target, text_of(known), read_sealed)


def _known(file: Path, key_id: str) -> dict[str, SealedKey]:
    known = read_sealed(file)
    if key_id not in known:
        raise ConfigError(file, 0, f"there is no access key '{key_id}'")
    return known


def _check(fresh: Path, master_key_file: Path, key: AccessKey) -> None:
    if read_keys(fresh, master_key_file)[key.key_id] != key:
        raise ConfigError(fresh, 0, "does not give back the new access key")


def _master(file: Path, master_key_file: Path, known: dict[str, SealedKey]) -> MasterKey:
    if not master_key_file.exists():
        if known:
            raise ConfigError(
                master_key_file, 0, f"the master key is missing, and {len(known)} keys in {file}"
                " are sealed with it; restore it, or remove those keys first")
        _make_master(master_key_file)
    return read_master(master_key_file)


def _make_master(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(new_master())
        stream.flush()
        os.fsync(descriptor)
    private_file.sync_directory(file.parent)


def _fresh_id(known: dict[str, SealedKey]) -> str:
    while True:
        key_id = _random(ID_ALPHABET, ID_LENGTH)
        if key_id not in known:
            return key_id


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
