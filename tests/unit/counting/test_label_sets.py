"""Rows with several labels: read from whatever shape, counted exactly, refused with all reasons."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as oracle
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.unit.counting import label_set_tables as tables
from tests.unit.counting.label_set_tables import LABELS

import prunegate
from prunegate.counting.cluster_sums import Clusters
from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.label_sets import LabelSets
from prunegate.data.predictions.lists_beside import NAMES_DIFFER, SCORES_DIFFER
from prunegate.errors import MissingColumnsError, TableError
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

pytestmark = pytest.mark.slow

SAME = tables.scores(3, 40)
RULES = (
    "{metric: recall, slices: all, classes: each, max_drop: 0.2}",
    "{metric: precision, slices: kind, classes: micro, max_drop: 0.2}",
    "{metric: subset_accuracy, max_drop: 0.2}",
)


def counted(policy: Policy, source: Any) -> tuple[Any, ...]:
    """Every slice with its tally, and how its decisions occur together."""
    slices = count_table(policy, open_predictions(policy, source)).slices
    return slices, [getattr(one.tally, "clusters", None) for one in slices]


@cache
def expected() -> tuple[Any, ...]:
    """What is counted in ``SAME``, of a column for each label."""
    return counted(tables.policy(*RULES), SAME)


def test_every_shape_of_the_same_scores_is_counted_alike(tmp_path: Path) -> None:
    policy = tables.policy(*RULES)
    for source in tables.of_scores(SAME, tmp_path):
        assert counted(policy, source) == expected(), source


def test_decisions_are_read_from_names_as_from_columns(tmp_path: Path) -> None:
    policy = tables.policy(*RULES, task=tables.DECIDED)
    for source in tables.of_decisions(SAME, tmp_path):
        assert counted(policy, source) == expected(), source


def test_names_in_lists_are_read_as_json_writes_them(tmp_path: Path) -> None:
    """Escapes of letters that are no ASCII, quotes and line ends; a label is never another's."""
    names = ["\u00fcn\u00ef", "u00fc", 'a"q', "two\nlines"]
    rows = [[], *([name] for name in names), names[:2], names[2:]] * 10
    cells = [json.dumps(row) for row in rows]
    path = tmp_path / "t.csv"
    columns = dict.fromkeys(("label", "baseline", "candidate"), cells)
    pd.DataFrame({"id": range(len(rows)), **columns}).to_csv(path, index=False)
    policy = parse_policy(
        f"prunegate: 1\nname: x\ntask: {{kind: multilabel, labels: {json.dumps(names)}}}\n"
        "rules: [{metric: subset_accuracy, max_drop: 0.2}]\n"
    )
    tally = count_table(policy, open_predictions(policy, path)).slices[0].tally
    assert {name: one.positives for name, one in tally.labels.items()} == dict.fromkeys(names, 20)


def test_labels_and_both_models_come_in_files_of_their_own(tmp_path: Path) -> None:
    data = SAME
    tables.listed(data)[["id", "kind", "label"]].to_parquet(tmp_path / "labels.parquet")
    for role in ("baseline", "candidate"):
        own = data[["id"]].assign(**{f"p_{n}": data[f"{role}_{n}"] for n in LABELS})
        own.sample(frac=1, random_state=1).to_csv(tmp_path / f"{role}.csv.gz", index=False)
    found = counted(
        tables.policy(*RULES, more="data: {scores: {prefix: p_}}\n"),
        {
            "labels": tmp_path / "labels.parquet",
            "baseline_predictions": tmp_path / "baseline.csv.gz",
            "candidate_predictions": tmp_path / "candidate.csv.gz",
        },
    )
    assert found == expected()


def test_thresholds_can_be_one_for_all_one_a_model_or_one_a_label() -> None:
    one = expected()
    head = "{kind: multilabel, labels: [violence, adult, hate], threshold: "
    for told in ("{violence: 0.5, adult: 0.5, hate: 0.5}", "{baseline: 0.5, candidate: 0.5}"):
        assert counted(tables.policy(*RULES, task=f"{head}{told}}}"), SAME) == one
    task = f"{head}{{violence: 0.5, adult: 0.5, hate: 0.9}}}}"
    other = counted(tables.policy(*RULES, task=task), SAME)
    (before, *_), (after, *_) = one[0], other[0]
    assert before.tally.of_class("adult") == after.tally.of_class("adult")
    assert before.tally.of_class("hate") != after.tally.of_class("hate")


def test_logits_are_put_through_the_sigmoid() -> None:
    logits = SAME.copy()
    for role in ("baseline", "candidate"):
        for label in LABELS:
            share = SAME[f"{role}_{label}"].clip(1e-9, 1 - 1e-9)
            logits[f"{role}_{label}"] = np.log(share / (1 - share)).round(12)
    policy = tables.policy(*RULES, more="data: {scores: {activation: sigmoid}}\n")
    assert counted(policy, logits) == expected()


def test_a_score_of_32_bits_in_a_list_reaches_the_threshold_that_its_decimals_reach() -> None:
    task = "{kind: multilabel, labels: [violence, adult, hate], threshold: 0.7}"
    labels = [["hate"], [], ["adult"], []]
    data = pd.DataFrame({"id": range(4), "kind": list("abab"), "label": labels})
    for role in ("baseline", "candidate"):
        data[role] = [np.array([0.1, 0.2, 0.7], np.float32)] * 4
    slices, _ = counted(tables.policy(*RULES, task=task), data)
    hate = slices[0].tally.of_class("hate").cells
    assert hate[0b111] + hate[0b011] == 4


BROKEN: dict[str, tuple[Any, tuple[str, ...]]] = {
    "label_hate": (2, ("no yes or no", "'r1'")),
    "baseline_adult": (float("nan"), ("no score between 0 and 1", "nothing at id 'r1'")),
    "candidate_violence": (1.5, ("no score between 0 and 1", "1.5 at id 'r1'")),
}


def test_one_error_lists_every_column_that_cannot_be_read_with_counts_and_ids() -> None:
    data = tables.scores(8, 50)
    for column, (value, _) in BROKEN.items():
        data[column] = data[column].astype(object if column == "label_hate" else float)
        data.loc[1:5, column] = value
    data["label_hate"] = data["label_hate"].astype(float)
    with pytest.raises(TableError) as error:
        prunegate.judge(tables.policy(*RULES), data)
    said = str(error.value)
    assert "3 problems" in said
    for column, (_, words) in BROKEN.items():
        line = next(line for line in said.splitlines() if repr(column) in line)
        assert "5 rows with" in line
        assert all(word in line for word in words)
        assert line.count("at id") == 3 or line.count("nothing") <= 3


def test_unknown_names_and_missing_lists_are_counted() -> None:
    data = tables.named(tables.scores(9, 20))
    data.at[3, "label"] = ["weapons", "hate"]
    data.at[4, "candidate"] = None
    data.at[5, "baseline"] = ["Hate"]
    with pytest.raises(TableError) as error:
        prunegate.judge(tables.policy(*RULES, task=tables.DECIDED), data)
    said = str(error.value)
    assert "3 problems" in said
    assert "1 row with a label that 'task: labels' does not list" in said
    assert "'weapons|hate' at id 'r3'" in said
    assert "1 row with no list of labels (for example nothing at id 'r4')" in said


def test_names_under_a_threshold_are_told_apart_from_scores() -> None:
    with pytest.raises(TableError) as error:
        prunegate.judge(tables.policy(*RULES), tables.named(tables.scores(9, 20)))
    said = str(error.value)
    assert "'baseline_" not in said
    assert "column 'baseline': 20 rows with no score of 'hate' between 0 and 1" in said
    assert "remove 'threshold' from 'task'" in said


def as_text(names: list[str]) -> str:
    return "|".join(names) or "none"


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_names_beside_columns_have_to_say_the_same(tmp_path: Path, ending: str) -> None:
    data, path = SAME, tmp_path / f"t.{ending}"
    lists, policy = tables.named(data)["label"], tables.policy(*RULES)
    told = lists.map(as_text) if ending == "csv" else lists
    assert counted(policy, written(data.assign(label=told), path)) == expected()
    rows = [3, 8, 9, 20]
    lists[rows] = lists[rows].map(lambda names: [one for one in LABELS if one not in names])
    told = lists.map(as_text) if ending == "csv" else lists
    with pytest.raises(TableError) as error:
        prunegate.judge(policy, written(data.assign(label=told), path))
    found = ", ".join(f"'{as_text(lists[n])}' at id 'r{n}'" for n in (20, 3, 8))
    said = f"'label': 4 rows with {NAMES_DIFFER} (for example {found})"
    assert said in str(error.value)


def test_scores_listed_beside_columns_have_to_be_the_same() -> None:
    data, policy = SAME, tables.policy(*RULES)
    listed = tables.listed(data)["baseline"].map(np.float32)
    assert counted(policy, data.assign(baseline=listed)) == expected()
    listed[5] = listed[5][::-1]
    with pytest.raises(TableError, match=rf"'baseline': 1 row with {SCORES_DIFFER}"):
        counted(policy, data.assign(baseline=listed))


@pytest.mark.parametrize("overall", [1, 0.5, True, None])
def test_a_verdict_a_row_beside_columns_is_no_list(overall: object) -> None:
    data = SAME.assign(label=overall, baseline=overall)
    assert counted(tables.policy(*RULES), data) == expected()


def written(data: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        data.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        data.to_json(path, orient="records", lines=True)
    else:
        data.to_parquet(path, index=False)
    return path


def test_a_missing_column_is_named_with_what_is_nearest_to_it() -> None:
    data = tables.scores(9, 20).rename(columns={"label_hate": "label_hatred"})
    with pytest.raises(MissingColumnsError, match=r"'label_hate' \(did you mean 'label_hatred'"):
        prunegate.judge(tables.policy(*RULES), data)


def tallies_of(data: pd.DataFrame) -> dict[str, LabelSets]:
    """The tally of every slice by its name."""
    policy = tables.policy(*RULES)
    slices = count_table(policy, open_predictions(policy, data)).slices
    found = {one.name: one.tally for one in slices}
    assert all(isinstance(tally, LabelSets) for tally in found.values())
    return found


METRICS = ("recall", "precision", "f1", "accuracy")
SCORES = {
    "recall": oracle.recall_score,
    "precision": oracle.precision_score,
    "f1": oracle.f1_score,
}


@settings(max_examples=2, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(0, 10**6))
def test_every_metric_is_what_scikit_learn_says_of_every_slice_and_label(seed: int) -> None:
    data = tables.scores(seed, 80, noise=0.2)
    tallies = tallies_of(data)
    for name in ("overall", "kind=a", "kind=b"):
        tally = tallies[name]
        flags = tables.decisions(data if name == "overall" else data[data.kind == name[-1]])
        for metric in (*METRICS, "subset_accuracy"):
            for label in (None, *LABELS) if metric in METRICS else (None,):
                found = evidence(WantedMetric(metric=metric, class_label=label), tally)
                _require(found, metric, label, "macro", flags)
        for metric in METRICS:
            _require(
                evidence(WantedMetric(metric=metric), tally.pooled), metric, None, "micro", flags
            )


def _require(found: Any, metric: str, label: str | None, how: str, flags: Any) -> None:
    for role in ("baseline", "candidate"):
        truth, made = flags["label"], flags[role]
        if label is not None:
            truth, made = (part[:, LABELS.index(label)] for part in (truth, made))
            how = "binary"
        if metric == "subset_accuracy":
            expected = oracle.accuracy_score(truth, made)
        elif metric == "accuracy":
            expected = 1 - oracle.hamming_loss(truth, made)
        else:
            expected = SCORES[metric](truth, made, average=how, zero_division=np.nan)
        got = getattr(found, role)
        assert got is None or float(got) == pytest.approx(expected, abs=1e-12), (metric, label)


@settings(max_examples=2, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(0, 10**6))
def test_decisions_occur_together_as_counted_row_by_row(seed: int) -> None:
    data = tables.scores(seed, 40, noise=0.3)
    flags = tables.decisions(data)
    cell = 4 * flags["label"] + 2 * flags["baseline"] + flags["candidate"]
    held = np.stack([(cell == k).sum(1) for k in range(8)], axis=1)
    clusters = tallies_of(data)["overall"].clusters
    assert isinstance(clusters, Clusters)
    assert clusters.groups == len(data)
    for one in range(8):
        for other in range(8):
            both = int(((held[:, one] > 0) & (held[:, other] > 0)).sum())
            if product := int(held[:, one] @ held[:, other]):
                assert clusters.products[one, other] == product
                assert clusters.shared[one, other] == both
            else:
                assert (one, other) not in clusters.products


def test_slices_add_up_to_all_rows() -> None:
    data = tables.scores(11, 90, noise=0.3)
    tallies = tallies_of(data)
    a, b, whole = (tallies[name] for name in ("kind=a", "kind=b", "overall"))
    assert a + b == whole
    assert (a + b).clusters == whole.clusters
    assert whole.rows == 90
    right = tables.decisions(data)
    both = (right["label"] == right["baseline"]).all(1)
    still = (right["label"] == right["candidate"]).all(1)
    assert whole.lost_gained == (int((both & ~still).sum()), int((~both & still).sum()))
