"""The small print: slices as found in the data, and where everything came from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

from prunegate.audit.record import Compression, DecisionRecord, Input, ModelRef, NamedModel
from prunegate.audit.sealed_bar import bar_in_words
from prunegate.metrics.task_traits import TaskTraits
from prunegate.report.headline import lost_gained
from prunegate.report.page_one.people import People
from prunegate.report.production_told import production_lines
from prunegate.report.task import traits_of
from prunegate.text import numbers
from prunegate.text.escape import named, shorten, visible
from prunegate.text.time import moment
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


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of the provenance: what, and its value."""

    name: str
    value: str
    code: bool = False
    """A digest or the like, set in fixed-width letters."""


@dataclass(frozen=True, kw_only=True)
class FactGroup:
    """Facts under one heading."""

    title: str
    facts: tuple[Fact, ...]


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
    rows = "documents" if task.documents else "rows"
    heads = (rows, *_FURTHER[task.answers], *(("worth",) if weighed else ()))
    return SlicesView(
        columns=tuple(people.speech.say(f"judged_on.{key}") for key in heads),
        rows=tuple(_slice(one, task, people, weighed=weighed) for one in record.slices),
        production=production_lines(record, people.speech),
    )


def _slice(summary: SliceSummary, task: TaskTraits, people: People, *, weighed: bool) -> SliceRow:
    say = people.speech.say
    figures = tuple(map(people.speech.figure, _figures(summary, task)))
    return SliceRow(
        name=named(summary.name),
        label=people.labelled(summary.name),
        declared=say("judged_on.yes" if summary.declared else "judged_on.found"),
        judged=say(f"judged_on.{'was_judged' if summary.judged else _why_not(summary)}"),
        figures=(*figures, *(_worth(summary, people) if weighed else ())),
    )


def _worth(summary: SliceSummary, people: People) -> tuple[str]:
    """As many rows of equal weight as a slice's rows and positives are worth."""
    weights, speech = summary.weights, people.speech
    if weights is None:
        return (numbers.NOT_DEFINED,)
    counts = (numbers.count(math.floor(n)) for n in (weights.rows, weights.positives))
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
    """What was done to make the candidate, a sentence a step."""
    compression = record.compression
    if compression is None:
        return ()
    if compression.summary:
        done = tuple(visible(line) for line in compression.summary)
    else:
        spelled = (json.dumps(step, ensure_ascii=False) for step in compression.recipe)
        done = tuple(shorten(step, 400) for step in spelled)
    return (*done, *_left(compression))


def _left(compression: Compression) -> Iterator[str]:
    """What the head map does not show of what is left."""
    if compression.layers_kept is not None:
        layers = ", ".join(str(layer + 1) for layer in compression.layers_kept)
        yield f"Layers kept, of {len(compression.heads_before)}: {layers}."
    if compression.filters_before:
        before, kept = sum(compression.filters_before), sum(compression.filters_kept)
        yield f"Filters: {numbers.count(before)} before, {numbers.count(kept)} kept."
    if compression.zeros is not None:
        yield (
            f"{numbers.count(compression.zeros)} weights are zero where they stand. By themselves "
            "zeros save neither bytes nor time; the sizes and times on this page were measured."
        )
    if compression.storage != "float32":
        name = {"int8": "eight-bit weights for torch", "onnx": "an ONNX file for onnxruntime"}
        stored = name.get(compression.storage, visible(compression.storage))
        yield f"The candidate is stored, and was judged, as {stored}."


def training_loss_in_words(record: DecisionRecord) -> str:
    """How the training loss went in fine-tuning; empty where it is not known."""
    compression = record.compression
    if compression is None or compression.loss_first is None or compression.loss_last is None:
        return ""
    first, last = (numbers.significant(v) for v in (compression.loss_first, compression.loss_last))
    return f"The training loss went from {first} to {last} during fine-tuning."


def second_opinion_in_words(record: DecisionRecord) -> str:
    """That another engine judged the findings too; empty where none did."""
    opinion = record.second_opinion
    if opinion is None:
        return ""
    noun = "finding" if opinion.findings == 1 else "findings"
    return (
        f"A second engine ({visible(opinion.engine)}) held {numbers.count(opinion.findings)} "
        f"{noun} against {numbers.count(opinion.expectations)} laws, worked out anew from the "
        "policy and the figures shown, and agrees."
    )


def provenance(record: DecisionRecord, digest: str) -> tuple[FactGroup, ...]:
    """Digests, versions and settings: what an auditor needs to check this report."""
    groups = (
        FactGroup(title="This decision", facts=_decision(record, digest)),
        FactGroup(title="What was judged", facts=tuple(_input(i) for i in record.inputs)),
        FactGroup(title="Models", facts=_models(record)),
        FactGroup(title="Software", facts=_software(record)),
        FactGroup(title="Environment", facts=_environment(record)),
    )
    return tuple(group for group in groups if group.facts)


def _decision(record: DecisionRecord, digest: str) -> tuple[Fact, ...]:
    seed = "none used" if record.seed is None else str(record.seed)
    return (
        Fact(name="record (sha256)", value=visible(digest), code=True),
        Fact(name="policy (sha256)", value=visible(record.policy.sha256), code=True),
        Fact(name="policy owner", value=visible(record.policy.owner or "not named")),
        Fact(name="made by", value=f"prunegate {visible(record.command)}"),
        Fact(name="made on", value=moment(record.created)),
        Fact(name="seed", value=seed),
        *_attempt(record),
        Fact(name="exit code", value=str(record.exit_code)),
        *_terms(record),
    )


def _attempt(record: DecisionRecord) -> Iterator[Fact]:
    """Which attempt on its gate set this is, and whether its bar was sealed before."""
    attempt, bar = record.attempt, record.bar
    if attempt is None:
        return
    of = f"{attempt.number:,} of {attempt.known:,} that the audit folder knows"
    yield Fact(name="attempt on this gate set", value=of)
    yield Fact(name="gate set (sha256 of its content)", value=visible(attempt.gate_set), code=True)
    yield Fact(name="rules (sha256 of what decides)", value=visible(attempt.rules), code=True)
    yield Fact(name="bar sealed before the run", value=visible(bar_in_words(attempt, bar)))


def _terms(record: DecisionRecord) -> Iterator[Fact]:
    """Until when the decision holds, and the state of the folder that its policy lay in."""
    if record.revalidate_on is not None:
        yield Fact(name="to be judged anew by", value=visible(record.revalidate_on))
    if record.workspace is not None:
        state = ", with changes that are not in it" if record.workspace.dirty else ""
        yield Fact(name="git commit", value=visible(record.workspace.commit) + state, code=True)


def _input(item: Input) -> Fact:
    rows = "" if item.rows is None else f", {numbers.count(item.rows)} rows"
    sha256 = "in memory, no digest" if item.sha256 is None else visible(item.sha256)
    return Fact(
        name=f"{visible(item.role)}: {shorten(item.name, 80)}{rows}",
        value=sha256,
        code=item.sha256 is not None,
    )


def _models(record: DecisionRecord) -> tuple[Fact, ...]:
    named = (("baseline", record.baseline), ("candidate", record.candidate))
    ran = tuple(_model(role, model) for role, model in named if model is not None)
    return (*ran, *(_named_model(model) for model in record.models))


def _named_model(model: NamedModel) -> Fact:
    """A model that was not run here, with who says that it made the predictions."""
    said = {"predictions": "as their file says", "folder": "as the policy says"}
    name = f"{visible(model.role)} of the predictions, {said[model.source]}"
    return Fact(name=name, value=visible(model.digest), code=True)


def _model(role: str, model: ModelRef) -> Fact:
    name = f"{role}: {shorten(model.name, 80)}, {shorten(model.architecture, 80)}"
    return Fact(name=name, value=visible(model.digest), code=True)


def _software(record: DecisionRecord) -> tuple[Fact, ...]:
    tool = record.tool
    packages = ", ".join(f"{visible(n)} {visible(v)}" for n, v in sorted(tool.packages.items()))
    return (
        Fact(name="tool", value=f"{visible(tool.name)} {visible(tool.version)}"),
        Fact(name="python", value=f"{visible(tool.python)} on {visible(tool.platform)}"),
        *((Fact(name="packages", value=packages),) if packages else ()),
    )


def _environment(record: DecisionRecord) -> tuple[Fact, ...]:
    measured = record.measurements.environment if record.measurements else {}
    both = {**record.environment, **{f"measured on: {k}": v for k, v in measured.items()}}
    return tuple(
        Fact(name=visible(k.replace("_", " ")), value=visible(str(v)))
        for k, v in sorted(both.items())
    )
