"""Tells a story of WebHDFS's operations to two servers, and says where their answers differ.

Each has a directory of its own in the same HDFS, `@` in parameters. What differs by nature (times,
inode numbers, blocks) is left out of what is compared.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.webhdfs.client import Answer, Client

SUPERUSER = "(the superuser)"
_VARYING = frozenset({
    "accessTime", "modificationTime", "access_time", "modification_time", "fileId", "dirId",
    "blockId", "generationStamp", "lastUpdate", "lastUpdateMonotonic", "remaining", "used",
    "dfsUsed", "blockPoolUsed", "lastBlockReportTime", "lastBlockReportMonotonic", "xceiverCount",
    "snapshotID", "capacity"})
_STACK = re.compile(r"\n\tat .*", re.DOTALL)
_LISTS = ("SnapshottableDirectoryList", "Paths")
"""Lists that tell of other directories, too."""


@dataclass(frozen=True)
class Step:
    """One request of a Hadoop user; with `content` in two steps.

    `same` is what is compared: the whole "answer", the "class" of an exception and its status, the
    "status" alone or "nothing".
    """

    method: str
    path: str
    op: str
    params: Mapping[str, str] = field(default_factory=dict)
    user: str = "alice"
    content: bytes | None = None
    same: str = "answer"
    but: str = ""

    def __post_init__(self) -> None:
        """A difference has its reason."""
        assert (self.same == "answer") == (not self.but), self


class Server:
    """One server, its directory, and what it calls Hadoop's users."""

    def __init__(self, client: Client, root: str, users: Mapping[str, str]) -> None:
        self._client = client
        self._root = root
        self._users = users

    def tell(self, step: Step) -> Answer:
        """Return what it answers."""
        client = self._client.as_user(self._users[step.user])
        params = {name: value.replace("@", self._root) for name, value in step.params.items()}
        path = f"{self._root}{step.path}"
        if step.content is not None:
            return client.write(step.method, path, step.op, step.content, params)
        answer = client.query(step.method, path, {"op": step.op, **params})
        if answer.status == 307:
            return client.send(step.method, answer.headers["Location"])
        return answer

    def found(self, answer: Answer) -> Any:
        """Return the body as it is compared."""
        kind = answer.headers.get("Content-Type", "")
        if not answer.body or not kind.startswith("application/json"):
            return answer.body.decode()
        text = json.dumps(answer.json, ensure_ascii=False)
        place = self._root.rpartition("/")[2]
        return _compared(json.loads(text.replace(self._root, "@").replace(place, "@")))


def differences(
    story: Iterable[Step], one: Server, other: Server, *, statuses: bool = True,
) -> list[str]:
    """Return where the answers are not the same; without `statuses` their classes count alone."""
    return [f"{step}\n  {mine}\n  {theirs}" for step in story
            for mine, theirs in [(_told(step, one, statuses=statuses),
                                _told(step, other, statuses=statuses))]
            if mine != theirs]


def _told(step: Step, server: Server, *, statuses: bool) -> Any:
    answer = server.tell(step)
    status: Any = answer.status if statuses else answer.status < 400
    found = server.found(answer)
    remote = found.get("RemoteException") if isinstance(found, dict) else None
    if step.same == "nothing":
        return None
    if step.same == "status":
        return status
    if remote and (step.same == "class" or not statuses):
        return status, remote["exception"]
    kind = answer.headers.get("Content-Type", "").partition(";")[0] if statuses else ""
    return status, kind, found


def _compared(value: Any) -> Any:
    if isinstance(value, list):
        return [_compared(one) for one in value]
    if not isinstance(value, dict):
        return _STACK.sub("", value) if isinstance(value, str) else value
    return {name: _compared(one) for name, one in value.items()
            if name not in _VARYING and name not in _LISTS}
