"""The ways to prove who one is, as far as each can look at itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from app.auth.making import make_authenticator
from app.core.errors import GatewayError
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.checks.report import Report
    from app.settings import Settings

ABOUT = "sign-in"


@runtime_checkable
class Examinable(Protocol):
    """A way that can tell what keeps it from working."""

    def problems(self) -> list[str]:
        """Return what is wrong, in plain words and without secrets."""


def check_logins(settings: Settings, report: Report) -> None:
    """Have each way of `auth.ways` look at itself."""
    try:
        ways = make_authenticator(settings, Nothing()).ways
    except (ConfigError, GatewayError) as error:
        report.wrong(ABOUT, str(error), "see the settings of the ways in auth.ways")
        return
    for way in ways:
        problems = way.problems() if isinstance(way, Examinable) else []
        for problem in problems:
            report.wrong(ABOUT, f"the way '{way.name}': {problem}",
                         f"see the settings of the way '{way.name}'")
        if not problems:
            report.right(ABOUT, f"the way '{way.name}' can be used")


class Nothing:
    """A state store that has nothing and keeps nothing: a check leaves no traces."""

    def get(self, _space: str, _key: str) -> None:
        """Return that there is none."""

    def put(self, _space: str, _key: str, _value: Any, *, ttl: float | None = None) -> None:
        """Keep nothing."""

    def add(self, _space: str, _key: str, _value: Any, *, ttl: float | None = None) -> bool:  # noqa: ARG002
        """Keep nothing."""
        return True

    def update(
        self, _space: str, _key: str, change: Callable[[Any], Any], *, ttl: float | None = None,  # noqa: ARG002
    ) -> Any:
        """Return what would be kept."""
        return change(None)

    def delete(self, _space: str, _key: str) -> bool:
        """Return that there was none."""
        return False

    def scan(self, _space: str) -> Iterator[tuple[str, Any]]:
        """Yield nothing."""
        return iter(())
