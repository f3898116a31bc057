"""boto 2.49, which signs with version 2: the documented script, at /api/v1/s3 and at the root."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.clients.tools import environment

if TYPE_CHECKING:
    from tests.clients.endpoint import Endpoint

SCRIPT = Path(__file__).with_name("scripts") / "boto2_example.py"


@pytest.mark.parametrize("place", ["prefixed", "root"])
def test_the_documented_script(s3: Endpoint, place: str) -> None:
    url, path = (s3.prefixed, "/api/v1/s3") if place == "prefixed" else (s3.url, "/")
    port = url.split("/")[2].partition(":")[2]
    trusted = {"SSL_CERT_FILE": str(s3.certificate)} if s3.certificate else {}
    told = s3.run(environment("boto2") / "python", SCRIPT, s3.key_id, s3.secret, port, path,
                  "tls" if s3.secure else "plain", variables=trusted)
    assert told == "done\n"
    assert "bucket-for-testing" not in s3.names("")
