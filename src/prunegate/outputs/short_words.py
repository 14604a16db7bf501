"""Short words: a finding in a line of a table, as console, summary, JUnit and annotations say it.

``recall video 90.3 → 83.3 %, limit −2``: the values as the report spells them, the limit as the
change or level that it allows, and what is to be done. Names from other people's files come out
inert and cut; whoever writes a format escapes for that on top.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS, Bound, ChangeCheck
from prunegate.policy.figures import allowed
from prunegate.report import sentences
from prunegate.report.page_one.people import People
from prunegate.report.slack import relative_slack
from prunegate.report.units import CLAIMS, Units
from prunegate.text.escape import named, shorten
from prunegate.text.nouns import one_of
from prunegate.text.numbers import GAP, MINUS
from prunegate.verdict.advice import HARDLY, round_up
from prunegate.verdict.finding import BEATS_CONSTANT, DoubtKind, Finding, OpenBecause
from prunegate.verdict.sentences import FOR_LABELS

LONGEST_TO_DO = 160
_MEASURE: Mapping[OpenBecause | None, str] = {
    "not measured": "measure it and give --measurements",
    "unusable": "measure again on a quiet machine",
}
_OPEN = "not proven"
_CHECK: Mapping[DoubtKind, str] = {
    "shifted": "check the table: labels seem to be some rows off",
    "reordered": "check the table: answers seem to be in the order of other ids",
    "reversed": "check the table: scores seem to be of the other class",
    "permuted": "check the table: classes seem to be under each other's names",
}
"""What is to be done where a likely cause is known."""


@dataclass(frozen=True, kw_only=True)
class ShortWords:
    """Says the findings of one record in few words."""

    units: Units
    slices: Mapping[str, str]
    """A slice's value where no other slice has the same, else its name, by name."""

    rows: Mapping[str, str] = field(default_factory=dict)
    """What a policy calls rows and positives, by ``needed_unit``; those it names nothing lack."""

    @classmethod
    def of(cls, record: DecisionRecord) -> ShortWords:
        """The short words of a record, by the machine's names."""
        return cls(units=Units.of(record), slices=_alone(_values(record)))

    @classmethod
    def for_people(cls, record: DecisionRecord) -> ShortWords:
        """The same by the policy's own labels and words, where it has such."""
        people = People.of(record)
        values = _values(record)
        labels = {name: people.labelled(name) or value for name, value in values.items()}
        given = {"rows": people.given("items"), "positives": people.given("positive")}
        return cls(
            units=Units.of(record),
            slices={**_alone(values), **_alone(labels)},
            rows={unit: word for unit, word in given.items() if word},
        )

    def slice(self, name: str) -> str:
        """``video``."""
        return self.slices.get(name) or named(name)

    def metric(self, finding: Finding) -> str:
        """``recall``, ``recall of class violence``."""
        return sentences.about(finding)

    def change(self, finding: Finding) -> str:
        """``90.3 → 83.3 %``, or the candidate's value alone; of estimates, from how many labels."""
        told, rests_on = self._values(finding), finding.estimated_from
        if rests_on is None:
            return told
        return f"{told} ({rests_on:,} {'label' if rests_on == 1 else 'labels'})"

    def _values(self, finding: Finding) -> str:
        after = self.units.level(finding.metric, finding.candidate)
        if finding.baseline is None:
            return self.units.bounded(finding, after)
        before = self.units.level(finding.metric, finding.baseline)
        unit = after.rpartition(GAP)[2]
        if GAP in after and before.endswith(GAP + unit):
            before = before.removesuffix(GAP + unit)
        before, after = (self.units.bounded(finding, value) for value in (before, after))
        return f"{before} → {after}"

    def difference(self, finding: Finding) -> str:
        """``−7.0``, with a unit where it is no share; empty where nothing is compared."""
        if finding.difference is None or finding.check == CLAIMS:
            return ""
        return self.units.change(finding.metric, finding.difference)

    def limit(self, finding: Finding) -> str:
        """``−2``, ``≥ 85 %``, ``≤ 0.75 times``; other limits in words."""
        check = CHECKS.get(finding.check)
        quantity = self.units.quantities[finding.metric]
        bound = Bound(value=finding.limit, kind=finding.limit_kind)
        if check is None or bound.kind != "absolute":
            return self.units.limit(finding)
        amount = allowed(check, bound, quantity)
        if not isinstance(check, ChangeCheck):
            return f"{'≥' if check.tighter == 'higher' else '≤'} {amount}"
        amount = amount.removesuffix(f"{GAP}points").removesuffix(f"{GAP}point")
        if check.loss:
            return f"{MINUS if check.moves == 'drop' else '+'}{amount}"
        return f"gain {'≤' if check.at_most else '≥'} {amount}"

    def line(self, finding: Finding) -> str:
        """``recall video 90.3 → 83.3 %, limit −2``; of stated figures, which one is wrong."""
        if finding.check == CLAIMS:
            return shorten(f"stated figures: {finding.note}", LONGEST_TO_DO)
        start = f"{self.metric(finding)} {self.slice(finding.slice)}"
        return f"{start} {self.change(finding)}, limit {self.limit(finding)}"

    def to_do(self, finding: Finding) -> str:
        """What would settle an open finding; of another, what is known of it."""
        if finding.status == "inconclusive":
            asks = finding.needed is not None or finding.open_because in FOR_LABELS
            if asks and not self.units.advises:
                return shorten(sentences.own_note(finding, self.units), LONGEST_TO_DO) or _OPEN
            if cause := self.units.cause(finding):
                return _CHECK[cause]
            asked = self._labels(finding)
            if not asked:
                return self._reason(finding)
            return f"{asked}; or narrow 'range'" if finding.unseen_range else asked
        if finding.status == "fail" and finding.check != CLAIMS:
            return sentences.lost_and_gained(finding) or self._reason(finding)
        return self._reason(finding)

    def _labels(self, finding: Finding) -> str:
        if finding.needed is None or finding.open_because in _MEASURE:
            return ""
        verb = METRICS[finding.metric].wants if finding.metric in METRICS else "label"
        unchanged, as_seen = finding.needed_if_unchanged, finding.needed_if_as_seen
        if finding.needed_for != "power":
            unchanged = None
        unit: str = finding.needed_unit or "rows"
        if unit in self.rows and finding.class_label is None and not self.units.task.classes:
            unit = self.rows[unit]
        elif (unchanged or finding.needed) == 1:
            unit = one_of(unit)
        if unchanged is None:
            least = ": so many are asked for" if finding.needed_for == "minimum evidence" else ""
            return f"{verb} ~{round_up(finding.needed):,} {unit}{least}"
        start = f"{verb} ~{round_up(unchanged):,} {unit} if unchanged"
        if finding.as_seen == "broken":
            return f"{start}; as seen, it is broken"
        if not as_seen:
            return f"{start}, no number if as seen"
        hardly = ": more hardly help" if as_seen > HARDLY * unchanged else ""
        return f"{start}, ~{round_up(as_seen):,} if as seen{hardly}"

    def _reason(self, finding: Finding) -> str:
        return _MEASURE.get(finding.open_because) or _end_of(finding.note)


def _end_of(note: str) -> str:
    """A note, or of a long one the last parts: they say what to do, and those before them why."""
    parts = note.split(_PART)
    while len(parts) > 1 and len(_PART.join(parts)) > LONGEST_TO_DO:
        del parts[0]
    return shorten(_PART.join(parts), LONGEST_TO_DO)


_PART = "; "


def _values(record: DecisionRecord) -> dict[str, str]:
    """The value of every slice, by its name."""
    return {one.name: sentences.slice_value(one) for one in record.slices}


def _alone(words: Mapping[str, str]) -> dict[str, str]:
    """The words that name one slice only."""
    known = list(words.values())
    return {name: word for name, word in words.items() if known.count(word) == 1}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How many findings of a record stand how."""

    broken: int
    """Blocking."""
    open: int
    """Blocking."""
    hold: int
    """Blocking ones that pass and were agreed: the check of the reference is nobody's limit."""
    waived: int
    warned: int
    """Sentences of the record that warn, but for losses within their limits."""
    losses: int
    """Losses that are real and within their limits."""

    @classmethod
    def of(cls, record: DecisionRecord) -> Standing:
        """The counts of a record."""
        decide = [f for f in record.findings if f.severity == "block"]
        blocking = [f.status for f in decide]
        reference = [f.status for f in decide if f.check == BEATS_CONSTANT]
        losses = len(record.allowed_losses or ())
        return cls(
            broken=blocking.count("fail"),
            open=blocking.count("inconclusive"),
            hold=blocking.count("pass") - reference.count("pass"),
            waived=blocking.count("waived"),
            warned=len(record.warnings) - losses,
            losses=losses,
        )


def urgent(findings: Iterable[Finding]) -> list[Finding]:
    """What does not hold: blocking ones first, of these the failures, of those the worst."""

    def order(finding: Finding) -> tuple[bool, int, float]:
        room = relative_slack(finding)
        status = sentences.SEVERITY_ORDER.get(finding.status, 0)
        return finding.severity != "block", status, math.inf if room is None else room

    return sorted((f for f in findings if f.status != "pass"), key=order)
