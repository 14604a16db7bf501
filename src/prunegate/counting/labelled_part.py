"""A labelled part: a frame, the labels that came back, and the predictions table they belong to.

Whatever does not fit together is bad input, all of it told at once: a label that is missing, one
that nobody asked for, one that contradicts the table's own, another policy, table or seed. A gate
that passed over a label it lacks could be made to say anything.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import BASELINE, CANDIDATE, LABEL
from prunegate.counting.count import Counted, count_table
from prunegate.counting.gate_set import Identity, identity_of
from prunegate.counting.labellable import require_labellable
from prunegate.counting.labelling import (
    FORMAT,
    LabellingFrame,
    Listed,
    draw_list,
)
from prunegate.counting.listed_labels import unknown_labels
from prunegate.counting.partial_counting import (
    CONTRADICTED,
    LISTED,
    UNSURE,
    open_unlabelled,
    partial_reading,
    spelled_as_text,
    with_labels,
)
from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.partial_labels import PartialLabels, with_label_samples
from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import Cells
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.open_table import open_table
from prunegate.data.predictions.table import Table
from prunegate.errors import InputError, TableError
from prunegate.policy.naming import value_text
from prunegate.policy.rules_digest import rules_digest
from prunegate.policy.schema import Policy

UNSURE_WORD = "unsure"
"""What a labeller writes who cannot tell; unless a label of the task is spelled so."""
LARGEST = 1 << 28
"""Bytes of a labelling.json; a list of a million rows has fewer."""
_SHOWN = 3
Ids = Sequence[str]


@dataclass(frozen=True, kw_only=True)
class LabelledPart:
    """A predictions table, and where the labels of some of its rows are."""

    predictions: Any
    """A path, a glob, or several paths."""
    labels: tuple[Path, ...]
    """``to-label.csv`` with its labels filled in, one of each round of labelling."""
    frame: Path
    """``labelling.json``."""


@dataclass(frozen=True, kw_only=True)
class PartlyCounted:
    """A table with labels for some rows, counted."""

    table: Table
    counted: Counted
    frame: LabellingFrame
    looked_at: int
    """Rows with a label."""


def read_frame(path: Path) -> LabellingFrame:
    """A labelling.json.

    Raises:
        InputError: it cannot be read, or is none.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise InputError(f"{path}: no labelling.json of 'prunegate label'; give that file")
        frame = TypeAdapter(LabellingFrame).validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except ValidationError as error:
        count = error.error_count()
        mistakes = "1 mistake" if count == 1 else f"{count} mistakes"
        raise InputError(
            f"{path}: is no labelling.json of 'prunegate label' ({mistakes}); take the file as it "
            "was written"
        ) from error
    if frame.format != FORMAT:
        raise InputError(
            f"{path}: format {shown(frame.format)} is not {FORMAT}; draw the list again with "
            "'prunegate label' of this version"
        )
    return frame


def count_part(policy: Policy, part: LabelledPart) -> PartlyCounted:
    """Count a predictions table with the labels of a list.

    Args:
        policy: the policy.
        part: the predictions, the list's frame and labels.

    Raises:
        InputError: they do not belong together; the message lists how, with examples.
    """
    require_labellable(policy)
    frame = read_frame(part.frame)
    _require_look(policy, frame, part.frame)
    table = open_unlabelled(policy, part.predictions)
    _require_frame(policy, table, frame, part.frame)
    given, unsure, problems = _labels(policy, part.labels)
    listed = [row.id for row in frame.rows]
    asked = set(listed)
    strange = [identifier for identifier in (*given, *unsure) if identifier not in asked]
    words = "a label for a row that is not on the list"
    problems += _told(words, strange, _cut_zeros(strange, listed))
    for words, odd in unknown_labels(policy, table, given):
        problems += _told(words, odd)
    known = {identifier: given.get(identifier) for identifier in listed}
    joined = with_labels(policy, table, known, frozenset(unsure))
    problems += _unfit(policy, joined)
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        files = ", ".join(map(str, part.labels))
        raise TableError(
            f"{files}: does not fit the list in {part.frame}; nothing was judged, correct the "
            f"labels:\n{lines}"
        )
    drawn = draw_list(policy, joined, frame.frames, frame.seed)
    _require_drawn(frame, drawn, part.frame)
    counted = count_table(policy, joined, partial_reading(policy, joined))
    slices = _with_samples(policy, joined, counted.slices, drawn)
    overall = slices[0].tally
    assert isinstance(overall, PartialTally)  # noqa: S101  # by the reading
    return PartlyCounted(
        table=joined,
        counted=replace(counted, slices=slices),
        frame=frame,
        looked_at=overall.labelled,
    )


def table_digest(found: Identity | None) -> str:
    """One name for ids, slicing values and both models' answers.

    Raises:
        TableError: the engine cannot tell.
    """
    if found is None:
        raise TableError("labels for some rows need a file or a frame that is not Spark's")
    parts = (found.gate_set.contents, found.baseline, found.candidate)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _require_look(policy: Policy, frame: LabellingFrame, path: Path) -> None:
    """Refuse a round that the policy has no look for, or that says nothing of those before."""
    looks = policy.evidence.looks
    if not 1 <= frame.round <= looks:
        raise InputError(
            f"{path}: is for round {frame.round}, and the policy allows {looks} (evidence: looks); "
            "what was found by then stands, label a fresh gate set"
        )
    if len(frame.earlier) != frame.round - 1:
        raise InputError(
            f"{path}: names {len(frame.earlier)} rounds before round {frame.round}; take the file "
            "as 'prunegate label --more' wrote it"
        )


def _require_frame(policy: Policy, table: Table, frame: LabellingFrame, path: Path) -> None:
    """Refuse a frame that was drawn for another policy or table."""
    if frame.policy != rules_digest(policy):
        raise InputError(
            f"{path}: was drawn for another policy (rules {frame.policy[:12]}, here "
            f"{rules_digest(policy)[:12]}); give that policy, or draw the list again with "
            "'prunegate label'"
        )
    here = table_digest(identity_of(policy, table, labels=False))
    if frame.table != here:
        raise InputError(
            f"{path}: was drawn from another predictions table (ids, scores or slicing values "
            "differ); give that table, or draw the list again with 'prunegate label'"
        )


def _require_drawn(frame: LabellingFrame, drawn: Listed, path: Path) -> None:
    """Refuse a list that this seed does not give."""
    listed = {row.id: row.why for row in frame.rows}
    if listed != dict(drawn.why):
        differ = {identifier for identifier, _ in set(listed.items()) ^ set(drawn.why.items())}
        raise InputError(
            f"{path}: its rows are not those that seed {frame.seed} draws from this table "
            f"{_some(sorted(differ))}; take the file as 'prunegate "
            "label' wrote it"
        )


def unsure_words(policy: Policy) -> tuple[str, ...]:
    """What stands in place of a label where somebody looked at a row and could not tell."""
    task = policy.task
    judged = {value_text(v) for v in (task.positive, *task.classes) if v is not None}
    return tuple(
        dict.fromkeys(w for w in (UNSURE_WORD, *map(value_text, task.ignore)) if w not in judged)
    )


def _labels(policy: Policy, paths: Sequence[Path]) -> tuple[dict[str, Any], list[str], list[str]]:
    """Labels by id, empty ones left out; ids of rows that nobody could label; what is wrong."""
    columns = policy.columns
    wanted = (columns.id, columns.label)
    rows: list[tuple[Any, Any]] = []
    for path in paths:
        if _asks_for_nothing(path):
            continue
        table = open_table(path, wanted, text_columns=wanted)
        with table.reading():
            rows += table.frame.select(*wanted).collect().rows()
    twice = [key for key, times in Counter(str(key) for key, _ in rows).items() if times > 1]
    problems = _told("an id that another row has already", twice)
    given: dict[str, Any] = {}
    unread: list[str] = []
    words, unsure = unsure_words(policy), []
    for key, label in rows:
        if label in (None, ""):
            continue
        if str(label) in words:
            unsure.append(str(key))
            continue
        try:
            given[str(key)] = _value(policy, str(label))
        except ValueError:
            unread.append(str(key))
    problems += _told("a label that is no number, as the policy's is", unread)
    return given, unsure, problems


def answered_ids(policy: Policy, paths: Sequence[Path]) -> frozenset[str]:
    """Ids of rows that lists say something of: a label, or that nobody could tell it.

    Raises:
        TableError: a list cannot be read.
    """
    given, unsure, _ = _labels(policy, paths)
    return frozenset((*given, *unsure))


def _asks_for_nothing(path: Path) -> bool:
    """Whether a list is a header alone: every row had its label when it was drawn."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = [line for line in islice(file, 2) if line.strip()]
    return len(lines) == 1


def _value(policy: Policy, text: str) -> str | float:
    if spelled_as_text(policy):
        return text
    number = float({"true": "1", "false": "0"}.get(text.strip().lower(), text))
    if not math.isfinite(number):
        raise ValueError(f"{number} is no label")
    return number


def _unfit(policy: Policy, table: Table) -> list[str]:
    """Rows of the list without a label, and labels that contradict the table's own."""
    columns = policy.columns
    kinds = (
        (
            "no label, though it had to be labelled",
            nw.col(LISTED) & nw.col(columns.label).is_null() & ~nw.col(UNSURE),
        ),
        ("another label than the predictions table has", nw.col(CONTRADICTED)),
    )
    found: list[str] = []
    for words, broken in kinds:
        with table.reading():
            ids = table.frame.filter(broken).select(columns.id).collect()[columns.id].to_list()
        found += _told(words, sorted(map(str, ids)))
    return found


def _cut_zeros(strange: Ids, listed: Ids) -> str:
    """What to do where ids of the list came back without the zeros that they begin with."""
    bare = {one.lstrip("0") or "0" for one in listed if one.startswith("0")}
    if not strange or not bare.issuperset(strange):
        return ""
    return "; a spreadsheet has cut the zeros that ids begin with: read the column as text there"


def _told(words: str, ids: Ids, hint: str = "") -> list[str]:
    noun = "row" if len(ids) == 1 else "rows"
    return [f"{len(ids):,} {noun} with {words} {_some(ids)}{hint}"] if ids else []


def _some(ids: Ids) -> str:
    return f"(for example {', '.join(map(shown, list(ids)[:_SHOWN]))})"


def _with_samples(
    policy: Policy, table: Table, slices: Sequence[SliceCounts], drawn: Listed
) -> tuple[SliceCounts, ...]:
    """The slices with the labels of their random samples."""
    cells = dict(_cells(policy, table)) if any(drawn.samples.values()) else {}

    def sampled(one: SliceCounts) -> SliceCounts:
        tally, ids = one.tally, drawn.samples.get(one.name, {})
        if isinstance(tally, PartialLabels):
            return replace(one, tally=with_label_samples(tally, ids, cells))
        if not isinstance(tally, PartialCounts) or not ids:
            return one
        found = {name: _added(cells, rows, _LABELLED) for (name, _), rows in ids.items()}
        open_ones = {name: _added(cells, rows, _OPEN) for (name, _), rows in ids.items()}
        unsure = {name: rows for name, rows in open_ones.items() if any(rows)}
        return replace(one, tally=replace(tally, samples=found, unsure_samples=unsure))

    return tuple(map(sampled, slices))


_LABELLED: tuple[Any, ...] = tuple((y, b, c) for y in range(2) for b in range(2) for c in range(2))
_OPEN: tuple[Any, ...] = tuple((None, b, c) for b in range(2) for c in range(2))


def _added(cells: Mapping[str, Any], ids: Ids, wanted: Sequence[Any]) -> Cells:
    """How many of the rows are in each of the wanted cells."""
    counts = Counter(cells[identifier] for identifier in ids)
    return tuple(counts[cell] for cell in wanted)


def _cells(policy: Policy, table: Table) -> Iterator[tuple[str, Any]]:
    """Label (None: nobody could tell) and decisions of every row of the list."""
    column = policy.columns.id
    wanted = (column, LABEL, BASELINE, CANDIDATE)
    reading = partial_reading(policy, table)
    spelled: Callable[[Any], Any] = value_text if policy.task.traits.classes else int
    frame = reading.frame().filter(nw.col(LISTED)).select(*wanted)
    with table.reading():
        rows = frame.collect().rows()
    for key, *cell in rows:
        yield str(key), tuple(None if answer is None else spelled(answer) for answer in cell)
