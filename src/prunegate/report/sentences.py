"""Words: what a finding says, in a sentence that a client can read aloud.

"Proven" is kept for what a test has shown at the policy's confidence. An open finding says what it
lacks; a pass that looks odd on the chart says why it is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import metric_named
from prunegate.metrics.checks import change_check, is_factor, is_level
from prunegate.report.signers import signers
from prunegate.report.slack import crosses, lost_for_certain, worst_plausible
from prunegate.report.speech import Speech, speech
from prunegate.report.units import CLAIMS, Units, is_share, is_unmeasured, metric_name
from prunegate.report.wanted_rows import wanted
from prunegate.text import numbers
from prunegate.text.escape import LONGEST, named, shorten, visible
from prunegate.text.languages import ENGLISH
from prunegate.verdict.advice import without_request
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, SliceSummary
from prunegate.verdict.sentences import unasked_note

SEVERITY_ORDER = {"fail": 0, "inconclusive": 1, "waived": 2, "pass": 3}
"""Statuses, the most serious first."""
_MAY = "The candidate may replace the baseline"
_DECISION = {
    "approve": f"{_MAY}.",
    "reject": "The candidate may not replace the baseline.",
    "inconclusive": "There is not enough evidence yet to let the candidate replace the baseline.",
}


def decision(record: DecisionRecord) -> str:
    """What the outcome means for the candidate, and whose word it still takes."""
    if record.outcome == "approve" and (asked := signers(record)):
        return f"{_MAY} once signed by {' and '.join(one.words for one in asked)}."
    return _DECISION[record.outcome]


def status(finding: Finding, said: Speech | None = None) -> str:
    """A finding's status in words: ``proven safe``; in English or in another language."""
    return (said or speech(ENGLISH)).say(f"finding_status.{status_key(finding)}")


def status_key(finding: Finding) -> str:
    """Which of the catalogue's words a finding's status has."""
    if finding.status == "waived":
        return "waived"
    if finding.check in _OF_NO_RULE:
        words, otherwise = _OF_NO_RULE[finding.check]
        return words.get(finding.status, otherwise)
    if finding.status == "inconclusive":
        return "unmeasured" if is_unmeasured(finding) else "open"
    tested = finding.evidence == "proven" and finding.p_value is not None
    if finding.status == "pass":
        return "proven" if tested else "within"
    if finding.candidate is None:
        return "undefined"
    shown = "worse" if change_check(finding.check) else "missed"
    return shown if tested else "outside"


_OF_NO_RULE = {
    CLAIMS: ({"pass": "claims_pass", "fail": "claims_fail"}, "claims"),
    BEATS_CONSTANT: ({"pass": "reference_pass"}, "reference"),
}
"""Words for statuses of findings that no rule asks for, and for every other status."""


def worst_status(statuses: Iterable[str]) -> str:
    """The most serious status of several; nothing at all is inconclusive, never a pass."""
    return min(statuses, key=lambda s: SEVERITY_ORDER.get(s, 0), default="inconclusive")


def serious_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings with the most serious first; within a status in the record's order."""
    return sorted(findings, key=lambda f: SEVERITY_ORDER.get(f.status, 0))


def finding_sentence(finding: Finding, units: Units) -> str:
    """The evidence of a finding in one line, with what would settle it and what may surprise."""
    return " ".join(part.text for part in finding_parts(finding, units))


@dataclass(frozen=True, kw_only=True)
class ToldPart:
    """A sentence about a finding."""

    text: str
    recorded: bool = False
    """Whether it is the record's own, hence English."""


def finding_parts(finding: Finding, units: Units) -> tuple[ToldPart, ...]:
    """The sentences about a finding, those of the record apart from those that are made here."""
    told = [
        ToldPart(text=evidence_in_words(finding, units)),
        ToldPart(text=_of_some_labels(finding, units.speech)),
        ToldPart(text=need_in_words(finding, units)),
        told_note(finding, units),
        *(ToldPart(text=text) for text in remarks(finding, units.speech)),
    ]
    return tuple(replace(part, text=ended(part.text)) for part in told if part.text)


def _of_some_labels(finding: Finding, said: Speech) -> str:
    """What values are where only some rows have labels; empty where they are what rows say."""
    if finding.values_are is None:
        return ""
    if finding.check == BEATS_CONSTANT:
        return said.say("evidence.reference_at_least")
    if finding.values_are == "about":
        return said.count("evidence.values_about", finding.estimated_from or 0)
    return said.say(f"evidence.values_{finding.values_are}")


def remarks(finding: Finding, said: Speech | None = None) -> list[str]:
    """What a reader of a pass would wonder about."""
    if finding.status != "pass":
        return []
    say = (said or speech(ENGLISH)).say
    hair = [say("evidence.hair")] if crosses(finding) and finding.evidence == "proven" else []
    return hair + ([say("evidence.losing")] if lost_for_certain(finding) else [])


def need_in_words(finding: Finding, units: Units) -> str:
    """What would likely settle an open finding: ``Label about 640 more positives in video``."""
    if finding.needed is None or not units.advises or units.cause(finding):
        return ""
    return capital(
        visible(wanted(_of_a_kind(finding), units.speech, rarest=_rarest(finding, units)))
    )


def _rarest(finding: Finding, units: Units) -> bool:
    """Whether positives are the rows of the rarest class."""
    return units.task.classes and finding.class_label is None


def _of_a_kind(finding: Finding) -> Finding:
    """The finding; of a metric that is not known here as if it were one of rows."""
    return finding if metric_named(finding.metric) else replace(finding, metric="accuracy")


def judged_class(finding: Finding, said: Speech | None = None) -> str:
    """``class violence``; empty where no class is judged by itself."""
    if finding.class_label is None or finding.check == CLAIMS:
        return ""
    return (said or speech(ENGLISH)).say("evidence.class", label=named(finding.class_label))


def about(finding: Finding, said: Speech | None = None) -> str:
    """The metric, and the class where one is judged: ``recall of class violence``."""
    own = said or speech(ENGLISH)
    metric = own.measure(finding.metric, metric_name(finding.metric))
    if finding.class_label is None or finding.check == CLAIMS:
        return metric
    return own.say("evidence.of_class", metric=metric, label=named(finding.class_label))


def own_note(finding: Finding, units: Units) -> str:
    """The finding's own note, less the request for rows that ``need_in_words`` has made already.

    Of a rejection it asks for nothing, because labels could not change it.
    """
    if finding.unseen_range is not None and finding.status == "inconclusive":
        low, high = (units.speech.figure(numbers.exact(end)) for end in finding.unseen_range)
        return capital(units.speech.say("evidence.unseen_range", low=low, high=high))
    return capital(shorten(in_note(finding, units), LONGEST))


def in_note(finding: Finding, units: Units) -> str:
    """What a note says beside what it asks for, as the record has it."""
    return (without_request if units.advises else unasked_note)(_of_a_kind(finding))


def told_note(finding: Finding, units: Units) -> ToldPart:
    """The finding's own note in the reader's language; English where it cannot be said so."""
    text = own_note(finding, units)
    if finding.unseen_range is not None and finding.status == "inconclusive":
        return ToldPart(text=text)
    return told_part(text, units.speech, in_note(finding, units))


def told_part(shown: str, said: Speech, recorded: str) -> ToldPart:
    """A sentence of the record in a language; as it is shown in English where it cannot be."""
    own = said.recorded(recorded) if recorded else None
    if own is None or said.language == ENGLISH:
        return ToldPart(text=shown, recorded=True)
    return ToldPart(text=capital(shorten(own, LONGEST)))


def ended(text: str) -> str:
    """The text with a full stop at its end; no text stays none."""
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def evidence_in_words(finding: Finding, units: Units) -> str:
    """The values of a finding and its limit; empty of stated figures, whose note is the sum."""
    if finding.check == CLAIMS:
        return ""
    if finding.check != BEATS_CONSTANT and finding.candidate is not None:
        return _values(finding, finding.candidate, units)
    say, metric = units.speech.say, finding.metric
    if finding.check == BEATS_CONSTANT:
        values = (units.level(metric, v) for v in (finding.baseline, finding.candidate))
        before, after = (units.bounded(finding, value) for value in values)
        what = "reference" if units.task.decided else "reference_order"
        return say(f"evidence.{what}", before=before, after=after, limit=units.limit(finding))
    return say("evidence.undefined", metric=capital(units.name(metric)))


def _values(finding: Finding, candidate: float, units: Units) -> str:
    """The values of a finding that a rule asks for, and its limit."""
    say, limit = units.speech.say, units.limit(finding)
    if change_check(finding.check) and finding.n:
        return _change_evidence(finding, units)
    value = units.bounded(finding, units.level(finding.metric, candidate))
    if is_level(finding.check) and finding.ci_low is not None:
        return say("evidence.level", value=value, range=units.range(finding), limit=limit)
    if is_factor(finding.check) and finding.method_kind == "interval" and finding.ci_low:
        ends = (finding.ci_low, finding.ci_high)
        low, high = (numbers.significant(end, 3, finding.limit) for end in ends)
        figure = units.speech.figure
        return say("evidence.factor_paired", low=figure(low), high=figure(high), limit=limit)
    if is_factor(finding.check) and finding.baseline:
        ratio = numbers.multiple(candidate / finding.baseline, finding.limit)
        tested = "" if finding.p_value is None else "_tested"
        parts = {"ratio": units.speech.figure(ratio), "limit": limit}
        plausible = {"range": _range_in_points(finding, units)} if tested else {}
        return say(f"evidence.factor{tested}", **parts, **plausible)
    return say("evidence.value", value=value, limit=limit)


def _change_evidence(finding: Finding, units: Units) -> str:
    what = lost_and_gained(finding, units.speech) or units.speech.say(
        "evidence.only_change", change=units.change_in_words(finding.metric, finding.difference)
    )
    told = {"plausible": _plausible(finding, units), "limit": units.limit(finding)}
    return capital(units.speech.say("evidence.change", what=what, **told))


def _plausible(finding: Finding, units: Units) -> str:
    """The worst that the interval still allows, in the terms of the limit."""
    say = units.speech.say
    bound, check = worst_plausible(finding), change_check(finding.check)
    limits_a_loss = check is not None and check.loss
    if not limits_a_loss and finding.p_value is not None:
        return say("evidence.plausible_change", range=_range_in_points(finding, units))
    if bound is None:
        tested = finding.p_value is not None
        return say("evidence.no_end" if tested else "evidence.no_interval")
    word = "drop" if check is not None and check.moves == "drop" else "rise"
    size = -bound if word == "drop" else bound
    if size <= 0:
        return say(f"evidence.no_{word}")
    return say(f"evidence.worst_{word}", size=units.size(finding.metric, size))


def _range_in_points(finding: Finding, units: Units) -> str:
    found = units.range(finding)
    return units.speech.say("evidence.points", amount=found) if is_share(finding.metric) else found


def lost_and_gained(finding: Finding, said: Speech | None = None) -> str:
    """``lost 14, gained 9 of 1,900``; empty where the pair has no such counts."""
    if finding.lost is None or finding.gained is None:
        return ""
    own = said or speech(ENGLISH)
    parts = {"lost": own.whole(finding.lost), "gained": own.whole(finding.gained)}
    if finding.effective is None:
        key = "evidence.lost_at_least" if finding.n_is_least else "evidence.lost"
        return own.say(key, n=own.whole(finding.n), **parts)
    worth = own.whole(finding.effective)
    return own.say("evidence.lost_worth", n=own.whole(finding.n), worth=worth, **parts)


def capital(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def title(metric: str, said: Speech | None = None) -> str:
    """A metric's name at the start of a line: ``Recall``, ``F1``."""
    return capital((said or speech(ENGLISH)).measure(metric, metric_name(metric)))


def slice_value(summary: SliceSummary) -> str:
    r"""A slice's value without its key, for a chart whose slices all share the key.

    ``content_type=video`` becomes ``video``; escapes of the name are undone.
    """
    prefix = f"{summary.slicing}="
    if not summary.name.startswith(prefix):
        return named(summary.name)
    value: str = re.sub(r"\\(.)", r"\1", summary.name.removeprefix(prefix))
    return named(value)
