"""TLS client certificates: whom they stand for, and when they count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.auth import writer
from app.auth.authenticator import Authenticator
from app.auth.certificate_way import CertificateWay
from app.auth.directory import Directory
from app.auth.guard import Guard
from app.auth.password_way import PasswordWay
from app.auth.ways import Certificate, Evidence
from app.core.errors import NotAuthenticated
from app.sections.identities import CertificateSettings
from app.strict_yaml import ConfigError

from .conftest import CHEAP, Gate, basic

if TYPE_CHECKING:
    from app.core.identity import Principal

HERE = "192.0.2.1"
PATTERN = "CN=([a-z]+),OU=(?:people|robots),O=Example"


class Door:
    """The ways `password` and `certificate` together."""

    def __init__(self, gate: Gate, **settings: Any) -> None:
        self.gate = gate
        given = {"patterns": (PATTERN, r"email:(.+)@example\.net"), **settings}
        self.way = CertificateWay(CertificateSettings(**given), gate.users, gate.store)
        guard = Guard(gate.settings, gate.store, clock=gate.clock, wall_clock=gate.wall_clock)
        ways = [PasswordWay(gate.users, guard, passwords=gate.passwords), self.way]
        self.authenticator = Authenticator(ways, guard, Directory(ways), "a realm")

    def enter(self, subject: str, *names: str, authorization: str | None = None) -> Principal:
        return self.authenticator.authenticate(
            Evidence(authorization, HERE, Certificate(subject, names)))


@pytest.fixture
def door(gate: Gate) -> Door:
    return Door(gate, hadoop_user="hdfs-{CN}", root="/data/{user}", roles=("robots=loader",),
                read_only_groups=("people",),
                users=("CN=backup,O=Example=alice", "URI:spiffe://example.net/etl=alice"))


def test_a_pattern_makes_a_principal(door: Door) -> None:
    who = door.enter("CN=dora,OU=people,O=Example")
    assert (who.name, who.hadoop_user, who.root) == ("dora", "hdfs-dora", "/data/dora")
    assert who.read_only
    robot = door.enter("CN=crawler,OU=robots,O=Example")
    assert (robot.roles, robot.read_only) == ({"loader"}, False)


def test_an_exact_subject_or_name_is_a_user_of_the_users_file(door: Door) -> None:
    alice = door.gate.users.find("alice")
    assert alice
    assert door.enter("CN=backup,O=Example") == alice.principal
    assert door.enter("CN=any", "DNS:x", "URI:spiffe://example.net/etl") == alice.principal


def test_an_alternative_name_is_matched_too(gate: Gate) -> None:
    assert Door(gate).enter("CN=x", "DNS:y", "email:erik@example.net").name == "erik"


@pytest.mark.parametrize("subject", [
    "", "CN=dora", "CN=dora,OU=people,O=Example,C=DE", "C=DE,CN=dora,OU=people,O=Example",
    "CN=dora,OU=people,O=Examples", "CN=DORA,OU=people,O=Example", "CN=,OU=people,O=Example",
    "CN=x\\,CN\\=dora,OU=people,O=Example", "CN=dora,OU=people\\,O=Example",
    "CN=backup", "CN=backup,O=Example2", "CN=" + "a" * 5000 + ",OU=people,O=Example",
])
def test_any_other_subject_is_nobody(door: Door, subject: str) -> None:
    with pytest.raises(NotAuthenticated, match="stands for no user"):
        door.enter(subject)


def test_a_name_cannot_climb(gate: Gate) -> None:
    door = Door(gate, patterns=("CN=(.+)",), root="/data/{user}", hadoop_user="x")
    for name in ("..", "a/b", "."):
        with pytest.raises(NotAuthenticated):
            door.enter(f"CN={name}")


def test_a_pattern_finds_no_user_of_the_users_file(door: Door) -> None:
    with pytest.raises(NotAuthenticated, match="another user's"):
        door.enter("CN=alice,OU=people,O=Example")


def test_credentials_count_before_a_certificate(door: Door) -> None:
    assert door.enter("CN=dora,OU=people,O=Example",
                      authorization=basic("alice", "right")).name == "alice"
    for wrong in (basic("alice", "wrong"), "Bearer x", "Basic !"):
        with pytest.raises(NotAuthenticated):
            door.enter("CN=dora,OU=people,O=Example", authorization=wrong)


def test_who_is_disabled_in_the_users_file_has_no_certificate(door: Door) -> None:
    writer.set_fields(door.gate.file, "alice", {"active": False})
    door.gate.add("dora", CHEAP.hash("x"), active=False)
    for subject in ("CN=backup,O=Example", "CN=dora,OU=people,O=Example"):
        with pytest.raises(NotAuthenticated):
            door.enter(subject)


def test_who_came_is_known_afterwards(door: Door) -> None:
    assert door.way.find("dora") is None
    who = door.enter("CN=dora,OU=people,O=Example")
    assert door.way.find("dora").principal == who  # type: ignore[union-attr]
    assert door.authenticator.directory.find("dora") == door.way.find("dora")
    assert door.way.find("alice") is door.gate.users.find("alice")


def test_a_user_who_is_not_there_is_told(gate: Gate) -> None:
    assert Door(gate, users=("CN=x=nobody",)).way.problems() == [
        "certificates: user 'nobody' is not in the users file"]
    assert Door(gate, users=("CN=x=alice",)).way.problems() == []


@pytest.mark.parametrize("settings", [
    {"patterns": ()}, {"patterns": ("CN=x",)}, {"patterns": ("CN=(",)},
])
def test_settings_that_cannot_work(gate: Gate, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Door(gate, **settings)
