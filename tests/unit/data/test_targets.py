"""The labels of a score task: numbers where somebody reads them, and nothing asked elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prunegate.data.contract.targets import missing_targets, target_counts
from prunegate.data.labelled.rows import LabelledRows
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import target_splits

TUNED = [{"finetune": {"steps": 1}}]
CELLS = st.one_of(
    st.none(),
    st.floats(-20, 20),
    st.integers(-20, 20),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), "bright", "1.5", ""]),
)
SPLITS = ("train", "calibration", "search", "gate")


def policy(metric: str, **more: Any) -> Policy:
    rule = {"metric": metric, "at_least": 0.0}
    document = {"prunegate": 1, "name": "p", "task": {"kind": "score", "range": [-10, 10]}}
    return Policy.model_validate({**document, "rules": [rule], **more})


def rows_of(cells: list[tuple[Any, str]]) -> LabelledRows:
    return LabelledRows(
        name="t.csv",
        folder=Path(),
        ids=tuple(map(str, range(len(cells)))),
        texts=("a",) * len(cells),
        labels=tuple(label for label, _ in cells),
        splits=tuple(split for _, split in cells),
        columns={},
    )


def test_who_reads_a_label() -> None:
    vary = {"search": {"vary": [{"step": 1, "amount": [0.1, 0.5]}]}}
    steps = [{"prune": {"what": "heads", "amount": 0.1}}, *TUNED]
    static = [{"quantize": {"kind": "static"}}]
    assert target_splits(policy("mean_score")) == set()
    assert target_splits(policy("mean_score", compress=static)) == set()
    assert target_splits(policy("mean_score", compress=TUNED)) == {"train"}
    assert target_splits(policy("mae")) == {"gate"}
    assert target_splits(policy("rank_correlation", compress=steps)) == {
        "gate", "train", "calibration"
    }  # fmt: skip
    assert target_splits(policy("mae", compress=steps, **vary)) == set(SPLITS)


@given(st.lists(st.tuples(CELLS, st.sampled_from(SPLITS)), min_size=1), st.booleans())
def test_every_cell_is_fine_or_told_once(cells: list[tuple[Any, str]], judged: bool) -> None:
    """By definition: who needs a number has a finite one in the range, or a count says."""
    asked = policy("mae" if judged else "mean_score", compress=TUNED)
    rows, needing = rows_of(cells), target_splits(asked)
    found = {
        one.name: one.value for one in (*missing_targets(rows, asked), *target_counts(rows, asked))
    }
    empty = [c for c, _ in cells if c is None or c == "" or c != c]  # noqa: PLR0124  # NaN
    texts = [c for c, _ in cells if isinstance(c, str) and c]
    numbers = [c for c, _ in cells if isinstance(c, float | int) and c == c]  # noqa: PLR0124
    infinite = [n for n in numbers if abs(n) == float("inf")]
    assert len(empty) + len(texts) + len(numbers) == len(cells)
    assert found["missing.label"] == sum(
        (c is None or c == "" or c != c) and s in needing  # noqa: PLR0124
        for c, s in cells
    )
    assert found["labels.infinite"] == len(infinite)
    assert found["labels.beyond_range"] == sum(abs(n) > 10 for n in numbers) - len(infinite)
    assert found["labels.not_numbers"] == (texts.count("bright") or len(texts))


def test_where_nobody_reads_them_nothing_is_asked() -> None:
    rows = rows_of([("bright", "gate"), (None, "train")])
    asked = policy("mean_score")
    assert not [*missing_targets(rows, asked), *target_counts(rows, asked)]
