"""Units: how a metric's level, change and limit are written, from the catalogue's description."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import METRICS, metric_named
from prunegate.metrics.checks import CHECKS, Bound, is_factor, is_level
from prunegate.metrics.task_traits import TRAITS, TaskTraits
from prunegate.policy import figures
from prunegate.report.task import NOT_SAID, traits_of
from prunegate.text import numbers
from prunegate.text.escape import visible
from prunegate.text.numbers import NOT_DEFINED
from prunegate.verdict.finding import BEATS_CONSTANT, Finding
from prunegate.verdict.quantities import Quantities

CLAIMS = "claims"
"""What findings on stated figures are called; no metric that a rule can name."""


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


def is_operational(metric: str) -> bool:
    """Whether the metric is a measured or counted figure and not a judgement on rows."""
    known = METRICS.get(metric)
    return metric == CLAIMS or (known is not None and known.operational)


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

    @classmethod
    def of(cls, record: DecisionRecord) -> Units:
        """The units of a record."""
        currency = record.cost.currency if record.cost else ""
        return cls(currency=currency, kind=traits_of(record).name, findings=record.findings)

    @property
    def task(self) -> TaskTraits:
        """What the rows of such a task are."""
        return TRAITS[self.kind]

    @cached_property
    def quantities(self) -> Quantities:
        """How every metric is written."""
        return Quantities.of(self.findings, self.currency)

    def meaning(self, metric: str, class_label: str | None = None) -> str:
        """What a metric is, in a few words; empty for one outside the catalogue."""
        known = metric_named(metric)
        if known is None:
            return ""
        words = known.class_words if self.task.classes and known.class_words else ""
        if words and class_label is None and known.per_class:
            return f"{words}; the average of all classes"
        if self.task.sets and class_label is None and known.kind == "rate" and known.per_class:
            return f"{known.words}; over all labels"
        if known.words == known.phrase:
            return ""  # the title has said it
        unit = f", in {known.unit}" if known.kind == "mean" and known.unit else ""
        return (words or known.words) + unit

    def level(self, metric: str, value: float | None) -> str:
        """A metric's own value: ``92.1 %``, ``41.2 ms``, ``1.88 MB``."""
        if metric == CLAIMS:
            return "–"  # a contradiction has no size
        return self.quantities[metric].level(value)

    def change(self, metric: str, difference: float | None) -> str:
        """A change with its sign; shares change in points (the word is left to the caller)."""
        return self.quantities[metric].change(difference)

    def change_in_words(self, metric: str, difference: float | None) -> str:
        """A change with its unit: ``−7.1 points``."""
        return self.quantities[metric].change_in_words(difference)

    def bare(self, metric: str, text: str) -> str:
        """A mean's value without the unit that stands elsewhere; other values as they are."""
        return self.quantities[metric].bare(text)

    def range(self, finding: Finding) -> str:
        """The finding's interval: ``−9.0 to −5.2`` or ``88.1 % to 91.0 %``.

        An interval of a tested finding may have no end on a side; nothing was tested elsewhere.
        """
        low, high = (self._end(finding, end) for end in (finding.ci_low, finding.ci_high))
        if low and high:
            return f"{self.bare(finding.metric, low)} to {high}"
        if finding.p_value is None:
            return NOT_DEFINED
        return f"{low} or more" if low else f"{high} or less" if high else "no end on either side"

    def _end(self, finding: Finding, end: float | None) -> str:
        if end is None:
            return ""
        if is_factor(finding.check) and is_operational(finding.metric):
            return numbers.multiple(end, finding.limit)
        write = self.level if is_level(finding.check) else self.change
        return write(finding.metric, end)

    def limit(self, finding: Finding) -> str:
        """The finding's limit in words: ``drop of at most 2 points``."""
        if finding.check == CLAIMS:
            return "no contradiction"
        if finding.check == BEATS_CONSTANT:
            return "the baseline's above 0"
        known = CHECKS.get(finding.check)
        if known is None:
            return f"{visible(finding.check)} {numbers.exact(finding.limit)}"
        bound = Bound(value=finding.limit, kind=finding.limit_kind)
        return figures.limit_in_words(known, bound, self.quantities[finding.metric])
