"""Two gateways that share a state store and a backend, as on two hosts, for AIStore's cluster."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.aistore.conftest import AIStore, users
from tests.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEASE = 3.0


class Member:
    """One gateway of the two, and an admin who talks to it."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.admin = AIStore(gateway, "admin")

    @property
    def id(self) -> str:
        """The id that the gateway has in the cluster's map."""
        return (self.gateway.directory / "data" / "node-id").read_text().strip()

    def what(self, what: str, place: str = "daemon", **query: Any) -> Any:
        """Return what the gateway tells of `what`."""
        answer = self.admin.call("GET", f"{place}/", what=what, **query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/json"
        return answer.json()

    def ready(self) -> int:
        """Return the status of /readyz."""
        return self.gateway.request("GET", "/readyz", user=None).status_code

    def put(self, place: str, **message: Any) -> int:
        """PUT a message that must be taken or refused; return the status."""
        return self.admin.call("PUT", place, message).status_code


def member(directory: Path, name: str, *, state: str = "", **settings: Any) -> Member:
    """Return a gateway that is not started yet; `state` is the URL of its state store."""
    return Member(Gateway(
        directory / name, backend=f"embedded://{directory}/hdfs", users=users(),
        gunicorn_args=("--graceful-timeout", "60", "--keep-alive", "2"), settings={
            "state_url": state or f"sqlite://{directory}/shared.db",
            "node": {"heartbeat_seconds": 0.3, "lease_seconds": LEASE,
                     **settings.pop("node", {})},
            "upload": {"sweep_seconds": 0.5}, **settings}))


@contextmanager
def two(directory: Path, **options: Any) -> Iterator[tuple[Member, Member]]:
    """Start two; the first one is primary."""
    one, other = (member(directory, name, **options) for name in ("one", "other"))
    with one.gateway, other.gateway:
        yield one, other
