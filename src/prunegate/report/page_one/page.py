"""Page one put together: question, answer, what gets worse, warnings, examples, money, next, sign.

Everything on it is bounded (rows, names, sentences, pictures), so that it is one A4 page whatever
the record holds; what had to be left out is counted, and stands in the engineers' part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import metric_named
from prunegate.report.flips import Album
from prunegate.report.own_threshold import threshold_told
from prunegate.report.page_one.agreed_words import AgreedWords
from prunegate.report.page_one.answer import SignOffShown, answer
from prunegate.report.page_one.content_table import content_table
from prunegate.report.page_one.next_steps import next_steps
from prunegate.report.page_one.notices import notices
from prunegate.report.page_one.people import OVERALL, People
from prunegate.report.page_one.savings import savings
from prunegate.report.page_one.sheet import PageOne
from prunegate.report.page_one.shown_examples import shown_examples
from prunegate.report.page_one.standing import (
    deciding,
    is_tested,
    lead,
    missing_places,
    reference_key,
    standing_key,
)
from prunegate.report.page_one.stated import wrong_figures
from prunegate.report.sentences import capital
from prunegate.report.signers import signers
from prunegate.report.speech import Speech
from prunegate.report.units import CLAIMS, Units, is_operational
from prunegate.text import numbers
from prunegate.text.escape import shorten, visible
from prunegate.text.time import short_code
from prunegate.verdict.finding import BEATS_CONSTANT, Finding

LONGEST_PURPOSE = 100
MOST_KINDS = (8, 6, 4, 3)
"""Kinds of content that have a row: as many as a sheet of paper has room for."""


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
    agreement = AgreedWords(people=People.of(record), units=units)
    album = Album(pictures)
    for most in MOST_KINDS:
        page = _page(record, agreement, digest, album, state, most)
        if page.fits:
            return page
    return replace(page, examples=None)


def _page(
    record: DecisionRecord,
    agreement: AgreedWords,
    digest: str,
    album: Album,
    state: SignOffShown | None,
    most: int,
) -> PageOne:
    """The page with so many kinds of content."""
    people, worst = agreement.people, lead(record)
    table = content_table(record, agreement, most)
    page = PageOne(
        eyebrow=people.speech.say("page.eyebrow", day=people.speech.day(record.created)),
        code=visible(short_code(digest)),
        question=people.speech.say(f"question.{people.candidate_key}", title=people.title),
        purpose=shorten(record.policy.purpose or "", LONGEST_PURPOSE),
        tone="inconclusive" if _stopped(record, state) else record.outcome,
        answer_word=people.speech.say(f"verdict.{_verdict_key(record, state)}"),
        word=people.speech.say(f"word.{record.outcome}"),
        sentence=decided_by(record, agreement),
        threshold=threshold_told(record, people.speech, capital(people.candidate)),
        table=table,
        proven=_proven(record, people),
        notices=notices(record, agreement, len(table.rows) + len(table.figures)),
        examples=shown_examples(record, worst, people, album),
        savings=savings(record, agreement),
        steps=next_steps(record, worst, agreement, state),
        answer=answer(record, digest, people, state),
    )
    if page.crowded:  # then the engineers' part alone says it
        return page
    told = (page.proven, mix_of_rows(record, people.speech))
    return replace(page, proven=" ".join(filter(None, told)))


def _stopped(record: DecisionRecord, state: SignOffShown | None) -> bool:
    """Whether an approval had been stopped when a later copy was made."""
    return record.outcome == "approve" and state is not None and state.stopped


def _verdict_key(record: DecisionRecord, state: SignOffShown | None) -> str:
    """Which answer: an approval may hang on waivers and on signatures, or have been stopped."""
    key: str = record.outcome
    if record.outcome != "approve":
        return key
    if _stopped(record, state):
        return f"{key}_stopped"
    if any(f.status == "waived" for f in deciding(record)):
        key += "_waived"
    signed = state is not None and state.ships
    return key + ("_asked" if signers(record) and not signed else "")


def decided_by(record: DecisionRecord, agreement: AgreedWords) -> str:
    """The decision in counts, or what brought it about."""
    speech, absent, worst = agreement.people.speech, missing_places(record), lead(record)
    if record.outcome == "approve" and worst is not None:
        return _held(record, agreement)
    if worst is None:
        if not absent:
            return speech.say("lead.unknown")
        return speech.say("lead.absent", place=agreement.people.place(absent[0]))
    if standing_key(worst) == "absent":
        return speech.say("lead.absent", place=agreement.people.place(worst.slice))
    if worst.check == BEATS_CONSTANT:
        where = agreement.people.where(worst.slice, worst.class_label)
        key = f"lead.{reference_key(record, worst)}"
        return speech.say(key, where=where, model=agreement.people.candidate)
    said = _about(record, worst, agreement)
    limit = "" if worst.check == CLAIMS else speech.say("lead.agreed", limit=agreement.limit(worst))
    open_ = worst.status == "inconclusive" and worst.candidate is not None
    not_shown = speech.say("lead.not_shown") if open_ and worst.check != CLAIMS else ""
    return " ".join(part for part in (said, limit, not_shown) if part)


def _about(record: DecisionRecord, worst: Finding, agreement: AgreedWords) -> str:
    if worst.check == CLAIMS:
        return _stated(record, worst, agreement)
    return agreement.about(worst)


def _stated(record: DecisionRecord, worst: Finding, agreement: AgreedWords) -> str:
    """Stated figures that decide."""
    speech = agreement.people.speech
    if worst.status != "fail":
        return speech.say("lead.claims_open")
    told = wrong_figures(record, agreement) or (shorten(worst.class_label or "", 60),)
    return speech.say("lead.claims", figures=told[0])


def _held(record: DecisionRecord, agreement: AgreedWords) -> str:
    """Of an approval: how many limits hold, and on how many kinds of content."""
    speech = agreement.people.speech
    found = [f for f in deciding(record) if f.check != BEATS_CONSTANT]  # nobody agreed to that
    waived = sum(f.status == "waived" for f in found)
    if waived:
        n = speech.number(numbers.count(len(found)))
        held = speech.number(numbers.count(len(found) - waived))
        return speech.say("lead.approve_waived", held=held, n=n, waived=speech.number(str(waived)))
    places = {f.slice for f in found if not is_operational(f.metric)}
    kinds = places - {OVERALL}
    if not kinds:
        return speech.count("lead.approve_whole", len(found))
    key = "lead.approve_all" if OVERALL in places else "lead.approve_places"
    return speech.count(key, len(found), places=speech.count("lead.places", len(kinds)))


def _proven(record: DecisionRecord, people: People) -> str:
    """What is meant by "proven", where a test stands behind it; else that nothing was tested."""
    if not is_tested(record):
        decided = record.outcome != "inconclusive"
        return people.speech.say("proven.nothing") if decided else ""
    level, found = _level(record), record.guarantee
    if level is None:
        return ""
    share = people.speech.number(numbers.upper_bound_share(level, digits=3))
    key = "at_most" if found is not None and found.exact else "about"
    told = people.speech.say(f"proven.{key}", share=share)
    if not any(f.status == "waived" for f in deciding(record)):
        return told
    return f"{told} {people.speech.say('proven.waived')}"


def mix_of_rows(record: DecisionRecord, said: Speech) -> str:
    """Which mix of rows the figures hold for; empty where they do not hang on it."""
    kinds = {
        metric.kind for f in record.findings if (metric := metric_named(f.metric)) is not None
        and metric.one_label is None and f.check != BEATS_CONSTANT
    }  # fmt: skip
    if not kinds & {"rate", "flips", "coefficient"}:
        return ""
    if record.policy.document.get("weight") is not None:
        return said.say("proven.weighed")
    named = {f.metric for f in record.findings} & {"precision", "accuracy"}
    return said.say("proven.mix" if named else "proven.mix_of_figures")


def _level(record: DecisionRecord) -> float | None:
    """How often a test may err; None: the record does not say."""
    if record.guarantee is not None:
        return record.guarantee.alpha
    if record.attempt is not None:
        return record.attempt.alpha
    evidence = record.policy.document.get("evidence")
    given = evidence.get("confidence", 0.95) if isinstance(evidence, dict) else 0.95
    return round(1 - given, 12) if isinstance(given, float) else None
