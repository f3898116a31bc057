"""The access keys file: what stands in it, and secrets that only the master key opens.

keys:
  HPEXAMPLEKEY00000000:
    user: alice                      # the gateway's user
    secret: "base64"                 # AES-256-GCM: 12 octets of nonce, the text, 16 of tag
    active: true
    created: "2024-05-01T12:00:00Z"

The key id and the user are bound to the text: a secret moved to another entry opens nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.errors import printable
from app.strict_yaml import ConfigError, Document, load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEY_BYTES = 32
NONCE_BYTES = 12
HEADER = """\
# The S3 access keys of the gateway's users. `httpfs-proxy keys create|disable|enable|remove`
# writes this file; comments in it are not kept. The secrets are encrypted with the master key
# (setting s3.master_key_file). The gateway reads the file again within about a second of a change.
"""
_FIELDS = ("user", "secret", "active", "created")
_KEY_ID = re.compile(r"[A-Za-z0-9_]{3,128}")


class AccessKey(NamedTuple):
    """One access key, opened; `created` is in ISO 8601."""

    key_id: str
    user: str
    secret: str
    active: bool
    created: str

    def __repr__(self) -> str:
        """Show no secret: this may end in a log."""
        return f"AccessKey(key_id={self.key_id!r}, user={self.user!r}, active={self.active})"


class SealedKey(NamedTuple):
    """One entry of the file; `secret` is as the file has it."""

    user: str
    secret: str
    active: bool
    created: str


class MasterKey:
    """Seals and opens secrets."""

    def __init__(self, file: Path, key: bytes) -> None:
        self._file = file
        self._cipher = AESGCM(key)

    def seal(self, key_id: str, user: str, secret: str) -> str:
        """Return the secret as the keys file has it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, secret.encode(), _bound(key_id, user))
        return base64.b64encode(nonce + sealed).decode()

    def open(self, key_id: str, key: SealedKey) -> AccessKey:
        """Return the key with its secret. Raises ConfigError where this master key is wrong."""
        sealed = base64.b64decode(key.secret)
        try:
            opened = self._cipher.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(key_id, key.user))
        except (InvalidTag, ValueError) as error:
            raise ConfigError(
                self._file, 0, f"does not open the secret of access key {key_id}: it is not the"
                " master key that it was sealed with, or the entry was changed") from error
        return AccessKey(key_id, key.user, opened.decode(), key.active, key.created)


def read_sealed(file: Path) -> dict[str, SealedKey]:
    """Return the keys of the file by id, none if it is missing. Raises ConfigError."""
    try:
        file.stat()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(file, 0, f"cannot be read: {error.strerror}") from error
    document = load(file)
    data = document.data
    if not isinstance(data, dict) or data.keys() != {"keys"}:
        raise document.error("the file must be a map with the one key 'keys'")
    entries = {} if data["keys"] is None else data["keys"]
    if not isinstance(entries, dict):
        raise document.error("'keys' must be a map of access key ids", "keys")
    return {key_id: _sealed(document, key_id, entry) for key_id, entry in entries.items()}


def read_master(file: Path) -> MasterKey:
    """Return the master key. Raises ConfigError where it is missing or is none."""
    try:
        key = base64.b64decode(file.read_bytes().strip(), validate=True)
    except OSError as error:
        raise ConfigError(
            file, 0, f"the master key of the access keys cannot be read: {error.strerror}"
            " (setting s3.master_key_file)") from error
    except binascii.Error as error:
        raise ConfigError(file, 0, "is no master key: not Base64") from error
    if len(key) != KEY_BYTES:
        raise ConfigError(file, 0, f"is no master key: {len(key)} octets, not {KEY_BYTES}")
    return MasterKey(file, key)


def read_keys(file: Path, master_key_file: Path) -> dict[str, AccessKey]:
    """Return the opened keys of the file by id. Raises ConfigError for the first thing wrong."""
    sealed = read_sealed(file)
    if not sealed:
        return {}
    master = read_master(master_key_file)
    return {key_id: master.open(key_id, key) for key_id, key in sealed.items()}


def new_master() -> str:
    """Return the text of a new master key file."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n"


def text_of(keys: Mapping[str, SealedKey]) -> str:
    """Return the text of a keys file with these keys, in their order."""
    entries = {key_id: key._asdict() for key_id, key in keys.items()}
    return HEADER + yaml.safe_dump({"keys": entries}, sort_keys=False)


def _sealed(document: Document, key_id: str, entry: Any) -> SealedKey:
    def fault(problem: str, *keys: str) -> ConfigError:
        return document.error(
            f"access key '{printable(key_id)}': {problem}", "keys", key_id, *keys)

    if not _KEY_ID.fullmatch(key_id):
        raise fault("an id has 3 to 128 letters, digits and '_'")
    if not isinstance(entry, dict) or entry.keys() != set(_FIELDS):
        raise fault(f"must be a map of {', '.join(_FIELDS)}")
    for name in ("user", "secret", "created"):
        if not isinstance(entry[name], str) or not entry[name]:
            raise fault(f"{name} must be text, in quotes", name)
    if not isinstance(entry["active"], bool):
        raise fault("active must be true or false", "active")
    try:
        base64.b64decode(entry["secret"], validate=True)
    except ValueError as error:
        raise fault("secret is not Base64", "secret") from error
    return SealedKey(*(entry[name] for name in _FIELDS))


def _bound(key_id: str, user: str) -> bytes:
    return f"{key_id}:{user}".encode()
