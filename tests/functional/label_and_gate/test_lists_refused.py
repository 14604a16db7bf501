"""Lists that come back with what does not fit, and what labels alone cannot judge."""

from __future__ import annotations

import json
import re

import pytest
from tests.functional.label_and_gate.lists import (
    POLICY,
    bare,
    drawn_rows,
    fill,
    label,
    lines,
    part,
    table,
)

from prunegate.cli.label_words import label_lines
from prunegate.errors import InputError, UnsupportedError
from prunegate.outputs.label_list import FRAME
from prunegate.policy.load import read_policy

pytestmark = pytest.mark.slow


def test_what_does_not_fit_is_told_at_once(drawn_list):
    listed = {row.id for row in drawn_list.drawn.frame.rows}
    strange = [row for row in drawn_list.rows if row[0] not in listed][:4]
    odd = fill(drawn_list.out, drawn_list.rows, without=5, more=strange)
    with pytest.raises(InputError) as refused:
        drawn_list.judged(odd.rename(odd.with_name("odd.csv")))
    told = str(refused.value)
    assert "5 rows with no label, though it had to be labelled" in told
    assert "4 rows with a label for a row that is not on the list" in told
    assert all(row[0] in told for row in strange[:3])
    fill(drawn_list.out, drawn_list.rows)


def test_ids_that_a_spreadsheet_cut_are_told_as_such(tmp_path):
    rows = [[f"{int(row[0][1:]):05d}", *row[1:]] for row in drawn_rows(200)]
    out = tmp_path / "list"
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    path, policy = bare(tmp_path / "bare.csv", rows), read_policy(tmp_path / "policy.yaml").policy
    label(policy, path, out)
    labels = fill(out, rows)
    labels.write_text(re.sub(r"(?m)^0+(?=\d)", "", labels.read_text()))
    with pytest.raises(InputError, match="cut the zeros that ids begin with"):
        part(policy, path, out, labels)


def test_another_frame_is_refused(tmp_path, drawn_list):
    policy, labels = drawn_list.policy, drawn_list.labels
    frame = json.loads((drawn_list.out / FRAME).read_text())
    moved = [[*row[:3], 0.51, row[4]] if row[0] == "r7" else row for row in drawn_list.rows]
    with pytest.raises(InputError, match="another predictions table"):
        drawn_list.judged(path=bare(tmp_path / "moved.csv", moved))
    looser = policy.model_copy(update={"rules": policy.rules[1:]})
    with pytest.raises(InputError, match="another policy"):
        part(looser, drawn_list.path, drawn_list.out, labels)
    for text, words in (
        (json.dumps({**frame, "seed": 1}), r"seed 1 draws .*example '(\w+)', (?!'\1')"),
        ("{}", r"is no labelling\.json"),
    ):
        (tmp_path / FRAME).write_text(text)
        with pytest.raises(InputError, match=words):
            part(policy, drawn_list.path, tmp_path, labels)


def test_a_label_that_the_task_does_not_have_is_told_of_the_file_it_is_in(tmp_path, drawn_list):
    first = lines(drawn_list.out)[1][0]
    odd = [[*row[:2], "maybe" if row[0] == first else row[2], *row[3:]] for row in drawn_list.rows]
    path = fill(drawn_list.out, odd).rename(tmp_path / "odd.csv")
    with pytest.raises(InputError) as refused:
        drawn_list.judged(path)
    told = str(refused.value)
    assert told.startswith(f"{path}: does not fit the list")
    assert "1 row with a label beside 'unsafe' and 'safe' ('maybe')" in told
    assert repr(first) in told
    fill(drawn_list.out, drawn_list.rows)


def test_models_that_decide_all_rows_alike_are_told_to_be_so(tmp_path, drawn_list):
    rows = [[*row[:3], 0.2, 0.2] for row in drawn_rows(60)]
    rules = tuple(r for r in drawn_list.policy.rules if r.metric != "specificity")
    policy = drawn_list.policy.model_copy(update={"rules": rules})
    with pytest.raises(InputError, match=r"one and the same decision .* 'task: threshold'"):
        label(policy, bare(tmp_path / "low.csv", rows), tmp_path / "list")
    assert not (tmp_path / "list").exists()
    high = bare(tmp_path / "high.csv", [[*row[:3], 0.9, 0.9] for row in rows])
    drawn = label(policy, high, tmp_path / "list")
    assert all(one.constant and not one.likely for one in drawn.reference)
    assert "no labels can tell" in "\n".join(label_lines(drawn, tmp_path))


def test_a_label_that_contradicts_the_table_is_refused(tmp_path, drawn_list):
    other = {"safe": "unsafe", "unsafe": "safe"}
    turned = [[*row[:2], other[row[2]], *row[3:]] for row in drawn_list.rows]
    with pytest.raises(InputError, match="another label than the predictions table has"):
        drawn_list.judged(path=table(tmp_path / "turned.csv", turned))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("group: author\n", "'group: author' cannot be judged on labels for some rows"),
        (
            "rules: [{metric: f1, at_most: 0.9}, {metric: mcc, at_least: 0.1}]\n",
            r"rules\[0\] \(f1 at_most\), rules\[1\] \(mcc at_least\): .* give --random N",
        ),
        (
            "task: {kind: score}\nrules: [{metric: mean_score, max_drop: 0.1}]\n",
            "score task cannot be judged on labels for some",
        ),
    ],
)
def test_what_cannot_be_judged_on_some_labels_is_refused_by_name(tmp_path, change, words):
    rows = drawn_rows(60)
    key = change.split(":")[0]
    kept = POLICY.split("rules:", maxsplit=1)[0] if "rules:" in change else POLICY
    lines = [line for line in kept.splitlines() if not line.startswith(key)]
    path = tmp_path / "p.yaml"
    path.write_text("\n".join(lines) + "\n" + change, encoding="utf-8")
    policy = read_policy(path).policy
    with pytest.raises(UnsupportedError, match=words):
        label(policy, bare(tmp_path / "bare.csv", rows), tmp_path / "list")
    assert not (tmp_path / "list").exists()


def test_values_that_look_alike_are_told_before_anybody_labels(tmp_path, source):
    rows = drawn_rows(300)
    rows[0][1] = "Text"
    drawn = label(source.policy, bare(tmp_path / "b.csv", rows), tmp_path / "list", random=30)
    told = [line for line in label_lines(drawn, tmp_path) if line.startswith("note: ")]
    assert len(told) == 1
    assert "In slicing key 'kind' the values 'Text' and 'text' differ in blanks, case" in told[0]
