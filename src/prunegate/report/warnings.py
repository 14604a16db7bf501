"""Warnings in the order that people need them: what is odd, then real losses that are allowed.

A policy with many slices and classes allows many small losses that are real all the same. Each has
its sentence in the record; where people read, a few stand for all, so that they do not drown what
else there is to know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.report import sentences
from prunegate.report.sentences import ToldPart
from prunegate.report.units import Units
from prunegate.text.escape import LONGEST, shorten
from prunegate.text.languages import ENGLISH
from prunegate.verdict.finding import Finding, WarningFact

FEW_OTHERS, FEW_LOSSES = 10, 5


@dataclass(frozen=True, kw_only=True)
class Warnings:
    """A record's warnings as inert text."""

    others: tuple[str, ...]
    """The first few that are not about a loss within its limit."""
    more_others: tuple[str, ...]
    losses: tuple[str, ...]
    """The first few losses that are real and allowed."""
    more_losses: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.others or self.losses)


def warnings(
    record: DecisionRecord, *, others: int = FEW_OTHERS, losses: int = FEW_LOSSES
) -> Warnings:
    """The warnings of a record, sorted into what is shown at once and what is folded away.

    Args:
        record: the decision.
        others: how many that are not about an allowed loss are shown at once.
        losses: how many allowed losses are.
    """
    places = _allowed(record)
    allowed = _inert(text for n, text in enumerate(record.warnings) if n in places)
    rest = _inert(text for n, text in enumerate(record.warnings) if n not in places)
    return Warnings(
        others=rest[:others],
        more_others=rest[others:],
        losses=allowed[:losses],
        more_losses=allowed[losses:],
    )


@dataclass(frozen=True, kw_only=True)
class ToldWarnings:
    """A record's warnings as the page says them, sorted as ``Warnings`` are."""

    others: tuple[ToldPart, ...]
    more_others: tuple[ToldPart, ...]
    losses: tuple[ToldPart, ...]
    more_losses: tuple[ToldPart, ...]


def warnings_told(record: DecisionRecord, units: Units) -> ToldWarnings | None:
    """The warnings of a record in the page's language; None where there are none.

    English has the record's own sentences. Another language makes its own from what a warning is
    about; one whose record does not say that keeps its English sentence.
    """
    places, facts = _allowed(record), {f.place: f for f in record.warning_facts or ()}
    told = [
        _told(text, facts.get(place), record, units) for place, text in enumerate(record.warnings)
    ]
    rest = tuple(part for place, part in enumerate(told) if place not in places)
    losses = tuple(part for place, part in enumerate(told) if place in places)
    if not told:
        return None
    return ToldWarnings(
        others=rest[:FEW_OTHERS],
        more_others=rest[FEW_OTHERS:],
        losses=losses[:FEW_LOSSES],
        more_losses=losses[FEW_LOSSES:],
    )


def _told(text: str, fact: WarningFact | None, record: DecisionRecord, units: Units) -> ToldPart:
    own = "" if fact is None or units.speech.language == ENGLISH else _own(fact, record, units)
    if own:
        return ToldPart(text=own)
    return sentences.told_part(shorten(text, LONGEST), units.speech, text)


def _own(fact: WarningFact, record: DecisionRecord, units: Units) -> str:
    """A warning from what it is about; empty where that is not known."""
    if fact.finding is not None and fact.finding < len(record.findings):
        return _of_finding(record.findings[fact.finding], units, loss=fact.kind == "loss")
    rows = next((one.rows for one in record.slices if one.name == fact.slice), None)
    if rows is None or fact.slice is None or fact.kind not in ("undeclared", "unjudged"):
        return ""
    parts = {"rows": units.speech.whole(rows)} if fact.kind == "unjudged" else {}
    return units.speech.say(
        f"worth_knowing.{fact.kind}", place=units.speech.place(fact.slice), **parts
    )


def _of_finding(finding: Finding, units: Units, *, loss: bool) -> str:
    said = units.speech
    parts = {
        "metric": sentences.capital(sentences.about(finding, said)),
        "place": said.place(finding.slice),
        "sentence": sentences.ended(sentences.evidence_in_words(finding, units)),
    }
    if loss:
        return said.say("worth_knowing.loss", **parts)
    return said.say("worth_knowing.broken", status=sentences.status(finding, said), **parts).strip()


def _allowed(record: DecisionRecord) -> frozenset[int]:
    """Places of the warnings about allowed losses."""
    return frozenset(record.allowed_losses or ())


def _inert(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(shorten(text, LONGEST) for text in texts)
