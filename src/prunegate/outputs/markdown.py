"""Markdown that data cannot write: every word from a file is plain prose or a code span.

GitHub and GitLab turn names, numbers and addresses in running text into links and mentions, even
behind a backslash; inside a code span they do not. So a word that is not plainly a word or a
number becomes a code span, which is how a slice's name wants to look anyway.
"""

from __future__ import annotations

import re

from prunegate.text.escape import named, visible

_PLAIN = re.compile(
    r"[(“'\"]*(?:[A-Za-zÀ-ɏ]+(?:[-’'][A-Za-zÀ-ɏ]+)*|[−+<>]?\$?\d[\d,]*(?:\.\d+)?%?|p\d\d|p|=|%|→|·|[<>≤≥⚠])[)”.,;:?…'\"]*"
)
_EDGES = re.compile(r"([(“]*)(?:(['\"])(.+)\2|(.*?))([)”.,;:?…]*)", re.DOTALL)
_LIST_START = re.compile(r"\d+[.)]|[-+>#=]+")


def code(text: str) -> str:
    r"""Text from data as a code span; backtick and pipe as escapes, so that nothing ends it early.

    >>> code("a|b`c")
    '`a\\u007cb\\u0060c`'
    """
    shown = named(text).replace("`", "\\u0060").replace("|", "\\u007c")
    return f"`{shown}`" if shown else "` `"


def prose(text: str) -> str:
    """A sentence that may hold text from data: odd words become code spans, the rest stays prose.

    >>> prose("recall on content_type=video: see @all")
    'recall on `content_type=video`: see `@all`'
    >>> prose("the baseline's key 'content_type' onl…")
    "the baseline's key `content_type` onl…"
    """
    # Our own numbers hold a no-break space before the unit; it is ours and it does nothing.
    words = text.replace("\u00a0", " ").split(" ")
    shown = [_word(visible(word)) for word in words if word]
    if shown and _LIST_START.fullmatch(shown[0]):
        shown[0] = code(shown[0])
    return " ".join(shown)


def _word(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word.replace("<", "&lt;").replace(">", "&gt;")
    match = _EDGES.fullmatch(word)
    lead, _, quoted, bare, edge = match.groups() if match else ("", "", "", word, "")
    inner = quoted or bare
    return f"{lead}{code(inner)}{edge}" if inner else code(word)
