"""Page one put together: question, answer, what gets worse, warnings, examples, money, next, sign.

Everything on it is bounded (rows, names, sentences, pictures), so that it is one A4 page whatever
the record holds; what had to be left out is counted, and stands in the engineers' part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import metric_named
from prunegate.report.flips import Album
from prunegate.report.page_one.agreement import AgreedWords
from prunegate.report.page_one.answer import AnswerView, SignOffShown, answer
from prunegate.report.page_one.content_table import ContentTable, content_table
from prunegate.report.page_one.next_steps import next_steps
from prunegate.report.page_one.notices import Notice, notices
from prunegate.report.page_one.people import OVERALL, People
from prunegate.report.page_one.savings import SavingsView, savings
from prunegate.report.page_one.shown_examples import ShownExamples, shown_examples
from prunegate.report.page_one.standing import deciding, lead
from prunegate.report.signers import signers
from prunegate.report.speech import Speech
from prunegate.report.units import CLAIMS, Units, is_operational
from prunegate.text import numbers
from prunegate.text.escape import shorten, visible
from prunegate.text.time import short_code
from prunegate.verdict.finding import BEATS_CONSTANT, OF_ONE_LABEL, Finding

LONGEST_PURPOSE = 100
MOST_LINES = 13
"""Rows and warnings that fit on a sheet at their usual size."""


@dataclass(frozen=True, kw_only=True)
class PageOne:
    """The whole decision, as finished text."""

    eyebrow: str
    code: str
    question: str
    purpose: str
    outcome: str
    answer_word: str
    """YES, NO or NOT YET, with what it means."""
    word: str
    """The machine's word for it, shown small."""
    sentence: str
    table: ContentTable
    proven: str
    """What "proven" means; empty where nothing was tested."""
    notices: tuple[Notice, ...]
    examples: ShownExamples | None
    savings: SavingsView
    steps: tuple[str, ...]
    answer: AnswerView

    @property
    def crowded(self) -> bool:
        """Whether paper has to be used sparingly."""
        rows = len(self.table.rows) + len(self.table.figures)
        return rows + 2 * len(self.notices) > MOST_LINES


def page_one(
    record: DecisionRecord,
    units: Units,
    digest: str,
    pictures: Mapping[str, bytes],
    state: SignOffShown | None = None,
) -> PageOne:
    """The first page of a record's report.

    Args:
        record: the decision.
        units: how its values are written.
        digest: sha256 of the record's canonical bytes, in hexadecimal.
        pictures: PNG or JPEG bytes by the id of a flipped row; may be empty.
        state: what the audit trail holds, of a copy made later; None: the page as it is signed.
    """
    people = People.of(record)
    agreement = AgreedWords(people=people, units=units)
    worst = lead(record)
    page = PageOne(
        eyebrow=people.speech.say("page.eyebrow", day=people.speech.day(record.created)),
        code=visible(short_code(digest)),
        question=people.speech.say(f"question.{people.candidate_key}", title=people.title),
        purpose=shorten(record.policy.purpose or "", LONGEST_PURPOSE),
        outcome=record.outcome,
        answer_word=people.speech.say(f"verdict.{_verdict_key(record)}"),
        word=people.speech.say(f"word.{record.outcome}"),
        sentence=_sentence(record, worst, agreement),
        table=content_table(record, agreement),
        proven=_proven(record, people),
        notices=notices(record, agreement),
        examples=shown_examples(record, worst, people, Album(pictures)),
        savings=savings(record, agreement),
        steps=next_steps(record, worst, agreement),
        answer=answer(record, digest, people, state),
    )
    if page.crowded:  # then the engineers' part alone says it
        return page
    told = (page.proven, mix_of_rows(record, people.speech))
    return replace(page, proven=" ".join(filter(None, told)))


def _verdict_key(record: DecisionRecord) -> str:
    """Which answer: an approval may hang on waivers and on signatures."""
    key: str = record.outcome
    if record.outcome != "approve":
        return key
    if any(f.status == "waived" for f in deciding(record)):
        key += "_waived"
    return key + ("_asked" if signers(record) else "")


def _sentence(record: DecisionRecord, worst: Finding | None, agreement: AgreedWords) -> str:
    """The decision in counts."""
    speech = agreement.people.speech
    if worst is None:
        return speech.say("lead.unknown")
    if record.outcome == "approve":
        return _held(record, agreement)
    said = _about(worst, agreement)
    limit = "" if worst.check == CLAIMS else speech.say("lead.agreed", limit=agreement.limit(worst))
    open_ = worst.status == "inconclusive" and worst.candidate is not None
    not_shown = speech.say("lead.not_shown") if open_ and worst.check != CLAIMS else ""
    return " ".join(part for part in (said, limit, not_shown) if part)


def _about(worst: Finding, agreement: AgreedWords) -> str:
    speech = agreement.people.speech
    if worst.check == CLAIMS:
        name = shorten(worst.class_label or "", 60)
        wrong = worst.status == "fail"
        return speech.say("lead.claims", figures=name) if wrong else speech.say("lead.claims_open")
    if not is_operational(worst.metric):
        return agreement.sentence(worst)
    name = agreement.name(worst.metric)
    name = name[:1].upper() + name[1:]
    if worst.candidate is None:
        return speech.say("lead.figure_unmeasured", metric=name)
    after = agreement.value(worst.metric, worst.candidate)
    if worst.baseline is None:
        return speech.say("lead.figure_alone", metric=name, after=after)
    before = agreement.value(worst.metric, worst.baseline)
    if before == after:
        return speech.say("lead.figure_same", metric=name, after=after)
    return speech.say("lead.figure", metric=name, before=before, after=after)


def _held(record: DecisionRecord, agreement: AgreedWords) -> str:
    """Of an approval: how many limits hold, and on how many kinds of content."""
    speech, found = agreement.people.speech, deciding(record)
    waived = sum(f.status == "waived" for f in found)
    n = speech.number(numbers.count(len(found)))
    if waived:
        held = speech.number(numbers.count(len(found) - waived))
        return speech.say("lead.approve_waived", held=held, n=n, waived=speech.number(str(waived)))
    kinds = {f.slice for f in found if not is_operational(f.metric)} - {OVERALL}
    if not kinds:
        return speech.say("lead.approve_whole", n=n)
    return speech.say("lead.approve_all", n=n, places=speech.count("lead.places", len(kinds)))


def _proven(record: DecisionRecord, people: People) -> str:
    """What is meant by "proven", where a test stands behind it."""
    tested = [f for f in deciding(record) if f.evidence == "proven" and f.p_value is not None]
    level = _level(record)
    if not tested or level is None:
        return ""
    share = people.speech.number(numbers.upper_bound_share(level))
    return people.speech.say("proven.about", share=share)


def mix_of_rows(record: DecisionRecord, said: Speech) -> str:
    """Which mix of rows the figures hold for; empty where they do not hang on it."""
    kinds = {
        metric.kind for f in record.findings if (metric := metric_named(f.metric)) is not None
        and f.metric not in OF_ONE_LABEL and f.check != BEATS_CONSTANT
    }  # fmt: skip
    if not kinds & {"rate", "flips", "coefficient"}:
        return ""
    weighed = record.policy.document.get("weight") is not None
    return said.say("proven.weighed" if weighed else "proven.mix")


def _level(record: DecisionRecord) -> float | None:
    """How often a test may err; None: the record does not say."""
    if record.attempt is not None:
        return record.attempt.alpha
    evidence = record.policy.document.get("evidence")
    given = evidence.get("confidence", 0.95) if isinstance(evidence, dict) else 0.95
    return round(1 - given, 12) if isinstance(given, float) else None
