"""s3fs, through which pandas, Dask and many more read and write S3."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.clients.tools import environment

if TYPE_CHECKING:
    from tests.clients.endpoint import Endpoint

SCRIPT = Path(__file__).with_name("scripts") / "s3fs_tour.py"


def test_a_tour(s3: Endpoint, bucket: str) -> None:
    told = s3.run(environment("s3fs") / "python", "-W", "error", SCRIPT, bucket)
    assert told == "done\n"
    assert s3.stored(f"/{bucket}/kept/ü.csv") == b"a,b\n1,2\n"
    assert s3.names(f"/{bucket}") == ["kept"]
