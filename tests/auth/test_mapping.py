"""What is told of somebody becomes a user, or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.auth.mapping import Mapper, Told, Unmapped, fill
from app.sections.identities import MappingSettings
from app.sections.identity_kinds import GroupRoles, Lines, SecretText, Template, WayNames

if TYPE_CHECKING:
    from app.core.identity import Principal


def mapped(told: Told, **settings: Any) -> Principal:
    return Mapper(MappingSettings(**settings)).user(told).principal


def test_templates_and_groups_make_the_user() -> None:
    who = mapped(
        Told("jürgen", {"uid": "juergen", "dept": "sales"}, ["CN=Admins,  DC=x", "staff"]),
        hadoop_user="u-{uid}", root="/data/{dept}/{user}", bucket_root="/s3",
        roles=("cn=admins,dc=x=admin", "others=auditor"), read_only_groups=("STAFF",))
    assert (who.name, who.hadoop_user, who.root) == ("jürgen", "u-juergen", "/data/sales/jürgen")
    assert who.bucket_root == "/data/sales/jürgen/s3"
    assert who.roles == {"admin"}
    assert who.read_only


def test_a_decomposed_name_is_the_composed_one() -> None:
    assert mapped(Told("ju\u0308rgen", {})).name == "j\u00fcrgen"


@pytest.mark.parametrize("name", ["hdfs", "root", "yarn"])
def test_nobody_becomes_the_superuser_by_being_called_so(name: str) -> None:
    with pytest.raises(Unmapped, match="refused_hadoop_users"):
        mapped(Told(name, {}))
    with pytest.raises(Unmapped, match="refused_hadoop_users"):
        mapped(Told("someone", {"login": name}), hadoop_user="{login}")
    assert mapped(Told(name, {}), hadoop_user="x-{user}").hadoop_user == f"x-{name}"


@pytest.mark.parametrize(("name", "values"), [
    ("", {}), ("a:b", {}), ("a\x00b", {}), ("a b", {}), ("a/b", {}), ("a@b", {}), ("x" * 300, {}),
    ("..", {}), (".", {}),
])
def test_who_has_no_usable_name_is_no_user(name: str, values: dict[str, str]) -> None:
    with pytest.raises(Unmapped):
        mapped(Told(name, values), root="/data/{user}")


@pytest.mark.parametrize("name", [".reserved", ".snapshot", ".Trash", ".httpfs-proxy-x"])
def test_nobodys_room_is_what_hdfs_has_names_for(name: str) -> None:
    for settings in ({"root": "/{user}"}, {"root": "/data/{user}/x"}, {"bucket_root": "/{user}"},
                     {"root": "/data/.{login}"}):
        with pytest.raises(Unmapped, match="no directory of a user"):
            mapped(Told(name, {"login": name[1:]}), **settings)
    assert mapped(Told(name, {}), root="/data").root == "/data"


def test_a_missing_value_is_no_empty_one() -> None:
    for values in ({}, {"dept": ""}):
        with pytest.raises(Unmapped, match=r"no value for '\{dept\}'"):
            mapped(Told("alice", values), root="/data/{dept}")


def test_values_are_no_templates() -> None:
    assert fill("{a}-{b}", {"a": "{b}", "b": "{a}"}) == "{b}-{a}"


@pytest.mark.parametrize(("kind", "given"), [
    (Template(), ""), (Template(), "{a"), (Template(), "a}"), (Template(), "{a{b}}"),
    (Template(), "{}"), (Template(), 7), (Template(absolute=True), "data"),
    (GroupRoles(), ["admins"]), (GroupRoles(), ["admins=Admin"]), (GroupRoles(), ["=admin"]),
    (Lines(), [7]), (Lines(), [""]), (WayNames("a", "b"), []), (WayNames("a", "b"), ["a", "a"]),
    (WayNames("a", "b"), ["c"]),
])
def test_values_of_settings_that_say_nothing(kind: Any, given: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        kind.parse(given)


def test_a_secret_shows_itself_nowhere() -> None:
    assert "hush" not in repr(SecretText().parse("hush"))
    assert SecretText().parse("hush") == "hush"
    with pytest.raises(ValueError, match="not text") as caught:
        SecretText().parse(4711)
    assert "4711" not in str(caught.value)


def test_lines_of_the_environment_are_separated_by_semicolons() -> None:
    assert GroupRoles().parse("cn=a,dc=x=admin; b=auditor;") == ("cn=a,dc=x=admin", "b=auditor")
