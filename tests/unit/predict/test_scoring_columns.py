"""Ids and scores are columns of their own, whatever they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunegate.errors import InputError
from prunegate.pipeline.scoring_job import ScoringJob, require_columns
from prunegate.policy.model_source import ModelSource

pytestmark = pytest.mark.models


def job(name: str) -> ScoringJob:
    place = Path("x")
    return ScoringJob(model=place, said=ModelSource(folder="x"), table=place, out=place, id=name)


@pytest.mark.parametrize(
    ("name", "scores"),
    [
        ("id", ["id"]),
        ("p_a", ["p_a", "p_b"]),
        ("id", ["p_a", "p_a"]),
        ("", ["p_a"]),
        ("id", [""]),
        ("id", ["\udcff"]),
    ],
)
def test_no_column_hides_another(name: str, scores: list[str]) -> None:
    with pytest.raises(InputError, match="--id"):
        require_columns(job(name), scores)


def test_a_name_of_a_time_is_as_good_as_any() -> None:
    require_columns(job("run_ms"), ["prepare_ms"])
