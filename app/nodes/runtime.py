"""Settings that admins change while the gateways run: for all of them, or for one.

What was changed stays so until it is changed again, through restarts too: it is kept in the state
store, and every worker looks there about once a second. Of what was set for all and for one, the
later counts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.errors import InvalidParameter
from app.core.node_errors import UnknownSetting
from app.nodes.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.state.store import Store, Value

_SPACE = "node-settings"
_ALL = "*"


LEAST_HEARTBEAT, MOST_HEARTBEAT = 0.2, 3600.0
HEARTBEAT_ALLOWED = "a duration from 200ms to 1h, like 10s or 1m30s"


def parse_heartbeat(text: str) -> float:
    """Return the seconds between heartbeats. Raises ValueError."""
    seconds = parse_duration(text)
    if not LEAST_HEARTBEAT <= seconds <= MOST_HEARTBEAT:
        raise ValueError(f"{text!r} is not {HEARTBEAT_ALLOWED}")
    return seconds


class Changeable(NamedTuple):
    """One setting: its `names` (the first is ours), and what makes a value of a text.

    `parse` raises ValueError for what is not `allowed`; `apply` has the value hold in this process.
    """

    names: tuple[str, ...]
    allowed: str
    parse: Callable[[str], Any]
    apply: Callable[[Any], object]


class RuntimeSettings:
    """The settings that can be changed, as they are for the gateway `node_id`."""

    def __init__(self, store: Store, node_id: str, settings: tuple[Changeable, ...]) -> None:
        self.settings = settings
        self._store = store
        self._node_id = node_id
        self._applied: dict[str, str] = {}

    def change(self, values: Mapping[str, str], *, everywhere: bool) -> None:
        """Set some settings by name, for this gateway or `everywhere`: all of them or none.

        Raises UnknownSetting, InvalidParameter, StorageFault.
        """
        wanted = {}
        for name, text in values.items():
            setting = self._find(name)
            try:
                setting.parse(text)
            except ValueError:
                raise InvalidParameter(name, text, setting.allowed) from None
            wanted[setting.names[0]] = {"value": text, "at": time.time()}

        def changed(record: Value | None) -> Value:
            return {**(record or {}), **wanted}

        self._store.update(_SPACE, _ALL if everywhere else self._node_id, changed)
        self.beat()

    def beat(self) -> None:
        """Have what was changed hold in this process. Raises StorageFault."""
        mine = self._store.get(_SPACE, self._node_id) or {}
        of_all = self._store.get(_SPACE, _ALL) or {}
        for setting in self.settings:
            name = setting.names[0]
            found = [record[name] for record in (of_all, mine) if name in record]
            if found:
                self._apply(setting, max(found, key=lambda each: float(each["at"]))["value"])

    def _apply(self, setting: Changeable, text: str) -> None:
        if self._applied.get(setting.names[0]) != text:
            setting.apply(setting.parse(text))
            self._applied[setting.names[0]] = text

    def _find(self, name: str) -> Changeable:
        for setting in self.settings:
            if name in setting.names:
                return setting
        raise UnknownSetting(name, [each.names[0] for each in self.settings])
