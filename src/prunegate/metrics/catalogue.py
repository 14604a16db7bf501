"""The metrics that a rule can name: one entry says all there is to say about one of them.

What it is called and means, which direction is better, and for every kind of task the form that it
is computed from (``forms.py``), from which counting, testing and planning follow. A new metric is
one entry here; an operational one is measured in ``cost`` besides.
"""

from __future__ import annotations

from operator import attrgetter

from prunegate.metrics.forms import (
    AtFixedRate,
    AtFixedRecall,
    EachLabel,
    Flips,
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
from prunegate.metrics.metric import Better, Metric
from prunegate.registry import Registry


def _operational(
    name: str, words: str, unit: str = "", better: Better = "lower", label: str = "", **more: bool
) -> Metric:
    return Metric(
        name=name,
        words=words,
        better=better,
        kind="operational",
        unit=unit,
        label=label,
        joint=more.get("joint", False),
        timed=more.get("timed", False),
        writing=more.get("writing", False),
        money=more.get("money", False),
    )


METRICS: Registry[Metric] = Registry(
    "metric",
    attrgetter("name"),
    (
        Metric(
            name="precision",
            words="flagged items that are truly positive",
            class_words="items given a class that truly belong to it",
            per_class=True,
            kind="rate",
            forms={
                "binary": Overlapping(kind="precision"),
                "multiclass": OverClasses(kind="precision"),
                "multilabel": OverLabels(kind="precision"),
            },
        ),
        Metric(
            name="recall",
            words="truly positive items that are flagged",
            class_words="items of a class that are given that class",
            per_class=True,
            kind="rate",
            forms={
                "binary": SharedRows(labels=(1,)),
                "multiclass": OverClasses(kind="recall"),
                "multilabel": OverLabels(kind="recall"),
            },
        ),
        Metric(
            name="specificity",
            words="truly negative items that are left alone",
            kind="rate",
            forms={
                "binary": SharedRows(labels=(0,)),
                "multilabel": OverLabels(kind="recall", sides=(0,)),
            },
        ),
        Metric(
            name="f1",
            words="precision and recall combined (their harmonic mean)",
            class_words="precision and recall of a class combined (their harmonic mean)",
            per_class=True,
            label="F1",
            kind="rate",
            forms={
                "binary": Overlapping(kind="f1"),
                "multiclass": OverClasses(kind="f1"),
                "multilabel": OverLabels(kind="f1"),
            },
        ),
        Metric(
            name="accuracy",
            words="items decided correctly",
            class_words="items given their true class",
            kind="rate",
            forms={
                "binary": SharedRows(),
                "multiclass": SharedRows(),
                "multilabel": OverDecisions(of=SharedRows()),
            },
        ),
        Metric(
            name="subset_accuracy",
            words="items with every label decided correctly",
            kind="rate",
            forms={"multilabel": WholeRows(of=SharedRows())},
        ),
        Metric(
            name="balanced_accuracy",
            words="accuracy with each class weighing the same (the average of both recalls)",
            class_words="accuracy with each class weighing the same (the average recall)",
            kind="rate",
            forms={
                **dict.fromkeys(
                    ("binary", "multiclass"), OverClasses(kind="recall", least_classes=2)
                ),
                "multilabel": OverLabels(kind="recall", sides=(0, 1)),
            },
        ),
        Metric(
            name="mcc",
            words="Matthews correlation coefficient of decisions and labels",
            kind="coefficient",
            label="MCC",
            forms={
                "binary": OverClasses(kind="mcc", least_classes=2),
                "multilabel": EachLabel(),
            },
        ),
        Metric(
            name="false_positive_rate",
            words="truly negative items that are flagged",
            better="lower",
            kind="rate",
            forms={
                "binary": SharedRows(labels=(0,)),
                "multilabel": OverLabels(kind="recall", sides=(0,)),
            },
        ),
        Metric(
            name="negative_flip_rate",
            words="items the baseline got right and the candidate gets wrong",
            better="lower",
            kind="flips",
            forms={
                **dict.fromkeys(("binary", "multiclass"), Flips(negative_only=True)),
                "multilabel": WholeRows(of=Flips(negative_only=True)),
            },
        ),
        Metric(
            name="churn",
            words="items on which the two models decide differently",
            better="lower",
            kind="flips",
            forms={
                **dict.fromkeys(("binary", "multiclass"), Flips(negative_only=False)),
                "multilabel": WholeRows(of=Flips(negative_only=False)),
            },
        ),
        Metric(
            name="auc",
            words="pairs of a positive and a negative item of which the positive has the higher "
            "score (area under the ROC curve)",
            kind="rate",
            label="AUC",
            forms={"binary": Ranked()},
        ),
        Metric(
            name="average_precision",
            words="precision at the threshold that just flags a positive item, averaged over the "
            "positives",
            kind="rate",
            forms={"binary": OfRanks(quantity="average_precision")},
        ),
        Metric(
            name="recall_at_fpr",
            words="truly positive items that are flagged at a fixed false positive rate",
            kind="rate",
            label="recall at a fixed false positive rate",
            figured="recall at a false positive rate of {at}",
            at="the share of negatives that may be flagged, as at: 0.01",
            forms={"binary": AtFixedRate()},
        ),
        Metric(
            name="precision_at_recall",
            words="flagged items that are truly positive at a fixed recall",
            kind="rate",
            label="precision at a fixed recall",
            figured="precision at a recall of {at}",
            at="the share of positives that has to be flagged, as at: 0.9",
            forms={"binary": AtFixedRecall()},
        ),
        Metric(
            name="log_loss",
            words="mean log-loss of the scores (cross-entropy)",
            better="lower",
            kind="mean",
            unit="nats",
            label="log-loss",
            forms=dict.fromkeys(("binary", "multiclass"), ScoreLoss(quantity="log_loss")),
        ),
        Metric(
            name="brier",
            words="mean squared error of the scores (Brier score)",
            better="lower",
            kind="mean",
            label="Brier score",
            forms=dict.fromkeys(("binary", "multiclass"), ScoreLoss(quantity="brier")),
        ),
        Metric(
            name="top_k_accuracy",
            words="items whose true class is among the k with the highest scores",
            kind="rate",
            label="top-k accuracy",
            figured="top-{k} accuracy",
            top=True,
            forms={"multiclass": WithinTop()},
        ),
        Metric(
            name="mean_score",
            words="mean score",
            kind="mean",
            forms={"score": Mean(quantity="value")},
        ),
        Metric(
            name="mae",
            words="mean absolute error",
            better="lower",
            kind="mean",
            label="MAE",
            forms={"score": Mean(quantity="error")},
        ),
        Metric(
            name="rmse",
            words="root mean squared error",
            better="lower",
            kind="mean",
            label="RMSE",
            forms={"score": Mean(quantity="square", root=True)},
        ),
        Metric(
            name="rank_correlation",
            words="rank correlation of scores and labels (Spearman's)",
            kind="coefficient",
            forms={"score": OfRanks(quantity="rank_correlation")},
        ),
        Metric(
            name="nll_per_token",
            words="negative log-likelihood per token",
            better="lower",
            kind="mean",
            unit="nats",
            label="NLL per token",
            forms={"language": Mean(quantity="value", bounded=False)},
        ),
        Metric(
            name="perplexity",
            words="perplexity",
            better="lower",
            kind="mean",
            forms={"language": Mean(quantity="value", exponential=True, bounded=False)},
        ),
        Metric(
            name="mean_quality",
            words="mean quality of the texts that a model writes, as they were rated",
            kind="mean",
            label="mean quality of what is written",
            forms={"language": Mean(quantity="quality")},
        ),
        _operational("latency_p50_ms", "median latency", "ms", label="median latency", timed=True),
        _operational(
            "latency_p95_ms",
            "latency that 95 % of calls stay under",
            "ms",
            label="p95 latency",
            timed=True,
        ),
        _operational(
            "latency_p99_ms",
            "latency that 99 % of calls stay under",
            "ms",
            label="p99 latency",
            timed=True,
        ),
        _operational(
            "throughput_per_s",
            "number of inferences per second",
            "/s",
            "higher",
            label="throughput",
            timed=True,
        ),
        _operational(
            "ttft_ms",
            "time until the first token of a text",
            "ms",
            label="time to the first token",
            timed=True,
            writing=True,
        ),
        _operational(
            "tpot_ms",
            "time of every further token of a text",
            "ms",
            label="time per further token",
            timed=True,
            writing=True,
        ),
        _operational("model_bytes", "size of the stored weights", "bytes", label="model size"),
        _operational("parameters", "number of parameters"),
        _operational("active_heads", "number of attention heads", label="attention heads"),
        _operational(
            "cost_per_1k",
            "cost of 1,000 inferences",
            "money",
            label="cost of 1,000 inferences",
            money=True,
        ),
        _operational("monthly_cost", "cost of the last projected month", "money", money=True),
        _operational(
            "saving",
            "saving over all projected months, less the one-off cost,",
            "money",
            "higher",
            label="net saving",
            money=True,
            joint=True,
        ),
        _operational(
            "break_even_month",
            "month in which the saving has paid the one-off cost",
            label="break-even month",
            money=True,
            joint=True,
        ),
    ),
)
"""Every metric by the name that a policy uses."""


REFERENCE = Metric(
    name="reference",
    words="agreement of decisions and labels beyond chance (Cohen's kappa)",
    kind="coefficient",
    label="agreement beyond chance",
)
"""What findings on the reference are about; no metric that a rule can name."""


def metric_named(name: str) -> Metric | None:
    """The metric that a finding names: a rule's, or the reference; None: neither."""
    return REFERENCE if name == REFERENCE.name else METRICS.get(name)


def metric_of(name: str) -> Metric:
    """The metric of a finding that rows would settle: a rule's, or the reference.

    Raises:
        KeyError: no metric is called so.
    """
    return REFERENCE if name == REFERENCE.name else METRICS[name]


def per_class() -> tuple[str, ...]:
    """Metrics that each class of a multiclass task has by itself; else they are macro averages."""
    return tuple(name for name, metric in METRICS.items() if metric.per_class)


def about_one_label(name: str) -> bool:
    """Whether a metric is about rows of one label, so that it holds however many have another."""
    return name in METRICS and METRICS[name].one_label is not None


def timed() -> frozenset[str]:
    """Operational metrics that come from a clock."""
    return frozenset(name for name, metric in METRICS.items() if metric.timed)


def of_writing() -> frozenset[str]:
    """Operational metrics that only models have that write texts."""
    return frozenset(name for name, metric in METRICS.items() if metric.writing)


def priced() -> frozenset[str]:
    """Operational metrics that follow from the policy's ``cost`` section."""
    return frozenset(name for name, metric in METRICS.items() if metric.money)
