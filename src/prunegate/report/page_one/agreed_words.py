"""Values and limits in people's words: how many of 100 go wrong, and how many more were agreed.

A share that is better when it is high is told by its opposite, what goes wrong: a recall of 83.3 %
is "16.7 of 100 missed". The opposite is taken of the very digits that the engineers' part shows, so
that the two always add up to 100 and no value is spelled in two ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS, ChangeCheck, LevelCheck
from prunegate.metrics.metric import Metric
from prunegate.report.page_one.people import People
from prunegate.report.units import CLAIMS, Units, is_operational, metric_name
from prunegate.text.numbers import GAP, NOT_DEFINED, exact
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, ValueBound

_PERCENT = f"{GAP}%"
_OPPOSITE: dict[ValueBound, ValueBound] = {"at_most": "at_least", "at_least": "at_most"}
_BY_CLASS = frozenset({"recall", "precision"})


@dataclass(frozen=True, kw_only=True)
class _OfHundred:
    """A limit in things that go wrong."""

    key: str
    """Its message of ``limits``."""
    amount: float
    """A share."""


@dataclass(frozen=True, kw_only=True)
class AgreedWords:
    """Writes what findings say in people's words."""

    people: People
    units: Units

    def as_share(self, metric: str) -> bool:
        """Whether the metric is told as so many of 100."""
        known = METRICS.get(metric)
        return known is not None and known.share and self.people.speech.knows(f"shares.{metric}")

    def heading(self, metric: str) -> str:
        """What a column of its values is called."""
        if not self.as_share(metric):
            return self.name(metric)
        people = self.people
        return people.speech.say(
            f"shares.{self._key(metric)}", positive=people.positive.alone, items=people.items.of
        )

    def name(self, metric: str) -> str:
        """A metric's name; a share by what goes wrong."""
        if self.as_share(metric):
            return self.heading(metric)
        return self.own_name(metric)

    def value(self, metric: str, value: float | None) -> str:
        """A value in the column's terms: ``16.7``, or with its own unit."""
        text = self.units.level(metric, value)
        if text == NOT_DEFINED:
            return self.people.speech.say("table.no_value")
        if self.as_share(metric):
            text = _opposite(text) if _turned(metric) else text.replace(_PERCENT, "")
        return self.people.speech.number(text)

    def change(self, finding: Finding) -> str:
        """Before and after: ``9.7 → 16.7``."""
        after = self._bounded(finding, finding.candidate)
        if finding.baseline is None:
            return after
        before = self._bounded(finding, finding.baseline)
        return self.people.speech.say("number.change", before=before, after=after)

    def _bounded(self, finding: Finding, value: float | None) -> str:
        """A value of a finding; of what goes wrong an upper bound is a lower one."""
        text, kind = self.value(finding.metric, value), finding.values_are
        if kind is None or value is None:
            return text
        if self.as_share(finding.metric) and _turned(finding.metric):
            kind = _OPPOSITE.get(kind, kind)
        return self.people.speech.say(f"number.{kind}", value=text)

    def limit(self, finding: Finding) -> str:
        """What was agreed: ``at most 2 more``."""
        speech = self.people.speech
        if finding.check == CLAIMS:
            return speech.say("limits.none")
        if finding.check == BEATS_CONSTANT:
            return speech.say(f"limits.{BEATS_CONSTANT}")
        if finding.limit_kind == "error_ratio":
            return speech.say("limits.error_ratio", amount=self._exact(1 + finding.limit))
        if finding.limit_kind == "absolute" and self.as_share(finding.metric):
            own = self._of_hundred(finding)
            if own is not None:
                return speech.say(f"limits.{own.key}", amount=self._exact(own.amount, 2))
        if not speech.knows(f"limits.{finding.check}"):
            return self.units.limit(finding)
        return speech.say(f"limits.{finding.check}", amount=self._amount(finding))

    def _amount(self, finding: Finding) -> str:
        """The amount of a limit that its check has words for."""
        speech, form = self.people.speech, CHECKS[finding.check].form
        if form == "factor":
            return self._exact(finding.limit)
        if finding.limit_kind == "relative":
            share = speech.number(exact(finding.limit, 2)) + _PERCENT
            return speech.say("limits.part", amount=share)
        write = self.units.quantities[finding.metric]
        if form == "level":
            return speech.number(write.allowed_level(finding.limit))
        if write.is_share:
            return speech.say("limits.points", amount=self._exact(finding.limit, 2))
        return speech.number(write.allowed_change(finding.limit))

    @staticmethod
    def _of_hundred(finding: Finding) -> _OfHundred | None:
        """A limit in things that go wrong, of 100; None: its check is neither of the two kinds."""
        check, metric = CHECKS.get(finding.check), METRICS[finding.metric]
        if isinstance(check, ChangeCheck):
            return _OfHundred(key=_more_or_fewer(check, metric), amount=finding.limit)
        if not isinstance(check, LevelCheck):
            return None
        turned = _turned(finding.metric)
        level = float(1 - Decimal(repr(finding.limit))) if turned else finding.limit
        key = "errors_most" if check.floor == turned else "at_least"
        return _OfHundred(key=key, amount=level)

    def sentence(self, finding: Finding) -> str:
        """The finding's values in one sentence; of estimates, what they rest on, in another."""
        told, rests_on = self._values(finding), finding.estimated_from
        if rests_on is None or finding.candidate is None:
            return told
        return f"{told} {self.people.speech.count('lead.estimated', rests_on)}"

    def _values(self, finding: Finding) -> str:
        speech, metric = self.people.speech, finding.metric
        where = self.people.where(finding.slice, self._class(finding))
        if finding.candidate is None:
            return speech.say("lead.no_value", where=where, metric=self.own_name(metric))
        parts = {
            "where": where,
            "after": self._bounded(finding, finding.candidate),
            "before": self._bounded(finding, finding.baseline),
        }
        if not self.as_share(metric):
            key = "lead.value_alone" if finding.baseline is None else "lead.value"
            if parts["before"] == parts["after"]:
                key = "lead.value_same"
            return speech.say(key, metric=self.own_name(metric), **parts)
        words = {"positive": self.people.positive.of, "items": self.people.items.of}
        return speech.say(f"shares_said.{self._key(metric)}", **words, **parts)

    def about(self, finding: Finding) -> str:
        """The values of any finding but stated figures in one sentence."""
        if not is_operational(finding.metric):
            return self.sentence(finding)
        speech, name = self.people.speech, self.name(finding.metric)
        name = name[:1].upper() + name[1:]
        if finding.candidate is None:
            return speech.say("lead.figure_unmeasured", metric=name)
        after = self.value(finding.metric, finding.candidate)
        if finding.baseline is None:
            return speech.say("lead.figure_alone", metric=name, after=after)
        before = self.value(finding.metric, finding.baseline)
        if before == after:
            return speech.say("lead.figure_same", metric=name, after=after)
        return speech.say("lead.figure", metric=name, before=before, after=after)

    def own_name(self, metric: str) -> str:
        """What the metric itself is called: never as a program spells it."""
        speech, key = self.people.speech, f"metrics.{metric}"
        return speech.say(key) if speech.knows(key) else speech.measure(metric, metric_name(metric))

    @staticmethod
    def _class(finding: Finding) -> str | None:
        return None if finding.check == CLAIMS else finding.class_label

    def _key(self, metric: str) -> str:
        """Which words a share has: of classes others than of a positive one."""
        if metric not in _BY_CLASS:
            return metric
        task = self.units.task
        return f"{metric}_class" if task.classes else f"{metric}_label" if task.sets else metric

    def _exact(self, number: float, power: int = 0) -> str:
        return self.people.speech.number(exact(number, power))


def _turned(metric: str) -> bool:
    """Whether a share is told by its opposite, what goes wrong."""
    return not METRICS[metric].lower_is_better


def _more_or_fewer(check: ChangeCheck, metric: Metric) -> str:
    """How a limit on a change is told, in things that go wrong."""
    if check.loss and not check.improves(metric.better):
        return "more"
    return "fewer_most" if check.at_most else "fewer"


def _opposite(text: str) -> str:
    """100 less a percentage, of the digits that are shown: ``83.3 %`` gives ``16.7``."""
    figure = text.replace(_PERCENT, "")
    if figure[:2] in ("> ", "< "):
        mark = "< " if figure[0] == ">" else "> "
        return mark + str(100 - Decimal(figure[2:]))
    return str(100 - Decimal(figure))
