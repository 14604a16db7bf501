"""Stated figures that are wrong, in people's words: which one, what was stated, what was measured.

``recall: change`` names a figure to a program; a reader is told "the change of recall: “1 point”
stated, −2.1 points measured".
"""

from __future__ import annotations

from prunegate.audit.record import DecisionRecord
from prunegate.claims.checked import CheckedFigure
from prunegate.metrics.catalogue import METRICS
from prunegate.report.page_one.agreed_words import AgreedWords
from prunegate.report.page_one.people import OVERALL
from prunegate.text.escape import shorten
from prunegate.verdict.finding import BEATS_CONSTANT, Finding

_LONGEST, _LONGEST_FIGURE = 24, 48
_SIDES = ("before", "after", "change")


def wrong_figures(record: DecisionRecord, agreement: AgreedWords) -> tuple[str, ...]:
    """Every stated figure that something contradicts, once."""
    if record.claims is None:
        return ()
    first = {check.figure: check for check in reversed(record.claims.contradictions)}
    order = dict.fromkeys(check.figure for check in record.claims.contradictions)
    return tuple(_told(first[name], record, agreement) for name in order)


def _told(check: CheckedFigure, record: DecisionRecord, agreement: AgreedWords) -> str:
    speech = agreement.people.speech
    metric, _, side = check.figure.rpartition(": ")
    figure, stated = shorten(check.figure, _LONGEST_FIGURE), shorten(check.stated, _LONGEST)
    if metric in METRICS and side in _SIDES:
        name = agreement.own_name(metric)
        figure = speech.say(
            f"stated_figure.{side}", name=name, candidate=agreement.people.candidate
        )
        measured = _measured(metric, side, record, agreement)
        if check.basis == "measurement" and measured:
            parts = {"figure": figure, "stated": stated, "measured": measured}
            return speech.say("stated_figure.measured", **parts)
    return speech.say("stated_figure.alone", figure=figure, stated=stated)


def _measured(metric: str, side: str, record: DecisionRecord, agreement: AgreedWords) -> str:
    """What the decision itself measured of it; empty: nothing of the whole model."""
    finding = next((f for f in record.findings if _of_all(f, metric)), None)
    if finding is None:
        return ""
    units, speech = agreement.units, agreement.people.speech
    if side == "change":
        if finding.difference is None:
            return ""
        return speech.figure(units.change_in_words(metric, finding.difference))
    value = finding.baseline if side == "before" else finding.candidate
    return "" if value is None else speech.figure(units.level(metric, value))


def _of_all(finding: Finding, metric: str) -> bool:
    whole = finding.slice == OVERALL and finding.class_label is None
    return whole and finding.metric == metric and finding.check != BEATS_CONSTANT
