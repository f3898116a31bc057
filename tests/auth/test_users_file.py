"""What may stand in the users file."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from app.auth.users_file import User, examine, read_users
from app.core.identity import Principal
from app.core.paths import HdfsPath
from app.strict_yaml import ConfigError

from .conftest import CHEAP, scheme_hash

HASH = CHEAP.hash("right")
EXAMPLE = Path(__file__).parents[2] / "config" / "users.example.yaml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "users.yaml"


def write(file: Path, text: str) -> None:
    file.write_text(textwrap.dedent(text).replace("HASH", HASH), encoding="utf-8")


def test_a_user_has_defaults(file: Path) -> None:
    write(file, "users: {alice: {password: 'HASH'}}")
    assert read_users(file) == {"alice": User(Principal("alice", "alice"), HASH, active=True)}


def test_a_user_has_every_key(file: Path) -> None:
    write(file, """
        users:
          'josé 7':
            password: "HASH"
            hadoop_user: etl
            root: /data//team/
            read_only: true
            roles: [admin, auditor]
            active: false
    """)
    principal = Principal("josé 7", "etl", HdfsPath("/data/team"), read_only=True,
                          roles=frozenset({"admin", "auditor"}))
    assert read_users(file) == {"josé 7": User(principal, HASH, active=False)}


def test_names_are_text_whatever_yaml_thinks(file: Path) -> None:
    write(file, "users:\n" + "".join(
        f"  {name}: {{password: 'HASH'}}\n" for name in ("007", "yes", "null", "1.0", "Alice",
                                                         "alice")))
    assert list(read_users(file)) == ["007", "yes", "null", "1.0", "Alice", "alice"]


@pytest.mark.parametrize("text", ["users:", "users: {}"])
def test_a_file_may_have_no_users(file: Path, text: str) -> None:
    write(file, text)
    assert read_users(file) == {}


@pytest.mark.parametrize("password", ["47110815", "hunter47110815", "{is: 47110815}"])
def test_a_password_in_place_of_its_hash_is_not_shown(file: Path, password: str) -> None:
    write(file, f"users: {{alice: {{password: {password}}}}}")
    with pytest.raises(ConfigError, match="hash") as caught:
        read_users(file)
    assert "47110815" not in str(caught.value)


def test_the_hash_is_not_shown(file: Path) -> None:
    write(file, "users: {alice: {password: 'HASH'}}")
    assert HASH not in repr(read_users(file))


@pytest.mark.parametrize(("text", "line", "problem"), [
    ("", 0, "must be a map with the key 'users'"),
    ("- a", 1, "must be a map with the key 'users'"),
    ("alice: {password: 'HASH'}", 1, "must be a map with the key 'users'"),
    ("users: {}\nadmins: {}", 2, "unknown key 'admins'; only 'users' and 'roles' are known"),
    ("users: [alice]", 1, "'users' must be a map"),
    ("users:\n  alice: {password: 'HASH'}\n  alice: {password: 'HASH'}", 3,
     "'alice' is here twice, first in line 2"),
    ("users:\n  alice:\n    password: 'HASH'\n    password: 'HASH'", 4, "'password' is here twice"),
    ("users:\n  alice:", 2, "user 'alice': must be a map of password, hadoop_user"),
    ("users:\n  alice: {}", 2, "user 'alice': the key 'password' is missing"),
    ("users:\n  alice:\n    password: 'HASH'\n    readonly: true", 4,
     "user 'alice': unknown key 'readonly'; known are password, hadoop_user, root, read_only"),
    ("users:\n  alice:\n    password: secret", 3, "password: the password is not a hash of argon2"),
    ("users:\n  alice:\n    password: 1234", 3, "it is not text; put the hash in quotes"),
    ("users:\n  alice:\n    password: $2b$12$short", 3, "is not a whole bcrypt hash"),
    ("users:\n  alice:\n    password: 'HASH'\n    hadoop_user: 1001", 4, "1001 is not text"),
    ("users:\n  alice:\n    password: 'HASH'\n    hadoop_user: 'a b'", 4, "'a b' is no Hadoop"),
    ("users:\n  alice:\n    password: 'HASH'\n    hadoop_user: a@REALM", 4, "is no Hadoop user"),
    ("users:\n  alice:\n    password: 'HASH'\n    hadoop_user: ''", 4, "is no Hadoop user"),
    ("users:\n  alice:\n    password: 'HASH'\n    root: data", 4, "it must start with '/'"),
    ("users:\n  alice:\n    password: 'HASH'\n    root: /..", 4, "'..' leaves the root"),
    ("users:\n  alice:\n    password: 'HASH'\n    root: /a:b", 4, "HDFS names have no ':'"),
    ("users:\n  alice:\n    password: 'HASH'\n    read_only: 'yes'", 4, "neither true nor false"),
    ("users:\n  alice:\n    password: 'HASH'\n    active: 1", 4, "1 is neither true nor false"),
    ("users:\n  alice:\n    password: 'HASH'\n    roles: admin", 4, "'admin' is not a list"),
    ("users:\n  alice:\n    password: 'HASH'\n    roles: [Admin]", 4, "'Admin' is no role"),
    ("users:\n  'a:b': {password: 'HASH'}", 2, "has no ':'"),
    ("users:\n  '': {password: 'HASH'}", 2, "is not empty"),
    ("users:\n  \"a\\nb\": {password: 'HASH'}", 2, "control characters"),
    ("users:\n  \"jose\\u0301\": {password: 'HASH'}", 2, "Normalization Form C"),
    ("users:\n  " + "é" * 128 + ": {password: 'HASH'}", 2, "at most 255 bytes"),
    ("users: &u {a: *u}", 1, "aliases"),
])
def test_what_is_wrong_is_told_with_its_line(
    file: Path, text: str, line: int, problem: str,
) -> None:
    write(file, text)
    with pytest.raises(ConfigError) as caught:
        read_users(file)
    assert problem in str(caught.value)
    assert caught.value.line == line
    assert HASH not in str(caught.value)


def test_everything_wrong_is_found_at_once(file: Path) -> None:
    write(file, """
        users:
          alice:
            password: plain
            root: data
            extra: 1
          bob:
            password: 'HASH'
          carol:
    """)
    users, problems = examine(file)
    assert list(users) == ["bob"]
    assert [problem.line for problem in problems] == [4, 5, 6, 9]


def test_a_password_in_the_clear_is_not_repeated(file: Path) -> None:
    write(file, "users: {alice: {password: hunter2}}")
    assert "hunter2" not in str(examine(file)[1][0])


@pytest.mark.parametrize("scheme", ["argon2", "bcrypt", "scrypt", "pbkdf2_sha256",
                                    "pbkdf2_sha512", "sha512_crypt"])
def test_hashes_of_other_systems_are_accepted(file: Path, scheme: str) -> None:
    text = scheme_hash(scheme, "right")
    file.write_text(f"users: {{alice: {{password: '{text}'}}}}")
    assert read_users(file)["alice"].password_hash == text


def test_the_example_is_right() -> None:
    users, problems = examine(EXAMPLE)
    assert problems == []
    assert users["reports"].principal.root == "/data/reports"


@pytest.mark.parametrize(("keys", "bucket_root"), [
    ("", "/"), ("root: /data", "/data"), ("root: /data, bucket_root: /", "/data"),
    ("bucket_root: /s3", "/s3"), ("root: /data, bucket_root: //a/../s3/", "/data/s3"),
    ("root: /, bucket_root: /a/b", "/a/b")])
def test_the_bucket_root_lies_below_the_users_root(
    tmp_path: Path, keys: str, bucket_root: str,
) -> None:
    file = tmp_path / "users.yaml"
    file.write_text(f"users: {{alice: {{password: '{HASH}', {keys}}}}}")
    assert read_users(file)["alice"].principal.bucket_root == bucket_root


@pytest.mark.parametrize("given", ["s3", "/../s3", "/a/../../b", "7", "'/a:b'"])
def test_a_bucket_root_that_is_no_path_or_leaves_the_root(tmp_path: Path, given: str) -> None:
    file = tmp_path / "users.yaml"
    file.write_text(
        f"users: {{alice: {{password: '{HASH}', root: /data, bucket_root: {given}}}}}")
    with pytest.raises(ConfigError, match="bucket_root: "):
        read_users(file)


def test_a_principals_bucket_root_is_never_outside_its_root() -> None:
    assert Principal("a", "a", root=HdfsPath("/data")).bucket_root == "/data"
    outside = Principal("a", "a", root=HdfsPath("/data"), bucket_root=HdfsPath("/database"))
    assert outside.bucket_root == "/data"
