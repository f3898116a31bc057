"""The same on a real HDFS: what is closed stays closed by NameNode and by HttpFS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import BACKENDS, backend_options
from tests.gateway import Gateway
from tests.rules.asked import DIALECTS
from tests.rules.place import CLOSED, HOME, OPEN, SECRET, Place, users
from tests.rules.refusing import refused_of

if TYPE_CHECKING:
    from collections.abc import Iterator

S3 = "/api/v1/s3"


@pytest.fixture(scope="module", params=BACKENDS[1:])
def real(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """Yield a gateway over each kind of server in turn."""
    options = backend_options(request, request.param)
    with Gateway(tmp_path_factory.mktemp("real"), users=users(options["superuser"]),
                 settings={"download": {"hosts": ["127.0.0.1"]}}, **options) as gateway:
        place = Place(gateway)
        place.furnish()
        yield place
        place.clear()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_closed_stays_closed(real: Place, dialect: str) -> None:
    before = real.fingerprint()
    wrong = refused_of(real, dialect, "denied")
    assert not wrong, "\n".join(wrong)
    assert real.fingerprint() == before


def test_what_is_open_is_as_ever(real: Place) -> None:
    assert real.put(f"{OPEN}/new/deep/file", "x", "ruled").status_code == 201
    moved = real.by("ruled", "PUT", "/f/name", path=f"{OPEN}/new", destination=f"{OPEN}/newer")
    assert moved.status_code == 201
    for key in ("object", "some/deeper/object", "marker/"):
        made = real.request("partly", "PUT", f"{S3}/open/inner/{key}",
                            data="" if key[-1] == "/" else "content")
        assert made.status_code == 200, made.text
    listed = real.request("partly", "GET", f"{S3}/open", params={"list-type": "2"}).text
    assert [key.partition("<")[0] for key in listed.split("<Key>")[1:]] == [
        "inner/marker/", "inner/object", "inner/some/deeper/object"]
    url = f"{S3}/open/inner/parts"
    upload = real.request("partly", "POST", url, params={"uploads": ""}).text.partition(
        "<UploadId>")[2].partition("<")[0]
    part = real.request("partly", "PUT", url, params={"uploadId": upload, "partNumber": "1"},
                        data=b"parts")
    done = real.request("partly", "POST", url, params={"uploadId": upload}, data=(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"
        f"{part.headers['ETag']}</ETag></Part></CompleteMultipartUpload>"))
    assert done.status_code == 200, done.text
    assert real.request("partly", "GET", url).content == b"parts"
    gone = real.by("partly", "DELETE", "/f/file", path=f"{OPEN}/inner", recursive="true")
    assert gone.status_code == 204, gone.text
    gone = real.by("ruled", "DELETE", "/f/file", path=f"{OPEN}/newer", recursive="true")
    assert gone.status_code == 204, gone.text


def test_a_tree_with_something_denied_stays(real: Place) -> None:
    for method, url, params in (
            ("DELETE", "/f/file", {"path": f"{OPEN}/mixed", "recursive": "true"}),
            ("PUT", "/f/name", {"path": f"{OPEN}/mixed", "destination": f"{OPEN}/m"}),
            ("GET", "/f/file/summary", {"path": f"{OPEN}/mixed"})):
        assert real.by("denied", method, url, **params).status_code == 403
    assert real.names("denied", f"{OPEN}/mixed") == real.names("free", f"{OPEN}/mixed")


def test_what_a_trailing_blank_makes_of_a_name_is_judged_as_it_arrives(real: Place) -> None:
    """HttpFS cuts blanks off at the end of parameters."""
    stolen = real.by("denied", "PUT", "/f/name", path=f"{OPEN}/file", destination=f"{CLOSED} ")
    assert stolen.status_code in (201, 403)
    if stolen.status_code == 201:
        real.by("free", "PUT", "/f/name", path=f"{CLOSED} ", destination=f"{OPEN}/file"
                ).raise_for_status()
    assert sorted(real.names("free", CLOSED)) == ["deep", "file", "treasure"]


def test_snapshots_go_by_the_rules_of_what_they_are_of(real: Place) -> None:
    old = f"{HOME}/.snapshot/old"
    assert real.by("denied", "GET", "/f/file/content", path=f"{old}/open/file").text == "open"
    answer = real.by("denied", "GET", "/f/file/content", path=f"{old}/closed/file")
    assert answer.status_code == 403
    assert SECRET not in answer.text
