"""A client of Alluxio's paths and streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from chaos.client import MOST_FILES, Client
from chaos.wire import Answer, Manners, ask, mood

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.content import Content

OK = 200
AWAY = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "ABORTED"})
WRITES = 4
CLOSE_TRIES = 3


class StreamClient(Client):
    """Writes files in several requests, reads and deletes them, in its own directory."""

    kind = "stream"

    def path(self, name: str) -> str:
        """Return the HDFS path of a name."""
        return f"{self.door.room}/streams-{self.number}/{name}"

    def is_honest(self, answer: Answer) -> bool:
        """Tell whether an error says no more than that the cluster does not serve."""
        return answer.status == 500 and _code(answer) in AWAY

    def work(self) -> None:
        """Do one thing, chosen at random."""
        held = len(self.ledger.settled())
        works: list[Callable[[], None]] = []
        if held < MOST_FILES:
            works += [self._write] * 3
        if held:
            works += [self._read] * 4
        if held > 2:
            works += [self._delete] * (held - 2)
        self.chance.choice(works)()

    def _write(self) -> None:
        """Write a file, piece by piece; what was not acknowledged may be in it or not."""
        name = self.new_name()
        stream = self._open(name, "create-file", "write")
        if stream is None:
            self.ledger.loosen(name, [None])
            return
        possible: list[Content] = [()]
        for _ in range(self.chance.randint(1, WRITES)):
            possible = self._append(stream, possible)
        self._close(name, stream, possible)

    def _append(self, stream: str, possible: list[Content]) -> list[Content]:
        """Write one piece, and return what the file may be by then."""
        piece = self.new_piece()
        answer = self._stream(stream, "write", piece.data(), mood(self.chance, piece.size))
        longer = [(*content, piece) for content in possible]
        if answer.status == OK and answer.whole:
            self.expect("write", answer, answer.body == str(piece.size).encode(),
                        f"{piece.size} bytes were written, not {answer.body!r}")
            return longer
        self.failed("write", "write", answer)
        certain_not = not answer.sent or _code(answer) == "ABORTED"
        return possible if certain_not else [*possible, *longer]

    def _close(self, name: str, stream: str, possible: list[Content]) -> None:
        closed = False
        for _ in range(CLOSE_TRIES):
            answer = self._stream(stream, "close")
            if answer.status == OK:
                closed = True
                break
            if "stream" in _message(answer) and answer.status == 500 and (
                    _code(answer) not in AWAY or "does not exist" in _message(answer)):
                break  # an earlier request closed it without an answer
            self.failed("close", "write", answer)
        if closed and len(possible) == 1:
            self.change("close", answer, OK, {name: possible[0]})
            return
        self.tally.doubted()
        if closed:
            self.ledger.settle(name, possible[0])
            self.ledger.loosen(name, possible)
        else:
            self.ledger.loosen(name, [None, *possible])

    def _read(self) -> None:
        name = str(self.any_name())
        stream = self._open(name, "open-file", "read")
        if stream is None:
            return
        manners = mood(self.chance, 0)
        self.look("read", name, self._stream(stream, "read", manners=manners))
        self._stream(stream, "close")

    def _delete(self) -> None:
        name = str(self.any_name())
        answer = self._act(name, "delete")
        self.change("delete", answer, OK, {name: None})

    def _open(self, name: str, action: str, sort: str) -> str | None:
        """Return the number of a new stream, None where there is none."""
        answer = self._act(name, action)
        if answer.status == OK and answer.whole:
            return answer.body.decode()
        self.failed(action, sort, answer)
        return None

    def _act(self, name: str, action: str) -> Answer:
        target = f"/api/v1/paths/{quote(self.path(name))}/{action}"
        return ask(self.door.address, self.door.head("POST", target, 0))

    def _stream(
        self, stream: str, action: str, body: bytes = b"", manners: Manners | None = None,
    ) -> Answer:
        head = self.door.head("POST", f"/api/v1/streams/{stream}/{action}", len(body))
        return ask(self.door.address, head, body, manners)


def _told(answer: Answer) -> dict[str, str]:
    try:
        told = json.loads(answer.body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _code(answer: Answer) -> str:
    return str(_told(answer).get("statusCode", ""))


def _message(answer: Answer) -> str:
    return str(_told(answer).get("message", ""))
