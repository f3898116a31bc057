"""Python's clients of WebHDFS: `hdfs`, fsspec and, through it, pandas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.clients.endpoint import GATEWAY_USER
from tests.clients.tools import environment
from tests.gateway import PASSWORD

if TYPE_CHECKING:
    from tests.clients.endpoint import Endpoint

SCRIPT = Path(__file__).with_name("scripts") / "webhdfs_tour.py"
DIRECTORY = "/user/alice/tour"


def test_a_tour(server: Endpoint, tmp_path: Path) -> None:
    place = server._replace(home=tmp_path)
    trusted = {"REQUESTS_CA_BUNDLE": str(place.certificate)} if place.certificate else {}
    told = place.run(
        environment("webhdfs") / "python", SCRIPT, place.gateway.url, GATEWAY_USER, PASSWORD,
        DIRECTORY, variables=trusted)
    assert told == "done\n"
    table = place.gateway.request(
        "GET", "/f/file/content", params={"path": f"{DIRECTORY}/table.csv"})
    assert table.content == "a,b\n1,ü\n2,x\n".encode()
