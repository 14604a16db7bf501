"""Flipped examples: rows on which exactly one of the two models is right, with their pictures.

Where rows are not right or wrong (scores, log-likelihoods) these are the rows that changed most.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from prunegate.audit.record import DecisionRecord, Flip
from prunegate.metrics.task_traits import TaskTraits
from prunegate.policy.naming import parse_slice_name
from prunegate.report.headline import lost_gained
from prunegate.report.own_threshold import (
    OwnThreshold,
    own_threshold,
    shown_threshold,
    thresholds_of,
)
from prunegate.report.page_one.standing import gravity
from prunegate.report.sentences import SEVERITY_ORDER
from prunegate.report.speech import Speech, speech
from prunegate.report.task import threshold, traits_of
from prunegate.text import numbers
from prunegate.text.escape import named, shorten
from prunegate.text.languages import ENGLISH

MOST_LOST, MOST_GAINED, MOST_GROUPS = 12, 4, 12
"""Examples per slice, and slices, that are shown."""
PICTURE_BUDGET = 480_000
"""Bytes of pictures in one report, so that it stays small enough for an e-mail."""
_KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True, kw_only=True)
class Example:
    """One flipped row."""

    id: str
    picture: str | None
    """A data: address, or None."""
    text: str
    """The beginning of the text that was judged; empty for images."""
    label: str
    """Empty where rows are not right or wrong."""
    before: str
    after: str
    verdict: str
    """What happened, in a word: lost or gained, worse or better."""
    lost: bool
    slices: str
    """What the row's further slices add to the name of the group."""


@dataclass(frozen=True, kw_only=True)
class FlipGroup:
    """The flipped rows of one slice."""

    name: str
    counted: str
    """How many there are and how many are shown."""
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class FlipsView:
    """The section of flipped examples."""

    lead: str
    legend: str
    """What the words under the examples mean."""
    groups: tuple[FlipGroup, ...]
    hidden_groups: int
    without_picture: int
    """Shown rows whose picture is missing, unreadable or over the budget."""
    with_pictures: bool
    with_texts: bool


class Album:
    """Hands out pictures as data addresses until the budget is spent."""

    def __init__(self, pictures: Mapping[str, bytes]) -> None:
        self._pictures = pictures
        self._left = PICTURE_BUDGET
        self.handed: dict[str, bytes] = {}
        """The pictures that were handed out, by row id."""

    def address(self, flip: Flip) -> str | None:
        """The row's picture, or None where there is none to show."""
        content = self._pictures.get(flip.id, b"")
        kind = next((name for magic, name in _KINDS.items() if content.startswith(magic)), None)
        if kind is None or len(content) > self._left:
            return None
        self._left -= len(content)
        self.handed[flip.id] = content
        return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


@dataclass(frozen=True, kw_only=True)
class _Telling:
    """How examples of a kind of task are told."""

    said: Speech
    kind: str
    """The end of the catalogue's keys: rows that are right or wrong, scores, documents."""

    @classmethod
    def of(cls, task: TaskTraits, said: Speech) -> _Telling:
        kind = "" if task.decided else "_documents" if task.documents else "_scores"
        return cls(said=said, kind=kind)

    @property
    def decided(self) -> bool:
        """Whether rows are right or wrong."""
        return not self.kind

    def say(self, key: str, **parts: str) -> str:
        """A message for this kind of task."""
        return self.said.say(f"flipped.{key}{self.kind}", **parts)

    @property
    def words(self) -> tuple[str, str]:
        """What happened to an example, in a word."""
        return self.say("lost"), self.say("gained")


def flips(
    record: DecisionRecord, pictures: Mapping[str, bytes], said: Speech | None = None
) -> FlipsView | None:
    """Flipped rows by slice, in English or in another language; None: the record holds none."""
    if not record.flips:
        return None
    telling = _Telling.of(traits_of(record), said or speech(ENGLISH))
    album, limit = Album(pictures), threshold(record)
    by_slice = _by_slice(record)
    groups = tuple(
        FlipGroup(
            name=_group_name(place, telling.said),
            counted=_counted(record, place, found, telling),
            examples=tuple(
                _example(f, place[0], telling, thresholds_of(record, place[1]), album)
                for f in _shown(found, _flipped(record, place))
            ),
        )
        for place, found in by_slice[:MOST_GROUPS]
    )
    missing = [e for g in groups for e in g.examples if e.picture is None]
    return FlipsView(
        lead=" ".join(_lead(telling, limit, own_threshold(record))),
        legend=telling.say("legend"),
        groups=groups,
        hidden_groups=len(by_slice) - len(groups),
        without_picture=len(missing) if pictures else 0,
        with_pictures=bool(pictures),
        with_texts=any(e.text for g in groups for e in g.examples),
    )


def blurred(record: DecisionRecord) -> bool:
    """Whether the record's policy lets pictures be shown blurred only."""
    report = record.policy.document.get("report")
    return isinstance(report, dict) and report.get("blur") is True


def pictures_shown(record: DecisionRecord, pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    """Of the pictures at hand those that the report of a record shows, by row id."""
    album = Album(pictures)
    for place, found in _by_slice(record)[:MOST_GROUPS]:
        for flip in _shown(found, _flipped(record, place)):
            album.address(flip)
    return album.handed


Where = tuple[str, str | None]
"""A slice, and the one of several labels that the models decide differently there."""


def _by_slice(record: DecisionRecord) -> list[tuple[Where, list[Flip]]]:
    """Flips by the first of their slices; what is broken first, then where most is lost."""
    by_slice: dict[Where, list[Flip]] = {}
    for flip in record.flips:
        place = (flip.slices[0] if flip.slices else "overall", flip.class_label)
        by_slice.setdefault(place, []).append(flip)
    grave = _gravity_of(record)
    return sorted(by_slice.items(), key=lambda item: (grave.get(item[0], _LAST), _losses(item[1])))


def _group_name(place: Where, said: Speech) -> str:
    name, label = place
    if label is None:
        return named(name)
    return said.say("flipped.label_of", place=named(name), label=named(label))


def _losses(found: list[Flip]) -> int:
    return -sum(flip.lost for flip in found)


_LAST = (len(SEVERITY_ORDER), 0.0)


def _gravity_of(record: DecisionRecord) -> dict[Where, tuple[int, float]]:
    """How bad the worst finding of every slice (and label) is."""
    found: dict[Where, tuple[int, float]] = {}
    sets = traits_of(record).sets
    for finding in record.findings:
        here, place = gravity(finding), (finding.slice, finding.class_label if sets else None)
        found[place] = min(here, found.get(place, here))
    return found


def _lead(telling: _Telling, limit: float | None, own: OwnThreshold | None) -> Iterator[str]:
    """What the examples are, and what their numbers mean."""
    yield telling.say("lead")
    if limit is not None:
        yield telling.said.say("flipped.threshold", limit=shown_threshold(limit, telling.said))
    if own is not None:
        before = shown_threshold(own.baseline, telling.said)
        after = shown_threshold(own.candidate, telling.said)
        yield telling.said.say("flipped.thresholds", before=before, after=after)


def _flipped(record: DecisionRecord, place: Where) -> tuple[int, int] | None:
    """Rows of a slice that were lost and gained in all; None: they are not counted."""
    summary = next((s for s in record.slices if s.name == place[0]), None)
    if summary is None or not traits_of(record).decided:
        return None
    return lost_gained(summary, place[1])


def _shown(found: list[Flip], in_all: tuple[int, int] | None) -> list[Flip]:
    """The examples of a slice, lost and gained in the proportion that these have in all."""
    lost, gained = (furthest(f for f in found if f.lost == which) for which in (True, False))
    lost, gained = lost[:MOST_LOST], gained[:MOST_GAINED]
    if in_all is None or not all(in_all) or not lost or not gained:
        return lost + gained
    all_lost, all_gained = in_all
    if all_lost >= all_gained:
        return lost + gained[: max(1, round(len(lost) * all_gained / all_lost))]
    return lost[: max(1, round(len(gained) * all_lost / all_gained))] + gained


def _counted(record: DecisionRecord, place: Where, found: list[Flip], telling: _Telling) -> str:
    """How many are shown of how many there are, so that a few are not taken for all."""
    all_of_it = _flipped(record, place)
    shown = _shown(found, all_of_it)
    lost = sum(flip.lost for flip in shown)
    one, other = telling.words
    said = telling.said
    told = {"lost": said.whole(lost), "gained": said.whole(len(shown) - lost)}
    told |= {"one": one, "other": other}
    if all_of_it is None:
        return said.say("flipped.counted", **told)
    all_lost, all_gained = map(said.whole, all_of_it)
    return said.say("flipped.counted_of", all_lost=all_lost, all_gained=all_gained, **told)


def furthest(found: Iterable[Flip]) -> list[Flip]:
    """Rows whose scores moved furthest first."""
    return sorted(found, key=lambda f: (-_distance(f), f.id))


def _distance(flip: Flip) -> float:
    """How far the scores are apart; labels are as far as they can be."""
    if isinstance(flip.baseline, str) or isinstance(flip.candidate, str):
        return 1.0
    return abs(flip.candidate - flip.baseline)


def _example(flip: Flip, group: str, telling: _Telling, limits: Limits, album: Album) -> Example:
    before, after = answers_shown(flip, limits, decided=telling.decided)
    label = flip.label if telling.decided else rating(flip, telling.said)
    if not isinstance(flip.baseline, str) and not isinstance(flip.candidate, str):
        before, after = map(telling.said.number, (before, after))
    return Example(
        id=shorten(flip.id, 60),
        picture=album.address(flip),
        text=shorten(flip.text or "", 240),
        label=shorten(label, 60),
        before=before,
        after=after,
        verdict=telling.words[0 if flip.lost else 1],
        lost=flip.lost,
        slices=", ".join(_beyond(group, name) for name in flip.slices[1:]),
    )


def rating(flip: Flip, said: Speech) -> str:
    """The label of a row whose answers are numbers: a number too; empty where it has none."""
    return said.number(numbers.exact(round(float(flip.label), 4))) if flip.label else ""


def _beyond(group: str, name: str) -> str:
    """A slice's name without the pairs that the group's name has already told."""
    told, pairs = parse_slice_name(group), parse_slice_name(name)
    if told is None or pairs is None:
        return named(name)
    rest = {key: value for key, value in pairs.items() if told.get(key) != value}
    return named(",".join(f"{key}={value}" for key, value in (rest or pairs).items()))


Limits = tuple[float | None, float | None]
"""The scores from which each model counts a row as positive; None: there is none."""


def answers_shown(flip: Flip, limits: Limits, *, decided: bool = True) -> tuple[str, str]:
    """Labels as they are, scores with their decimals, other numbers as finely as they differ.

    Args:
        flip: the row.
        limits: from which scores on it counts as positive.
        decided: whether a model is right or wrong about it, and does not estimate a number.
    """
    before, after = flip.baseline, flip.candidate
    if isinstance(before, str) or isinstance(after, str):
        return shorten(str(before), 60), shorten(str(after), 60)
    if flip.label and decided:
        found = score_shown(before, limits[0]), score_shown(after, limits[1])
        return (max(found, key=len),) * 2 if before == after else found
    size = abs(after - before)
    digits = min(max(0, 1 - math.floor(math.log10(size))), 6) if size else 2
    return numbers.fixed(before, digits), numbers.fixed(after, digits)


def score_shown(score: float, threshold: float | None) -> str:
    """A score with decimals enough to tell it from the threshold and from certainty: ``0.998``.

    What is shown lies on the side of the threshold that the score itself lies on.

    Args:
        score: a model's answer.
        threshold: from which on it counts as positive; None: there is none.
    """
    for digits in range(numbers.decimals(score, [] if threshold is None else [threshold], 2, 5), 6):
        text = f"{score:.{digits}f}"
        if _same_side(float(text), score, threshold) and (
            float(text) not in (0.0, 1.0) or score in (0.0, 1.0)
        ):
            return text
    if score > 0.5:
        near, text = 0.9999, "> 0.9999"
    else:
        near, text = 0.0001, "< 0.0001"
    certain = round(score, 5) in (0.0, 1.0)
    if certain and _same_side(near, score, threshold):
        return text
    return _away(score, over=threshold is None or score >= threshold)


def _same_side(shown: float, score: float, threshold: float | None) -> bool:
    return threshold is None or (shown >= threshold) == (score >= threshold)


def _away(score: float, *, over: bool) -> str:
    """A score so near its threshold that it is rounded away from it; near certainty every digit."""
    exact = Decimal(repr(score))
    cut = exact.quantize(Decimal("1e-6"), ROUND_CEILING if over else ROUND_FLOOR)
    return f"{exact if cut in (0, 1) else cut:f}"
