"""Gateways of a whole run sleep while no test of their folder runs: 50 idle ones cost half a CPU.

What a fixture of session scope has started belongs to the place of that fixture, a folder or a
module. When a process goes on to tests of another place its gateways are ended, and started again
on the same port and files should it come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway import running_gateways

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.gateway import Gateway

EVERYWHERE = ("", "tests")


class Hibernation:
    """Which gateway belongs to which place (the beginning of a test's id), and which sleep."""

    def __init__(self) -> None:
        self._places: dict[Gateway, str] = {}
        self._asleep: set[Gateway] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any],
    ) -> Generator[None, object, object]:
        """Note which gateways belong to a fixture that lasts, and is not for all tests."""
        before = running_gateways()
        made = yield
        if fixturedef.scope == "session" and fixturedef.baseid not in EVERYWHERE:
            for gateway in running_gateways():
                if gateway not in before:
                    self._places.setdefault(gateway, fixturedef.baseid)
        return made

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Wake the gateways that a test may ask for, and let the others sleep."""
        for gateway, place in list(self._places.items()):
            wanted = item.nodeid.startswith((f"{place}/", f"{place}::"))
            if wanted and gateway in self._asleep:
                gateway.start()
                self._asleep.discard(gateway)
            elif not wanted and gateway.running:
                gateway.end()
                self._asleep.add(gateway)
