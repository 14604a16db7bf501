"""Facts: the findings as a plain table, with how far each lies beyond its limit worked out anew.

The second opinion's own arithmetic, from the shown figures alone. It follows the policy language
(a drop, a rise, a gain, a share of the baseline's value or of its errors) and none of the code that
judged. Floats carry the shown figures, so a distance is relative to the largest number in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prunegate.audit.expected_findings import BEATS, CLAIMS, cells_of_label
from prunegate.audit.opinion.distances import FACTORS, LEVELS, add_distances
from prunegate.metrics.catalogue import METRICS
from prunegate.policy.naming import slice_name, value_text
from prunegate.policy.schema import Policy
from prunegate.stats.reliable import RELIABLE_ROWS, SCORE_MINIMUM
from prunegate.verdict.finding import Finding, SliceSummary, Verdict

if TYPE_CHECKING:
    import pandas as pd

FIGURES = (
    *("baseline", "candidate", "difference", "ci_low", "ci_high", "limit"),
    *("p_value", "p_harm", "p_harm_adjusted"),
)
"""The fields of a finding that are numbers or, apart from the limit, None."""

FAIR = 0.2
"""Agreement beyond chance that will do for the reference where estimates decide."""
REFERENCE_TIMES = 10
"""A finding on the reference has a tenth of the level of a rule's."""

LARGEST: dict[str, float] = {"brier": 2.0, "log_loss": 36.05}
"""Most that a mean loss of scores can be: 2 for squares, of yes-or-no tasks 1; the negative log of
the smallest step of a 64-bit float. Neither can be below 0."""
PAIRS_FROM = {"auc": 50, "average_precision": 100}
"""Positives and negatives from which a proven change of a ranking has known error rates."""
ROWS_FROM = {"rank_correlation": 300}
"""Rows, where there is one kind of them."""
NEGATIVES_AT = 18.42
"""False alarms to be expected at a threshold before a false positive rate can be told: with fewer
a bound that holds but once in 10,000 times (Chernoff's) is below none. Likewise misses, of a
threshold with a given recall."""
LEAST_WORTH = 30
"""Rows of equal weight that rows with design weights have to be worth."""
_ALL, _POSITIVE, _NEGATIVE = tuple(range(8)), (4, 5, 6, 7), (0, 1, 2, 3)
ABOUT: dict[str, tuple[int, ...]] = {
    "recall": _POSITIVE,
    "specificity": _NEGATIVE,
    "false_positive_rate": _NEGATIVE,
    "precision": (1, 2, 3, 5, 6, 7),
    "f1": (1, 2, 3, *_POSITIVE),
    "accuracy": _ALL,
    "negative_flip_rate": _ALL,
    "churn": _ALL,
}
"""The cells whose rows a metric of a binary task is about."""


def facts(policy: Policy, verdict: Verdict) -> pd.DataFrame:
    """One row a finding: its figures (NaN: none), what they are about, and where its limit lies."""
    import pandas as pd

    slices = {summary.name: summary for summary in verdict.slices}
    table = pd.DataFrame([_row(policy, slices, finding) for finding in verdict.findings])
    if not table.empty:
        _add_undefined(table)
        add_distances(table)
    return table


def _row(policy: Policy, slices: dict[str, SliceSummary], finding: Finding) -> dict[str, Any]:
    figures = {name: getattr(finding, name) for name in FIGURES}
    return {
        "check": finding.check,
        "kind": finding.limit_kind,
        "severity": finding.severity,
        "passed": finding.status == "pass",
        "failed": finding.status == "fail",
        "waived": finding.status == "waived",
        "proven": finding.evidence == "proven",
        "times": REFERENCE_TIMES if finding.check == BEATS else 1,
        "constant": finding.check == BEATS and _constant(finding, slices.get(finding.slice)),
        "level": finding.check in (*LEVELS, CLAIMS),
        "n": finding.n,
        "no evidence": finding.open_because in ("not measured", "unusable"),
        "strange": sum(not _plain(value) for value in figures.values() if value is not None),
        **{name: float(v) if _plain(v) else math.nan for name, v in figures.items()},
        "off its weights": _off_its_weights(finding, slices.get(finding.slice)),
        **_of_metric(policy, finding),
        **_of_slice(policy, finding, slices),
    }


def _constant(finding: Finding, summary: SliceSummary | None) -> bool:
    """Whether a model decides every row of a slice alike, where its cells are shown."""
    if summary is None:
        return False
    cells = summary.cells
    if summary.label_cells is not None:
        cells = cells_of_label(summary, finding.class_label or "")
    if len(cells) != 8:
        return False
    flagged = (sum(n for cell, n in enumerate(cells) if cell & bit) for bit in (1, 2))
    return any(n in (0, summary.rows) for n in flagged)


def _plain(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _of_metric(policy: Policy, finding: Finding) -> dict[str, bool | float]:
    """What kind of evidence there is; an interval decides where a proven figure was estimated."""
    metric = METRICS.get(finding.metric)
    operational = finding.check == CLAIMS or (metric is not None and metric.kind == "operational")
    rule = dict(enumerate(policy.rules)).get(finding.rule)
    return {
        "operational": operational,
        "mean": metric is not None and metric.kind == "mean",
        "share": metric is not None and metric.kind in ("rate", "flips"),
        "coefficient": finding.check == BEATS
        or (metric is not None and metric.kind == "coefficient"),
        "largest": _largest(policy, finding),
        "lower": metric is not None and metric.better == "lower",
        "interval": finding.evidence == "proven" and finding.method_kind == "interval",
        "undefined_fails": rule is not None and rule.on_undefined == "fail",
    }


def _largest(policy: Policy, finding: Finding) -> float:
    """Most that the metric can be, where it is a loss of scores; else no end."""
    if finding.metric == "rmse" and policy.task.range is not None:
        return policy.task.range[1] - policy.task.range[0]
    yes_no = policy.task.kind == "binary" and finding.metric == "brier"
    return 1.0 if yes_no else LARGEST.get(finding.metric, math.inf)


def _of_slice(
    policy: Policy, finding: Finding, slices: dict[str, SliceSummary]
) -> dict[str, float | bool]:
    """How many rows its slice is short of, and whether it is a declared one of one class."""
    summary = slices.get(finding.slice)
    if summary is None or summary.rows == 0:
        return {"lacking": 1, "one_class": False}
    minimum = policy.evidence.minimum
    if policy.task.kind == "multilabel":
        return _of_labels(policy, finding, summary)
    label = finding.class_label
    rows, held = float(summary.rows), float(summary.positives)
    if policy.weight is not None:
        worth = summary.weights
        rows, held = (0.0, 0.0) if worth is None else (worth.rows, worth.positives)
    # of a single class only whether the slice has it is shown, not how often
    positives = held if label is None else minimum.positives * (label in summary.classes)
    lacking = (
        minimum.rows - rows,
        minimum.positives - positives,
        _short_of_method(policy, finding, summary),
    )
    if summary.strata is not None:  # then each value of the mix has to have that many
        lacking = (0, _short_of_mix(policy, slices), lacking[2])
    return {
        "lacking": max(lacking),
        "one_class": summary.declared and _one_class(policy, finding, summary),
    }


def _short_of_mix(policy: Policy, slices: dict[str, SliceSummary]) -> int:
    """Rows that some value of production's mix is short of, from the values' own slices."""
    minimum, short = policy.evidence.minimum, 0
    for key, shares in (policy.data.production or {}).items():
        for value in (one for one, share in shares.items() if share > 0):
            found = slices.get(slice_name([key], [value_text(value)]))
            rows, positives = (found.rows, found.positives) if found is not None else (0, 0)
            least = max(minimum.rows, LEAST_WORTH) - rows
            short = max(short, least, minimum.positives - positives)
    return short


def _of_labels(policy: Policy, finding: Finding, summary: SliceSummary) -> dict[str, float | bool]:
    """The same where rows have several labels: of one label, of all decisions, or of all labels."""
    minimum, label = policy.evidence.minimum, finding.class_label
    of_each = [one.cells for one in summary.label_cells or ()]
    rule = dict(enumerate(policy.rules)).get(finding.rule)
    cells: tuple[int, ...] = ()
    if label is not None:
        cells = cells_of_label(summary, label)
    elif rule is not None and rule.classes == "micro":
        cells = tuple(map(sum, zip(*of_each, strict=True)))
    if not cells:
        alike = all(sum(one[4:]) in (0, sum(one)) for one in of_each)
        positives, one_class = summary.positives, summary.declared and alike
        short = 0
    else:
        positives = sum(cells[4:])
        declared = summary.declared and summary.name != "overall"
        one_class = declared and positives in (0, sum(cells))
        short = _short_of_score(finding, cells)
    lacking = (minimum.rows - summary.rows, minimum.positives - positives, short)
    return {"lacking": max(lacking), "one_class": one_class}


def _one_class(policy: Policy, finding: Finding, summary: SliceSummary) -> bool:
    """Whether a slice has one class only; overall, that is refused for all classes together."""
    alone = policy.task.kind == "binary" or finding.class_label is not None
    if alone and summary.name == "overall":
        return False
    if policy.task.kind == "binary":
        return summary.positives in (0, summary.rows)
    return policy.task.kind == "multiclass" and len(summary.classes) < 2


def _short_of_method(policy: Policy, finding: Finding, summary: SliceSummary) -> int:
    """Rows that a proven limit lacks, because with fewer the method's error rates are not known."""
    if finding.evidence != "proven":
        return 0
    if finding.effective is not None:
        least = SCORE_MINIMUM if _overlaps(policy, finding) else LEAST_WORTH
        return least - _worth(finding, summary)
    metric = METRICS.get(finding.metric)
    if metric is not None and metric.kind == "mean":
        return RELIABLE_ROWS - summary.rows
    if metric is not None and metric.from_scores(policy.task.kind):
        return _short_of_scores(policy, finding, summary)
    if policy.task.kind != "binary":
        return 0
    return _short_of_score(finding, summary.cells, summary.positives)


def _short_of_scores(policy: Policy, finding: Finding, summary: SliceSummary) -> int:
    """The same of metrics that follow from the scores of rows."""
    negatives = summary.rows - summary.positives
    if finding.metric in PAIRS_FROM:
        return PAIRS_FROM[finding.metric] - min(summary.positives, negatives)
    rule = dict(enumerate(policy.rules)).get(finding.rule)
    if finding.metric == "recall_at_fpr" and rule is not None and rule.at is not None:
        return math.ceil(NEGATIVES_AT / rule.at) - negatives
    if finding.metric == "precision_at_recall" and rule is not None and rule.at is not None:
        return math.ceil(NEGATIVES_AT / (1 - rule.at)) - summary.positives
    return ROWS_FROM.get(finding.metric, 0) - summary.rows


def _short_of_score(finding: Finding, cells: Sequence[int], positives: int | None = None) -> int:
    """Rows that a change of precision or F1 lacks, by the eight counts that it is about."""
    ratio = finding.metric in ("precision", "f1") and finding.check not in LEVELS
    if not ratio or finding.evidence != "proven":
        return 0
    flagged = [cells[b] + cells[3] + cells[4 + b] + cells[7] for b in (1, 2)]
    if finding.metric == "f1":  # true positives with all errors: flagged or positive
        known = sum(cells[4:]) if positives is None else positives
        flagged = [cells[b] + cells[3] + known for b in (1, 2)]
    return SCORE_MINIMUM - min(flagged)


def _overlaps(policy: Policy, finding: Finding) -> bool:
    """Whether the rows that a metric is about differ between the models."""
    alone = policy.task.kind == "binary" or finding.class_label is not None
    return alone and finding.metric in ("precision", "f1")


def _worth(finding: Finding, summary: SliceSummary) -> int:
    """As many rows of equal weight as a metric's rows are worth, from the sums that are shown."""
    weights, cells = summary.weights, ABOUT.get(finding.metric)
    shown = weights is not None and len(weights.sums) == len(weights.squares) == 8
    if weights is None or cells is None or not shown:
        return finding.effective or 0
    total = sum(weights.sums[cell] for cell in cells)
    squares = sum(weights.squares[cell] for cell in cells)
    return math.floor(total**2 / squares * (1 + 1e-9)) if squares > 0 else 0


def _off_its_weights(finding: Finding, summary: SliceSummary | None) -> bool:
    """Whether a value is not what the slice's sums of weights come to."""
    weights = None if summary is None else summary.weights
    if weights is None or len(weights.sums) != 8 or finding.metric not in ABOUT:
        return False
    shown = {1: finding.candidate, 2: finding.baseline}
    return any(
        value is not None and not math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-9)
        for bit, value in shown.items()
        if (expected := _weighted(finding.metric, weights.sums, bit)) is not None
    )


def _weighted(metric: str, sums: Sequence[float], bit: int) -> float | None:
    """A metric of one model (1: candidate, 2: baseline) from eight sums of weights."""
    hit = sum(w for cell, w in enumerate(sums) if cell & 4 and cell & bit)
    alarm = sum(w for cell, w in enumerate(sums) if not cell & 4 and cell & bit)
    positive, every = sum(sums[4:]), sum(sums)
    quiet = every - positive - alarm
    parts = {
        "recall": (hit, positive),
        "precision": (hit, hit + alarm),
        "f1": (2 * hit, positive + hit + alarm),
        "accuracy": (hit + quiet, every),
        "specificity": (quiet, every - positive),
        "false_positive_rate": (alarm, every - positive),
        "negative_flip_rate": (sums[1] + sums[6], every),
        "churn": (sums[1] + sums[2] + sums[5] + sums[6], every),
    }
    top, bottom = parts[metric]
    return top / bottom if bottom > 0 else None


def _add_undefined(table: pd.DataFrame) -> None:
    """Whether a limit says nothing: a value is missing, or it refers to a baseline of zero."""
    import numpy as np

    refers = table["check"].isin(FACTORS) | (table["kind"] != "absolute")
    of_errors = (table["kind"] == "error_ratio") & ~table["lower"]
    zero = np.where(of_errors, table["baseline"] >= 1, table["baseline"] <= 0)
    unpaired = ~table["level"] & table["baseline"].isna()
    table["undefined"] = table["candidate"].isna() | unpaired | (refers & zero)
    shown = table["candidate"].notna() & table["baseline"].notna()
    table["from none"] = of_errors & zero & shown & table["proven"]
