"""The quality section: what it may say, and what has to agree with it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from prunegate.policy.consistency import disagreements
from prunegate.policy.schema import Policy

RATED = {"metric": "mean_quality", "max_drop": 0.05}
EXPECTED = {"metric": "nll_per_token", "max_rise": 0.1}


def policy(
    quality: dict[str, Any] | None, *rules: dict[str, Any], kind: str = "language"
) -> Policy:
    asked = {"prunegate": 1, "name": "q", "task": {"kind": kind}, "rules": list(rules)}
    return Policy.model_validate(asked if quality is None else {**asked, "quality": quality})


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        ({"output": "good"}, "'output' is said of a scorer"),
        ({"with_prompt": True}, "'with_prompt' is said of a scorer"),
        ({"range": [5, 1]}, "the smallest first"),
        ({"scorer": "s", "range": [0, 5], "activation": "sigmoid"}, "keep one of the two"),
    ],
)
def test_contradictions_within_the_section(quality: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        policy(quality, RATED)


@pytest.mark.parametrize(
    ("found", "path", "message"),
    [
        (policy(None, RATED), ("rules", 0, "metric"), "mean_quality needs 'quality: "),
        (policy({}, EXPECTED), ("quality",), "no rule limits mean_quality"),
        (
            policy({}, {"metric": "mean_score", "max_drop": 1}, kind="score"),
            ("quality",),
            "this task is score",
        ),
        (
            policy({"range": [1, 5]}, {"metric": "mean_quality", "at_least": 0.9}),
            ("rules", 0, "at_least"),
            "between 1 and 5",
        ),
    ],
)
def test_what_has_to_agree(found: Policy, path: tuple[Any, ...], message: str) -> None:
    assert [at for at, told in disagreements(found) if message in told] == [path]


def test_a_policy_that_agrees() -> None:
    assert disagreements(policy({"scorer": "s"}, RATED)) == []
    assert disagreements(policy({"range": [1, 5]}, RATED, EXPECTED)) == []
