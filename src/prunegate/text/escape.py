r"""Escapes: words from other people's files that can be shown anywhere without doing anything.

Slice names, ids, labels and notes come from other people's files. ``visible`` turns whatever a
reader could not see, or could be misled by (controls, bidirectional overrides, invisible and
stacked characters, odd spaces) into escapes such as ``\u202e``, for pages and tables.
``escaped`` does it for messages, which quote a value as its file has it: spaces stay, and what does
not print is written as Python and YAML write it. Escaping for a format (HTML, Markdown, XML) comes
on top and belongs to the format's own file.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterable

_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f")
"""Characters that Unicode calls letters or symbols and that print as nothing."""
_STACK = 2
"""Combining marks that may follow one letter; real words need no more."""
LONGEST = 800
"""Characters of a sentence that holds other people's words."""
_LONGEST_NAME, _TAIL = 120, 24
_NOT_ASCII = re.compile(r"[^ -~\n]")
_VARIATION = ("VARIATION SELECTOR", "MONGOLIAN FREE VARIATION")


def visible(text: str) -> str:
    r"""The text on one line with everything invisible or reordering as an escape.

    >>> visible("safe\u202eexe")
    'safe\\u202eexe'
    >>> visible("two\nlines")
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


def escaped(text: str) -> str:
    r"""The text with everything that does not print as an escape (``\u202e``), for a message.

    >>> escaped("a\u202eb"), escaped("two\nlines")
    ('a\\u202eb', 'two\\nlines')
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def ascii_json(text: str) -> str:
    r"""JSON in printable ASCII: everything else in its strings as JSON's own escape.

    >>> print(ascii_json('{"name": "a\u202eb\U0001f600"}'))
    {"name": "a\u202eb\ud83d\ude00"}
    """
    return _NOT_ASCII.sub(lambda found: _utf16_escapes(found[0]), text)


def _utf16_escapes(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def shell_word(text: str) -> str:
    r"""The text as a shell reads it, with everything that does not print as an escape.

    >>> print(shell_word("two words"), shell_word("two\nlines"), shell_word("it's\u202e"))
    'two words' $'two\nlines' $'it\'s\u202e'
    """
    if text.isprintable():
        return shlex.quote(text)
    whole = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{''.join(map(_byte_or_escape, whole))}'"


def shell_words(words: Iterable[str]) -> str:
    """A command, to be typed as it stands."""
    return " ".join(map(shell_word, words))


def _byte_or_escape(char: str) -> str:
    """An escape of what does not print; of a byte that is no UTF-8, that byte."""
    lone = 0xDC80 <= ord(char) <= 0xDCFF
    return f"\\x{ord(char) - 0xDC00:02x}" if lone else escaped(char)


_COMMAND = re.compile(r"^(\s*)([:#])(?=:|#\[)")
"""How a line begins that a CI server obeys."""


def no_command(line: str) -> str:
    r"""The line, unless it begins as a command to GitHub or Azure does; then that is an escape.

    >>> no_command("  ::error::all is lost"), no_command("##[error]x")
    ('  \\u003a:error::all is lost', '\\u0023#[error]x')
    """
    return _COMMAND.sub(lambda start: f"{start[1]}\\u{ord(start[2]):04x}", line)


def one_line(text: str) -> str:
    """A library's own message on one line, shortened, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def shorten(text: str, longest: int) -> str:
    """Visible text of at most ``longest`` characters; a cut is visible as an ellipsis.

    >>> shorten("holiday-video", 8)
    'holiday…'
    """
    shown = visible(text)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def named(text: str) -> str:
    """Visible text of a name; both ends of a very long one show, its middle is left out."""
    shown = visible(text)
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
