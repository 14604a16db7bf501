"""Units: how a metric's level, change and limit are written, from the catalogue's description.

In English, unless a page speaks another language; then marks, words of units and limits are its.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import METRICS, REFERENCE, metric_named
from prunegate.metrics.checks import CHECKS, Bound, Check, is_factor, is_level
from prunegate.metrics.task_traits import TRAITS, TaskTraits
from prunegate.policy import figures
from prunegate.report.speech import Speech, speech
from prunegate.report.task import NOT_SAID, traits_of
from prunegate.text import numbers
from prunegate.text.escape import visible
from prunegate.text.languages import ENGLISH
from prunegate.text.numbers import GAP, NOT_DEFINED
from prunegate.verdict.finding import BEATS_CONSTANT, DoubtKind, Finding
from prunegate.verdict.quantities import Quantities

CLAIMS = "claims"
"""What findings on stated figures are called; no metric that a rule can name."""
_MIXED_UP: tuple[DoubtKind, ...] = ("shifted", "reordered", "reversed", "permuted")
"""Causes that are put right in the table, so that no labels are asked for."""


def is_share(metric: str) -> bool:
    """Whether the metric is a share of rows, so that its changes are percentage points."""
    known = METRICS.get(metric)
    return known is not None and known.share


def lower_is_better(metric: str) -> bool:
    """Whether a rise of the metric is a loss."""
    known = METRICS.get(metric)
    return known is not None and known.lower_is_better


def is_mean(metric: str) -> bool:
    """Whether the metric is a plain number: a mean score or error, a coefficient."""
    known = metric_named(metric)
    return known is not None and known.kind in ("mean", "coefficient")


def _asks_both(finding: Finding) -> bool:
    """Whether the candidate's answers are what keeps a finding on the reference open."""
    of_candidate = finding.open_because in ("unrelated candidate", "one decision")
    return of_candidate and (finding.baseline or 0.0) > 0


def is_operational(metric: str) -> bool:
    """Whether the metric is a measured or counted figure and not a judgement on rows."""
    known = METRICS.get(metric)
    return metric == CLAIMS or (known is not None and known.operational)


def is_unmeasured(finding: Finding) -> bool:
    """Whether a finding is about a figure that nobody measured."""
    return finding.candidate is None and is_operational(finding.metric)


def is_foretold(metric: str) -> bool:
    """Whether what is seen of the metric tells how many more rows settle a limit."""
    known = metric_named(metric)
    return known is None or known.foretold


def metric_name(metric: str) -> str:
    """A metric's name for people: ``false positive rate``, ``p95 latency``."""
    if metric == CLAIMS:
        return "stated figures"
    known = metric_named(metric)
    return visible(metric).replace("_", " ") if known is None else known.phrase


@dataclass(frozen=True, kw_only=True)
class Units:
    """Writes values of any metric."""

    currency: str = ""
    """ISO code that money is in; empty where the record has no cost section."""
    kind: str = NOT_SAID.name
    """The kind of task, which decides what positives are and what a class's metric means."""
    findings: tuple[Finding, ...] = ()
    """Whose limits no value may look like unless it is one."""
    advises: bool = True
    """Whether further labels could change the outcome: of a rejection they cannot."""
    mixed_up: Mapping[tuple[str, str | None], DoubtKind] = field(default_factory=dict)
    """Likely causes of a model's knowing nothing, by slice and label."""
    speech: Speech = field(default_factory=partial(speech, ENGLISH))
    """What it is written in."""

    @classmethod
    def of(cls, record: DecisionRecord, said: Speech | None = None) -> Units:
        """The units of a record, in English or in another language."""
        return cls(
            currency=record.cost.currency if record.cost else "",
            kind=traits_of(record).name,
            findings=record.findings,
            advises=record.outcome != "reject",
            mixed_up={
                (one.slice, one.class_label): one.kind
                for one in record.doubts[::-1]
                if one.kind in _MIXED_UP
            },
            speech=said or speech(ENGLISH),
        )

    def cause(self, finding: Finding) -> DoubtKind | None:
        """Why the reference is likely not shown; None: nothing is known to be mixed up."""
        if finding.check != BEATS_CONSTANT:
            return None
        whole = self.mixed_up.get(("overall", finding.class_label))
        return whole or self.mixed_up.get((finding.slice, finding.class_label))

    @property
    def task(self) -> TaskTraits:
        """What the rows of such a task are."""
        return TRAITS[self.kind]

    @cached_property
    def quantities(self) -> Quantities:
        """How every metric is written."""
        return Quantities.of(self.findings, self.currency)

    def name(self, metric: str) -> str:
        """A metric's name within a sentence."""
        return self.speech.measure(metric, metric_name(metric))

    def meaning(self, metric: str, class_label: str | None = None) -> str:
        """What a metric is, in a few words; empty for one outside the catalogue."""
        of_orders = metric == REFERENCE.name and not self.task.decided
        known = metric_named("rank_correlation" if of_orders else metric)
        if known is None:
            return ""
        if self.task.classes and known.class_words:
            words = self._own(f"meanings.{known.name}_class", known.class_words)
            averaged = class_label is None and known.per_class
            return self.speech.say("meanings.average", meaning=words) if averaged else words
        words = self._own(f"meanings.{known.name}", known.words)
        if self.task.sets and class_label is None and known.kind == "rate" and known.per_class:
            return self.speech.say("meanings.over_labels", meaning=words)
        if known.words == known.phrase:
            return ""  # the title has said it
        if known.kind == "mean" and known.unit:
            return self.speech.say("meanings.with_unit", meaning=words, unit=known.unit)
        return words

    def _own(self, key: str, english: str) -> str:
        """A message that a language may have; else the English words."""
        return self.speech.say(key) if self.speech.knows(key) else english

    def level(self, metric: str, value: float | None) -> str:
        """A metric's own value: ``92.1 %``, ``41.2 ms``, ``1.88 MB``."""
        if metric == CLAIMS:
            return "–"  # a contradiction has no size
        return self._written(metric, self.quantities[metric].level(value))

    def bounded(self, finding: Finding, text: str) -> str:
        """One of the finding's values, with what it is where some rows have no label."""
        if finding.values_are is None or text == self.speech.figure(NOT_DEFINED):
            return text
        return self.speech.say(f"number.{finding.values_are}", value=text)

    def change(self, metric: str, difference: float | None) -> str:
        """A change with its sign; shares change in points (the word is left to the caller)."""
        return self._written(metric, self.quantities[metric].change(difference))

    def change_in_words(self, metric: str, difference: float | None) -> str:
        """A change with its unit: ``−7.1 points``."""
        return self._written(metric, self.quantities[metric].change_in_words(difference))

    def size(self, metric: str, change: float | None) -> str:
        """A loss, gain or drop that words name, so that only a negative one has a sign."""
        return self._written(metric, self.quantities[metric].size(change))

    def money(self, amount: str) -> str:
        """An amount that ``text.money`` has written."""
        return self.speech.amount(amount, self.currency)

    def _written(self, metric: str, text: str) -> str:
        """What a quantity wrote, with the marks and words of the language."""
        if self.quantities[metric].unit == "money":
            return self.money(text)
        return self.speech.figure(text)

    def bare(self, metric: str, text: str) -> str:
        """A mean's value without the unit that stands elsewhere; other values as they are."""
        return self.quantities[metric].bare(text)

    def range(self, finding: Finding) -> str:
        """The finding's interval: ``−9.0 to −5.2`` or ``88.1 % to 91.0 %``.

        An interval of a tested finding may have no end on a side; nothing was tested elsewhere.
        """
        say, metric = self.speech.say, finding.metric
        low, high = (self._end(finding, end) for end in (finding.ci_low, finding.ci_high))
        if low and high:
            return say("evidence.range", low=self.bare(metric, low), high=high)
        if finding.p_value is None:
            return self.speech.figure(NOT_DEFINED)
        if low:
            return say("evidence.or_more", low=low)
        return say("evidence.or_less", high=high) if high else say("evidence.no_ends")

    def _end(self, finding: Finding, end: float | None) -> str:
        if end is None:
            return ""
        if is_factor(finding.check) and is_operational(finding.metric):
            return self.speech.figure(numbers.multiple(end, finding.limit))
        write = self.level if is_level(finding.check) else self.change
        return write(finding.metric, end)

    def limit(self, finding: Finding) -> str:
        """The finding's limit in words: ``drop of at most 2 points``."""
        say = self.speech.say
        if finding.check == CLAIMS:
            return say("bounds.claims")
        if finding.check == BEATS_CONSTANT:
            return say(f"bounds.{'reference_both' if _asks_both(finding) else 'reference'}")
        known = CHECKS.get(finding.check)
        if known is None:
            return f"{visible(finding.check)} {self.speech.number(numbers.exact(finding.limit))}"
        bound = Bound(value=finding.limit, kind=finding.limit_kind)
        if not self.speech.knows(f"bounds.{known.name}"):
            return figures.limit_in_words(known, bound, self.quantities[finding.metric])
        if bound.kind == "error_ratio":
            return say("bounds.error_ratio", amount=self.speech.figure(figures.growth(bound)))
        return say(f"bounds.{known.name}", amount=self._allowed(finding, known, bound))

    def _allowed(self, finding: Finding, check: Check, bound: Bound) -> str:
        """The bare amount of a limit."""
        if bound.kind == "relative":
            share = self.speech.number(f"{numbers.exact(bound.value, 2)}{GAP}%")
            return self.speech.say("bounds.part", share=share)
        quantity = self.quantities[finding.metric]
        return self._written(finding.metric, figures.allowed(check, bound, quantity))
