"""Password hashes: argon2id for new ones, those of other systems accepted and found outdated."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from passlib.context import CryptContext

from app.offload import Offload

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

SCHEMES = ("argon2", "bcrypt", "scrypt", "pbkdf2_sha256", "pbkdf2_sha512", "sha512_crypt")
"""passlib's names; the first one is for new hashes, the others are replaced at a login."""

MAX_BYTES = 4096
BCRYPT_BYTES = 72
"""What bcrypt ever looked at; its library refuses more instead of ignoring it."""

WIDTH = max(1, min(4, os.cpu_count() or 1))
"""Hashes computed at once by a worker: each takes a processor, and argon2 64 MiB."""

CONTEXT = CryptContext(schemes=list(SCHEMES), deprecated="auto")


def fault_in_hash(text: str) -> str | None:
    """Say why `text` is no hash that passwords can be checked against, or None if it is one."""
    scheme = CONTEXT.identify(text)
    if scheme is None:
        return f"the password is not a hash of {', '.join(SCHEMES)}"
    try:
        parsed = CONTEXT.handler(scheme).from_string(text)
    except (ValueError, TypeError) as error:
        return f"the password is not a whole {scheme} hash ({error})"
    return None if parsed.checksum else f"the {scheme} hash of the password has no checksum"


def scheme_of(text: str) -> str:
    """Return passlib's name for the scheme of a hash, "?" where there is none."""
    return str(CONTEXT.identify(text) or "?")


def fault_in_password(password: str) -> str | None:
    """Say why nobody can have this password, or None."""
    if not password:
        return "a password must not be empty"
    if any(character < " " or character == "\x7f" for character in password):
        return "a password must not contain control characters"
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        return "a password must be valid Unicode"
    if size > MAX_BYTES:
        return f"a password has at most {MAX_BYTES} bytes, this one has {size}"
    return None


class Passwords:
    """Computes and checks hashes, without holding up other requests of a gevent worker."""

    def __init__(self, context: CryptContext = CONTEXT, width: int = WIDTH) -> None:
        self._context = context
        self._offload = Offload(width)
        self._nobodys_hash = _hash_of_nothing(context)

    def slot(self) -> AbstractContextManager[object]:
        """Return what to hold around `verify` or `hash`; it bounds how many run at once."""
        return self._offload.slot()

    def hash(self, password: str) -> str:
        """Return a new hash of the default scheme."""
        return str(self._offload.run(self._context.hash, password))

    def verify(self, password: str, password_hash: str | None) -> bool:
        """Tell whether the password is right; without a hash take as long and say no."""
        if fault_in_password(password):
            return False
        secret = password.encode()
        if password_hash and scheme_of(password_hash) == "bcrypt":
            secret = secret[:BCRYPT_BYTES]
        right = self._offload.run(
            self._context.verify, secret, password_hash or self._nobodys_hash)
        return bool(right) and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether a hash is of an old scheme or cheaper than new ones are."""
        return bool(self._context.needs_update(password_hash))


def _hash_of_nothing(context: CryptContext) -> str:
    """Return a hash of the default scheme, at its cost, that no password is known for."""
    handler = context.handler()
    unknown = handler(
        salt=secrets.token_bytes(16), checksum=secrets.token_bytes(32), use_defaults=True)
    return str(unknown.to_string())
