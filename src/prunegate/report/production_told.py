"""What production's mix makes of the figures: its shares, and a line for each metric.

Estimates with their intervals, in the page's language; rules that are judged on the mix stand among
the findings.
"""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.audit.record import DecisionRecord
from prunegate.report.speech import Speech, speech_of
from prunegate.report.units import Units, metric_name
from prunegate.text import numbers
from prunegate.text.escape import named
from prunegate.verdict.finding import ProductionValue

MOST_VALUES = 8
"""Values of a mix that are named."""


def production_lines(record: DecisionRecord, speech: Speech | None = None) -> tuple[str, ...]:
    """The mix, then a line for each metric; nothing where the policy declares none.

    Args:
        record: the decision.
        speech: None: the page's own.
    """
    said = speech or speech_of(record)
    strata = next((s.strata for s in record.slices if s.strata is not None), None)
    if strata is None:
        return ()
    shares = [
        f"{named(one.value)} {said.number(numbers.share(one.share))}" for one in strata if one.share
    ]
    lacking = [named(one.value) for one in strata if one.lacking]
    mix = _some(said, shares)
    if lacking:
        return (
            said.say("judged_on.production_lacking", mix=mix, values=_some(said, lacking)),
            *_values(record, said),
        )
    return (said.say("judged_on.production", mix=mix), *_values(record, said))


def _some(speech: Speech, texts: list[str]) -> str:
    more = len(texts) - MOST_VALUES
    if more <= 0:
        return speech.listed(tuple(texts))
    rest = speech.count("words.more", more)
    return speech.listed((*texts[:MOST_VALUES], rest))


def _values(record: DecisionRecord, speech: Speech) -> Iterator[str]:
    units = Units.of(record)
    for value in record.production or ():
        yield _line(value, units, speech)


def _line(value: ProductionValue, units: Units, speech: Speech) -> str:
    name = speech.measure(value.metric, metric_name(value.metric))
    if value.class_label is not None:
        name = f"{name} ({named(value.class_label)})"
    parts = {
        "metric": name,
        "after": speech.figure(units.level(value.metric, value.candidate)),
        "before": speech.figure(units.level(value.metric, value.baseline)),
    }
    if value.candidate is None or value.ci_low is None or value.ci_high is None:
        return speech.say("judged_on.production_value", **parts)
    write = units.level if value.baseline is None else units.change
    ends = {
        "low": speech.number(write(value.metric, value.ci_low)),
        "high": speech.number(write(value.metric, value.ci_high)),
    }
    key = "level" if value.baseline is None else "change"
    return speech.say(f"judged_on.production_{key}", **parts, **ends)
