"""Units: how a metric's level, change and limit are written, from the catalogue's description."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS, is_factor, is_level
from prunegate.report import numbers
from prunegate.report.inert import inert
from prunegate.report.numbers import GAP, NOT_DEFINED
from prunegate.report.task import task_kind
from prunegate.verdict.finding import Finding

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
    known = METRICS.get(metric)
    return known is not None and known.kind in ("mean", "coefficient")


def without_unit(text: str, metric: str) -> str:
    """A mean's value without the unit that stands elsewhere; other values as they are."""
    return text.removesuffix(f"{GAP}{METRICS[metric].unit}") if is_mean(metric) else text


def _with_unit(text: str, metric: str) -> str:
    unit = METRICS[metric].unit
    return f"{text}{GAP}{unit}" if unit else text


def is_operational(metric: str) -> bool:
    """Whether the metric is a measured or counted figure and not a judgement on rows."""
    known = METRICS.get(metric)
    return metric == CLAIMS or (known is not None and known.operational)


def metric_name(metric: str) -> str:
    """A metric's name for people: ``false positive rate``, ``p95 latency``."""
    if metric == CLAIMS:
        return "stated figures"
    return METRICS[metric].phrase if metric in METRICS else inert(metric).replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class Units:
    """Writes values of any metric."""

    currency: str = ""
    """ISO code that money is in; empty where the record has no cost section."""
    kind: str = "binary"
    """The kind of task, which decides what positives are and what a class's metric means."""

    @classmethod
    def of(cls, record: DecisionRecord) -> Units:
        """The units of a record."""
        return cls(currency=record.cost.currency if record.cost else "", kind=task_kind(record))

    def meaning(self, metric: str, class_label: str | None = None) -> str:
        """What a metric is, in a few words; empty for one outside the catalogue."""
        known = METRICS.get(metric)
        if known is None:
            return ""
        words = known.class_words if self.kind == "multiclass" and known.class_words else ""
        if words and class_label is None and known.per_class:
            return f"{words}; the average of all classes"
        if known.words == known.phrase:
            return ""  # the title has said it
        unit = f", in {known.unit}" if known.kind == "mean" and known.unit else ""
        return (words or known.words) + unit

    def level(self, metric: str, value: float | None, against: float | None = None) -> str:
        """A metric's own value: ``92.1 %``, ``41.2 ms``, ``1.88 MB``."""
        if metric == CLAIMS:
            return "–"  # a contradiction has no size
        if value is None or not numbers.defined(value):
            return NOT_DEFINED
        if is_share(metric):
            return numbers.share(value, against)
        if is_mean(metric):
            return _with_unit(numbers.mean(value, against), metric)
        return self._figure(metric, value)

    def change(self, metric: str, difference: float | None, against: float | None = None) -> str:
        """A change with its sign; shares change in points (the word is left to the caller)."""
        if difference is None or not numbers.defined(difference):
            return NOT_DEFINED
        if is_share(metric):
            return numbers.points(difference, against)
        sign = "+" if difference > 0 else numbers.MINUS if difference < 0 else ""
        if is_mean(metric):
            return _with_unit(sign + numbers.mean_change(abs(difference), against), metric)
        return sign + self._figure(metric, abs(difference))

    def change_in_words(
        self, metric: str, difference: float | None, against: float | None = None
    ) -> str:
        """A change with its unit: ``−7.1 points``."""
        text = self.change(metric, difference, against)
        return f"{text}{GAP}points" if is_share(metric) and text != NOT_DEFINED else text

    def range(self, finding: Finding) -> str:
        """The finding's interval: ``−9.0 to −5.2`` or ``88.1 % to 91.0 %``.

        An interval of a tested finding may have no end on a side; nothing was tested elsewhere.
        """
        low, high = (self._end(finding, end) for end in (finding.ci_low, finding.ci_high))
        if low and high:
            return f"{without_unit(low, finding.metric)} to {high}"
        if finding.p_value is None:
            return NOT_DEFINED
        return f"{low} or more" if low else f"{high} or less" if high else "no end on either side"

    def _end(self, finding: Finding, end: float | None) -> str:
        if end is None:
            return ""
        if is_factor(finding.check) and is_operational(finding.metric):
            return numbers.significant(end)
        write = self.level if is_level(finding.check) else self.change
        return write(finding.metric, end)

    def limit(self, finding: Finding) -> str:
        """The finding's limit in words: ``drop of at most 2 points``."""
        if finding.check == CLAIMS:
            return "no contradiction"
        known = CHECKS.get(finding.check)
        words = known.column if known else inert(finding.check) + " {}"
        return words.format(self._limit_value(finding))

    def allowed(self, finding: Finding) -> str:
        """The limit's bare amount: ``2 points``."""
        return self._limit_value(finding)

    def _limit_value(self, finding: Finding) -> str:
        percent = f"{_trim(100 * finding.limit)}{GAP}%"
        if finding.limit_kind == "relative":
            return f"{percent} of the baseline’s value"
        if finding.limit_kind == "error_ratio":
            return f"{percent} of the baseline’s error rate"
        if is_factor(finding.check):
            return percent
        if not is_share(finding.metric):
            return self._plain_limit(finding)
        if is_level(finding.check):
            return percent
        word = "point" if abs(100 * finding.limit - 1) < 1e-9 else "points"
        return f"{_trim(100 * finding.limit)}{GAP}{word}"

    def _plain_limit(self, finding: Finding) -> str:
        """The policy's own number where the unit leaves it as it is: ``40 ms``."""
        unit = METRICS[finding.metric].unit if finding.metric in METRICS else ""
        if unit in ("bytes", "money") or abs(finding.limit) >= 1e6:
            return self._figure(finding.metric, finding.limit)
        return _trim(finding.limit) + (f"{GAP}{unit}" if unit else "")

    def _figure(self, metric: str, value: float) -> str:
        known = METRICS.get(metric)
        unit = known.unit if known else ""
        if unit == "bytes":
            return numbers.megabytes(value)
        if unit == "money":
            text = numbers.significant(value) if abs(value) < 100 else numbers.fixed(value, 2)
            return numbers.money(text.replace(",", "").replace(numbers.MINUS, "-"), self.currency)
        if metric in ("parameters", "active_heads", "break_even_month"):
            return numbers.large(value)
        text = numbers.significant(value)
        return f"{text}{GAP}{unit}" if unit else text


def _trim(value: float) -> str:
    """A policy's own number without padding: 2, 2.5, 0.75."""
    return numbers.fixed(value, 6).rstrip("0").rstrip(".")
