"""The small print: slices as found in the data, how the candidate was made, who judged too."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

from prunegate.audit.record import Compression, DecisionRecord
from prunegate.metrics.task_traits import TaskTraits
from prunegate.report.headline import lost_gained
from prunegate.report.page_one.people import People
from prunegate.report.partly_labelled import partly
from prunegate.report.production_told import production_lines
from prunegate.report.speech import Speech, speech
from prunegate.report.task import traits_of
from prunegate.text import numbers
from prunegate.text.escape import shorten, visible
from prunegate.text.languages import ENGLISH
from prunegate.verdict.finding import SliceSummary


@dataclass(frozen=True, kw_only=True)
class SliceRow:
    """One slice, every cell as text."""

    name: str
    label: str
    """What the policy's labels call it; empty: nothing."""
    declared: str
    judged: str
    figures: tuple[str, ...]
    """Counts, one for each of the table's further columns."""


@dataclass(frozen=True, kw_only=True)
class SlicesView:
    """The table of slices; its columns are those that the kind of task has."""

    columns: tuple[str, ...]
    """Heads of the columns of counts."""
    rows: tuple[SliceRow, ...]
    production: tuple[str, ...] = ()
    """What production's mix makes of all rows."""


_FURTHER = {
    "decisions": ("positives", "flips"),
    "labels": ("classes", "rarest", "flips"),
    "label sets": ("labels", "rarest_label", "flips"),
    "numbers": (),
}
"""Catalogue's keys of the heads of the columns beside the rows, by what the models say of one."""


def slices(record: DecisionRecord) -> SlicesView:
    """Every slice that the data or the policy named."""
    task, people = traits_of(record), People.of(record)
    weighed = any(summary.weights is not None for summary in record.slices)
    sure = any(summary.calibration is not None for summary in record.slices)
    rows = "documents" if task.documents else "rows"
    heads = (rows, *_FURTHER[task.answers], *(("worth",) if weighed else ()))
    heads = (*heads, *(("calibration",) if sure else ()))
    return SlicesView(
        columns=tuple(people.speech.say(f"judged_on.{key}") for key in heads),
        rows=tuple(_slice(one, task, people, weighed=weighed, sure=sure) for one in record.slices),
        production=production_lines(record, people.speech),
    )


def _slice(
    summary: SliceSummary, task: TaskTraits, people: People, *, weighed: bool, sure: bool
) -> SliceRow:
    say = people.speech.say
    figures = list(map(people.speech.figure, _figures(summary, task)))
    if task.decided and partly(people.record, summary):
        figures[-2] = say("number.at_least", value=figures[-2])  # rows of a class
    return SliceRow(
        name=people.speech.place(summary.name),
        label=people.labelled(summary.name),
        declared=say("judged_on.yes" if summary.declared else "judged_on.found"),
        judged=say(f"judged_on.{'was_judged' if summary.judged else _why_not(summary)}"),
        figures=(
            *figures,
            *(_worth(summary, people) if weighed else ()),
            *(_calibration(summary, people) if sure else ()),
        ),
    )


def _calibration(summary: SliceSummary, people: People) -> tuple[str]:
    """Both models' expected calibration errors."""
    found = summary.calibration
    if found is None:
        return (numbers.NOT_DEFINED,)
    before, after = (
        people.speech.figure(numbers.fixed(error, 3)) for error in (found.baseline, found.candidate)
    )
    return (people.speech.say("judged_on.calibration_of", before=before, after=after),)


def _worth(summary: SliceSummary, people: People) -> tuple[str]:
    """As many rows of equal weight as a slice's are worth: of rows that weigh alike, themselves."""
    speech = people.speech
    whole = summary if summary.weights is None else summary.weights
    counts = (numbers.count(math.floor(n)) for n in (whole.rows, whole.positives))
    rows, positives = map(speech.figure, counts)
    return (speech.say("judged_on.worth_of", rows=rows, positives=positives),)


def _figures(summary: SliceSummary, task: TaskTraits) -> tuple[str, ...]:
    rows = numbers.count(summary.rows)
    if not task.decided:
        return (rows,)
    flipped = lost_gained(summary)
    flips = " / ".join(map(numbers.count, flipped)) if flipped else numbers.NOT_DEFINED
    classes = (numbers.count(len(summary.classes)),) if task.classes or task.sets else ()
    return (rows, *classes, _positives(summary), flips)


def _why_not(summary: SliceSummary) -> str:
    return "absent" if summary.rows == 0 else "reported"


def _positives(summary: SliceSummary) -> str:
    if summary.rows == 0:
        return numbers.count(summary.positives)
    part = numbers.share(summary.positives / summary.rows)
    return f"{numbers.count(summary.positives)} ({part})"


def recipe(record: DecisionRecord) -> tuple[str, ...]:
    """What was done to make the candidate, a line a step, in the record's words."""
    compression = record.compression
    if compression is None:
        return ()
    if compression.summary:
        return tuple(visible(line) for line in compression.summary)
    spelled = (json.dumps(step, ensure_ascii=False) for step in compression.recipe)
    return tuple(shorten(step, 400) for step in spelled)


def left_in_words(record: DecisionRecord, said: Speech | None = None) -> tuple[str, ...]:
    """What the head map does not show of what is left of the model."""
    own, found = said or speech(ENGLISH), record.compression
    return () if found is None else tuple(_left(found, own))


def _left(compression: Compression, said: Speech) -> Iterator[str]:
    if compression.layers_kept is not None:
        layers = ", ".join(str(layer + 1) for layer in compression.layers_kept)
        before = str(len(compression.heads_before))
        yield said.say("making.layers", n=before, layers=layers)
    if compression.filters_before:
        sums = (sum(compression.filters_before), sum(compression.filters_kept))
        before, kept = map(said.whole, sums)
        yield said.say("making.filters", before=before, kept=kept)
    if compression.zeros is not None:
        yield said.say("making.zeros", n=said.whole(compression.zeros))
    if compression.storage != "float32":
        key = f"making.{compression.storage}"
        stored = said.say(key) if said.knows(key) else visible(compression.storage)
        yield said.say("making.stored", storage=stored)


def training_loss_in_words(record: DecisionRecord, said: Speech | None = None) -> str:
    """How the training loss went in fine-tuning; empty where it is not known."""
    compression, own = record.compression, said or speech(ENGLISH)
    if compression is None or compression.loss_first is None or compression.loss_last is None:
        return ""
    ends = (numbers.significant(v) for v in (compression.loss_first, compression.loss_last))
    first, last = map(own.figure, ends)
    return own.say("making.loss", first=first, last=last)


def second_opinion_in_words(record: DecisionRecord, said: Speech | None = None) -> str:
    """That another engine judged the findings too; empty where none did."""
    opinion, own = record.second_opinion, said or speech(ENGLISH)
    if opinion is None:
        return ""
    told = {"engine": visible(opinion.engine), "laws": own.whole(opinion.expectations)}
    return own.count("trusting.opinion", opinion.findings, **told)
