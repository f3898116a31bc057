"""kill -9 of the worker at each step of each change: old or new, whole, and nothing else."""

from __future__ import annotations

import functools
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import requests

from tests.conftest import HADOOP, backend_options, furnish
from tests.contract.client import CONTENT, OCTETS, Files, visible_and_hidden
from tests.gateway import Gateway, wait_for
from tests.live.conftest import QUICK, new_directory
from tests.live.interceptor import Interceptor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Way = tuple[Gateway, Interceptor]

SWEPT_SECONDS = 90.0
OLD, NEW, MORE = b"old " * 1000, b"new and longer " * 1000, b"more"


class Step(NamedTuple):
    """A request of the gateway's to the backend: the `nth` of an operation."""

    operation: str
    nth: int = 1


class Scene(NamedTuple):
    """A gateway whose way to the backend can be cut, and the cut."""

    files: Files
    cut: Interceptor


@pytest.fixture(scope="module")
def ways(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Way]]:
    """Yield what gives the gateway of a backend, reached through an interceptor."""
    with ExitStack() as stack:

        @functools.cache
        def way(backend: str) -> Way:
            options = backend_options(request, backend)
            cut = stack.enter_context(Interceptor(options.pop("backend")))
            gateway = stack.enter_context(Gateway(
                tmp_path_factory.mktemp("between"), backend=cut.url, workers=1, **options,
                settings={**QUICK, "backend": {**QUICK["backend"], "kind": backend,
                                               "rpc": "off"}}))  # what is cut is WebHDFS
            furnish(gateway)
            return gateway, cut

        yield way


@pytest.fixture
def scene(ways: Callable[[str], Way], backend: str) -> Scene:
    """Return a new directory with the file `old` in it."""
    gateway, cut = ways(backend)
    files = new_directory(gateway, backend)
    files.put("old", OLD)
    return Scene(files, cut)


def killed_at(scene: Scene, step: Step, *, before: bool, change: dict[str, Any]) -> None:
    """Make a change in the background, and kill the worker when it has got to the step."""
    gateway = scene.files.gateway
    pid, = gateway.workers()
    scene.cut.hold(step.operation, nth=step.nth, before=before)
    thread = threading.Thread(target=send, args=(gateway, change))
    thread.start()
    scene.cut.await_held()
    gateway.kill_worker(pid)
    thread.join(30)
    assert not thread.is_alive()
    wait_for("a new worker", lambda: [p for p in gateway.workers() if p != pid])


def send(gateway: Gateway, change: dict[str, Any]) -> None:
    """Send a request that will have no answer."""
    try:
        requests.request(
            change["method"], gateway.url + change["url"], auth=("someone", "secret"),
            params=change["params"], data=change.get("data"), headers=change.get("headers"),
            timeout=30)
    except requests.RequestException:
        return


def steps(change: str) -> list[Any]:
    """Return backend, step and side of it for all steps of a change."""
    return [
        pytest.param(backend, step, before, marks=HADOOP,
                     id=f"{backend}-{'before' if before else 'after'}-{step.operation}{step.nth}")
        for backend, changes in STEPS.items() for step in changes[change]
        for before in (True, False)
    ]


# Where HttpFS cannot replace a file in one step: old aside, new in place, old away.
STEPS: dict[str, dict[str, list[Step]]] = {
    "namenode": {
        "overwrite": [Step("CREATE"), Step("RENAME")], "create": [Step("CREATE"), Step("RENAME")],
        "append": [Step("CREATE"), Step("CONCAT")], "concat": [Step("CONCAT")],
        "rename": [Step("RENAME")],
    },
    "httpfs": {
        "overwrite": [Step("CREATE"), Step("RENAME"), Step("RENAME", 2), Step("DELETE")],
        "create": [Step("CREATE"), Step("RENAME")], "append": [Step("CREATE"), Step("CONCAT")],
        "concat": [Step("CONCAT")], "rename": [Step("RENAME")],
    },
}
NAMES = ("backend", "step", "before")


@pytest.mark.parametrize(NAMES, steps("overwrite"))
def test_overwrite(scene: Scene, step: Step, *, before: bool) -> None:
    files = scene.files
    killed_at(scene, step, before=before, change={
        "method": "PUT", "url": CONTENT, "data": NEW,
        "params": {"path": files.at("old"), "overwrite": "true"}})
    settled(files, {"old"}, [OLD, NEW])


@pytest.mark.parametrize(NAMES, steps("create"))
def test_create(scene: Scene, step: Step, *, before: bool) -> None:
    files = scene.files
    killed_at(scene, step, before=before, change={
        "method": "PUT", "url": CONTENT, "data": NEW, "params": {"path": files.at("made/for/it")}})
    # Either all of it came to be, with its two directories, or nothing. (A hidden file counts like
    # the whole one, so the name is looked at too.)
    wait_for("all or nothing", lambda: count(files) == (4 if there(files, "made/for/it") else 1),
             seconds=SWEPT_SECONDS)
    assert files.read("old") == OLD
    if count(files) > 1:
        assert files.read("made/for/it") == NEW


@pytest.mark.parametrize(NAMES, steps("append"))
def test_append(scene: Scene, step: Step, *, before: bool) -> None:
    files = scene.files
    killed_at(scene, step, before=before, change={
        "method": "POST", "url": CONTENT, "data": MORE, "headers": OCTETS,
        "params": {"path": files.at("old")}})
    settled(files, {"old"}, [OLD, OLD + MORE])


@pytest.mark.parametrize(NAMES, steps("concat"))
def test_concatenate(scene: Scene, step: Step, *, before: bool) -> None:
    files = scene.files
    files.put("a", NEW)
    files.put("b", MORE)
    killed_at(scene, step, before=before, change={
        "method": "POST", "url": CONTENT, "params": {"path": files.at("old"), "sources": "a,b"}})
    if before:
        assert files.names() == ["a", "b", "old"]
        assert (files.read("old"), files.read("a"), files.read("b")) == (OLD, NEW, MORE)
    else:
        settled(files, {"old"}, [OLD + NEW + MORE])


@pytest.mark.parametrize(NAMES, steps("rename"))
def test_rename(scene: Scene, step: Step, *, before: bool) -> None:
    files = scene.files
    killed_at(scene, step, before=before, change={
        "method": "PUT", "url": "/f/name",
        "params": {"path": files.at("old"), "destination": files.at("new")}})
    settled(files, {"old" if before else "new"}, [OLD])


def there(files: Files, name: str) -> bool:
    answer = files.gateway.request(
        "GET", "/f/file/status", user=files.user, params={"path": files.at(name)})
    return answer.status_code == 200


def count(files: Files) -> int:
    """Return how many names HDFS knows below the directory."""
    summary = files.call("GET", "/f/file/summary", path=files.directory).json()["result"]["summary"]
    return int(summary["directoryCount"]) - 1 + int(summary["fileCount"])


def settled(files: Files, names: set[str], contents: list[bytes]) -> None:
    """Assert that the directory comes to hold these names alone, with one of the contents."""
    wait_for("only what should be there", lambda: (
        set(visible_and_hidden(files)) == names and count(files) == len(names)),
        seconds=SWEPT_SECONDS)
    for name in names:
        assert files.read(name) in contents
