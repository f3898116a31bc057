"""A client of the file API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from chaos.client import MOST_BYTES, MOST_FILES, Client
from chaos.content import length
from chaos.ledger import Move
from chaos.wire import Answer, Manners, ask, mood

if TYPE_CHECKING:
    from collections.abc import Callable

CREATED, NO_CONTENT = 201, 204
HONEST = frozenset({502, 503, 504})
CONTENT = "/f/file/content"


class FileClient(Client):
    """Uploads, overwrites, appends, renames, deletes, lists and reads in its own directory."""

    kind = "file"

    def path(self, name: str) -> str:
        """Return the HDFS path of a name."""
        return f"{self.door.room}/files-{self.number}/{name}"

    def is_honest(self, answer: Answer) -> bool:
        """Tell whether an error says no more than that the cluster does not serve."""
        return answer.status in HONEST

    def work(self) -> None:
        """Do one thing, chosen at random."""
        held = len(self.ledger.settled())
        works: list[Callable[[], None]] = [self._read] * 5 + [self._list]
        if held < MOST_FILES:
            works += [self._create] * 4
        if held:
            works += [self._overwrite, self._append, self._append, self._rename]
        if held > 2:
            works += [self._delete] * (held - 2)
        self.chance.choice(works)()

    def _create(self) -> None:
        self._upload("create", self.new_name())

    def _overwrite(self) -> None:
        self._upload("overwrite", str(self.any_name()))

    def _upload(self, kind: str, name: str) -> None:
        piece = self.new_piece()
        answer = self._call("PUT", CONTENT, piece.data(), mood(self.chance, piece.size),
                            path=self.path(name), overwrite="true")
        self.change(kind, answer, CREATED, {name: (piece,)})

    def _append(self) -> None:
        name = str(self.any_name())
        old = self.ledger.settled()[name]
        piece = self.new_piece()
        if length(old) + piece.size > MOST_BYTES:
            return
        answer = self._call("POST", CONTENT, piece.data(), mood(self.chance, piece.size),
                            path=self.path(name))
        self.change("append", answer, CREATED, {name: (*old, piece)})

    def _rename(self) -> None:
        source, destination = str(self.any_name()), self.new_name()
        content = self.ledger.settled()[source]
        answer = self._call("PUT", "/f/name", path=self.path(source),
                            destination=self.path(destination))
        if not self.change("rename", answer, CREATED, {source: None, destination: content}) and (
                answer.sent):
            self.ledger.moves.append(Move(source, destination))

    def _delete(self) -> None:
        name = str(self.any_name())
        answer = self._call("DELETE", "/f/file", path=self.path(name))
        self.change("delete", answer, NO_CONTENT, {name: None})

    def _read(self) -> None:
        names = sorted(self.ledger.names)
        if not names:
            return
        name = self.any_name() or self.chance.choice(names)
        if self.chance.random() < 0.2:
            name = self.chance.choice(names[-10:] + self.ledger.loose())
        manners = mood(self.chance, self._size(name))
        self.look("read", name, self._call(
            "GET", CONTENT, manners=manners, path=self.path(name)))

    def _size(self, name: str) -> int:
        return max(length(content or ()) for content in self.ledger.possible(name))

    def _list(self) -> None:
        def names(body: bytes) -> set[str]:
            return {one["pathSuffix"] for one in json.loads(body)["result"]["statuses"]}

        self.look_at_names("list", self._call("GET", "/f/listing", path=self.path("")[:-1]), names)

    def _call(
        self, method: str, where: str, body: bytes | None = None, manners: Manners | None = None,
        **query: str,
    ) -> Answer:
        target = f"{where}?{urlencode(query)}"
        size = None if body is None else len(body)
        return ask(self.door.address, self.door.head(method, target, size), body or b"", manners)

