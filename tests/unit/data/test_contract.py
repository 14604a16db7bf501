"""The data contract: whole data pass, and every way of breaking them is told in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prunegate.data.contract.contract import ContractReport, check_contract
from prunegate.data.labelled.rows import LabelledRows
from prunegate.errors import ContractError, InternalError, TooFewRowsError
from prunegate.policy.schema import Policy

pytestmark = pytest.mark.slow


def policy(**more: Any) -> Policy:
    document = {
        "prunegate": 1,
        "name": "p",
        "task": {"kind": "binary", "positive": "unsafe", "threshold": 0.5},
        "slices": [
            {"by": "channel", "expect": ["ugc", "video"]},
            {"name": "short", "where": {"channel": "video", "length": ["s", "m"]}},
        ],
        "evidence": {"minimum": {"rows": 4, "positives": 2}},
        "rules": [{"metric": "recall", "at_least": 0.5}],
        "compress": [
            {"prune": {"what": "heads", "amount": 0.1}},
            {"finetune": {"steps": 1, "data": {"split": "train", "where": {"channel": "ugc"}}}},
        ],
    }
    return Policy.model_validate(document | more)


def whole() -> LabelledRows:
    """24 rows: three splits x two channels x four."""
    splits = [split for split in ("train", "calibration", "gate") for _ in range(8)]
    count = len(splits)
    return LabelledRows(
        name="t.csv",
        folder=Path("images"),
        ids=tuple(f"{n:02}" for n in range(count)),
        images=tuple(f"{n}.png" for n in range(count)),
        labels=("unsafe", "safe") * (count // 2),
        splits=tuple(splits),
        columns={
            "channel": ("ugc", "ugc", "video", "video") * (count // 4),
            "length": ("s", "m") * (count // 2),
        },
    )


def hashes(rows: LabelledRows) -> list[str]:
    return [f"hash of {image}" for image in rows.images]


def changed(values: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*values[:place], value, *values[place + 1 :])


def broken(report: ContractReport) -> dict[str, int | None]:
    return {clause.name: clause.observed for clause in report.clauses if not clause.holds}


def test_whole_data_pass() -> None:
    rows = whole()
    report = check_contract(rows, policy(), hashes(rows))
    report.require()
    assert report.holds
    assert report.warnings == ()
    observed = {clause.name: clause.observed for clause in report.clauses}
    assert observed["gate.rows"] == 8
    assert observed["gate.channel=video.rows"] == 4
    assert observed["gate.channel=video.positives"] == 2
    assert observed["gate.short.rows"] == 4
    assert observed["compress.2.rows"] == 4


def test_breaches_are_reported_together_in_words() -> None:
    rows = whole()
    rows = replace(
        rows,
        ids=changed(rows.ids, 0, "23"),
        labels=changed(changed(rows.labels, 1, "odd"), 2, None),
        splits=changed(rows.splits, 3, "test"),
    )
    digests = [*hashes(rows)[:-1], hashes(rows)[8]]
    report = check_contract(rows, policy(), digests)
    assert broken(report) == {
        "missing.label": 1,
        "unknown_splits": 1,
        "labels.unknown": 1,
        "ids.repeated": 1,
        "ids.shared": 1,
        "content.shared": 1,
    }
    with pytest.raises(ContractError) as caught:
        report.require()
    message = str(caught.value)
    assert "6 of" in message
    assert "no model was loaded" in message
    assert "rows without a value in column 'label': 1, expected none; give every row" in message
    assert "rows of a split that does not exist: 1 ('test'), expected none" in message
    assert "rows whose label is neither 'unsafe' nor 'safe': 1 ('odd')" in message
    assert "images with the same content occur in more than one split: 1 ('08')" in message


@pytest.mark.parametrize("split", ["train", "calibration", "gate"])
def test_a_missing_split_is_a_breach(split: str) -> None:
    rows = whole()
    other = "gate" if split != "gate" else "train"
    rows = replace(rows, splits=tuple(other if s == split else s for s in rows.splits))
    report = check_contract(rows, policy(), hashes(rows))
    assert broken(report)[f"{split}.rows"] is None
    assert not report.holds


def test_splits_that_no_step_uses_are_not_needed() -> None:
    rows = whole()
    rows = replace(rows, splits=("gate",) * len(rows))
    assert check_contract(rows, policy(compress=[]), hashes(rows)).holds


@pytest.mark.parametrize("label", ["unsafe", "safe"])
def test_one_class_only_is_a_breach(label: str) -> None:
    rows = replace(whole(), labels=(label,) * 24)
    assert None in broken(check_contract(rows, policy(), hashes(rows))).values()


def test_a_declared_slice_that_is_absent_is_a_breach() -> None:
    rows = whole()
    rows = replace(rows, columns=rows.columns | {"channel": ("ugc",) * len(rows)})
    found = broken(check_contract(rows, policy(), hashes(rows)))
    assert set(found) == {
        "gate.channel=video.rows",
        "gate.channel=video.positives",
        "gate.short.rows",
        "gate.short.positives",
    }
    assert set(found.values()) == {None}


def test_a_declared_slice_with_too_little_evidence_is_a_breach_that_more_rows_would_mend() -> None:
    rows, short = whole(), policy(evidence={"minimum": {"rows": 5, "positives": 3}})
    report = check_contract(rows, short, hashes(rows))
    found = broken(report)
    assert found["gate.channel=ugc.rows"] == 4
    assert found["gate.channel=ugc.positives"] == 2
    with pytest.raises(TooFewRowsError) as caught:
        report.require()
    assert caught.value.exit_code == 4
    wrong = replace(rows, labels=changed(rows.labels, 1, "odd"))
    with pytest.raises(ContractError) as told:
        check_contract(wrong, short, hashes(rows)).require()
    assert told.value.exit_code == 2


def test_a_step_without_rows_is_a_breach() -> None:
    rows = whole()
    step = {"finetune": {"steps": 1, "data": {"split": "train", "where": {"length": "xl"}}}}
    found = broken(check_contract(rows, policy(compress=[step]), hashes(rows)))
    assert found == {"compress.1.rows": None}


def test_repeats_within_a_split_are_only_a_warning() -> None:
    rows = whole()
    digests = ["same", "same", *hashes(rows)[2:]]
    report = check_contract(rows, policy(), digests)
    assert report.holds
    assert report.warnings == ("1 image(s) repeat the content of another image of the same split",)


def wide(values: int) -> LabelledRows:
    """Rows to be judged on, each of another width."""
    return LabelledRows(
        name="t.csv",
        folder=Path(),
        ids=tuple(map(str, range(values))),
        images=tuple(map(str, range(values))),
        labels=("unsafe", "safe") * (values // 2),
        splits=("gate",) * values,
        columns={"width": tuple(map(str, range(values)))},
    )


def test_a_key_of_many_values_gets_a_hint_and_of_too_many_is_a_breach() -> None:
    asked = policy(slices=[{"by": "width"}], compress=())
    (warning,) = check_contract(wide(60), asked, hashes(wide(60))).warnings
    assert "'width' has 60 values" in warning
    assert "{by: width, quantiles: 4}" in warning
    report = check_contract(wide(2002), asked, hashes(wide(2002)))
    assert broken(report)["slices.values"] == 2002
    with pytest.raises(ContractError, match="expected at most 2,000; put its numbers into"):
        report.require()
    intervals = policy(slices=[{"by": "width", "quantiles": 4}], compress=())
    assert not check_contract(wide(60), intervals, hashes(wide(60))).warnings


def test_a_group_must_not_span_splits() -> None:
    rows = whole()
    clips = ("c1", "c2", "c3") * 8
    rows = replace(rows, columns=rows.columns | {"clip": clips})
    assert broken(check_contract(rows, policy(group="clip"), hashes(rows))) == {"groups.shared": 3}


def test_other_tasks_have_their_own_labels() -> None:
    rows = whole()
    several = policy(task={"kind": "multiclass"})
    assert check_contract(rows, several, hashes(rows)).holds
    single = replace(rows, labels=("a",) * len(rows))
    assert broken(check_contract(single, several, hashes(rows))) == {"labels.classes": 1}
    scores = policy(task={"kind": "score"})
    assert "labels.not_numbers" in broken(check_contract(rows, scores, hashes(rows)))


def test_hostile_names_stay_inert() -> None:
    rows = whole()
    odd = "x' or 1==1 or '\u202e\x1b[31m"
    rows = replace(rows, labels=changed(rows.labels, 1, odd), splits=changed(rows.splits, 2, odd))
    with pytest.raises(ContractError) as caught:
        check_contract(rows, policy(), hashes(rows)).require()
    assert "\u202e" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_an_empty_report_does_not_hold() -> None:
    with pytest.raises(ContractError):
        ContractReport(holds=False, clauses=()).require()
    rows = whole()
    with pytest.raises(InternalError, match="24 rows came with 1 hashes"):
        check_contract(rows, policy(), ["x"])
