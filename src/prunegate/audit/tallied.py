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
from prunegate.counting.label_sets import WHOLE, LabelSets
from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.production_counts import counted_slices
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import JointCounts, LabelCounts, ScoredRows, Sums
from prunegate.counting.weight_sums import WeightSums
from prunegate.errors import InputError
from prunegate.metrics.task_traits import TRAITS, TaskTraits
from prunegate.verdict.finding import ABSENT, SliceSummary

LARGEST = 256 << 20
"""Bytes of unpacked groups; no record holds more."""


@dataclass(frozen=True, kw_only=True)
class SliceTally:
    """One slice's rows, summed up."""

    labels: tuple[tuple[int, int, int, int], ...] = ()
    """Several classes: places of label, baseline's and candidate's label in ``classes``; rows."""
    quantities: tuple[TalliedQuantity, ...] = ()
    """Numbers: one entry a quantity."""
    whole: tuple[int, ...] | None = field(default=None, metadata=ABSENT)
    """Several labels a row: rows that both models decide rightly for every label, that only the
    baseline does, only the candidate, neither and alike, neither and differently."""
    span: str | None = None
    """Numbers: the most that one row's value can change; None: no bound, or no numbers."""
    weights: tuple[tuple[str, str, str], ...] | None = field(default=None, metadata=ABSENT)
    """Design weights of each cell's rows, by index or in the order of ``labels``: their sum, the
    sum of their squares, and the largest (of a group's sums, where there are groups), in steps of
    ``weight_step``; None: there are none."""


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
    is its index, or its place in ``labels``; of two orders of a pair one is listed. With design
    weights each pair has a fifth number, the product of the groups' weights, and the entry the
    ``heaviest`` group's weight."""
    scores: tuple[TalliedScores, ...] | None = field(default=None, metadata=ABSENT)
    """What scores say beside decisions, one entry a slice; None: no rule asks."""
    groups_within: str | None = field(default=None, metadata=ABSENT)
    """As ``groups``, of the rows within each k of ``scores``: an entry a slice and k."""
    weight_step: str | None = field(default=None, metadata=ABSENT)
    """What sums of design weights count: a weight of so much; None: there are no weights."""


def tallies_of(slices: Sequence[SliceCounts]) -> Tallies | None:
    """What a record has to keep of the slices beside their summaries; of ``production`` nothing."""
    tallies = [one.tally for one in counted_slices(slices)]
    labelled = [tally for tally in tallies if isinstance(tally, LabelCounts)]
    classes = sorted({part for tally in labelled for cell in tally.cells for part in cell})
    places = {name: place for place, name in enumerate(classes)}
    weights = [w for tally in tallies if (w := getattr(tally, "weights", None)) is not None]
    plain = all(isinstance(tally, JointCounts | PartialTally) for tally in tallies)
    kept = () if plain and not weights else tuple(_kept(tally, places) for tally in tallies)
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
        weight_step=sum_text(weights[0].step) if weights else None,
    )


def _scored(tally: Any) -> ScoredRows | None:
    return getattr(tally, "scores", None)


def _kept(tally: Any, places: dict[str, int]) -> SliceTally:
    if isinstance(tally, JointCounts):
        return SliceTally(weights=_weights(tally))
    if isinstance(tally, LabelCounts):
        triples = sorted(
            (places[label], places[baseline], places[candidate], rows)
            for (label, baseline, candidate), rows in tally.cells.items()
        )
        return SliceTally(labels=tuple(triples), weights=_weights(tally))
    if isinstance(tally, LabelSets):
        return SliceTally(whole=tuple(tally.whole.cells.get(cell, 0) for cell in WHOLE))
    assert isinstance(tally, Sums)  # noqa: S101  # the last kind that is no cells
    return SliceTally(
        quantities=tuple(quantity_of(name, of) for name, of in sorted(tally.quantities.items())),
        span=None if tally.span is None else sum_text(tally.span),
    )


def _weights(tally: JointCounts | LabelCounts) -> tuple[tuple[str, str, str], ...] | None:
    weights = tally.weights
    if weights is None:
        return None
    return tuple(  # whole numbers past 2^53 are no JSON numbers
        (
            str(weights.totals.get(cell, 0)),
            str(weights.squares.get(cell, 0)),
            str(weights.heaviest.get(cell, 0)),
        )
        for cell in _cells(tally)
    )


def _cells(tally: Any) -> list[Any]:
    return sorted(tally.cells) if isinstance(tally, LabelCounts) else list(range(8))


def _groups(tally: Any) -> dict[str, Any] | None:
    clusters: Clusters | None = getattr(tally, "clusters", None)
    if clusters is None:
        return None
    place = {cell: index for index, cell in enumerate(_cells(tally))}
    weights: WeightSums | None = getattr(tally, "weights", None)
    products = None if weights is None else weights.products
    pairs = sorted(
        [place[one], place[other], product, clusters.shared[one, other]]
        + ([] if products is None else [products[one, other]])
        for (one, other), product in clusters.products.items()
        if place[one] <= place[other]
    )
    heaviest = {} if weights is None else {"heaviest": weights.heaviest_group}
    return {"groups": clusters.groups, "pairs": pairs, **heaviest}


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
        summaries: the record's slices; ``production``, which follows from the others, is left out.
        tallies: what the record keeps beside them.

    Raises:
        InputError: the sums are missing, or are not such sums; the message says what and where.
    """
    kept, summaries = tallies or Tallies(), counted_slices(summaries)
    unpacked: Sequence[Any] = unpacked_groups(kept.groups) or [None] * len(summaries)
    if len(unpacked) != len(summaries):
        raise InputError(f"tallies.groups: {len(unpacked)} entries for {len(summaries)} slices")
    task = TRAITS[kind]
    needed = not task.yes_no or kept.weight_step is not None
    if needed and len(kept.slices) != len(summaries):
        raise InputError(f"tallies.slices: {len(kept.slices)} entries for {len(summaries)} slices")
    if kept.scores and len(kept.scores) != len(summaries):
        raise InputError(f"tallies.scores: {len(kept.scores)} entries for {len(summaries)} slices")
    within = iter(unpacked_groups(kept.groups_within) or ())
    found = []
    for place, (summary, groups) in enumerate(zip(summaries, unpacked, strict=True)):
        try:
            tally = _tally(task, summary, kept, place)
            if kept.weight_step is not None:
                tally = replace(tally, weights=_read_weights(tally, kept, place, groups))
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
    if task.sets:
        return _sets(summary, stored)
    if task.classes:
        return LabelCounts(cells=dict(_label(kept.classes, line) for line in stored.labels))
    return Sums(
        count=summary.rows,
        quantities={one.name: moments_in(one) for one in stored.quantities},
        span=None if stored.span is None else exact_sum(stored.span),
    )


def _sets(summary: SliceSummary, stored: SliceTally) -> LabelSets:
    whole = stored.whole or ()
    if len(whole) != len(WHOLE) or min(whole) < 0:
        raise ValueError("there are no counts of whole rows")
    labels = {}
    for one in summary.label_cells or ():
        if len(one.cells) != 8 or min(one.cells) < 0 or sum(one.cells) != sum(whole):
            raise ValueError(f"there are no eight counts of the label {one.label!r}")
        labels[one.label] = JointCounts(cells=tuple(one.cells))
    cells = {cell: n for cell, n in zip(WHOLE, whole, strict=True) if n}
    return LabelSets(labels=labels, whole=LabelCounts(cells=cells))


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


def _read_weights(
    tally: Any, kept: Tallies, place: int, groups: dict[str, Any] | None
) -> WeightSums | None:
    """The design weights of one slice; none where it has no rows."""
    stored = kept.slices[place].weights
    if stored is None:
        if tally.rows:
            raise ValueError("there are no weights")
        return None
    cells = _cells(tally)
    totals, squares, heaviest = (
        {cell: _whole(line[kind]) for cell, line in zip(cells, stored, strict=True)}
        for kind in range(3)
    )
    step = exact_sum(str(kept.weight_step))
    held = {cell: n for cell, n in tally.counted.items() if n}
    if step <= 0 or any((totals[cell] > 0) != (cell in held) for cell in cells):
        raise ValueError("the weights are not those of the rows")
    sums = WeightSums(
        step=step,
        totals={cell: totals[cell] for cell in held},
        squares={cell: squares[cell] for cell in held},
        heaviest={cell: heaviest[cell] for cell in held},
    )
    return sums if groups is None else replace(sums, **_group_weights(cells, groups))


def _group_weights(cells: list[Any], groups: dict[str, Any]) -> dict[str, Any]:
    products: dict[Any, int] = {}
    for one, other, _, _, product in groups["pairs"]:
        products[cells[one], cells[other]] = products[cells[other], cells[one]] = int(product)
    return {"products": products, "heaviest_group": int(groups["heaviest"])}


def _whole(text: str) -> int:
    found = exact_sum(text)
    if found < 0 or str(found.numerator) != text:
        raise ValueError(f"{text[:40]} is no sum of weights")
    return found.numerator


def _clusters(tally: Any, groups: dict[str, Any]) -> Clusters:
    cells = _cells(tally)
    products: dict[Any, int] = {}
    shared: dict[Any, int] = {}
    for one, other, product, both, *_ in groups["pairs"]:
        if min(one, other, product, both) < 0 or not isinstance(product + both, int):
            raise ValueError("a pair of cells without counts")
        for pair in ((cells[one], cells[other]), (cells[other], cells[one])):
            products[pair], shared[pair] = product, both
    return Clusters(groups=int(groups["groups"]), products=products, shared=shared)
