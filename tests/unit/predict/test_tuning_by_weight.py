"""Tuning reads calibration rows as the policy does: ignored labels out, weights counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from prunegate.errors import TableError
from prunegate.policy.schema import Policy

if TYPE_CHECKING:
    from prunegate.models.load import LoadedModel

pytestmark = pytest.mark.models

TASK = {
    "kind": "binary",
    "positive": "yes",
    "threshold": {"baseline": 0.5, "candidate": "tuned"},
    "ignore": ["unsure"],
}


@dataclass(frozen=True)
class Source:
    policy: Policy


@dataclass(frozen=True)
class Bench:
    """As much of a run's context as tuning looks at."""

    source: Source
    rows: Any
    finds: bool = True
    baseline: str = "baseline"
    asked: list[str] = field(default_factory=list)

    @property
    def policy(self) -> Policy:
        return self.source.policy

    def of_baseline(self, split: str) -> Any:
        return self.score(self.baseline, "baseline", split)

    def score(self, model: str, _name: str, _split: str) -> Any:
        self.asked.append(model)
        baseline, candidate = [0.9, 0.9, 0.9, 0.1, 0.9], [0.4, 0.3, 0.2, 0.1, 0.25]
        return np.array(baseline if model == "baseline" else candidate) * self.finds


def bench_of(weights: list[str | None], weight: str | None = "w", *, finds: bool = True) -> Any:
    from prunegate.data.labelled.rows import LabelledRows

    task = {**TASK, "tune": {"match": "flag_rate"}}
    rules = [{"metric": "recall", "max_drop": 0.1}]
    policy = {"prunegate": 1, "name": "p", "task": task, "rules": rules, "weight": weight}
    labels = ("yes", "yes", "no", "no", "unsure")
    rows = LabelledRows(
        name="t.csv",
        folder=Path(),
        ids=("a", "b", "c", "d", "e"),
        images=("i",) * 5,
        labels=labels,
        splits=("calibration",) * 5,
        columns={"w": tuple(weights)},
    )
    given = {key: value for key, value in policy.items() if value is not None}
    return Bench(Source(Policy.model_validate(given)), rows, finds)


def tuned(weights: list[str | None], weight: str | None = "w") -> Any:
    from prunegate.pipeline.tuning import with_tuned_threshold

    bench, candidate = bench_of(weights, weight), cast("LoadedModel", "candidate")
    found = with_tuned_threshold(bench, candidate)[1]
    assert sorted(bench.asked) == ["baseline", "candidate"]
    return found


def test_rows_count_by_their_weight() -> None:
    alike = tuned(["1"] * 5)
    assert (alike.rows, alike.baseline, alike.candidate, alike.threshold) == (4, 0.75, 0.75, 0.15)
    assert tuned(["1"] * 5, weight=None) == alike
    heavy = tuned(["1.0", "1", "1", "9", "1e9"])
    assert (heavy.baseline, heavy.candidate) == pytest.approx((0.25, 0.25))
    light = tuned(["96", "2", "1", "1", None])
    assert light.baseline == pytest.approx(0.99)


@pytest.mark.parametrize("wrong", [None, "0", "-1", "nan", "inf", "many"])
def test_a_row_without_a_usable_weight_is_told(wrong: str | None) -> None:
    from prunegate.pipeline.tuning import require_tunable

    with pytest.raises(TableError, match=r"1 rows of the calibration split have no weight .*'w"):
        require_tunable(bench_of(["1", wrong, "1", "1", "1"]))


def test_nothing_to_match_is_told_before_there_is_a_candidate() -> None:
    from prunegate.pipeline.tuning import require_tunable

    bench = bench_of(["1"] * 5, finds=False)
    with pytest.raises(TableError, match="the baseline finds 0: nothing to tune"):
        require_tunable(bench)
    assert bench.asked == ["baseline"]
