"""How slices are named: ``content_type=video``, ``content_type=video,region=eu``.

The one place that writes these names and reads them back, so that a rule, a count and a report mean
the same slice. Values are texts here; how a column value becomes a text is decided here too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

SEPARATORS = frozenset(",=\\")
"""Characters that a value in a slice's name carries behind a backslash."""
RESERVED_PREFIX = "prunegate__"
"""How the columns begin that counting puts beside a table's own."""
_PAIR = re.compile(r"((?:[^\\,=])+)=((?:>=)?(?:[^\\,=]|\\[\\,=])*)")


def value_text(value: object) -> str:
    """A column value as the text that names its slice: ``video``, ``1`` (for 1.0 too), ``true``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return unicodedata.normalize("NFC", str(value))


def slice_name(keys: Sequence[str], values: Sequence[str]) -> str:
    r"""``key=value`` pairs joined by a comma; ``,`` ``=`` and ``\`` in a value are escaped.

    The ``>=`` that a bin begins with stays as it is: ``width=>=500``.

    >>> slice_name(["content_type", "region"], ["a,b", "eu"])
    'content_type=a\\,b,region=eu'
    """
    return ",".join(f"{key}={_escape(value)}" for key, value in zip(keys, values, strict=True))


def parse_slice_name(name: str) -> dict[str, str] | None:
    r"""Keys and values of a slice's name; None where it is not ``key=value`` pairs.

    >>> parse_slice_name("content_type=a\\,b,region=eu")
    {'content_type': 'a,b', 'region': 'eu'}
    """
    pairs: dict[str, str] = {}
    place = 0
    while match := _PAIR.match(name, place):
        pairs[match[1]] = re.sub(r"\\(.)", r"\1", match[2])
        place = match.end() + 1
        if match.end() == len(name):
            return pairs
        if name[match.end()] != ",":
            return None
    return None


def _escape(value: str) -> str:
    kept = ">=" if value.startswith(">=") else ""
    return kept + re.sub(r"([,=\\])", r"\\\1", value.removeprefix(kept))
