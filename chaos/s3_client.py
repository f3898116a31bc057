"""A client of S3."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from chaos.client import MOST_FILES, Client
from chaos.content import Content, Piece
from chaos.wire import Answer, Manners, ask, mood

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OK, NO_CONTENT = 200, 204
HONEST = frozenset({500, 503, 504})
PART = 5 << 20
"""The least size of a part but the last."""
PART_TRIES = 4
_KEY = re.compile(rb"<Key>([^<]*)</Key>")
_UPLOAD = re.compile(rb"<UploadId>([^<]*)</UploadId>")


class S3Client(Client):
    """Puts, gets, lists and deletes objects below a prefix of its own, also in parts."""

    kind = "s3"

    def path(self, name: str) -> str:
        """Return the HDFS path of a name."""
        return f"{self.door.room}/{self.door.bucket}/{self._key(name)}"

    def is_honest(self, answer: Answer) -> bool:
        """Tell whether an error says no more than that the cluster does not serve."""
        return answer.status in HONEST

    def work(self) -> None:
        """Do one thing, chosen at random."""
        held = len(self.ledger.settled())
        works: list[Callable[[], None]] = [self._get] * 5 + [self._list]
        if held < MOST_FILES:
            works += [self._put] * 4 + [self._put_in_parts]
        if held:
            works += [self._overwrite] * 2
        if held > 2:
            works += [self._delete] * (held - 2)
        self.chance.choice(works)()

    def _put(self) -> None:
        self._upload("put", self.new_name())

    def _overwrite(self) -> None:
        self._upload("overwrite", str(self.any_name()))

    def _upload(self, kind: str, name: str) -> None:
        piece = self.new_piece()
        answer = self._call("PUT", name, body=piece.data(), manners=mood(self.chance, piece.size))
        self.change(kind, answer, OK, {name: (piece,)})

    def _delete(self) -> None:
        name = str(self.any_name())
        self.change("delete", self._call("DELETE", name), NO_CONTENT, {name: None})

    def _get(self) -> None:
        names = sorted(self.ledger.names)
        if names:
            name = self.any_name() or names[-1]
            if self.chance.random() < 0.2:
                name = self.chance.choice(names[-10:] + self.ledger.loose())
            manners = mood(self.chance, 0)
            self.look("get", name, self._call("GET", name, manners=manners))

    def _list(self) -> None:
        def names(body: bytes) -> set[str]:
            keys = {key.decode().rpartition("/")[2] for key in _KEY.findall(body)}
            return keys - {""}  # the directory itself, while it is empty

        answer = self._call("GET", None, {"list-type": "2", "prefix": self._key("")})
        self.look_at_names("list", answer, names)

    def _put_in_parts(self) -> None:
        """Upload two parts or three, each as often as it takes, and complete them."""
        name = self.new_name()
        begun = self._call("POST", name, {"uploads": ""}, body=b"")
        found = _UPLOAD.search(begun.body)
        if begun.status != OK or not begun.whole or found is None:
            self.failed("begin upload", "write", begun)
            return
        upload = found[1].decode()
        last = self.new_piece()
        content = (*(Piece(f"{last.label} part {i}", PART)
                     for i in range(self.chance.randint(1, 2))), last)
        parts = [self._put_part(name, upload, i, piece) for i, piece in enumerate(content, 1)]
        if not all(parts):
            self._call("DELETE", name, {"uploadId": upload})
            return
        self._complete(name, upload, content, "".join(parts))

    def _put_part(self, name: str, upload: str, number: int, piece: Piece) -> str:
        """Return what names a part in the completion, empty where it could not be uploaded."""
        body = piece.data()
        for _ in range(PART_TRIES):
            answer = self._call("PUT", name, {"partNumber": str(number), "uploadId": upload},
                                body, mood(self.chance, piece.size))
            if answer.status == OK:
                self.tally.did("s3 part")
                etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
                return f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            self.failed("part", "write", answer)
            if self.is_ending:
                break
        return ""

    def _complete(self, name: str, upload: str, content: Content, parts: str) -> None:
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = self._call("POST", name, {"uploadId": upload}, body)
        if answer.status == OK and b"<Error>" in answer.body:
            answer = answer._replace(status=503)  # S3 tells late errors after a 200
        elif answer.status == OK and not answer.whole:
            answer = answer._replace(status=0)
        self.change("complete", answer, OK, {name: content})

    def _key(self, name: str) -> str:
        return f"objects-{self.number}/{name}"

    def _call(
        self, method: str, name: str | None, query: Mapping[str, str] | None = None,
        body: bytes | None = None, manners: Manners | None = None,
    ) -> Answer:
        where = f"/{self.door.bucket}" if name is None else (
            f"/{self.door.bucket}/{self._key(name)}")
        head = self.door.s3.request(method, where, query, None if body is None else len(body))
        return ask(self.door.s3.address, head, body or b"", manners)
