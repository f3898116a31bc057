"""The XML of S3: written with everything escaped, read without entities and within a bound."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Union
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from werkzeug import Response

from app.core.object_errors import MalformedDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from xml.etree.ElementTree import Element

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
XML_TYPE = "application/xml"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
MAX_DOCUMENT = 64 * 1024
MAX_MARKUP = 400_000
"""Brackets and equals signs that a document may have: elements and attributes take many times the
memory of their text. 10,000 parts with ETags and checksums have 120,000."""
Content = Union[str, int, bool, None, "Sequence[Field]"]
"""An element's content: text, a number, a flag, its children, or None for `<Name/>`."""
Field = tuple[str, Content]
"""One element: its name (attributes behind it, ready to be written) and its content."""
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What no XML 1.0 document may hold, not even as a reference."""
_SPECIAL = re.compile('[&<>"\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]')
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def escape(text: str) -> str:
    """Return `text` for an element's content; what XML cannot hold becomes `&#…;`, as AWS does.

    A line feed and a tab stay; a carriage return would be read as a line feed, so it does not.
    """
    return _SPECIAL.sub(lambda found: _NAMED.get(found[0]) or f"&#{ord(found[0])};", text)


def element(name: str, content: Content) -> str:
    """Return one element as text."""
    if content is None:
        return f"<{name}/>"
    if isinstance(content, bool):
        text = "true" if content else "false"
    elif isinstance(content, str):
        text = escape(content)
    elif isinstance(content, int):
        text = str(content)
    else:
        text = elements(content)
    return f"<{name}>{text}</{name.partition(' ')[0]}>"


def elements(fields: Iterable[Field]) -> str:
    """Return elements one after the other, with nothing between."""
    return "".join(element(name, content) for name, content in fields)


def document(root: str, content: Content, namespace: str = NAMESPACE) -> bytes:
    """Return a whole document in UTF-8."""
    return (DECLARATION + element(f'{root} xmlns="{namespace}"', content)).encode()


def answer(root: str, content: Content, status: int = 200) -> Response:
    """Return an answer with a document of S3's namespace."""
    return Response(document(root, content), status, content_type=XML_TYPE)


class _Bare(Response):
    """An answer that has no type unless its headers say one."""

    default_mimetype = None


def empty(status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer without a body."""
    return _Bare(None, status, headers)


def parse(data: bytes, root: str) -> Element:
    """Return the root element of a document, its names without namespaces.

    Raises MalformedDocument for what is not XML, has a DTD, has another root than `root`, or
    too many elements and attributes.
    """
    if data.count(b"<") + data.count(b"=") > MAX_MARKUP:
        raise MalformedDocument(f"the body has more elements than any {root} needs")
    try:
        tree: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise MalformedDocument(f"the body is not the XML of a {root}: {error}") from error
    for node in tree.iter():
        node.tag = node.tag.rpartition("}")[2]
    if tree.tag != root:
        raise MalformedDocument(f"the body is a {tree.tag[:100]}, not a {root}")
    return tree


def text_of(parent: Element, name: str) -> str:
    """Return the text of the child `name`. Raises MalformedDocument where there is none."""
    text = parent.findtext(name)
    if text is None:
        raise MalformedDocument(f"a {parent.tag} of the body has no {name}")
    return text
