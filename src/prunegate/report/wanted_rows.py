"""Wanted rows: how many further labels an open finding asks for, in a page's language.

Made from the finding's facts; in English it is what the finding's own note says
(``verdict/advice.py``), to the letter.
"""

from __future__ import annotations

from prunegate.metrics.catalogue import metric_of
from prunegate.report.speech import Speech
from prunegate.text.escape import named
from prunegate.text.nouns import one_of
from prunegate.verdict.advice import HARDLY, round_up
from prunegate.verdict.finding import Finding


def wanted(finding: Finding, said: Speech, *, rarest: bool) -> str:
    """What would likely settle an open finding: ``Label about 640 more positives in video``.

    Args:
        finding: an open finding with a number of rows needed, of a metric of the catalogue.
        said: the language.
        rarest: whether positives are the rows of the rarest class.
    """
    unchanged, as_seen = finding.needed_if_unchanged, finding.needed_if_as_seen
    if finding.needed_for != "power":
        asked = _asked(finding, finding.needed, said, rarest=rarest)
        broken = finding.as_seen == "broken"
        return said.say("wanted.likely_broken", asked=asked) if broken else asked
    if unchanged is None:
        asked = _asked(finding, finding.needed, said, rarest=rarest)
        return said.say("wanted.like_seen", asked=asked)
    asked = _asked(finding, unchanged, said, rarest=rarest)
    if finding.as_seen == "broken":
        return said.say("wanted.unchanged_broken", asked=asked)
    if as_seen is None:
        return said.say("wanted.unchanged_never", asked=asked)
    key = "hardly" if as_seen > HARDLY * unchanged else "seen"
    return said.say(f"wanted.unchanged_{key}", asked=asked, seen=said.whole(round_up(as_seen)))


def _asked(finding: Finding, count: int | None, said: Speech, *, rarest: bool) -> str:
    metric = metric_of(finding.metric)
    shown = round_up(count or 0)
    label = "" if finding.class_label is None else finding.class_label
    what = said.count(f"wanted.{_noun(finding, metric.noun, rarest=rarest)}", shown, label=label)
    verb, told = metric.wants, {"n": said.whole(shown), "what": what}
    if finding.slice == "overall":
        return said.say(f"wanted.{verb}", **told)
    return said.say(f"wanted.{verb}_in", place=named(finding.slice), **told)


def _noun(finding: Finding, noun: str, *, rarest: bool) -> str:
    """What a row is called, as the catalogue's key."""
    if finding.needed_unit != "positives":
        return one_of(noun)
    if finding.class_label is not None:
        return "of_class"
    return "rarest" if rarest else "positive"
