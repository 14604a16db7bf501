"""Overlap: ids, contents and groups that must belong to one row, or to one split, only.

What training has seen, the gate cannot judge on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

from prunegate.data.contract.counts import Count, examples_of
from prunegate.data.labelled.normalised_text import normalised
from prunegate.data.labelled.rows import LabelledRows
from prunegate.policy.schema import Policy


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
