"""A user who forgets to close streams gets no more of them; the others do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway import Gateway
from tests.streams.conftest import HOME, furnished
from tests.streams.test_transfers import closed, on, opened

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gunicorn
MOST = 3


def test_streams_left_open_use_up_the_users_room_alone(tmp_path: Path) -> None:
    with Gateway(tmp_path, workers=1, settings={"streams": {"max_open": MOST}}) as gateway:
        gateway.make_home("alice")
        alx = furnished(gateway)
        ids = [opened(alx, f"file {n}") for n in range(MOST)]
        refused = alx.act(f"{HOME}/one more", "create-file")
        assert (refused.status, refused.code) == (429, "RESOURCE_EXHAUSTED")
        assert "3 streams are open already" in refused.message
        assert alx.act(f"{HOME}/one more", "get-status").code == "NOT_FOUND"
        assert on(alx, ids[0], "write", b"kept").status == 200
        closed(alx, ids[0])

        reading = opened(alx, "file 0", "open-file")
        assert alx.act(f"{HOME}/file 0", "open-file").code == "RESOURCE_EXHAUSTED"
        assert on(alx, reading, "read").body == b"kept"
        closed(alx, reading)

        other = gateway.request(
            "POST", f"/api/v1/paths/{HOME}/file%200/open-file", user="reader")
        assert other.status_code == 200, other.text
        closed(alx, opened(alx, "file 0", "open-file"))
        assert alx.act(f"{HOME}/file 1", "delete").status == 200
        closed(alx, opened(alx, "file 1"))
