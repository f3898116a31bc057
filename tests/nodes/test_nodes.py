"""Gateways that share a state store: who lives, who is primary, who is withdrawn."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.core.errors import StorageFault
from app.core.node_errors import NoSuchNode, NotElectable
from app.nodes.nodes import Nodes
from app.settings import NodeSettings
from app.state.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.state.store import Store

LEASE = 20.0


class World:
    """A store, time that a test moves, and gateways that beat each second unless they are dead."""

    def __init__(self, file: Path) -> None:
        self.now = 1_000_000.0
        self.store = SqliteStore(file, clock=lambda: self.now)
        self.alive: dict[str, Nodes] = {}

    def gateway(self, name: str, store: Store | None = None) -> Nodes:
        """Return another worker of the gateway of this name."""
        return Nodes(
            NodeSettings(lease_seconds=LEASE), store or self.store, name,
            url=f"http://{name}:8080", started=1, version="1", figures=lambda: {"of": name},
            clock=lambda: self.now)

    def start(self, name: str) -> Nodes:
        """Start a gateway."""
        self.alive[name] = self.gateway(name)
        self.alive[name].beat()
        return self.alive[name]

    def pass_seconds(self, seconds: int) -> None:
        """Let time go by, and who lives beat."""
        for _ in range(seconds):
            self.now += 1
            for nodes in self.alive.values():
                nodes.beat()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "state.db")
    with closing(made.store):
        yield made


def test_one_alone_is_primary_at_once(world: World) -> None:
    one = world.start("one")
    assert one.is_primary()
    assert one.in_service()
    [node] = one.all()
    assert (node.id, node.url, node.version, node.figures["of"]) == (
        "one", "http://one:8080", "1", "one")


def test_who_dies_is_gone_and_replaced_within_its_lease(world: World) -> None:
    one, two = world.start("one"), world.start("two")
    world.pass_seconds(100)
    assert [node.id for node in two.all()] == ["one", "two"]
    assert (one.is_primary(), two.is_primary()) == (True, False)
    del world.alive["one"]
    world.pass_seconds(10)
    assert not two.is_primary()
    world.pass_seconds(int(LEASE) - 9)
    assert two.is_primary()
    assert two.primary() == "two"
    assert [node.id for node in two.all()] == ["two"]
    again = world.start("one")
    world.pass_seconds(5)
    assert (again.is_primary(), two.is_primary()) == (False, True)


def test_all_workers_of_the_primary_one_are(world: World) -> None:
    world.start("one")
    worker = world.gateway("one")
    assert worker.is_primary()
    worker.retire()
    assert not worker.is_primary()


def test_a_retired_worker_does_not_keep_its_gateway_alive(world: World) -> None:
    one, two = world.start("one"), world.start("two")
    one.retire()
    world.pass_seconds(int(LEASE) + 1)
    assert [node.id for node in two.all()] == ["two"]
    assert two.is_primary()


def test_an_admin_makes_another_primary(world: World) -> None:
    one, two = world.start("one"), world.start("two")
    one.set_primary("two")
    world.pass_seconds(1)
    assert (one.is_primary(), two.is_primary()) == (False, True)
    world.pass_seconds(100)
    assert two.is_primary()


def test_who_is_not_there_or_withdrawn_cannot_be_primary(world: World) -> None:
    one, _ = world.start("one"), world.start("two")
    with pytest.raises(NotElectable, match="nobody"):
        one.set_primary("nobody")
    one.withdraw("two")
    with pytest.raises(NotElectable, match="withdrawn"):
        one.set_primary("two")
    assert one.is_primary()


def test_withdrawn_until_it_returns_through_restarts(world: World) -> None:
    one, two = world.start("one"), world.start("two")
    two.withdraw("one")
    assert two.is_primary()
    world.pass_seconds(1)
    assert (one.in_service(), one.is_primary()) == (False, False)
    assert {node.id: node.in_service for node in two.all()} == {"one": False, "two": True}
    one = world.start("one")
    assert not one.in_service()
    one.restore("one")
    assert one.in_service()
    assert not one.is_primary()
    one.restore("one")
    with pytest.raises(NoSuchNode):
        one.restore("nobody")
    with pytest.raises(NoSuchNode):
        one.withdraw("nobody")


def test_somebody_sweeps_even_if_all_are_withdrawn(world: World) -> None:
    one, two = world.start("one"), world.start("two")
    for name in ("one", "two"):
        one.withdraw(name)
    world.pass_seconds(100)
    assert [one.is_primary(), two.is_primary()].count(True) == 1
    [last] = [nodes for nodes in (one, two) if nodes.is_primary()]
    del world.alive[last.own_id]
    world.pass_seconds(int(LEASE) + 1)
    [left] = world.alive.values()
    assert left.is_primary()
    returned = world.start(last.own_id)
    returned.restore(last.own_id)
    # Who is withdrawn lets go where another is in service again.
    world.pass_seconds(int(LEASE) + 2)
    assert (returned.is_primary(), left.is_primary()) == (True, False)


def test_the_map_always_has_its_own_and_a_primary_that_lives(world: World) -> None:
    one, two = world.start("one"), world.start("two")
    first = two.map()
    assert (first.primary.id, [node.id for node in first.nodes]) == ("one", ["one", "two"])
    assert two.map().version == first.version
    world.store.delete("node-alive", "one")
    second = two.map()
    assert (second.primary.id, [node.id for node in second.nodes]) == ("two", ["two"])
    assert second.version.number > first.version.number
    assert second.version.uuid == first.version.uuid == one.map().version.uuid
    world.store.delete("node-alive", "two")
    world.store.delete("node-primary", "primary")
    third = two.map()
    assert [node.id for node in third.nodes] == ["one", "two"]
    assert third.primary.id == two.primary() == "one"


class Away:
    """A store that fails."""

    def __getattr__(self, name: str) -> object:
        raise StorageFault("the store is away")


def test_while_the_store_is_away_nobody_is_primary_and_service_goes_on(world: World) -> None:
    nodes = world.gateway("one", Away())  # type: ignore[arg-type]
    assert not nodes.is_primary()
    assert nodes.in_service()
    nodes.start()  # It is tried again in the background.
    nodes.stop()


def test_what_is_asked_often_costs_the_store_a_look_a_second(world: World) -> None:
    one = world.start("one")
    world.start("two")
    world.gateway("two").set_primary("two")
    assert one.is_primary()
    world.now += 1
    assert not one.is_primary()


def test_a_store_that_stays_away_does_not_fill_the_log(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = world.gateway("one")

    def away(*_: object) -> None:
        raise StorageFault("away")

    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setattr(one, "beat", away)
        for _ in range(5):
            one._try(one.beat)
    assert len(caplog.records) == 1
    one._try(one.beat)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        one._try(away)
    assert len(caplog.records) == 1
