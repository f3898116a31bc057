"""Digests in headers, which anyone may send who may send a body."""

from __future__ import annotations

import base64
import hashlib

import pytest

from app.core.errors import InvalidRequest
from app.web.digests import sent_checks

CONTENT = b"what is sent"
MEMBER = f"sha-256=:{base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()}:"


@pytest.mark.parametrize("written", [
    MEMBER, f"  {MEMBER}\t", f"{MEMBER};a", f'{MEMBER}; a=1;b="two" ',
    f"unixsum=:AAA=:;c , {MEMBER}"])
def test_members_with_parameters_and_spaces(written: str) -> None:
    (check,) = sent_checks({"Content-Digest": written})
    check.state.update(CONTENT)
    check.verify()


@pytest.mark.parametrize("written", [
    f"{MEMBER};", f"{MEMBER};=1", f"{MEMBER} ;a", MEMBER[:-1], MEMBER.removeprefix("sha-256="),
    # Looked at from each of its spaces anew, this would take longer than any test may.
    f"{MEMBER};a={' ' * 300_000};;"])
def test_what_is_no_member(written: str) -> None:
    with pytest.raises(InvalidRequest, match="RFC 9530"):
        sent_checks({"Content-Digest": written})
