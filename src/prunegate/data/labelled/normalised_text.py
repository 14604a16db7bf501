"""What a text says: its letters, digits and symbols, however it is spaced, pointed and cased.

Two texts that say the same are as good as one text to a model that has seen one of them. Symbols
count: ``a+b`` is not ``a-b``, ``5 %`` is not ``5``, and a smile is not a frown. Punctuation only
separates, and so does a dash, unless it is the sign of a number. What nobody sees is not there.
"""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = frozenset(
    chr(code)
    for first, last in (
        (0x34F, 0x34F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)
"""Unicode's default ignorable characters that are letters or marks by category, such as selectors
of a variation; those of category Cf (zero-width space, soft hyphen) are others."""
_SYMBOLS = frozenset("#%&*/@\\\u2030\u2031")
"""Read as symbols, though Unicode has them as punctuation, as it has full stops and commas."""
_QUOTE = "`"
"""Read as punctuation, though Unicode has it as a symbol."""
_BLANK = "\u2800"
"""Braille without dots: read as a space, though Unicode has it as a symbol."""
_DASHES = "-\u2010\u2013\u2212"
_MINUS = "\u2212"
_SIGN = re.compile(rf"(?<!\w)[{_DASHES}](?=\d)")
"""A dash that is the sign of a number: right before it, and after no word."""


def normalised(text: str) -> str:
    r"""A text's letters, digits and symbols, in lower case and without forms of compatibility.

    Spaces and punctuation separate them; characters that nobody sees are not there.

    >>> normalised("  Hel\u200blo,   WORLD! ")
    'hello world'
    >>> normalised("A+B"), normalised("a - b"), normalised("(-5 %)")
    ('a + b', 'a b', '−5 %')
    """
    seen = "".join(c for c in text if unicodedata.category(c) != "Cf" and c not in _UNSEEN)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    signed = _SIGN.sub(_MINUS, folded.replace(_MINUS, "-"))
    return " ".join("".join(map(_apart, signed)).split())


def _apart(char: str) -> str:
    """The character, a symbol by itself; a space in the place of what only separates."""
    kind = unicodedata.category(char)[0]
    if kind in "LNM" or char == _MINUS:
        return char
    symbol = char in _SYMBOLS or (kind == "S" and char not in (_QUOTE, _BLANK))
    return f" {char} " if symbol else " "
