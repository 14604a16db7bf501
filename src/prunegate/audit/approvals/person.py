"""Person: a name as people compare it, so that one person cannot be two by another spelling.

Two names are one where their compatibility forms (Unicode NFKC) are, without regard to case, to
blanks and to characters that nobody sees. Where a key is enrolled a name has to be in that form and
its letters of one script: what looks alike and is not (a Cyrillic letter among Latin ones) no
comparison finds. Entries of before are read as they are, and compared by the same rule.
"""

from __future__ import annotations

import re
import unicodedata

from prunegate.errors import InputError
from prunegate.policy.messages import literal

_PERSON = re.compile(r'[^\s,!*?"\\#][^,!*?"\\]{0,99}')
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
"""Unicode's default ignorable characters."""
_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "COPTIC", "CHEROKEE", "LISU")
"""Scripts with letters that look like another's of these (Unicode TR 39)."""
_MARKS = "\u2019\u00b7"
"""What stands in names of people beside ASCII: an apostrophe, and Catalan's dot."""


def folded_name(name: str) -> str:
    """A name in the form in which it is compared."""
    return _normal(_normal(name).casefold())


def same_person(one: str, other: str) -> bool:
    """Whether two names are one, however they are spelled."""
    return folded_name(one) == folded_name(other)


def checked_person(text: str) -> str:
    """A name that an allowed_signers line can hold as it is.

    Raises:
        InputError: it is empty, too long, or has characters that mean something there.
    """
    if not _PERSON.fullmatch(text) or not text.isprintable() or text != text.strip():
        raise InputError(
            f"the person {literal(text)} has to be a name or address of at most 100 characters "
            'without , ! * ? " \\ and not beginning with #'
        )
    return text


def unmistakable_person(text: str) -> str:
    """A person's name that nobody takes for another one's.

    Raises:
        InputError: it is no name, not in its normal form, or has letters that look alike.
    """
    _require_unmistakable(checked_person(text), "person", [text])
    return text


def unmistakable_organisation(text: str) -> str:
    """An organisation's name, each word in one script; raises as for a person."""
    _require_unmistakable(text, "organisation", text.split())
    return text


def _require_unmistakable(text: str, what: str, pieces: list[str]) -> None:
    normal = _normal(text)
    if normal != text:
        raise InputError(
            f"the {what} {literal(text)} is another spelling of {literal(normal)}; give it as that"
        )
    for piece in pieces:
        letters = [unicodedata.name(one, "").split(" ")[0] for one in piece if one.isalpha()]
        scripts = [one.title() for one in dict.fromkeys(letters) if one in _ALIKE]
        if len(scripts) > 1:
            raise InputError(
                f"the {what} {literal(text)} has letters of {' and '.join(scripts)}, which look "
                "alike; write the name in one script"
            )
    odd = [one for one in text if _is_odd(one)]
    if odd:
        raise InputError(
            f"the {what} {literal(text)} has the character {literal(odd[0])}, which looks like "
            "another; write it with letters, digits and the signs of a keyboard"
        )


def _is_odd(character: str) -> bool:
    """Whether it is a dot, dash or symbol that can pass for one of ASCII's."""
    kind = unicodedata.category(character)
    return not character.isascii() and kind[0] in "PS" and character not in _MARKS


def _normal(text: str) -> str:
    seen = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    return " ".join(unicodedata.normalize("NFKC", seen).split())
