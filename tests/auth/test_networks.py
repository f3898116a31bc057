"""Networks that stand for users: which one counts, and users who come and go meanwhile."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest

from app import settings
from app.auth import writer
from app.auth.networks import NetworkUsers
from app.strict_yaml import ConfigError
from tests.auth.conftest import CHEAP, Gate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def users(gate: Gate) -> Gate:
    """A users file with alice (an admin who only reads below /data), bob and carol."""
    gate.add("bob", CHEAP.hash("x"))
    gate.add("carol", CHEAP.hash("x"), active=False)
    return gate


def who(gate: Gate, address: str, *mappings: str) -> str | None:
    found = NetworkUsers(mappings, gate.users).find(ip_address(address))
    return found.name if found else None


@pytest.mark.parametrize(("address", "name"), [
    ("10.9.9.9", "alice"), ("10.1.9.9", "bob"), ("10.1.1.1", "alice"), ("10.1.2.3", None),
    ("11.0.0.1", None), ("2001:db8::1", "bob"), ("2001:db9::1", None), ("::1", None),
    ("::a09:909", None),
])
def test_the_smallest_network_counts_whatever_the_order(
    users: Gate, address: str, name: str | None,
) -> None:
    mappings = ["10.0.0.0/8=alice", "10.1.0.0/16=bob", "10.1.1.1=alice", "10.1.2.0/24=carol",
                "2001:db8::/32=bob"]
    assert who(users, address, *mappings) == name
    assert who(users, address, *reversed(mappings)) == name


def test_nobody_is_found_without_an_address_or_a_mapping(users: Gate) -> None:
    assert NetworkUsers(["0.0.0.0/0=alice", "::/0=alice"], users.users).find(None) is None
    assert who(users, "127.0.0.1") is None


def test_users_count_as_the_file_has_them_now(users: Gate) -> None:
    networks = NetworkUsers(["127.0.0.0/8=bob", "::1=late"], users.users)
    loopback = ip_address("127.0.0.1")
    found = networks.find(loopback)
    assert found
    assert not found.read_only
    writer.set_fields(users.file, "bob", {"read_only": True})
    users.clock.now += 2
    found = networks.find(loopback)
    assert found
    assert found.read_only
    writer.set_fields(users.file, "bob", {"active": False})
    users.clock.now += 2
    assert networks.find(loopback) is None
    writer.remove_user(users.file, "bob")
    users.clock.now += 2
    assert networks.find(loopback) is None
    assert networks.find(ip_address("::1")) is None
    users.add("late", CHEAP.hash("x"))
    found = networks.find(ip_address("::1"))
    assert found
    assert found.name == "late"


def test_one_warning_a_mapping_says_what_it_opens(
    users: Gate, caplog: pytest.LogCaptureFixture,
) -> None:
    mappings = ["10.0.0.0/8=alice", "10.1.0.0/16=bob", "::1=carol", "::2=dave"]
    NetworkUsers(mappings, users.users).warn()
    told = {record.args[0]: record.message for record in caplog.records
            if record.levelname == "WARNING" and isinstance(record.args, tuple)}
    alice, bob, carol, dave = (
        told[ip_network(mapping.partition("=")[0])] for mapping in mappings)
    assert len(caplog.records) == len(mappings)
    assert "10.0.0.0/8" in alice
    assert "user 'alice'" in alice
    assert "Hadoop user 'hdfs-alice', reads below /data, with the roles admin" in alice
    assert "Hadoop user 'bob', reads and writes below /" in bob
    assert "roles" not in bob
    assert "'carol', who is inactive" in carol
    assert "'dave', who is unknown" in dave


@pytest.mark.parametrize(("given", "fault"), [
    ("10.0.0.1/8=alice", "10.0.0.1/8 has host bits set"),
    ("10.0.0.0/33=alice", "does not appear to be"),
    ("300.0.0.0/8=alice", "does not appear to be"),
    ("10.0.0.0/8=alice, 10.0.0.0/8=bob", "10.0.0.0/8 has two users"),
    ("::ffff:10.0.0.0/104=alice", "is IPv4: write it as such"),
    ("10.0.0.0/8", "is not of a list of `network=user`"),
    ("10.0.0.0/8=", "is not of a list of `network=user`"),
])
def test_a_mapping_that_is_wrong_ends_the_start(given: str, fault: str) -> None:
    with pytest.raises(ConfigError, match="GATEWAY_AUTH_NETWORKS") as caught:
        settings.read(environment={"GATEWAY_AUTH_NETWORKS": given})
    assert fault in str(caught.value)


def test_mappings_are_read_from_file_and_environment(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("auth:\n  networks: ['10.0.0.0/8=alice', '::1=a=b']\n")
    assert settings.read(file, {}).auth.networks == ("10.0.0.0/8=alice", "::1=a=b")
    environment = {"GATEWAY_AUTH_NETWORKS": "10.0.0.0/8=alice,::1=bob"}
    assert settings.read(file, environment).auth.networks == ("10.0.0.0/8=alice", "::1=bob")
    file.write_text("auth:\n  networks: ['10.0.0.1/8=alice']\n")
    with pytest.raises(ConfigError, match=r"gateway\.yaml:2: 'auth\.networks'.*host bits"):
        settings.read(file, {})
