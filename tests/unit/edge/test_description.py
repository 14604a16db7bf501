"""What a page decides about, by what was asked for."""

from __future__ import annotations

import pytest

from prunegate.edge.description import ShownDecision, decision_about
from prunegate.errors import ModelError

pytestmark = pytest.mark.models
CLASSES = ("safe", "adult", "hate")


@pytest.mark.parametrize(
    ("several", "positive", "thresholds", "kind", "wanted"),
    [
        (False, None, {}, "likeliest", {}),
        (False, "adult", {}, "positive", {"adult": 0.5}),
        (False, "adult", {"adult": 0.31}, "positive", {"adult": 0.31}),
        (True, None, {"hate": 0.2}, "each", {"safe": 0.5, "adult": 0.5, "hate": 0.2}),
        (True, "hate", {"hate": 0.2}, "positive", {"hate": 0.2}),
    ],
)
def test_decisions(
    several: bool,
    positive: str | None,
    thresholds: dict[str, float],
    kind: str,
    wanted: dict[str, float],
) -> None:
    found = decision_about(CLASSES, several, positive, thresholds)
    assert found == ShownDecision(kind=kind, thresholds=wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(("positive", "thresholds"), [("nude", {}), (None, {"nude": 0.5})])
def test_a_class_that_is_not_there_is_refused(
    positive: str | None, thresholds: dict[str, float]
) -> None:
    with pytest.raises(ModelError, match="no class 'nude'; it has safe, adult, hate"):
        decision_about(CLASSES, False, positive, thresholds)
