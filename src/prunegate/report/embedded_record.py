r"""Bound: how a page carries its record and its pictures, and how both are taken from it again.

The record lies in a ``<template>``: no browser shows, runs or loads what is in one, under any
content security policy, and nothing on the page is a script. Its JSON is written in ASCII without
``<``, ``>`` and ``&`` (as ``\u003c`` and so on), so that no text of it can end the element, and
reads back as the record's very bytes. A large one is packed (bzip2, in base64), so that a page of
hundreds of slices can be sent as a letter.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import hashlib
import re
from collections.abc import Mapping

from markupsafe import Markup

from prunegate.errors import EvidenceError

ID = "record"
"""Of the element that holds the record."""
COMPARISON = '<meta name="prunegate-comparison"'
"""How a page of several records says that it is one."""
HISTORY = '<meta name="prunegate-history"'
"""On the page of an audit folder's history, which carries no record either."""
_OPEN, _CLOSE = f'<template id="{ID}">', "</template>"
_ESCAPED = re.compile("[<>&\u007f]|[^\u0000-\u007f]")
LARGE = 1 << 17
"""Bytes of a record from which on it is packed."""
LARGEST = 64 << 20
"""Bytes that a packed record may have."""
_PACKED = "bzip2:"
_PICTURE = re.compile(r'src="data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=]*)"')


def embedded(content: bytes) -> Markup:
    r"""A record's canonical bytes as an inert element.

    >>> str(embedded(b'{"a":"</template>"}'))
    '<template id="record">{"a":"\\u003c/template\\u003e"}</template>'
    """
    if len(content) > LARGE:
        text = _packed(content)
    else:
        text = _ESCAPED.sub(lambda found: _escaped(found[0]), content.decode("utf-8"))
    return Markup(f"{_OPEN}{text}{_CLOSE}")  # noqa: S704  # nothing in it can end or begin a tag


def _packed(content: bytes) -> str:
    return _PACKED + base64.b64encode(bz2.compress(content)).decode("ascii")


def _escaped(char: str) -> str:
    """The character as JSON spells it in ASCII: one or two UTF-16 units."""
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def carried_record(page: str) -> str:
    """The text of the record that a page carries; JSON, not canonical.

    Raises:
        EvidenceError: it carries none, or more than one.
    """
    text = _carried(page)
    if not text.startswith(_PACKED):
        return text
    try:
        return _unpacked(text.removeprefix(_PACKED)).decode("utf-8")
    except (ValueError, OSError) as error:
        raise EvidenceError("the record in the page is damaged; take the page as made") from error


def packed_as_in(page: str, again: str) -> str:
    """A page that was made again, its packed record spelled as in the page.

    Two builds of bzip2 may pack the same bytes in two ways; what is read from them is compared.

    Args:
        page: a page whose record was read.
        again: the page made from that record.
    """
    here, there = _carried(page), _carried(again)
    if not (here.startswith(_PACKED) and there.startswith(_PACKED)):
        return again
    return again.replace(f"{_OPEN}{there}{_CLOSE}", f"{_OPEN}{here}{_CLOSE}")


def _carried(page: str) -> str:
    """What stands in the element that holds the record."""
    parts = page.split(_OPEN)
    if len(parts) == 1 and COMPARISON in page:
        raise EvidenceError(
            "a comparison shows several records and carries none, so nothing on it can be checked; "
            "verify the record.json of each, whose sha256 it names"
        )
    if len(parts) == 1 and HISTORY in page:
        raise EvidenceError(
            "a history tells what an audit folder holds and carries no record, so nothing on it "
            "can be checked; check the folder with 'prunegate audit verify'"
        )
    if len(parts) == 1:
        raise EvidenceError(
            "the page carries no record, so nothing on it can be checked: it was made by an "
            "earlier prunegate, or the record was cut out. Make it again from its record.json "
            "with 'prunegate report'"
        )
    if len(parts) > 2 or parts[1].count(_CLOSE) != 1:
        raise EvidenceError(f"the page has more than one record, or its end is gone ({_OPEN})")
    return parts[1].partition(_CLOSE)[0]


def _unpacked(text: str) -> bytes:
    """The bytes that were packed, no more of them than a record may have, and nothing after them.

    Raises:
        ValueError, OSError: they were not packed so.
        EvidenceError: they would be larger than any record.
    """
    stream = bz2.BZ2Decompressor()
    found = stream.decompress(base64.b64decode(text, validate=True), LARGEST)
    if not (stream.eof or stream.needs_input):
        raise EvidenceError("the record in the page is larger than any; take the page as made")
    if not stream.eof or stream.unused_data:
        raise ValueError("cut off, or something follows")
    return found


def pictures_on(page: str, bound: Mapping[str, str]) -> dict[str, bytes]:
    """The page's pictures by the id of the row that the record binds them to.

    Args:
        page: the page.
        bound: sha256 by id, from the record.

    Raises:
        EvidenceError: a picture that the record does not know.
    """
    ids: dict[str, list[str]] = {}
    for name, digest in bound.items():
        ids.setdefault(digest, []).append(name)
    found: dict[str, bytes] = {}
    for number, match in enumerate(_PICTURE.finditer(page), start=1):
        content = _decoded(match[1])
        digest = hashlib.sha256(content).hexdigest()
        if digest not in ids:
            line = page.count("\n", 0, match.start()) + 1
            raise EvidenceError(
                f"picture {number} of the page (line {line}) is none that the record names "
                f"(sha256 {digest[:12]}...): it was put in or changed afterwards"
            )
        found |= dict.fromkeys(ids[digest], content)
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def digests_of(pictures: Mapping[str, bytes]) -> dict[str, str]:
    """What a record keeps of the pictures that its report shows: sha256 by id."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in pictures.items()}
