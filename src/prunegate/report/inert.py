r"""Inert text: data-derived words that can be shown anywhere without doing anything.

Slice names, ids, labels and notes come from other people's files. ``inert`` turns whatever a reader
could not see, or could be misled by (controls, bidirectional overrides, invisible and stacked
characters, odd spaces) into visible escapes such as ``\u202e``. Escaping for a format (HTML,
Markdown, XML) comes on top and belongs to the format's own file.
"""

from __future__ import annotations

import unicodedata

_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f")
"""Characters that Unicode calls letters or symbols and that print as nothing."""
_STACK = 2
"""Combining marks that may follow one letter; real words need no more."""
LONGEST = 800
"""Characters of a sentence that holds other people's words."""
_LONGEST_NAME, _TAIL = 120, 24
_VARIATION = ("VARIATION SELECTOR", "MONGOLIAN FREE VARIATION")


def inert(text: str) -> str:
    r"""The text on one line with everything invisible or reordering as an escape.

    >>> inert("safe\u202eexe")
    'safe\\u202eexe'
    >>> inert("two\nlines")
    'two\\u000alines'
    """
    if text.isascii() and text.isprintable() and "  " not in text and text == text.strip(" "):
        return text
    shown: list[str] = []
    marks = 0
    for index, char in enumerate(text):
        marks = marks + 1 if unicodedata.combining(char) else 0
        hidden = marks > _STACK or _invisible(char) or (char == " " and _uneven(text, index))
        shown.append(_escape(char) if hidden else char)
    return "".join(shown)


def shorten(text: str, longest: int) -> str:
    """Inert text of at most ``longest`` characters; a cut is visible as an ellipsis.

    >>> shorten("holiday-video", 8)
    'holiday…'
    """
    shown = inert(text)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def named(text: str) -> str:
    """Inert text of a name, with the middle of a very long one left out so that both ends show."""
    shown = inert(text)
    if len(shown) <= _LONGEST_NAME:
        return shown
    return f"{shown[: _LONGEST_NAME - _TAIL - 1]}…{shown[-_TAIL:]}"


def _invisible(char: str) -> bool:
    if not char.isprintable() or char in _BLANK_LETTERS:
        return True
    return not char.isascii() and unicodedata.name(char, "").startswith(_VARIATION)


def _uneven(text: str, index: int) -> bool:
    """A space that layout would swallow: at an end, or after another space."""
    return index in (0, len(text) - 1) or text[index - 1] == " "


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
