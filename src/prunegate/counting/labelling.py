"""Labelling: which rows of a gate set somebody has to look at, and the frame that fixes the list.

The frame is drawn before anybody labels: per slice, whether the rows that differ (or that either
model flags) are all on the list, and how many rows of each random sample. Rows are put in a random
order by a seed and their ids; a slice's sample is the first so many of its rows in that order, so
that the samples of slices that overlap share rows, and each is a random sample all the same.

Whoever holds the policy, the table and the frame draws the same list again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import narwhals as nw

from prunegate.counting.column_reading import BASELINE, CANDIDATE
from prunegate.counting.grouping import ROWS_TOGETHER
from prunegate.counting.partial_counting import partial_reading
from prunegate.counting.partial_labels import RANDOM, SampleOf
from prunegate.counting.slices import OVERALL, KeyTexts
from prunegate.data.predictions.columns import quoted
from prunegate.data.predictions.table import Table
from prunegate.policy.naming import parse_slice_name, value_text
from prunegate.policy.schema import Policy

FORMAT = "urn:prunegate:labelling:v1"
Why = Literal["differs", "sampled", "floor", "reference"]
"""The models decide it differently; drawn from rows on which they agree (or all rows that either
flags); drawn from all rows, for limits that agreeing rows bear on; drawn from rows on which they
agree, to show that the baseline knows anything."""
_ORDER = "prunegate__order"
_ABSENT = {"absent_if_none": True}
"""Marks a field that records leave out where it says nothing."""
Ids = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AgreedFrame:
    """What is on the list of rows that both models decide as a class (flag), or that neither does.

    Of a yes/no task that is the positive class.
    """

    flagged: bool = False
    """Every row that either model flags."""
    neither: int = 0
    """Rows of a random sample of those that neither model flags."""
    both: int = 0
    """Of those that both flag."""
    reference_neither: int = 0
    """Of those that neither model flags, to show that the baseline knows anything."""
    reference_both: int = 0
    """Of those that both flag, for the same."""


@dataclass(frozen=True, kw_only=True)
class ClassFrame(AgreedFrame):
    """What of one slice is on the list for one of several classes; flagged: given the class."""

    label: str


@dataclass(frozen=True, kw_only=True)
class SliceFrame(AgreedFrame):
    """What of one slice is on the list."""

    name: str
    rows: int
    """All rows of the slice."""
    differs: bool = False
    """Every row that the models decide differently."""
    random: int = 0
    """Rows of a random sample of all rows."""
    classes: tuple[ClassFrame, ...] | None = field(default=None, metadata=_ABSENT)
    """Of a task of several classes: those that rows are listed for; None: a yes/no task."""

    @property
    def sizes(self) -> dict[SampleOf, tuple[int, int]]:
        """Rows of each random sample: the first so many for limits, so many for the reference."""
        found: dict[SampleOf, tuple[int, int]] = {}
        for label, one in [("", self), *((one.label, one) for one in self.classes or ())]:
            found["neither", label] = (one.neither, one.reference_neither)
            found["both", label] = (one.both, one.reference_both)
        found[RANDOM] = (self.random, 0)
        return {sample: rows for sample, rows in found.items() if any(rows)}

    def of_label(self, label: str) -> ClassFrame:
        """What is on the list for one of several classes."""
        held = (one for one in self.classes or () if one.label == label)
        return next(held, ClassFrame(label=label))

    def with_label(self, changed: ClassFrame) -> SliceFrame:
        """The frame with another part for one of several classes."""
        others = [one for one in self.classes or () if one.label != changed.label]
        every = sorted([*others, changed], key=lambda one: one.label)
        return replace(self, classes=tuple(every))


@dataclass(frozen=True, kw_only=True)
class ListedRow:
    """One row of the list."""

    id: str
    why: tuple[Why, ...]
    labelled: bool = False
    """Whether the predictions table had its label already."""


@dataclass(frozen=True, kw_only=True)
class LabellingFrame:
    """The list of rows to label, and all that it follows from."""

    format: str = FORMAT
    version: str
    """Of prunegate."""
    created: str
    """UTC, ISO 8601, seconds."""
    policy: str
    """sha256 of what decides in the policy."""
    table: str
    """sha256 of ids, both models' answers and slicing values."""
    seed: int
    slices: tuple[SliceFrame, ...]
    """Of the first round; those of a later one follow from them (``of_round``)."""
    rows: tuple[ListedRow, ...]
    """Those of earlier rounds among them."""
    round: int = 1
    """Which round of labelling it is for."""
    earlier: tuple[str, ...] = ()
    """sha256 of the frames of the rounds before, each of which names those before it."""

    @property
    def frames(self) -> tuple[SliceFrame, ...]:
        """What of each slice is on the list of this round."""
        return tuple(of_round(one, self.round) for one in self.slices)


def of_round(first: SliceFrame, number: int) -> SliceFrame:
    """What of a slice is labelled by the end of a round: every round doubles its random samples.

    The schedule is fixed by the first round, whatever its labels say.

    >>> of_round(SliceFrame(name="overall", rows=900, both=20), 3).both
    80
    """
    times = 2 ** (number - 1)
    classes = None
    if first.classes is not None:
        classes = tuple(_times(one, times, first.rows) for one in first.classes)
    random = min(times * first.random, first.rows)
    return replace(_times(first, times, first.rows), random=random, classes=classes)


_Frame = TypeVar("_Frame", bound=AgreedFrame)
_SAMPLED = ("neither", "both", "reference_neither", "reference_both")


def _times(one: _Frame, times: int, most: int) -> _Frame:
    sizes = {name: min(times * getattr(one, name), most) for name in _SAMPLED}
    return replace(one, **sizes)


def frame_digest(frame: LabellingFrame) -> str:
    """sha256 of a frame's file, lower-case hexadecimal."""
    return hashlib.sha256(frame_bytes(frame)).hexdigest()


def drawn_list_digest(frame: LabellingFrame) -> str:
    """sha256 of what was drawn: rows, reasons and samples, not when; lower-case hexadecimal.

    The same list drawn again has the same digest.
    """
    drawn = {
        "rows": sorted((row.id, row.why) for row in frame.rows),
        "slices": [asdict(one) for one in frame.frames],
        "seed": frame.seed if any(one.sizes for one in frame.frames) else None,
    }
    return hashlib.sha256(json.dumps(drawn, sort_keys=True).encode()).hexdigest()


def frame_bytes(frame: LabellingFrame) -> bytes:
    """A frame as its file holds it."""
    plain = asdict(frame)
    if frame.round == 1:
        del plain["round"], plain["earlier"]
    for one in plain["slices"]:
        if one["classes"] is None:
            del one["classes"]
    return (json.dumps(plain, indent=1, sort_keys=True) + "\n").encode()


@dataclass(frozen=True, kw_only=True)
class Listed:
    """The rows that a frame asks for."""

    why: Mapping[str, tuple[Why, ...]]
    """By id."""
    samples: Mapping[str, Mapping[SampleOf, Ids]]
    """Ids of each random sample, by the slice's name."""


def draw_list(policy: Policy, table: Table, frames: Sequence[SliceFrame], seed: int) -> Listed:
    """The rows that are on the list.

    Args:
        policy: the policy.
        table: with the label column (``partial_counting.with_labels``).
        frames: what of each slice.
        seed: of the random order.
    """
    places = slice_places(policy, table, seed)
    why: dict[str, set[Why]] = {}
    samples: dict[str, dict[SampleOf, Ids]] = {}
    for one in needed_whole(frames):
        _note(why, places.every(one), "differs" if one.differs else "sampled")
    for one in frames:
        _note(why, places.every_of_classes(one), "sampled")
        samples[one.name] = found = places.samples(one)
        for sample, ids in found.items():
            limits, reference = one.sizes[sample]
            _note(why, ids[:limits], "floor" if sample == RANDOM else "sampled")
            _note(why, ids[:reference], "reference")
    for identifier in places.ids(None, _DIFFER) if why else ():
        if identifier in why:
            why[identifier] = {"differs", *(why[identifier] - {"sampled"})}
    ordered = {key: tuple(sorted(reasons)) for key, reasons in sorted(why.items())}
    return Listed(why=ordered, samples=samples)


def slice_places(policy: Policy, table: Table, seed: int) -> SlicePlaces:
    """A table's rows in the random order of a seed."""
    frame = _ordered(policy, table, seed)
    if table.rows_hint <= ROWS_TOGETHER:  # read many times, and planned for longer than read
        with table.reading():
            frame = table.engine.held(frame)
    return SlicePlaces(policy=policy, frame=frame, table=table)


def _note(why: dict[str, set[Why]], ids: Iterable[str], reason: Why) -> None:
    for identifier in ids:
        why.setdefault(identifier, set()).add(reason)


def needed_whole(frames: Sequence[SliceFrame]) -> list[SliceFrame]:
    """The slices whose rows have to be asked for: not those of which overall holds all."""
    whole = next((one for one in frames if one.name == OVERALL), None)
    if whole is None:
        return list(frames)
    return [
        one
        for one in frames
        if one is whole or one.flagged > whole.flagged or one.differs > whole.differs
    ]


_DIFFER = nw.col(BASELINE) != nw.col(CANDIDATE)


def _ordered(policy: Policy, table: Table, seed: int) -> nw.LazyFrame[Any]:
    """Decisions, slicing values and a random number of each row that follows from its id alone."""
    reading = partial_reading(policy, table)
    rows: Any = reading.frame().to_native()
    identifier = quoted(policy.columns.id)
    rows = rows.project(f"*, sha256('{seed:d}/' || {identifier}) AS {_ORDER}")
    ordered: nw.LazyFrame[Any] = nw.from_native(rows)
    return ordered


@dataclass(frozen=True, kw_only=True)
class SlicePlaces:
    """Ids of rows of slices, asked of the engine."""

    policy: Policy
    frame: nw.LazyFrame[Any]
    table: Table

    def every(self, one: SliceFrame) -> list[str]:
        """Rows that are all on the list."""
        if one.flagged:
            return self.ids(one.name, ~self._among(("neither", "")))
        return self.ids(one.name, _DIFFER) if one.differs else []

    def every_of_classes(self, one: SliceFrame) -> list[str]:
        """Rows that are all on the list for one of several classes."""
        flagged = (of.label for of in one.classes or () if of.flagged)
        return [
            key for label in flagged for key in self.ids(one.name, ~self._among(("neither", label)))
        ]

    def samples(self, one: SliceFrame) -> dict[SampleOf, Ids]:
        """Rows of each random sample, in the random order."""
        return {
            sample: tuple(self.first(one.name, sample, max(rows)))
            for sample, rows in one.sizes.items()
        }

    def first(self, name: str, sample: SampleOf, most: int) -> list[str]:
        """The first rows, in the random order, of those that a sample is of."""
        return self.ids(name, None if sample == RANDOM else self._among(sample), most=most)

    def _among(self, sample: SampleOf) -> nw.Expr:
        """What rows a random sample is drawn from."""
        name, label = sample
        says = self._spelled_classes.get(label, label) if label else 1
        one, other = (nw.col(column) == says for column in (BASELINE, CANDIDATE))
        return one & other if name == "both" else ~one & ~other

    @cached_property
    def _spelled_classes(self) -> dict[str, str]:
        """How the table spells classes that the models give."""
        with self.table.reading():
            found = self.frame.select(BASELINE, CANDIDATE).unique().collect().rows()
        return {value_text(one): one for pair in found for one in pair}

    def ids(self, name: str | None, among: nw.Expr | None, most: int | None = None) -> list[str]:
        """Ids of a slice's rows; ``most``: the first in the random order."""
        column = self.policy.columns.id
        frame = self.frame
        for condition in (*self._conditions(name), *(() if among is None else (among,))):
            frame = frame.filter(condition)
        if most is not None:
            frame = frame.sort(_ORDER, column).head(most)
        with self.table.reading():
            return [str(found) for found in frame.select(column).collect()[column].to_list()]

    def _conditions(self, name: str | None) -> list[nw.Expr]:
        """What the rows of a slice have in common."""
        if name in (None, OVERALL):
            return []
        named = {spec.label: spec for spec in self.policy.slices if not spec.keys}
        if name in named:
            wanted = {
                key: [value_text(v) for v in (value if isinstance(value, tuple) else (value,))]
                for key, value in (named[name].where or {}).items()
            }
        else:
            wanted = {key: [text] for key, text in (parse_slice_name(str(name)) or {}).items()}
        spelled = self._texts
        return [
            nw.col(key).is_in([s for text in texts if (s := spelled.spelled(key, text))])
            for key, texts in wanted.items()
        ]

    @cached_property
    def _texts(self) -> KeyTexts:
        """How the table spells slicing values."""
        keys = self.policy.keys
        texts = KeyTexts(keys=keys)
        with self.table.reading():
            found = self.frame.select(*keys).unique().collect().rows()
        for values in found:
            texts.of(values)
        return texts
