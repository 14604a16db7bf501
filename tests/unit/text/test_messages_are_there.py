"""Every sentence that the code asks a catalogue for is in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.source import shapes

from prunegate.text.languages import ENGLISH, messages

SECTIONS = {"said": "recorded.", "say": "", "count": "", "pieces": ""}
"""What asks for messages, and what stands before the kind that it is given."""


def asked() -> Iterator[tuple[str, str, bool]]:
    """(place, key, whole) of every message that is asked for by a literal; whole: to its end."""
    for file, nodes in shapes().items():
        for node in nodes:
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else None
            name = node.func.id if isinstance(node.func, ast.Name) else name
            key, whole = beginning(node.args[0])
            if name in SECTIONS and "." in key:
                yield f"{file}:{node.lineno}", SECTIONS[name] + key, whole


def beginning(node: ast.expr) -> tuple[str, bool]:
    """The literal beginning of a text, and whether that is all of it."""
    if isinstance(node, ast.JoinedStr) and node.values:
        return beginning(node.values[0])[0], False
    literal = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return (str(node.value), True) if literal and isinstance(node, ast.Constant) else ("", False)


def test_every_message_that_is_asked_for_is_in_the_catalogue() -> None:
    known = messages(ENGLISH)
    found = list(asked())
    assert len(found) > 500
    missing = [
        (place, key)
        for place, key, whole in found
        if not (
            key in known or f"{key}.other" in known
            if whole
            else any(one.startswith(key) for one in known)
        )
    ]
    assert missing == []
