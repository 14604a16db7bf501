"""Tallied: what a slice's rows sum up to, in the form that a record keeps.

A verdict follows from its policy, its measurements and these sums alone, so whoever holds a record
can work the verdict out again. Yes/no decisions need nothing here: their eight cells stand in the
slice's summary. Labels of several classes are counts of (label, baseline, candidate), numbers are
sums of products. Sums are exact: whole numbers and fractions are texts, because JSON numbers end at
2**53.

How cells occur together within groups takes a number per pair of cells, which nobody reads and
which may be large: that part is packed (JSON, compressed, base64). It could be left out only by
storing the sufficient statistics of every single rule, and then a changed rule could not be judged
on the same record.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prunegate.audit.tallied_scores import TalliedScores, counts_within, scores_in, scores_of
from prunegate.audit.tallied_sums import (
    TalliedQuantity,
    exact_sum,
    moments_in,
    quantity_of,
    sum_text,
)
from prunegate.counting.cluster_sums import Clusters
from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import JointCounts, LabelCounts, ScoredRows, Sums
from prunegate.errors import InputError
from prunegate.metrics.task_traits import TRAITS, TaskTraits
from prunegate.verdict.finding import SliceSummary

LARGEST = 256 << 20
"""Bytes of unpacked groups; no record holds more."""


@dataclass(frozen=True, kw_only=True)
class SliceTally:
    """One slice's rows, summed up."""

    labels: tuple[tuple[int, int, int, int], ...] = ()
    """Several classes: places of label, baseline's and candidate's label in ``classes``; rows."""
    quantities: tuple[TalliedQuantity, ...] = ()
    """Numbers: one entry a quantity."""
    span: str | None = None
    """Numbers: the most that one row's value can change; None: no bound, or no numbers."""


@dataclass(frozen=True, kw_only=True)
class Tallies:
    """What the slices' rows sum up to."""

    classes: tuple[str, ...] = ()
    """Several classes: every label that occurs, in the order of the names."""
    slices: tuple[SliceTally, ...] = ()
    """In the order of the record's slices; empty where these have cells."""
    groups: str | None = None
    """How cells occur together within groups of rows: base64 of zlib-compressed JSON, a list with
    an entry a slice: null, or {"groups": n, "pairs": [[cell, cell, product, shared], ...]}. A cell
    is its index, or its place in ``labels``; of two orders of a pair one is listed."""
    scores: tuple[TalliedScores, ...] | None = field(
        default=None, metadata={"absent_if_none": True}
    )
    """What scores say beside decisions, one entry a slice; None: no rule asks."""
    groups_within: str | None = field(default=None, metadata={"absent_if_none": True})
    """As ``groups``, of the rows within each k of ``scores``: an entry a slice and k."""


def tallies_of(slices: Sequence[SliceCounts]) -> Tallies | None:
    """What a record has to keep of the slices beside their summaries."""
    tallies = [one.tally for one in slices]
    labelled = [tally for tally in tallies if isinstance(tally, LabelCounts)]
    classes = sorted({part for tally in labelled for cell in tally.cells for part in cell})
    places = {name: place for place, name in enumerate(classes)}
    plain = all(isinstance(tally, JointCounts | PartialCounts) for tally in tallies)
    kept = () if plain else tuple(_kept(tally, places) for tally in tallies)
    groups = _packed([_groups(tally) for tally in tallies])
    scores = [found for tally in tallies if (found := _scored(tally)) is not None]
    if not kept and groups is None and not scores:
        return None
    return Tallies(
        classes=tuple(classes),
        slices=kept,
        groups=groups,
        scores=tuple(map(scores_of, scores)) or None,
        groups_within=_packed(
            [_groups(rows) for one in scores for _, rows in sorted(one.within.items())]
        ),
    )


def _scored(tally: Any) -> ScoredRows | None:
    return getattr(tally, "scores", None)


def _kept(tally: Any, places: dict[str, int]) -> SliceTally:
    if isinstance(tally, LabelCounts):
        triples = sorted(
            (*(places[part] for part in triple), rows) for triple, rows in tally.cells.items()
        )
        return SliceTally(labels=tuple(triples))  # type: ignore[arg-type]  # three places and rows
    assert isinstance(tally, Sums)  # noqa: S101  # the last kind that is no cells
    return SliceTally(
        quantities=tuple(quantity_of(name, of) for name, of in sorted(tally.quantities.items())),
        span=None if tally.span is None else sum_text(tally.span),
    )


def _cells(tally: Any) -> list[Any]:
    return sorted(tally.cells) if isinstance(tally, LabelCounts) else list(range(8))


def _groups(tally: Any) -> dict[str, Any] | None:
    clusters: Clusters | None = getattr(tally, "clusters", None)
    if clusters is None:
        return None
    place = {cell: index for index, cell in enumerate(_cells(tally))}
    pairs = sorted(
        [place[one], place[other], product, clusters.shared[one, other]]
        for (one, other), product in clusters.products.items()
        if place[one] <= place[other]
    )
    return {"groups": clusters.groups, "pairs": pairs}


def _packed(groups: Sequence[dict[str, Any] | None]) -> str | None:
    if not any(groups):
        return None
    # whole numbers of any size are exact in JSON's text, which only our own parser reads
    content = json.dumps(groups, separators=(",", ":"), sort_keys=True).encode()
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def slices_in(
    kind: str, summaries: Sequence[SliceSummary], tallies: Tallies | None
) -> tuple[SliceCounts, ...]:
    """The slices that a record describes, as they were judged.

    Args:
        kind: the task's kind.
        summaries: the record's slices.
        tallies: what the record keeps beside them.

    Raises:
        InputError: the sums are missing, or are not such sums; the message says what and where.
    """
    kept = tallies or Tallies()
    unpacked: Sequence[Any] = unpacked_groups(kept.groups) or [None] * len(summaries)
    if len(unpacked) != len(summaries):
        raise InputError(f"tallies.groups: {len(unpacked)} entries for {len(summaries)} slices")
    task = TRAITS[kind]
    if not task.yes_no and len(kept.slices) != len(summaries):
        raise InputError(f"tallies.slices: {len(kept.slices)} entries for {len(summaries)} slices")
    if kept.scores and len(kept.scores) != len(summaries):
        raise InputError(f"tallies.scores: {len(kept.scores)} entries for {len(summaries)} slices")
    within = iter(unpacked_groups(kept.groups_within) or ())
    found = []
    for place, (summary, groups) in enumerate(zip(summaries, unpacked, strict=True)):
        try:
            tally = _tally(task, summary, kept, place)
            if groups is not None:
                tally = replace(tally, clusters=_clusters(tally, groups))
            if kept.scores:
                tally = replace(tally, scores=_scores(kept.scores[place], within))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise InputError(f"tallies of slices[{place}]: cannot be read ({error})") from error
        found.append(
            SliceCounts(
                name=summary.name, slicing=summary.slicing, declared=summary.declared, tally=tally
            )
        )
    return tuple(found)


def _scores(stored: TalliedScores, groups: Iterator[Any]) -> ScoredRows:
    within = {}
    for k, tally in sorted(counts_within(stored).items()):
        of_groups = next(groups, None)
        within[k] = (
            tally if of_groups is None else replace(tally, clusters=_clusters(tally, of_groups))
        )
    return scores_in(stored, within)


def _tally(task: TaskTraits, summary: SliceSummary, kept: Tallies, place: int) -> Any:
    if task.yes_no:
        if len(summary.cells) != 8 or min(summary.cells) < 0:
            raise ValueError("there are no eight counts")
        return JointCounts(cells=tuple(summary.cells))
    stored = kept.slices[place]
    if task.classes:
        return LabelCounts(cells=dict(_label(kept.classes, line) for line in stored.labels))
    return Sums(
        count=summary.rows,
        quantities={one.name: moments_in(one) for one in stored.quantities},
        span=None if stored.span is None else exact_sum(stored.span),
    )


def _label(
    classes: Sequence[str], line: tuple[int, int, int, int]
) -> tuple[tuple[str, str, str], int]:
    *places, rows = line
    if min(line) < 0 or not rows:
        raise ValueError(f"{list(line)} is no count")
    label, baseline, candidate = (classes[place] for place in places)
    return (label, baseline, candidate), rows


def unpacked_groups(groups: str | None) -> list[Any] | None:
    """What ``Tallies.groups`` holds, one entry a slice.

    Raises:
        InputError: it cannot be unpacked.
    """
    if groups is None:
        return None
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.b64decode(groups, validate=True), LARGEST)
        found = json.loads(content)
    except (binascii.Error, zlib.error, ValueError, RecursionError) as error:
        raise InputError(f"tallies.groups: cannot be unpacked ({error})") from error
    if not isinstance(found, list) or not unpacker.eof or unpacker.unused_data:
        raise InputError("tallies.groups: cannot be unpacked (cut short, too long, or no list)")
    return found


def _clusters(tally: Any, groups: dict[str, Any]) -> Clusters:
    cells = _cells(tally)
    products: dict[Any, int] = {}
    shared: dict[Any, int] = {}
    for one, other, product, both in groups["pairs"]:
        if min(one, other, product, both) < 0 or not isinstance(product + both, int):
            raise ValueError("a pair of cells without counts")
        for pair in ((cells[one], cells[other]), (cells[other], cells[one])):
            products[pair], shared[pair] = product, both
    return Clusters(groups=int(groups["groups"]), products=products, shared=shared)
