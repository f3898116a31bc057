"""AIStore's downloads, by the clients that are generated of its descriptions."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clients.aistore.client import Ais
    from tests.clients.aistore.place import AisPlace

FILES = {f"part-{number:02d}.bin": bytes([number]) * 1000 for number in range(4)}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def source(
    ais_place: AisPlace, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Yield the URL of a server with FILES."""
    directory = tmp_path_factory.mktemp("source")
    for name, content in FILES.items():
        (directory / name).write_bytes(content)
    server = ThreadingHTTPServer(
        ("127.0.0.1", ais_place.source_port), partial(_Quiet, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{ais_place.source_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def holds(place: AisPlace, bucket: str, files: dict[str, bytes]) -> bool:
    return all(place.stored(f"/{bucket}/{name}") == content for name, content in files.items())


def test_one(ais: Ais, ais_place: AisPlace, ais_bucket: str, source: str) -> None:
    ais.download.download_single_object(ais.models.DownloadSingle(
        link=f"{source}/part-01.bin", bucket=ais_bucket, objname="one"))
    wait_for("the object", lambda: holds(ais_place, ais_bucket, {"one": FILES["part-01.bin"]}))


def test_several(ais: Ais, ais_place: AisPlace, ais_bucket: str, source: str) -> None:
    ais.download.download_multiple_objects(ais.models.DownloadMulti(
        bucket=ais_bucket, object_map={"zero": f"{source}/part-00.bin"}))
    ais.download.download_multiple_objects(ais.models.DownloadMulti(
        bucket=ais_bucket, object_list=[f"{source}/part-01.bin", f"{source}/part-02.bin"]))
    wanted = {"zero": FILES["part-00.bin"],
              **{name: FILES[name] for name in ("part-01.bin", "part-02.bin")}}
    wait_for("the objects", lambda: holds(ais_place, ais_bucket, wanted))


def test_a_list(ais: Ais, ais_place: AisPlace, ais_bucket: str, source: str) -> None:
    ais.download.download_object_list(ais.models.DownloadList(
        bucket=ais_bucket, base=f"{source}/", prefix="part-", suffix=".bin", start=1, end=3,
        step=2, digit_count=2))
    wanted = {name: FILES[name] for name in ("part-01.bin", "part-03.bin")}
    wait_for("the objects", lambda: holds(ais_place, ais_bucket, wanted))
    assert ais_place.stored(f"/{ais_bucket}/part-02.bin") is None


def test_what_is_asked_for_afterwards(ais: Ais, ais_bucket: str, source: str) -> None:
    link = f"{source}/part-01.bin"
    started = ais.download.seen("download_single_object", ais.models.DownloadSingle(
        link=link, bucket=ais_bucket, objname="one"))
    job = started.json["id"]
    admin = ais.models.DownloadAdmin(link=link, bucket=ais_bucket, objname="one")
    # This generator's GET sends no body, so it lists all.
    assert job in ais.download.seen("download_status", admin).text
    # One that is over cannot be cancelled, another than was asked for neither.
    other = ais.models.DownloadAdmin(link=link, bucket=ais_bucket, objname="never")
    assert ais.status_of(ais.download.download_cancel_with_http_info, other) in (400, 404)


def test_hosts_that_are_not_allowed(ais: Ais, ais_place: AisPlace, ais_bucket: str) -> None:
    with pytest.raises(ais.error) as refused:
        ais.download.download_single_object(ais.models.DownloadSingle(
            link="http://169.254.169.254/latest", bucket=ais_bucket, objname="secret"))
    assert refused.value.status in (400, 403)
    assert ais_place.stored(f"/{ais_bucket}/secret") is None
