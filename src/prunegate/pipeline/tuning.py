"""Tuning: the candidate's threshold from calibration rows, before the gate split is looked at."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from prunegate.data.labelled.rows import Indices, is_positive, select_rows
from prunegate.errors import TableError
from prunegate.models.load import LoadedModel
from prunegate.pipeline.context import Context
from prunegate.policy.naming import value_text
from prunegate.policy.steps import Split
from prunegate.policy.task import Tune
from prunegate.predict.predictions_table import Scored
from prunegate.predict.tuned_threshold import TunedThreshold, tuned_threshold

CALIBRATION: Split = "calibration"


def with_tuned_threshold(
    bench: Context, candidate: LoadedModel, baseline: Scored | None = None
) -> tuple[Context, TunedThreshold | None]:
    """The context with the threshold that its policy asks for, and how it was chosen.

    Args:
        bench: the models and data.
        candidate: the model whose threshold it is.
        baseline: what the baseline makes of the calibration split; None: it is asked.

    Raises:
        TableError: calibration rows that say nothing.
    """
    policy = bench.policy
    if not policy.task.untuned:
        return bench, None
    ignored = set(map(value_text, policy.task.ignore))
    chosen = select_rows(bench.rows, CALIBRATION)
    kept = np.array([value_text(bench.rows.labels[row]) not in ignored for row in chosen.tolist()])
    if baseline is None:
        baseline = bench.score(bench.baseline, "baseline", CALIBRATION)
    before = np.asarray(baseline, dtype=np.float64)
    after = np.asarray(bench.score(candidate, "candidate", CALIBRATION), dtype=np.float64)
    found = tuned_threshold(
        (policy.task.tune or Tune()).match,
        is_positive(bench.rows, policy)[chosen][kept],
        (before >= (policy.task.threshold_of("baseline") or 0.0))[kept],
        after[kept],
        _weights(bench, chosen[kept]),
    )
    task = policy.task.with_threshold(found.threshold)
    source = replace(bench.source, policy=policy.model_copy(update={"task": task}))
    return replace(bench, source=source), found


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
