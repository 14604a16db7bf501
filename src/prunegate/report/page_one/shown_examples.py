"""Four examples of what went wrong: rows of the broken rule's kind, with how many there are of it.

A rule on recall is shown by positive rows that are now missed, a rule on precision by others that
are now flagged; never by the opposite. They come from the worst kind of content first, and the
line under them says of how many they are, so that four are not taken for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prunegate.audit.record import DecisionRecord, Flip
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.forms import ErrorKind
from prunegate.policy.naming import value_text
from prunegate.report.flips import Album, Limits, answers_shown, furthest, rating
from prunegate.report.headline import label_cells
from prunegate.report.own_threshold import own_threshold, shown_threshold, thresholds_of
from prunegate.report.page_one.people import OVERALL, People
from prunegate.report.task import traits_of
from prunegate.text import numbers
from prunegate.text.escape import shorten
from prunegate.verdict.finding import Finding, SliceSummary

FEW, LONGEST_TEXT = 4, 60
ShownMistake = ErrorKind | Literal["wrong", "lower"]
"""How the rows go wrong that are shown; of numbers they are lower."""
_CELL = {"missed": 6, "flagged": 1}
"""Which of a slice's joint counts is the rows that only the candidate gets wrong so."""


@dataclass(frozen=True, kw_only=True)
class ShownExample:
    """One row."""

    picture: str | None
    """A data: address, or None."""
    alt: str
    text: str
    """The beginning of the text that was judged; empty for images."""
    caption: str
    change: str
    """``0.99 → 0.01: now missed``."""


@dataclass(frozen=True, kw_only=True)
class ShownExamples:
    """The strip of examples."""

    title: str
    examples: tuple[ShownExample, ...]
    counted: str
    thresholds: str
    """From which score on each model flags; empty where it is the same."""


def shown_examples(
    record: DecisionRecord, finding: Finding | None, people: People, album: Album
) -> ShownExamples | None:
    """Examples of what a finding is about; None where the record holds none.

    Args:
        record: the decision.
        finding: the worst one.
        people: how things are called.
        album: the pictures at hand.
    """
    mistake = _mistake(record, finding)
    if mistake is None:
        return None
    fitting = [flip for flip in record.flips if _fits(record, flip, mistake, finding)]
    place = OVERALL if finding is None else finding.slice
    own = [flip for flip in fitting if place in (OVERALL, *flip.slices)]
    if not own:
        return None
    chosen = furthest(own)[:FEW]
    if len(chosen) < FEW:
        chosen += [flip for flip in furthest(fitting) if flip not in chosen][: FEW - len(chosen)]
    return ShownExamples(
        title=people.speech.say("examples.title"),
        examples=tuple(
            _example(
                number,
                flip,
                people,
                place if place in flip.slices else next(iter(flip.slices), OVERALL),
                mistake,
                picture=album.address(flip),
                limits=thresholds_of(record, flip.class_label),
            )
            for number, flip in enumerate(chosen, start=1)
        ),
        counted=_counted(record, finding, mistake, people, (len(chosen), len(own))),
        thresholds=_thresholds(record, people),
    )


def _mistake(record: DecisionRecord, finding: Finding | None) -> ShownMistake | None:
    """How rows go wrong that the finding is about; None: the record's rows do not show it."""
    task = traits_of(record)
    metric = None if finding is None else METRICS.get(finding.metric)
    if not task.decided:
        form = None if metric is None else metric.forms.get(task.name)
        # errors grow where scores rise, too: rows whose score fell are no examples of them
        return None if form is not None and form.against_labels else "lower"
    known = None if metric is None or metric.of_yes_no is None else metric.of_yes_no.error_kind
    if known is None or not (task.yes_no or task.sets or known == "missed"):
        return "wrong"
    return known


def _fits(
    record: DecisionRecord, flip: Flip, mistake: ShownMistake, finding: Finding | None
) -> bool:
    """Whether a row went wrong in the way that the finding is about."""
    if not flip.lost:
        return False
    if traits_of(record).sets:
        return _fits_label(flip, mistake, finding)
    if traits_of(record).classes:
        label = finding.class_label if finding is not None else None
        return mistake != "missed" or label is None or flip.label == label
    if mistake in ("missed", "flagged"):
        return (flip.label == _positive(record)) == (mistake == "missed")
    return True


def _fits_label(flip: Flip, mistake: ShownMistake, finding: Finding | None) -> bool:
    """Of several labels: the finding's own, and missed or flagged as it says."""
    label = finding.class_label if finding is not None else None
    if label is not None and flip.class_label != label:
        return False
    missed = flip.label == flip.class_label
    return mistake not in ("missed", "flagged") or missed == (mistake == "missed")


def _positive(record: DecisionRecord) -> str:
    task = record.policy.document.get("task")
    return value_text(task.get("positive")) if isinstance(task, dict) else ""


def _example(  # noqa: PLR0913  # all that is told of one row
    number: int,
    flip: Flip,
    people: People,
    kind: str,
    mistake: ShownMistake,
    *,
    picture: str | None,
    limits: Limits,
) -> ShownExample:
    speech = people.speech
    before, after = answers_shown(flip, limits, decided=mistake != "lower")
    place, key = people.place(kind), "examples.labelled"
    label = people.label(flip.label) if flip.label else ""
    if label and mistake == "lower":
        key, label = "examples.rated", rating(flip, speech)
    caption = speech.say(key, place=place, label=label) if label else place
    return ShownExample(
        picture=picture,
        alt=speech.say("examples.alt", number=str(number), place=place, label=label or "–"),
        text=shorten(flip.text or "", LONGEST_TEXT),
        caption=caption,
        change=speech.say(
            "examples.scores",
            before=speech.number(before),
            after=speech.number(after),
            what=speech.say(f"examples.{mistake}"),
        ),
    )


def _thresholds(record: DecisionRecord, people: People) -> str:
    """From which score on each model flags, where these are two; empty where it is one."""
    own = own_threshold(record)
    if own is None:
        return ""
    return people.speech.say(
        "examples.thresholds",
        before=shown_threshold(own.baseline, people.speech),
        after=shown_threshold(own.candidate, people.speech),
        candidate=people.candidate,
    )


def _counted(
    record: DecisionRecord,
    finding: Finding | None,
    mistake: ShownMistake,
    people: People,
    shown: tuple[int, int],
) -> str:
    """Of how many rows of that kind the examples are: ``4 of the 177 ...``."""
    speech, (count, own) = people.speech, shown
    place = finding.slice if finding is not None and own >= count else OVERALL
    where = people.inside(place)
    if own < count and own and finding is not None and finding.slice != OVERALL:
        where = speech.say("examples.where_worst")
    parts = {"shown": speech.number(numbers.count(count)), "where": where}
    words = {
        "positive": people.positive.of,
        "items": people.items.of,
        "candidate": people.candidate,
    }
    total = _total(record, finding, mistake, place)
    if mistake == "lower":
        return speech.say("examples.of_lower", **parts)
    if total is None or total < count:
        return speech.say("examples.of_record", **parts, **words)
    n = speech.number(numbers.count(total))
    return speech.say(f"examples.of_{mistake}", n=n, **parts, **words)


def _total(
    record: DecisionRecord, finding: Finding | None, mistake: ShownMistake, place: str
) -> int | None:
    """Rows on a slice that only the candidate gets wrong in this way; None: not counted."""
    label = finding.class_label if finding is not None and traits_of(record).sets else None
    if finding is not None and finding.class_label is not None and label is None:
        return finding.lost if mistake == "missed" and place == finding.slice else None
    summary = next((one for one in record.slices if one.name == place), None)
    if summary is None:
        return None
    cells = label_cells(summary, label)
    if mistake in _CELL and len(cells) == 8:
        return cells[_CELL[mistake]]
    if label is not None:
        return None
    return _lost(summary) if mistake == "wrong" else None


def _lost(summary: SliceSummary) -> int | None:
    if summary.lost is None and len(summary.cells) == 8:
        return summary.cells[1] + summary.cells[6]
    return summary.lost
