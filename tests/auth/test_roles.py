"""What a users file says of rules, networks and roles, and what users get of it."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest

from app.auth import writer
from app.auth.roles import RoleBook
from app.auth.users_file import User, examine, read_all, read_users
from app.core.identity import Principal
from app.core.limits import UserLimits
from app.core.path_rules import PathForbidden, Right, Verdict
from app.core.sources import SourceRefused

from .conftest import CHEAP

if TYPE_CHECKING:
    from pathlib import Path

HASH = CHEAP.hash("x")


def written(directory: Path, user: dict[str, Any], roles: dict[str, Any] | None = None) -> Path:
    file = directory / "users.yaml"
    file.write_text(json.dumps({
        "users": {"alice": {"password": HASH, **user}}, **({"roles": roles} if roles else {})}))
    return file


def alice(file: Path) -> Principal:
    found = read_all(file)
    return RoleBook(lambda: found.roles).applied(found.users["alice"]).principal


def verdicts(principal: Principal, path: str) -> tuple[bool, bool]:
    read, write = (principal.rules.verdict(path, right) is Verdict.ALLOWED for right in Right)
    return read, write


def test_rules_of_a_user(tmp_path: Path) -> None:
    who = alice(written(tmp_path, {"hadoop_user": "al", "rules": {
        "allow": ["/user/{hadoop_user}", "/team/{user}"], "allow_read": ["/library"],
        "allow_write": ["/box"], "deny_write": ["/user/al/kept"], "deny_read": ["/team/alice/x"],
        "deny": ["**/secret"]}}))
    assert {path: verdicts(who, path) for path in (
        "/user/al/f", "/user/alice", "/team/alice/f", "/team/alice/x", "/library", "/box",
        "/user/al/kept/f", "/box/secret", "/etc")} == {
        "/user/al/f": (True, True), "/user/alice": (False, False), "/team/alice/f": (True, True),
        "/team/alice/x": (False, True), "/library": (True, False), "/box": (False, True),
        "/user/al/kept/f": (True, False), "/box/secret": (False, False), "/etc": (False, False)}


def test_an_empty_list_of_what_is_allowed_allows_nothing(tmp_path: Path) -> None:
    who = alice(written(tmp_path, {"rules": {"allow": []}}))
    with pytest.raises(PathForbidden):
        who.require_read("/")


def test_roles_add_what_they_allow_and_what_they_deny(tmp_path: Path) -> None:
    file = written(
        tmp_path, {"rules": {"allow": ["/a"]}, "roles": ["one", "two", "unknown"],
                   "networks": ["10.0.0.0/8"], "limits": {"transfers": 2}},
        {"one": {"rules": {"allow_read": ["/user/{user}"]}, "networks": ["10.1.0.0/16"],
                 "limits": {"requests": 5, "transfers": 9}},
         "two": {"rules": {"deny": ["/a/no"]}, "limits": {"requests": 7}},
         "three": {"rules": {"allow": ["/c"]}}})
    who = alice(file)
    assert [verdicts(who, path) for path in ("/a", "/user/alice", "/a/no", "/c")] == [
        (True, True), (True, False), (False, False), (False, False)]
    assert who.limits == UserLimits(requests=7, transfers=2)
    who.require_source(ip_address("10.1.2.3"))
    for address in ("10.2.0.1", "192.0.2.1", "::1"):
        with pytest.raises(SourceRefused):
            who.require_source(ip_address(address))
    with pytest.raises(SourceRefused):
        who.require_source(None)


def test_a_role_without_rules_keeps_nobody_from_anything(tmp_path: Path) -> None:
    who = alice(written(tmp_path, {"roles": ["r"]}, {"r": {"networks": ["::1"]}}))
    assert not who.rules
    assert who.networks == ((ip_network("::1"),),)


def test_what_a_role_brings_to_whoever_has_it_is_the_same_object_each_time(tmp_path: Path) -> None:
    found = read_all(written(tmp_path, {}, {"r": {"rules": {"deny": ["/user/{user}"]}}}))
    book = RoleBook(lambda: found.roles)
    user = User(Principal("ldap-user", "l", roles=frozenset({"r"})), "")
    assert book.applied(user) is book.applied(user)
    assert verdicts(book.applied(user).principal, "/user/ldap-user") == (False, False)
    assert book.applied(User(Principal("x", "x"), "")).principal == Principal("x", "x")


def test_a_mapped_address_is_the_one_it_stands_for(tmp_path: Path) -> None:
    who = alice(written(tmp_path, {"networks": ["192.0.2.7"]}))
    who.require_source(ip_address("::ffff:192.0.2.7"))


@pytest.mark.parametrize(("user", "roles", "problem"), [
    ({"rules": ["/a"]}, None, "is not a map of allow"),
    ({"rules": {"alow": ["/a"]}}, None, "unknown key 'alow'"),
    ({"rules": {"allow": "/a"}}, None, "not a list"),
    ({"rules": {"allow": ["a"]}}, None, "begins neither"),
    ({"rules": {"deny": [7]}}, None, "is not text"),
    ({"networks": "10.0.0.0/8"}, None, "is not a list of networks"),
    ({"networks": []}, None, "is not a list of networks"),
    ({"networks": ["10.0.0.1/8"]}, None, "has host bits set"),
    ({}, {"Admin": {}}, "no role"),
    ({}, {"r": {"roles": []}}, "role 'r': unknown key 'roles'"),
    ({}, {"r": ["x"]}, "role 'r': must be a map"),
    ({}, ["r"], "'roles' must be a map"),
])
def test_what_is_wrong_is_told(
    tmp_path: Path, user: dict[str, Any], roles: Any, problem: str,
) -> None:
    _, problems = examine(written(tmp_path, user, roles))
    assert len(problems) == 1
    assert problem in str(problems[0])


def test_changes_to_users_leave_roles_where_they_are(tmp_path: Path) -> None:
    file = tmp_path / "users.yaml"
    file.write_text(
        f"users:\n  alice:\n    password: '{HASH}'\n    rules:\n      deny: [/x]\n\n"
        "# what roles bring\nroles:\n  team:\n    rules: {deny: ['**/secret']}\n")
    file.chmod(0o600)
    writer.add_user(file, "bob", {"password": HASH, "rules": {"allow": ["/b", "**/c"]},
                                  "networks": ["10.0.0.0/8"]})
    assert read_users(file)["bob"].principal.networks == ((ip_network("10.0.0.0/8"),),)
    writer.set_fields(file, "alice", {"active": False})
    for name in ("bob", "alice"):
        writer.remove_user(file, name)
        assert name not in read_users(file)
        assert list(read_all(file).roles) == ["team"]
    assert "# what roles bring" in file.read_text()
