"""Hashes: which are accepted, which are outdated, and that nobody's takes as long as anyone's."""

from __future__ import annotations

import pytest
from passlib.hash import argon2

from app.auth.passwords import (
    CONTEXT,
    MAX_BYTES,
    SCHEMES,
    Passwords,
    fault_in_hash,
    fault_in_password,
    scheme_of,
)

from .conftest import CHEAP, scheme_hash


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(CHEAP)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("password", ["right", "pässwörd 🔑", "x" * 72])
def test_each_scheme_is_checked(passwords: Passwords, scheme: str, password: str) -> None:
    text = scheme_hash(scheme, password)
    assert fault_in_hash(text) is None
    assert scheme_of(text) == scheme
    assert passwords.verify(password, text) is True
    assert passwords.verify(password[:-1], text) is False
    assert passwords.is_outdated(text) is (scheme != "argon2")


@pytest.mark.parametrize("ident", ["2a", "2b", "2y"])
def test_bcrypt_looks_at_72_bytes_as_it_did_where_the_hash_was_made(
    passwords: Passwords, ident: str,
) -> None:
    text = scheme_hash("bcrypt", "é" * 36).replace("$2b$", f"${ident}$")
    assert fault_in_hash(text) is None
    assert passwords.verify("é" * 36 + "ignored", text) is True
    assert passwords.verify("é" * 35, text) is False


def test_a_new_hash_is_argon2id_at_the_recommended_cost() -> None:
    text = Passwords().hash("right")
    assert text.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert Passwords().verify("right", text)
    assert not Passwords().is_outdated(text)


def test_a_cheaper_argon2_is_outdated_and_a_dearer_one_is_not() -> None:
    passwords = Passwords()
    assert passwords.is_outdated(CHEAP.hash("right"))
    assert passwords.is_outdated(argon2.using(type="I").hash("right"))
    assert not passwords.is_outdated(argon2.using(time_cost=4).hash("right"))


def test_nobody_costs_what_somebody_costs() -> None:
    parsed = CONTEXT.handler("argon2").from_string(Passwords()._nobodys_hash)
    real = CONTEXT.handler("argon2").from_string(CONTEXT.hash("right"))
    for cost in ("type", "rounds", "memory_cost", "parallelism", "version"):
        assert getattr(parsed, cost) == getattr(real, cost), cost
    assert len(parsed.salt) == len(real.salt)
    assert len(parsed.checksum) == len(real.checksum)


def test_nobody_is_verified_by_a_hash_too(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed: list[str] = []
    verify = CHEAP.verify
    monkeypatch.setattr(CHEAP, "verify",
                        lambda secret, text: computed.append(text) or verify(secret, text))
    assert passwords.verify("right", None) is False
    assert computed == [passwords._nobodys_hash]


@pytest.mark.parametrize(("password", "fault"), [
    ("", "empty"), ("a\0b", "control"), ("a\nb", "control"), ("x" * (MAX_BYTES + 1), "at most"),
    ("é" * (MAX_BYTES // 2 + 1), "at most"), ("\ud800", "Unicode"),
])
def test_what_nobody_can_have_is_refused_before_it_is_hashed(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch, password: str, fault: str,
) -> None:
    assert fault in str(fault_in_password(password))
    text = CHEAP.hash("right")
    monkeypatch.setattr(CHEAP, "verify", lambda *_: pytest.fail("was hashed"))
    assert passwords.verify(password, text) is False


def test_the_longest_password_works(passwords: Passwords) -> None:
    assert fault_in_password("x" * MAX_BYTES) is None
    assert passwords.verify("x" * MAX_BYTES, passwords.hash("x" * MAX_BYTES))


@pytest.mark.parametrize("text", [
    "", "right", "$2b$12$short", "$1$abcdefgh$0123456789012345678901", "$argon2id$v=19$m=65536$x",
    "$6$rounds=5000$salt$tooshort", "$2b$04$" + "a" * 21 + "O", "{SSHA}abc",
    "5f4dcc3b5aa765d61d8327deb882cf99",
])
def test_what_is_no_hash(text: str) -> None:
    assert "password" in str(fault_in_hash(text))
