"""Metrics on tallies: what the rows of one slice say about a metric, by the form that it has.

The catalogue says of every metric what it is computed from (``metrics/forms.py``); here each form
gets its evidence. A new kind of evidence is one class and one function below. Values are turned so
that larger is better: the false positive rate is seen as specificity, means where lower is better
as their negative; the verdict turns them back for people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from prunegate.counting.cluster_sums import Clusters
from prunegate.counting.label_sets import LabelSets
from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.partial_labels import PartialLabels
from prunegate.counting.score_losses import loss_span
from prunegate.counting.tallies import Cells, DecidedRows, JointCounts, ScoredRows, Sums, Tally
from prunegate.errors import UnsupportedError
from prunegate.evidence import partial_rates
from prunegate.evidence.fixed_rate_recall import FixedRateRecall
from prunegate.evidence.fixed_recall_precision import FixedRecallPrecision
from prunegate.evidence.grouped_rates import (
    GroupedOverlappingRate,
    GroupedPairedRate,
    GroupedSingleRate,
)
from prunegate.evidence.label_average import LabelAverage
from prunegate.evidence.macro_rate import MacroRate
from prunegate.evidence.mean_loss import MeanLoss
from prunegate.evidence.mean_value import MeanValue, Perplexity
from prunegate.evidence.overlapping_rates import OverlappingRate
from prunegate.evidence.partial_precision import sampled_precision
from prunegate.evidence.pulled_value import PulledValue
from prunegate.evidence.ranking import RankedAreas
from prunegate.evidence.rates import Evidence, PairedRate, SingleRate
from prunegate.evidence.root_mean import RootMean
from prunegate.evidence.weighed import weighed
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.forms import (
    AtFixedRate,
    AtFixedRecall,
    Flips,
    Form,
    Mean,
    OfRanks,
    OverClasses,
    OverDecisions,
    OverLabels,
    Overlapping,
    Ranked,
    ScoreLoss,
    SharedRows,
    WholeRows,
    WithinTop,
)
from prunegate.metrics.hypothesis import Hypothesis, Level
from prunegate.metrics.labels_needed import labels_needed
from prunegate.stats.pulled import RELIABLE


@dataclass(frozen=True, kw_only=True)
class WantedMetric:
    """A metric as a rule asks for it."""

    metric: str
    class_label: str | None = None
    """The one class that it is about; None: binary, or the average of all classes."""
    strict: bool = False
    """Use the method that is never liberal where there are two."""
    grouped: bool = False
    """Whether units are groups of rows."""
    claim: Hypothesis | None = None
    """What its limit claims: where only some rows have labels, it decides which of them speak."""
    k: int | None = None
    """How many of the highest scores it is about, where it is about such."""
    at: float | None = None
    """The share that it is taken at, where there is one."""


Tested = Callable[[Any, WantedMetric, Any], Evidence]
"""A form, the metric as it is wanted, and the tally of one slice -> what it says."""
EVIDENCE: dict[type[Form], Tested] = {}
"""The evidence of every form."""
_Tested = TypeVar("_Tested", bound=Tested)


def evidence_of(form: type[Form]) -> Callable[[_Tested], _Tested]:
    """Register a function as the evidence of a form."""

    def register(tested: _Tested) -> _Tested:
        EVIDENCE[form] = tested
        return tested

    return register


def evidence(wanted: WantedMetric, tally: Tally) -> Evidence:
    """What the tally of one slice says about a metric.

    Raises:
        UnsupportedError: the metric is not computed from such a tally.
    """
    if wanted.class_label is not None:
        tally = tally.of_class(wanted.class_label)
    metric = METRICS.get(wanted.metric)
    form = None if metric is None else metric.form_of(tally.answers)
    if form is None or type(form) not in EVIDENCE:
        raise _unknown(wanted.metric, tally)
    if form.from_scores and getattr(tally, "scores", None) is None:
        raise _no_scores(wanted.metric, tally)
    if isinstance(tally, PartialCounts):
        return _of_part(form, wanted, tally)
    if isinstance(tally, PartialLabels):
        return _of_labelled_part(form, wanted, tally)
    return weighed(form, EVIDENCE[type(form)](form, wanted, tally), tally)


def _of_part(form: Form, wanted: WantedMetric, tally: PartialCounts) -> Evidence:
    """What the labelled rows say; all of them, and as ever, where no label is missing."""
    claim = Level(limit=Fraction(0), at_least=True) if wanted.claim is None else wanted.claim
    if tally.whole(0, 1, 2, 3):
        return EVIDENCE[type(form)](form, wanted, partial_rates.sampled_rows(tally))
    if isinstance(form, Flips):
        return partial_rates.flip_rate(tally, negative_only=form.negative_only)
    needed = labels_needed(form, claim)
    if needed == "differs":
        return partial_rates.differing_rows(tally)
    if needed == "agreed":
        return _of_agreed(form, wanted, tally)
    rows = partial_rates.sampled_rows(tally)
    if needed == "flagged":
        rows = partial_rates.flagged_rows(tally) or JointCounts()
    return EVIDENCE[type(form)](form, wanted, rows)


def _of_agreed(form: Form, wanted: WantedMetric, tally: PartialCounts) -> Evidence:
    """What rows that differ say, and a sample of those that both models decide as a class."""
    if isinstance(form, SharedRows):
        return partial_rates.sampled_agreement(form, tally)
    flagged = partial_rates.flagged_rows(tally)
    sampled = sampled_precision(tally, strict=wanted.strict) if flagged is None else None
    return sampled or EVIDENCE[type(form)](form, wanted, flagged or JointCounts())


def _of_labelled_part(form: Form, wanted: WantedMetric, tally: PartialLabels) -> Evidence:
    """The same of several classes: changes of accuracy and flips from the rows that differ."""
    claim = Level(limit=Fraction(0), at_least=True) if wanted.claim is None else wanted.claim
    counts_rows = isinstance(form, SharedRows | Flips)
    if not tally.complete and isinstance(form, Flips):
        return partial_rates.flip_rate(tally, negative_only=form.negative_only)
    if not tally.complete and labels_needed(form, claim) == "differs":
        return partial_rates.differing_rows(tally)
    rows = partial_rates.sampled_labels(tally, counts_rows=counts_rows)
    return EVIDENCE[type(form)](form, wanted, rows)


def of_decisions(metric: str, cells: Cells) -> Evidence:
    """What eight joint counts say about a metric of a binary task, rows being independent."""
    return evidence(WantedMetric(metric=metric), JointCounts(cells=cells))


@evidence_of(SharedRows)
def _shared(form: SharedRows, _: WantedMetric, tally: DecidedRows) -> Evidence:
    parts, cells = tally.roles(form), tally.counted
    both, lost, gained, neither = (sum(cells.get(c, 0) for c in part) for part in parts)
    counts = {"both": both, "lost": lost, "gained": gained, "neither": neither}
    if _single(tally, frozenset[object]().union(*parts), sum(counts.values())):
        return PairedRate(**counts)
    return GroupedPairedRate(**counts, parts=parts, groups=_grouped(tally))


def _single(tally: DecidedRows, cells: frozenset[Any], rows: int) -> bool:
    """Whether the rows of these cells are independent: no groups, or none that holds two of them.

    Then their tests are those of rows without groups, to the last digit.
    """
    groups = tally.clusters
    return groups is None or not rows or groups.all_single(cells.__contains__, rows)


def _grouped(tally: DecidedRows) -> Clusters:
    assert tally.clusters is not None  # noqa: S101  # else its rows are single
    return tally.clusters


@evidence_of(Overlapping)
def _overlapping(form: Overlapping, wanted: WantedMetric, tally: JointCounts) -> Evidence:
    f1 = form.kind == "f1"
    plain = OverlappingRate(cells=tally.cells, f1=f1, strict=wanted.strict)
    base = form.base.cells
    if _single(tally, frozenset(base), sum(tally.cells[cell] for cell in base)):
        return plain
    if plain.baseline is None or plain.candidate is None:
        return plain
    return GroupedOverlappingRate(
        cells=tally.cells, f1=f1, strict=wanted.strict, groups=_grouped(tally)
    )


@evidence_of(OverClasses)
def _over_classes(form: OverClasses, _: WantedMetric, tally: DecidedRows) -> Evidence:
    named = tally.named
    single = _single(named, frozenset(named.cells), named.rows)
    return MacroRate(
        kind=form.kind,
        cells=named.cells,
        groups=None if single else named.clusters,
        least_classes=form.least_classes,
        least_rows=form.least_rows,
    )


@evidence_of(Flips)
def _flips(form: Flips, _: WantedMetric, tally: DecidedRows) -> Evidence:
    """Negative flips are the lost rows; churn is every row that is decided differently."""
    lost, gained, moved = tally.changed
    wrong = lost if form.negative_only else lost | gained | moved
    cells = tally.counted
    rows = sum(cells.values())
    counts: dict[str, Any] = {
        "good": rows - sum(cells.get(cell, 0) for cell in wrong),
        "n": rows,
        "lost": sum(cells.get(cell, 0) for cell in lost),
        "gained": sum(cells.get(cell, 0) for cell in gained),
    }
    if _single(tally, frozenset(cells), rows):
        return SingleRate(**counts)
    right = frozenset(cell for cell in cells if cell not in wrong)
    return GroupedSingleRate(**counts, right=right, wrong=wrong, groups=_grouped(tally))


@evidence_of(OverLabels)
def _over_labels(form: OverLabels, _: WantedMetric, tally: LabelSets) -> Evidence:
    return LabelAverage.of(form, tally)


@evidence_of(OverDecisions)
def _over_decisions(form: OverDecisions, wanted: WantedMetric, tally: LabelSets) -> Evidence:
    return EVIDENCE[type(form.of)](form.of, wanted, tally.pooled)


@evidence_of(WholeRows)
def _whole_rows(form: WholeRows, wanted: WantedMetric, tally: LabelSets) -> Evidence:
    return EVIDENCE[type(form.of)](form.of, wanted, tally.whole)


@evidence_of(Mean)
def _mean(form: Mean, wanted: WantedMetric, tally: Sums) -> Evidence:
    if form.root:
        assert tally.span is not None  # noqa: S101  # such a policy gives the range of scores
        return RootMean(
            n=tally.rows,
            moments=tally.quantities[form.quantity],
            span=tally.span**2,
            grouped=wanted.grouped,
        )
    return (Perplexity if form.exponential else MeanValue)(
        n=tally.rows,
        moments=tally.quantities[form.quantity],
        lower_is_better=METRICS[wanted.metric].lower_is_better,
        span=tally.span if form.bounded else None,
        grouped=wanted.grouped,
    )


@evidence_of(ScoreLoss)
def _score_loss(form: ScoreLoss, wanted: WantedMetric, tally: DecidedRows) -> Evidence:
    return MeanLoss(
        n=tally.rows,
        moments=_scored(tally).losses[form.quantity],
        span=loss_span(form.quantity, several=tally.answers == "labels"),
        grouped=wanted.grouped,
    )


@evidence_of(Ranked)
def _ranked(_: Ranked, wanted: WantedMetric, tally: DecidedRows) -> Evidence:
    del wanted
    sums = _scored(tally).placements
    assert sums is not None  # noqa: S101  # counted where a rule asks for it
    return RankedAreas(sums=sums)


@evidence_of(OfRanks)
def _of_ranks(form: OfRanks, wanted: WantedMetric, tally: DecidedRows | Sums) -> Evidence:
    lowest = -1.0 if METRICS[wanted.metric].kind == "coefficient" else 0.0
    return PulledValue(
        sums=_scored(tally).pulls[form.quantity],
        reliable_from=RELIABLE[form.quantity],
        bounds_of_value=(lowest, 1.0),
    )


@evidence_of(AtFixedRate)
def _at_fixed_rate(_: AtFixedRate, wanted: WantedMetric, tally: DecidedRows) -> Evidence:
    rate = wanted.at or 0.0
    return FixedRateRecall(counts=_scored(tally).at_rates[rate], rate=rate)


@evidence_of(AtFixedRecall)
def _at_fixed_recall(_: AtFixedRecall, wanted: WantedMetric, tally: DecidedRows) -> Evidence:
    recall = wanted.at or 0.0
    return FixedRecallPrecision(counts=_scored(tally).at_recalls[recall], recall=recall)


@evidence_of(WithinTop)
def _within_top(_: WithinTop, wanted: WantedMetric, tally: DecidedRows) -> Evidence:
    rows = _scored(tally).within[wanted.k or 1]
    return _shared(SharedRows(labels=(1,)), wanted, rows)


def _scored(tally: DecidedRows | Sums) -> ScoredRows:
    assert tally.scores is not None  # noqa: S101  # ``evidence`` has seen to it
    return tally.scores


def _no_scores(metric: str, tally: Tally) -> UnsupportedError:
    return UnsupportedError(
        f"metric '{metric}' is computed from the models' scores, and here are {tally.what} alone; "
        "give the predictions themselves"
    )


def _unknown(metric: str, tally: Tally) -> UnsupportedError:
    known = ", ".join(sorted(name for name, entry in METRICS.items() if entry.forms))
    return UnsupportedError(
        f"metric '{metric}' cannot be computed from {tally.what}; the metrics are: {known}"
    )
