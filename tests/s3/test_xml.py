"""S3's XML: whatever is written can be read again, and whatever is read is read safely."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from app.core.object_errors import MalformedDocument
from app.s3 import table
from app.s3.table import OPERATIONS, Level
from app.s3.xml import document, element, escape, parse, text_of

if TYPE_CHECKING:
    from app.s3.table import Operation

VALID = st.text(st.characters(
    blacklist_categories=("Cs",), blacklist_characters="\x00￾￿"
).filter(lambda c: c in "\t\n\r" or ord(c) > 31))
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True)
LOL = b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><Delete>&d;</Delete>'
OUTSIDE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><Delete>&b;</Delete>'


@given(VALID)
def test_text_comes_back(text: str) -> None:
    tree = fromstring(document("Root", [("Key", text)]))
    assert tree[0].text == (text or None)


@given(st.text())
def test_nothing_that_is_written_ends_its_element(text: str) -> None:
    written = element("Key", text)
    assert written.startswith("<Key>")
    assert written.endswith("</Key>")
    inside = written[5:-6]
    assert "<" not in inside
    assert ">" not in inside
    assert not re.search(r"&(?!amp;|lt;|gt;|quot;|#[0-9]+;)", inside)
    assert inside.encode().decode() == inside


def test_forms_of_elements() -> None:
    assert element("A", None) == "<A/>"
    assert element("A", "") == "<A></A>"
    assert element("A", content=True) == "<A>true</A>"
    assert element("A", 7) == "<A>7</A>"
    assert element('A b="c"', [("D", 1), ("E", [])]) == '<A b="c"><D>1</D><E></E></A>'
    assert escape("\r\x01\ud800￿") == "&#13;&#1;&#55296;&#65535;"


@given(st.binary(max_size=200) | VALID.map(str.encode))
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse(data, "Delete")


@given(st.recursive(st.tuples(NAMES, VALID), lambda inner: st.tuples(
    NAMES, st.lists(inner, max_size=4)), max_leaves=20), st.data())
def test_a_document_with_bytes_changed_is_read_or_refused(
    tree: tuple[str, object], data: st.DataObject,
) -> None:
    whole = bytearray(document("Delete", [tree]))  # type: ignore[list-item]
    parse(bytes(whole), "Delete")
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(MalformedDocument):
        assert parse(bytes(whole), "Delete").tag == "Delete"


@pytest.mark.parametrize("data", [
    LOL, OUTSIDE, b"<!DOCTYPE Delete><Delete/>", b"<Delete>", b"<Delete/><Delete/>", b"<Other/>",
    b'<?xml version="1.0" encoding="no-such"?><Delete/>', b"<a:Delete/>", b"<Delete>\x00</Delete>"])
def test_what_could_do_harm_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse(data, "Delete")


@pytest.mark.parametrize("inside", [
    b"<a/>" * 500_000, b"<a>" * 250_000 + b"</a>" * 250_000,
    b"<b " + b" ".join(b"a%d=''" % each for each in range(500_000)) + b"/>"],
    ids=["many", "deep", "attributes"])
def test_a_document_of_more_elements_than_any_has_is_refused(inside: bytes) -> None:
    with pytest.raises(MalformedDocument, match="more elements"):
        parse(b"<Delete>" + inside + b"</Delete>", "Delete")


def test_ten_thousand_parts_are_read() -> None:
    part = ("<Part><PartNumber>1</PartNumber><ETag>&quot;0&quot;</ETag>"
            f"<ChecksumSHA256>{'a' * 43}=</ChecksumSHA256></Part>").encode()
    tree = parse(b"<Complete>" + part * 10_000 + b"</Complete>", "Complete")
    assert len(tree) == 10_000


def test_names_are_read_without_their_namespaces() -> None:
    tree = parse(b'<x:Delete xmlns:x="some"><x:Key>k</x:Key><Key xmlns="other">l</Key></x:Delete>',
                 "Delete")
    assert [node.tag for node in tree] == ["Key", "Key"]
    assert text_of(tree, "Key") == "k"
    with pytest.raises(MalformedDocument):
        text_of(tree, "Value")
    deep = b"<Delete>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</Delete>"
    assert len(parse(deep, "Delete")) == 1


def test_no_row_of_the_table_hides_behind_another() -> None:
    seen: list[Operation] = []
    for row in OPERATIONS:
        query = {key.partition("=")[0]: [key.partition("=")[2]] for key in row.keys}
        headers = {row.header: "x"} if row.header else {}
        found = table.find(row.method, row.level, query, headers)  # type: ignore[arg-type]
        assert found == row
        assert row not in seen
        seen.append(row)
    assert table.methods(Level.SERVICE) == ["GET", "POST"]
