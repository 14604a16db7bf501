"""Tuning: the candidate's threshold from calibration rows, before the gate split is looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prunegate.data.labelled.rows import Indices, Mask, is_positive, select_rows
from prunegate.errors import TableError
from prunegate.models.load import LoadedModel
from prunegate.pipeline.context import Context
from prunegate.policy.naming import value_text
from prunegate.policy.steps import Split
from prunegate.policy.task import Tune
from prunegate.predict.tuned_threshold import (
    TunedThreshold,
    require_matchable,
    tuned_threshold,
)

CALIBRATION: Split = "calibration"


def require_tunable(bench: Context) -> None:
    """Refuse calibration rows that no threshold could be tuned on, before a candidate is made.

    Raises:
        TableError: it finds nothing there that a candidate could match, or weights are missing.
    """
    if not bench.policy.task.untuned:
        return
    rows = _calibration(bench)
    _weights(bench, rows.places)
    require_matchable(rows.positive, rows.flagged(bench))


def with_tuned_threshold(
    bench: Context, candidate: LoadedModel
) -> tuple[Context, TunedThreshold | None]:
    """The context with the threshold that its policy asks for, and how it was chosen.

    Args:
        bench: the models and data.
        candidate: the model whose threshold it is.

    Raises:
        TableError: calibration rows that say nothing.
    """
    policy = bench.policy
    if not policy.task.untuned:
        return bench, None
    rows = _calibration(bench)
    after = np.asarray(bench.score(candidate, "candidate", CALIBRATION), dtype=np.float64)
    found = tuned_threshold(
        (policy.task.tune or Tune()).match,
        rows.positive,
        rows.flagged(bench),
        after[rows.kept],
        _weights(bench, rows.places),
    )
    task = policy.task.with_threshold(found.threshold)
    source = replace(bench.source, policy=policy.model_copy(update={"task": task}))
    return replace(bench, source=source), found


@dataclass(frozen=True, kw_only=True)
class _Calibration:
    """The calibration rows whose labels count."""

    kept: Mask
    """Of all rows of the split: whether their labels are not to be ignored."""
    places: Indices
    """Of those that count, in the table."""
    positive: Mask
    """Of those, whether they are positives."""

    def flagged(self, bench: Context) -> Mask:
        """Of those, whether the baseline flags them."""
        threshold = bench.policy.task.threshold_of("baseline") or 0.0
        scores = np.asarray(bench.of_baseline(CALIBRATION), dtype=np.float64)
        found: Mask = scores[self.kept] >= threshold
        return found


def _calibration(bench: Context) -> _Calibration:
    ignored = set(map(value_text, bench.policy.task.ignore))
    chosen = select_rows(bench.rows, CALIBRATION)
    kept = np.array([value_text(bench.rows.labels[row]) not in ignored for row in chosen.tolist()])
    positive = is_positive(bench.rows, bench.policy)[chosen][kept]
    return _Calibration(kept=kept, places=chosen[kept], positive=positive)


def _weights(bench: Context, chosen: Indices) -> NDArray[np.float64] | None:
    """The design weights of some rows; None: the policy names none.

    Raises:
        TableError: rows without a usable one.
    """
    name = bench.policy.weight
    if name is None:
        return None
    found = np.array([_number(bench.rows.columns[name][row]) for row in chosen.tolist()])
    if wrong := int((~(np.isfinite(found) & (found > 0))).sum()):
        raise TableError(
            f"{bench.rows.name}: {wrong:,} rows of the calibration split have no weight above 0 "
            f"('weight: {name}'), and the candidate's threshold is tuned on them; correct them"
        )
    return found


def _number(text: str | None) -> float:
    try:
        return math.nan if text is None else float(text)
    except ValueError:
        return math.nan
