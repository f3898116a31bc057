"""Changes to the text of a users file, from text to text, that leave its comments alone.

`position` is the place of a user among the users. Keys are found by it because the editor does
not read every key as text (`007`, `yes`), while the reader does.
"""

from __future__ import annotations

import io
import re
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.util import load_yaml_guess_indent

EMPTY = """\
# The users of the gateway. It reads this file again within about a second of a change, and keeps
# the last good state when a change cannot be used. Edit it by hand, or better by
# `httpfs-proxy users add|passwd|disable|enable|remove`; `httpfs-proxy users check` finds mistakes.
# config/users.example.yaml explains each key.
users: {}
"""

Fields = dict[str, str | bool | list[str] | dict[str, list[str]]]
"""Keys of one user, as the file has them, to be set."""


def with_user(text: str, name: str, fields: Fields) -> str:
    """Return the text with one more user, the last one."""
    document, editor = _parse(text)
    users = document["users"] or CommentedMap()
    users.fa.set_block_style()
    document["users"] = users
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name)
    users[name if plain else DoubleQuotedScalarString(name)] = entry = CommentedMap()
    _set(entry, fields)
    return _dump(editor, document)


def with_fields(text: str, position: int, fields: Fields) -> str:
    """Return the text with these keys of one user set."""
    document, editor = _parse(text)
    users = document["users"]
    _set(users[list(users)[position]], fields)
    return _dump(editor, document)


def without_user(text: str, position: int) -> str:
    """Return the text without one user; comments before and after the entry stay.

    Works on lines: the editor hangs a comment on the entry before it, and loses it with that.
    """
    users = _users_node(text)
    if users.flow_style:
        return _without_in_flow(text, position)
    starts = [key.start_mark.line for key, _ in users.value]
    lines = text.splitlines(keepends=True)
    first = starts[position]
    end = starts[position + 1] if position + 1 < len(starts) else _end_of(text, users, lines)
    while lines[end - 1].strip() == "" or lines[end - 1].lstrip().startswith("#"):
        end -= 1
    return "".join(lines[:first] + lines[end:])


def _end_of(text: str, users: yaml.CollectionNode, lines: list[str]) -> int:
    """Return the line of what follows the users, the end of the file where nothing does."""
    return min((key.start_mark.line for key, _ in _top(text)
                if key.start_mark.line > users.start_mark.line), default=len(lines))


def _users_node(text: str) -> yaml.CollectionNode:
    users: yaml.CollectionNode = next(
        value for key, value in _top(text) if key.value == "users")
    return users


def _top(text: str) -> list[tuple[Any, Any]]:
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(top, yaml.MappingNode):
        raise TypeError("a users file that was read has a map at its top")
    parts: list[tuple[Any, Any]] = top.value
    return parts


def _without_in_flow(text: str, position: int) -> str:
    document, editor = _parse(text)
    users = document["users"]
    del users[list(users)[position]]
    return _dump(editor, document)


def _parse(text: str) -> tuple[CommentedMap, YAML]:
    """Return the document and an editor that writes it in the file's own style."""
    _, indent, offset = load_yaml_guess_indent(text)
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 2**16
    offset = offset or 0
    editor.indent(mapping=indent or 2, sequence=offset + 2, offset=offset)
    return editor.load(text), editor


def _dump(editor: YAML, document: CommentedMap) -> str:
    stream = io.StringIO()
    editor.dump(document, stream)
    return stream.getvalue()


def _set(entry: CommentedMap, fields: Fields) -> None:
    for key, value in fields.items():
        if isinstance(value, list):
            entry[key] = _in_flow(value)
        elif isinstance(value, dict):
            entry[key] = CommentedMap(
                {name: _in_flow(texts) for name, texts in value.items()})
        else:
            entry[key] = value if isinstance(value, bool) else DoubleQuotedScalarString(value)


def _in_flow(texts: list[str]) -> CommentedSeq:
    sequence = CommentedSeq([text if re.fullmatch(r"[a-z0-9_-]+", text)
                             else DoubleQuotedScalarString(text) for text in texts])
    sequence.fa.set_flow_style()
    return sequence
