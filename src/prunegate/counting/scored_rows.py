"""Scored rows: what the models' scores say beside their decisions, where a rule asks for it.

Per part of the slicings (``grouping.py``) one more pass inside the engine for losses, one for the
places of the true class, and for rankings (``placements.py``) a few. Every row has been found
readable before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import narwhals as nw

from prunegate.counting.calibration import Calibration
from prunegate.counting.calibration_rows import Sureness, calibrations
from prunegate.counting.class_columns import of_true
from prunegate.counting.column_reading import LABEL, ColumnCheck, N, Reading, number
from prunegate.counting.decisions import Decisions
from prunegate.counting.feature_sums import FeatureSums
from prunegate.counting.fixed_rate import FixedRateCounts
from prunegate.counting.fixed_rate_rows import fixed_rate_counts, fixed_recall_counts
from prunegate.counting.fixed_recall import FixedRecallCounts
from prunegate.counting.grouping import SlicingPart, clustered_cells, slicing_parts
from prunegate.counting.order_rows import order_sums
from prunegate.counting.order_sums import OrderSums
from prunegate.counting.placement_sums import PlacementSums
from prunegate.counting.placements import placements
from prunegate.counting.precision_pulls import AVERAGE_PRECISION, precision_pulls
from prunegate.counting.problems import of_check, require_none
from prunegate.counting.pull_sums import PullSums
from prunegate.counting.rank_pulls import RANK_CORRELATION, rank_pulls
from prunegate.counting.score_losses import (
    BRIER,
    LOG_LOSS,
    brier_of_two,
    log_loss,
    loss_bits,
)
from prunegate.counting.slices import KeyTexts, SliceCounts, with_tallies
from prunegate.counting.tallies import DecidedRows, JointCounts, ScoredRows, Sums
from prunegate.counting.values import (
    Feature,
    features_of,
    moments_of,
    sums_of,
    whole_features,
)
from prunegate.errors import TableError
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.forms import AtFixedRate, AtFixedRecall, Form, OfRanks, Ranked, ScoreLoss
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import orders_asked, score_metrics
from prunegate.policy.task import Role

_ONE, _WITHIN = "prunegate__one", ("prunegate__within_baseline", "prunegate__within_candidate")
_MODELS: tuple[Role, Role] = ("baseline", "candidate")
_PULLS = {AVERAGE_PRECISION: (precision_pulls, 2), RANK_CORRELATION: (rank_pulls, 1)}
"""How each statistic of ranks is summed up, and of how many kinds of rows."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What the rules of a policy ask of scores."""

    losses: tuple[str, ...]
    ranked: bool
    pulls: tuple[str, ...]
    rates: tuple[float, ...]
    recalls: tuple[float, ...]
    tops: tuple[int, ...]
    order: bool

    @staticmethod
    def of(policy: Policy) -> _Asked:
        forms = [METRICS[name].forms[policy.task.kind] for name in score_metrics(policy)]
        tops = {rule.k for rule in policy.rules if rule.k is not None}
        return _Asked(
            losses=tuple(form.quantity for form in forms if isinstance(form, ScoreLoss)),
            ranked=any(isinstance(form, Ranked) for form in forms),
            pulls=tuple(form.quantity for form in forms if isinstance(form, OfRanks)),
            rates=_shares(policy, AtFixedRate),
            recalls=_shares(policy, AtFixedRecall),
            tops=tuple(sorted(tops)),
            order=orders_asked(policy),
        )


def _shares(policy: Policy, form: type[Form]) -> tuple[float, ...]:
    """The shares that rules on metrics of a form are taken at, each once."""
    found = {
        rule.at
        for rule in policy.rules
        if rule.at is not None and isinstance(METRICS[rule.metric].forms[policy.task.kind], form)
    }
    return tuple(sorted(found))


class _TopRows(Decisions):
    """Rows, all taken as positive, "flagged" by a model that has the true class among its k."""

    cells: ClassVar = (_ONE, *_WITHIN)


def with_scores(
    reading: Reading, texts: KeyTexts, slices: tuple[SliceCounts, ...]
) -> tuple[SliceCounts, ...]:
    """The slices with what scores say of them; as they are where no rule asks.

    Raises:
        TableError: scores that are no probabilities, where a rule takes them for such.
        InternalError: the scores of a slice do not add up to its rows.
    """
    policy = reading.policy
    if not score_metrics(policy) and not orders_asked(policy):
        return slices
    asked = _Asked.of(policy)
    if policy.task.traits.classes:
        _require_fewer(reading, asked.tops)
    if asked.losses and policy.task.traits.classes:
        _require_probabilities(reading)
    found: dict[str, ScoredRows] = {}
    lost = {_lost(n, role): _loss(reading, n, role) for n in asked.losses for role in _MODELS}
    for part in slicing_parts(reading, texts, lost):
        found |= _of_part(reading, part, asked)
    none = ScoredRows(
        losses=dict.fromkeys(asked.losses, FeatureSums()),
        placements=PlacementSums.none() if asked.ranked else None,
        pulls={name: PullSums.none(_PULLS[name][1]) for name in asked.pulls},
        at_rates=dict.fromkeys(asked.rates, FixedRateCounts.none()),
        at_recalls=dict.fromkeys(asked.recalls, FixedRecallCounts.none()),
        calibration=(Calibration(), Calibration()) if asked.losses else None,
        order=OrderSums() if asked.order else None,
        within=dict.fromkeys(asked.tops, JointCounts()),
    )

    def scored(one: SliceCounts) -> DecidedRows | Sums:
        assert isinstance(one.tally, DecidedRows | Sums)  # noqa: S101  # other tasks' forms ask none
        return replace(one.tally, scores=found.get(one.name, none))

    return with_tallies(slices, scored)


def _of_part(reading: Reading, part: SlicingPart, asked: _Asked) -> dict[str, ScoredRows]:
    losses = _losses(reading, part, asked.losses) if asked.losses else {}
    ranked = placements(reading, part) if asked.ranked else {}
    pulls = {name: _PULLS[name][0](reading, part) for name in asked.pulls}
    rates = {rate: fixed_rate_counts(reading, part, rate) for rate in asked.rates}
    recalls = {share: fixed_recall_counts(reading, part, share) for share in asked.recalls}
    order = order_sums(reading, part) if asked.order else {}
    sure = calibrations(reading, part, _sureness(reading)) if asked.losses else {}
    tops = {k: _within(reading, part, k) for k in asked.tops}
    every: tuple[Mapping[str, Any], ...] = (
        losses,
        ranked,
        order,
        sure,
        *pulls.values(),
        *rates.values(),
        *recalls.values(),
        *tops.values(),
    )
    names = dict.fromkeys(name for found in every for name in found)
    return {
        name: ScoredRows(
            losses=losses.get(name, {}),
            placements=ranked.get(name),
            pulls={what: found[name] for what, found in pulls.items()},
            at_rates={r: found.get(name, FixedRateCounts.none()) for r, found in rates.items()},
            at_recalls={
                r: found.get(name, FixedRecallCounts.none()) for r, found in recalls.items()
            },
            calibration=sure.get(name),
            order=order.get(name),
            within={k: rows[name] for k, rows in tops.items()},
        )
        for name in names
    }


def _require_fewer(reading: Reading, tops: tuple[int, ...]) -> None:
    """Refuse a k among which the true class always is."""
    for classes in reading.table.listed.values():
        if tops and max(tops) >= len(classes):
            raise TableError(
                f"{reading.table.name}: the scores are of {len(classes)} classes, and the true one "
                f"is always among {max(tops)} of them; give 'k' below {len(classes)}"
            )


def _require_probabilities(reading: Reading) -> None:
    """Refuse scores of several classes that are no distribution."""
    words = (
        "scores per class that do not add up to 1 or lie outside 0 to 1, which log_loss and brier "
        "need ('data: scores: activation: softmax' makes probabilities of logits)"
    )
    columns = reading.policy.columns
    checks = [
        ColumnCheck(
            column=getattr(columns, role),
            words=words,
            broken=nw.col(of_true(role, "improper")) == 1,
        )
        for role in _MODELS
    ]
    sums = [check.broken.cast(nw.Int32).sum().alias(f"n{i}") for i, check in enumerate(checks)]
    with reading.table.reading():
        line = reading.table.frame.select(*sums).collect().rows()[0]
    found = zip(checks, line, strict=True)
    problems = [of_check(reading, check, int(rows)) for check, rows in found if rows]
    require_none(reading.table.name, problems)


def _losses(
    reading: Reading, part: SlicingPart, names: tuple[str, ...]
) -> dict[str, dict[str, FeatureSums]]:
    """Per slice, the sums of each loss."""
    exact = reading.table.frame.implementation.is_duckdb()
    derived: dict[str, nw.Expr] = {}
    for name in names:
        derived |= whole_features(name, _features(name), exact=exact)
    frame = part.frame.with_columns(*(e.alias(n) for n, e in derived.items()))
    if reading.policy.group is not None:
        sums = (nw.col(name).sum() for name in features_of(names))
        frame = frame.group_by(*part.keys, reading.policy.group).agg(*sums)
    answer = {N: nw.len(), **sums_of(names)}
    total = frame.group_by(*part.keys).agg(*(e.alias(name) for name, e in answer.items()))
    with reading.table.reading():
        lines = total.collect().rows(named=True)
    return {part.name(line): _sums(line, names) for line in lines}


def _sums(line: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, FeatureSums]:
    bits = {name: [b for _, b in _features(name)] for name in names}
    return {name: moments_of(line, name, int(line[N]), bits[name]) for name in names}


def _lost(name: str, role: Role) -> str:
    """The derived column of what a model's score loses."""
    return f"prunegate__{name}_of_{role}"


def _features(name: str) -> tuple[Feature, ...]:
    """Change, baseline and weight of a row."""
    before, after = (nw.col(_lost(name, role)) for role in _MODELS)
    bits = loss_bits(name)
    return (after - before, bits), (before, bits), (nw.lit(1.0), (0, 0))


def _loss(reading: Reading, name: str, role: Role) -> nw.Expr:
    """What a model's score of a row loses."""
    if reading.policy.task.traits.classes:
        if name == BRIER:
            return nw.col(of_true(role, "squares"))
        return log_loss(nw.col(of_true(role, "probability")))
    score, label = number(getattr(reading.policy.columns, role)), nw.col(LABEL)
    if name == BRIER:
        return brier_of_two(score, label)
    assert name == LOG_LOSS  # noqa: S101  # there are two losses
    return log_loss(nw.when(label == 1).then(score).otherwise(1.0 - score))


def _sureness(reading: Reading) -> Sureness:
    """How sure each model is of a row, and whether it is right: of the positive, or highest."""
    if not reading.policy.task.traits.classes:
        columns = reading.policy.columns
        return [(number(getattr(columns, role)), nw.col(LABEL)) for role in _MODELS]
    return [
        (nw.col(of_true(role, "highest")), nw.col(of_true(role, "at_least")) <= 1)
        for role in _MODELS
    ]


def _within(reading: Reading, part: SlicingPart, k: int) -> dict[str, JointCounts]:
    """Per slice, the rows whose true class each model has among its k highest scores."""
    rows = _TopRows(policy=reading.policy, table=reading.table)
    flags = [
        (nw.col(of_true(role, "at_least")) <= k).cast(nw.Int64).alias(name)
        for role, name in zip(_MODELS, _WITHIN, strict=True)
    ]
    part = replace(part, frame=part.frame.with_columns(nw.lit(1).alias(_ONE), *flags))
    counts = part.frame.group_by(*part.keys, *rows.cells).agg(nw.len().alias(N))
    with reading.table.reading():
        lines = counts.collect().rows(named=True)
    found: dict[str, JointCounts] = {}
    for name, tally in _tallies(rows, part, lines):
        found[name] = found[name] + tally if name in found else tally
    if reading.policy.group is None:
        return found
    clusters = clustered_cells(rows, part)
    return {name: replace(tally, **clusters[name]) for name, tally in found.items()}


def _tallies(
    rows: _TopRows, part: SlicingPart, lines: list[dict[str, Any]]
) -> Iterator[tuple[str, JointCounts]]:
    for line in lines:
        cells = [0] * 8
        cells[rows.cell(line)] = int(line[N])
        yield part.name(line), JointCounts(cells=tuple(cells))
