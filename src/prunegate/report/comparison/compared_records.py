"""Compared records: several decisions in one order, each as its own words have it.

The same records make the same page however they were given: candidates stand by their outcome and
then by age, the decisions on one and the same candidate by age alone, as its history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from prunegate.audit.read import StoredRecord
from prunegate.audit.record import DecisionRecord
from prunegate.errors import InternalError
from prunegate.report.page_one.agreed_words import AgreedWords
from prunegate.report.page_one.people import People
from prunegate.report.speech import Speech, speech, speech_of
from prunegate.report.units import CLAIMS, Units, is_operational
from prunegate.text.languages import ENGLISH
from prunegate.verdict.finding import BEATS_CONSTANT, Finding

Kind = Literal["candidates", "history"]
_ORDER = {"approve": 0, "inconclusive": 1, "reject": 2}


@dataclass(frozen=True, kw_only=True)
class ComparedRecord:
    """One decision among several."""

    number: int
    """From 1, in the page's order."""
    record: DecisionRecord
    digest: str
    """sha256 of its canonical bytes, in hexadecimal."""
    speech: Speech
    """The page's, whatever this record's own report speaks."""

    @cached_property
    def words(self) -> AgreedWords:
        """Its values and limits in the words of its own policy."""
        people = People(record=self.record, speech=self.speech)
        return AgreedWords(people=people, units=Units.of(self.record))

    @cached_property
    def _unshown(self) -> dict[tuple[str, str | None], Finding]:
        """Blocking findings that answers are not shown to fit the labels."""
        found = [f for f in self.record.findings if f.check == BEATS_CONSTANT]
        return {
            (f.slice, f.class_label): f
            for f in found
            if f.severity == "block" and f.status != "pass"
        }

    def unshown(self, finding: Finding) -> Finding | None:
        """Why a limit on rows is not said to hold: the answers are not shown to fit the labels."""
        if is_operational(finding.metric) or finding.check == CLAIMS:
            return None
        ways = ((finding.slice, finding.class_label), (finding.slice, None))
        return next((self._unshown[way] for way in ways if way in self._unshown), None)

    @property
    def id(self) -> str:
        """Of the place on the page that has the whole digest."""
        return f"r{self.digest[:12]}"


@dataclass(frozen=True, kw_only=True)
class ComparedRecords:
    """All of them."""

    kind: Kind
    records: tuple[ComparedRecord, ...]
    speech: Speech

    @property
    def policies(self) -> tuple[str, ...]:
        """sha256 of every policy, in the order of the records."""
        return tuple(dict.fromkeys(one.record.policy.sha256 for one in self.records))


def compared_records(found: Sequence[StoredRecord]) -> ComparedRecords:
    """Records in the page's order.

    Args:
        found: at least two, each with a digest of its own.

    Raises:
        InternalError: they are fewer, or one is there twice.
    """
    if len(found) < 2 or len({one.digest for one in found}) < len(found):
        raise InternalError("a comparison needs two records or more, each of them once")
    kind, spoken = _kind(found), _speech(found)
    by_age = sorted(found, key=lambda one: (one.record.created, one.digest))
    if kind == "candidates":
        by_age.sort(key=lambda one: _ORDER[one.record.outcome])
    return ComparedRecords(
        kind=kind,
        speech=spoken,
        records=tuple(
            ComparedRecord(number=number, record=one.record, digest=one.digest, speech=spoken)
            for number, one in enumerate(by_age, start=1)
        ),
    )


def _kind(found: Sequence[StoredRecord]) -> Kind:
    """A history is of one candidate that is known by its digest; what is not known is several."""
    digests = {one.record.model_digest("candidate") for one in found}
    return "history" if len(digests) == 1 and None not in digests else "candidates"


def _speech(found: Sequence[StoredRecord]) -> Speech:
    """The language that all their reports have; English where they differ."""
    spoken = {speech_of(one.record).language for one in found}
    return speech(spoken.pop() if len(spoken) == 1 else ENGLISH)
