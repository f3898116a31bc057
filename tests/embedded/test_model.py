"""Sequences of changes, checked against a dictionary."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.embedded import create_server
from tests.embedded.client import Client
from tests.embedded.invariants import check

HOME = "/user/alice"

_characters = st.characters(exclude_characters="/:\0", exclude_categories=("Cs",))
names = st.text(_characters, min_size=1, max_size=40).filter(
    lambda name: name not in {".", "..", ".snapshot", ".reserved"}
)


def signed(name: str) -> list[int]:
    return [byte - 256 if byte > 127 else byte for byte in name.encode()]


@given(st.lists(names, min_size=1, max_size=12, unique=True))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_name_is_kept_and_listed_in_order(given_names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        client = Client(create_server(Path(directory), listing_page=3))
        for name in given_names:
            client.create(f"{HOME}/{name}", name.encode())
        listed = client.names(HOME)
        assert listed == sorted(given_names, key=signed)
        for name in given_names:
            assert client.content(f"{HOME}/{name}") == name.encode()
        after, paged = "", []
        while True:
            listing = client.get("LISTSTATUS_BATCH", HOME, startAfter=after).json
            page = listing["DirectoryListing"]
            entries = page["partialListing"]["FileStatuses"]["FileStatus"]
            paged += [entry["pathSuffix"] for entry in entries]
            assert page["remainingEntries"] == len(given_names) - len(paged)
            if not page["remainingEntries"]:
                break
            after = paged[-1]
        assert paged == listed


few = st.sampled_from(["a", "b", "c", "ä", "\U0001f600"])
paths = st.lists(few, min_size=1, max_size=3).map("/".join)


class Tree(RuleBasedStateMachine):
    """A model: path -> content, or None for a directory."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.directory = Path(self._folder.name)
        self.client = Client(create_server(self.directory, min_blocksize=1))
        self.model: dict[str, bytes | None] = {}
        self.client.status(HOME)

    def teardown(self) -> None:
        check(self.directory)
        self._folder.cleanup()

    def below(self, path: str) -> list[str]:
        return [other for other in self.model if other.startswith(f"{path}/")]

    def parents(self, path: str) -> list[str]:
        parts = path.split("/")
        return ["/".join(parts[:depth]) for depth in range(1, len(parts))]

    def blocked(self, path: str) -> bool:
        return any(self.model.get(parent) is not None for parent in self.parents(path))

    def add(self, path: str, content: bytes | None) -> None:
        for parent in self.parents(path):
            self.model.setdefault(parent, None)
        self.model[path] = content

    @rule(path=paths, content=st.binary(max_size=30), overwrite=st.booleans())
    def create(self, path: str, content: bytes, overwrite: bool) -> None:
        answer = self.client.put(
            "CREATE", f"{HOME}/{path}", content, overwrite=str(overwrite).lower(), blocksize=8
        )
        taken = path in self.model and (self.model[path] is None or not overwrite)
        if self.blocked(path) or taken:
            assert answer.status == 403
        else:
            assert answer.status == 201
            self.add(path, content)

    @rule(path=paths)
    def mkdirs(self, path: str) -> None:
        answer = self.client.put("MKDIRS", f"{HOME}/{path}")
        if self.blocked(path) or self.model.get(path) is not None:
            assert answer.status == 403
        else:
            assert answer.json == {"boolean": True}
            self.add(path, None)

    @rule(path=paths, recursive=st.booleans())
    def delete(self, path: str, recursive: bool) -> None:
        answer = self.client.delete(f"{HOME}/{path}", recursive=str(recursive).lower())
        if self.blocked(path) or (self.below(path) and not recursive):
            assert answer.status == 403
            return
        assert answer.json == {"boolean": path in self.model}
        for gone in [*self.below(path), path]:
            self.model.pop(gone, None)

    @rule(source=paths, goal=paths)
    def replace(self, source: str, goal: str) -> None:
        answer = self.client.put(
            "RENAME",
            f"{HOME}/{source}",
            destination=f"{HOME}/{goal}",
            renameoptions="OVERWRITE",
        )
        if self.movable(source, goal):
            assert answer.status == 200, answer.body
            moved = {path: self.model.pop(path) for path in [*self.below(source), source]}
            for path, content in moved.items():
                self.model[goal + path[len(source) :]] = content
        else:
            assert answer.status in {403, 404}

    def movable(self, source: str, target: str) -> bool:
        if source not in self.model or source == target or target.startswith(f"{source}/"):
            return False
        if self.blocked(target) or any(up not in self.model for up in self.parents(target)):
            return False
        if target not in self.model:
            return True
        same_kind = (self.model[source] is None) == (self.model[target] is None)
        return same_kind and not self.below(target)

    @rule(path=paths, content=st.binary(min_size=1, max_size=20))
    def append(self, path: str, content: bytes) -> None:
        answer = self.client.post("APPEND", f"{HOME}/{path}", content)
        old = self.model.get(path)
        if old is None or self.blocked(path):
            assert answer.status in {403, 404}
        else:
            assert answer.status == 200
            self.model[path] = old + content

    @rule(path=paths, length=st.integers(0, 40))
    def truncate(self, path: str, length: int) -> None:
        answer = self.client.post("TRUNCATE", f"{HOME}/{path}", newlength=length)
        old = self.model.get(path)
        if old is None or self.blocked(path):
            assert answer.status in {403, 404}
        elif length > len(old):
            assert answer.status == 400
        else:
            assert answer.status == 200
            self.model[path] = old[:length]

    @precondition(lambda self: len(self.files()) > 1)
    @rule(data=st.data())
    def concat(self, data: st.DataObject) -> None:
        target, source = data.draw(st.permutations(self.files()))[:2]
        answer = self.client.post("CONCAT", f"{HOME}/{target}", sources=f"{HOME}/{source}")
        same = target.rpartition("/")[0] == source.rpartition("/")[0]
        content, more = self.model[target], self.model[source]
        if same and more:
            assert answer.status == 200, answer.body
            assert content is not None
            self.model[target] = content + more
            del self.model[source]
        else:
            assert answer.status == 400

    def files(self) -> list[str]:
        return [path for path, content in self.model.items() if content is not None]

    @invariant()
    def everything_is_there(self) -> None:
        found: dict[str, bytes | None] = {}
        waiting = [""]
        while waiting:
            path = waiting.pop()
            for name in self.client.names(f"{HOME}/{path}"):
                inner = f"{path}/{name}".lstrip("/")
                status = self.client.status(f"{HOME}/{inner}")
                if status["type"] == "DIRECTORY":
                    found[inner] = None
                    waiting.append(inner)
                else:
                    found[inner] = self.client.content(f"{HOME}/{inner}")
                    assert status["length"] == len(found[inner] or b"")
        assert found == self.model


TestTree = Tree.TestCase
TestTree.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
