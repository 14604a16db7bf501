"""What ``label`` says of its list: power of all limits, what is lacking, rounds, blindness."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunegate.cli.label_words import label_lines, not_blind
from prunegate.counting.labelling import LabellingFrame, ListedRow, Why
from prunegate.metrics.labels_needed import LabelsNeeded
from prunegate.planning.label_draw import DrawnLabels
from prunegate.planning.label_plan import LabelRequest, LimitLabels
from prunegate.planning.label_shortfalls import Shortfall


def limit(
    power: float | None, *, blocks: bool = True, needs: LabelsNeeded = "agreed"
) -> LimitLabels:
    return LimitLabels(
        rule=0,
        metric="recall",
        slice="overall",
        class_label=None,
        check="max_drop",
        limit=0.02,
        needs=needs,
        labels=10,
        rows=100,
        power=power,
        at_random=None,
        blocks=blocks,
    )


def said(
    powers: list[float | None],
    *,
    whys: tuple[tuple[Why, ...], ...] = (("differs",), ("sampled",)),
    number: int = 1,
    wanted: LabelRequest | None = None,
    lacks: tuple[Shortfall, ...] = (),
    needs: LabelsNeeded = "agreed",
) -> str:
    rows = tuple(ListedRow(id=f"r{place}", why=why) for place, why in enumerate(whys))
    frame = LabellingFrame(
        version="1", created="", policy="", table="", seed=0, slices=(), rows=rows, round=number
    )
    drawn = DrawnLabels(
        frame=frame,
        to_label=tuple({"id": row.id} for row in rows),
        limits=(*(limit(power, needs=needs) for power in powers), limit(0.0, blocks=False)),
        reference=(),
        rows=100,
        shortfalls=lacks,
        wanted=wanted,
    )
    given, before = ["p.yaml", "--predictions", "my file.csv"], [Path("done.csv")]
    told = label_lines(drawn, Path("list"), given, before if number > 1 else ())
    labels = "--labels done.csv --labels" if number > 1 else "--labels"
    assert told[-1] == (
        f"  prunegate gate p.yaml --predictions 'my file.csv' {labels} list/to-label.csv "
        "--labelling list/labelling.json"
    )
    return "\n".join(told)


@pytest.mark.parametrize(
    ("wanted", "needs", "reason"),
    [
        (LabelRequest(power=0.7), "agreed", None),
        (LabelRequest(power=0.9), "agreed", "more rows do, most of which need none"),
        (LabelRequest(power=0.9, random=5), "random", "--random sets the samples"),
        (LabelRequest(power=0.9, random=5), "agreed", "more rows do, most of which need none"),
        (LabelRequest(power=0.9, budget=2), "agreed", "--budget ends it"),
        (LabelRequest(power=0.9, budget=9), "agreed", "--budget ends it (7 labels are left over"),
    ],
)
def test_less_power_than_was_asked_for_is_told_with_its_reason(
    wanted: LabelRequest, needs: LabelsNeeded, reason: str | None
) -> None:
    told = said([0.9, 0.8], wanted=wanted, needs=needs)
    assert "all 2 blocking limits together: power between 70.0 % and 80.0 %" in told
    assert ("less than the" in told) == (reason is not None)
    assert ("rows decide this policy" in told) == (reason is None)
    assert reason is None or reason in told
    assert "together" not in said([0.9, None], wanted=wanted)
    assert "together: power > 99.9 %" in said([0.9999, 0.99999], wanted=wanted)


def test_what_keeps_limits_open_is_told_and_the_list_decides_nothing() -> None:
    one = Shortfall(slice="kind=audio", kind="absent", wanted=1, expected=0)
    told = said([0.9], lacks=(one,), wanted=LabelRequest())
    assert "2 of 100 rows are on the list and cannot decide it" in told
    assert "the blocking limit alone: power 0 %" in told
    assert "on kind=audio nothing can be shown with this list: the policy expects it" in told
    few = Shortfall(slice="overall", kind="positives", wanted=1150, expected=917)
    assert "asks for 1,150 positives, and labels of these rows are expected to tell of 917" in said(
        [0.0], lacks=(few,)
    )


def test_a_later_round_says_what_it_is_worth() -> None:
    assert "judge it first" not in said([0.9])
    assert "if round 2 was not judged yet, judge it first" in said([0.9], number=3)
    reference: tuple[Why, ...] = ("reference",)
    alone = said([0.9], number=2, whys=(reference, reference))
    assert "its look is better kept" in alone
    assert "its look is better kept" not in said([0.9], number=2, whys=(reference, ("sampled",)))


def test_words_that_give_labels_away_are_named_three_of_them() -> None:
    assert "nsfw in ids" in not_blind(["nsfw"])
    assert "a, b, c and 2 more in ids" in not_blind(list("abcde"))
