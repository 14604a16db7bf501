"""Overlap: ids, contents and groups that must belong to one row, or to one split, only.

What training has seen, the gate cannot judge on.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

from prunegate.data.contract.counts import Count, examples_of
from prunegate.data.labelled.rows import LabelledRows
from prunegate.policy.schema import Policy

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


def repeated_content(rows: LabelledRows, hashes: Sequence[str]) -> int:
    """Count rows whose content another row of the same split has already."""
    return len(rows) - len(set(zip(rows.splits, hashes, strict=True)))


def overlaps(rows: LabelledRows, policy: Policy, hashes: Sequence[str]) -> Iterator[Count]:
    """Count what must belong to one row, or to one split, only."""
    ids = Counter(identifier for identifier in rows.ids if identifier is not None)
    twice = [identifier for identifier, times in ids.items() if times > 1]
    yield Count(
        name="ids.repeated",
        words="ids that more than one row has",
        value=len(twice),
        advice="give every row an id of its own",
        examples=examples_of(twice),
    )
    yield _shared("ids", "ids", rows, rows.ids, rows.ids)
    yield _shared("content", f"{rows.reads} with the same content", rows, hashes, rows.ids)
    if rows.reads != "images":
        words = f"{rows.reads} with the same words, but for case, spaces and punctuation,"
        yield _shared("words", words, rows, _words(rows, hashes), rows.ids)
    if policy.group:
        groups = rows.columns[policy.group]
        yield _shared("groups", f"groups ({policy.group}) that", rows, groups, groups)


def normalised(text: str) -> str:
    r"""A text's letters and digits, in lower case and without forms of compatibility.

    Spaces, punctuation and symbols separate them; characters that nobody sees are not there.

    >>> normalised("  Hel\u200blo,   WORLD! ")
    'hello world'
    """
    seen = "".join(c for c in text if unicodedata.category(c) != "Cf" and c not in _UNSEEN)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    kept = (c if unicodedata.category(c)[0] in "LNM" else " " for c in folded)
    return " ".join("".join(kept).split())


def _words(rows: LabelledRows, hashes: Sequence[str]) -> Iterator[Hashable]:
    """What each row says; None where that is nothing, or the same content says it in two splits."""
    splits: dict[str, set[str | None]] = defaultdict(set)
    for content, split in zip(hashes, rows.splits, strict=True):
        splits[content].add(split)
    pairs = zip(rows.prompts, rows.references, strict=True)
    said = [(text,) for text in rows.texts] if rows.texts else list(pairs)
    for parts, content in zip(said, hashes, strict=True):
        key = tuple(normalised(part) for part in parts)
        yield key if any(key) and len(splits[content]) == 1 else None


def _shared(
    name: str,
    words: str,
    rows: LabelledRows,
    keys: Iterable[Hashable],
    shown_as: Iterable[str | None],
) -> Count:
    """Count keys that occur in more than one split: training has seen what the gate judges."""
    splits: dict[Hashable, set[str | None]] = defaultdict(set)
    names: dict[Hashable, str | None] = {}
    for key, split, text in zip(keys, rows.splits, shown_as, strict=True):
        if key is not None:
            splits[key].add(split)
            names.setdefault(key, text)
    shared = [str(names[key]) for key, seen in splits.items() if len(seen) > 1]
    return Count(
        name=f"{name}.shared",
        words=f"{words} occur in more than one split",
        value=len(shared),
        advice="splits must not overlap; keep each in one split",
        examples=examples_of(shared),
    )
