"""What stands on a list of rows to label, and what it costs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from tests.functional.label_and_gate.lists import (
    AT,
    POLICY,
    bare,
    drawn_rows,
    fill,
    findings,
    label,
    lines,
    part,
)

from prunegate.audit.labelling_record import labelling_of, partial_slices
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.cli.label_words import label_lines
from prunegate.counting.labelling import slice_places
from prunegate.counting.list_size import ListSize
from prunegate.counting.partial_counting import open_unlabelled, with_labels
from prunegate.data.labelled.contents import RowContents
from prunegate.errors import InputError
from prunegate.outputs.label_list import TASKS, write_list
from prunegate.planning.label_draw import draw_labels
from prunegate.planning.label_plan import LabelRequest
from prunegate.policy.load import read_policy
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import BEATS_CONSTANT

pytestmark = pytest.mark.slow


def test_labelling_is_blind(drawn_list):
    listed = lines(drawn_list.out)
    assert listed[0] == ["id", "kind", "label"]
    assert all(row[2] == "" for row in listed[1:])
    assert {row[0] for row in listed[1:]} == {row.id for row in drawn_list.drawn.frame.rows}
    tasks = json.loads((drawn_list.out / TASKS).read_text())
    assert [task["data"]["id"] for task in tasks] == [row[0] for row in listed[1:]]
    assert set(tasks[0]["data"]) == {"id", "kind"}


def test_the_list_holds_what_differs_and_the_samples_that_it_says(drawn_list):
    differing = {row[0] for row in drawn_list.rows if row[3] != row[4]}
    listed = drawn_list.drawn.frame.rows
    assert {row.id for row in listed if "differs" in row.why} == differing
    alike = [row for row in listed if row.id not in differing]
    assert alike
    assert all(set(row.why) <= {"sampled", "reference"} for row in alike)


def test_a_list_shows_on_every_judged_slice_that_the_baseline_knows_something(drawn_list):
    told = {one.slice: one for one in drawn_list.drawn.reference}
    assert set(told) == {"overall", "kind=text", "kind=video"}
    assert all(one.likely and one.both + one.neither <= 120 for one in told.values())
    kinds = {row[0]: (row[1], row[3], row[4]) for row in drawn_list.rows}
    asked = [kinds[row.id] for row in drawn_list.drawn.frame.rows if "reference" in row.why]
    for kind in ("text", "video"):
        flagged = sum(one == (kind, 0.9, 0.9) for one in asked)
        assert flagged >= told[f"kind={kind}"].both or told[f"kind={kind}"].both == 0
    found = findings(drawn_list.policy, drawn_list.partial.counted)
    assert all(f.status == "pass" for f in found if f.check == BEATS_CONSTANT)


def test_a_coin_is_held_up_on_the_list_that_was_drawn_for_it(tmp_path, drawn_list):
    random = np.random.default_rng(5)
    labels = random.permutation([row[2] for row in drawn_list.rows])
    rows = [[*row[:2], label, *row[3:]] for row, label in zip(drawn_list.rows, labels, strict=True)]
    partial = part(drawn_list.policy, drawn_list.path, drawn_list.out, fill(drawn_list.out, rows))
    verdict = decide(drawn_list.policy, partial.counted.slices)
    held_up = [f for f in verdict.findings if f.check == BEATS_CONSTANT]
    assert verdict.outcome != "approve"
    assert [(f.status, f.open_because) for f in held_up] == [("inconclusive", "not shown")] * 3
    second_opinion(drawn_list.policy, verdict)
    kept = labelling_of(partial)
    assert decide(drawn_list.policy, partial_slices(verdict.slices, kept)) == verdict
    fill(drawn_list.out, drawn_list.rows)


def test_who_asks_nothing_of_the_reference_labels_nothing_for_it(tmp_path, drawn_list):
    path = tmp_path / "off.yaml"
    path.write_text(POLICY + "evidence: {reference: off}\n", encoding="utf-8")
    drawn = label(read_policy(path).policy, drawn_list.path, tmp_path / "list")
    assert not drawn.reference
    assert not any("reference" in row.why for row in drawn.frame.rows)
    asked = label(drawn_list.policy, drawn_list.path, tmp_path / "more", reference=30)
    assert {(one.both, one.neither) for one in asked.reference} >= {(30, 30)}


def test_a_list_costs_no_more_than_its_budget(tmp_path, drawn_list):
    tight = label(drawn_list.policy, drawn_list.path, tmp_path / "tight", budget=230)
    assert len(tight.frame.rows) <= 230 < len(drawn_list.drawn.frame.rows)
    with pytest.raises(InputError, match="have to be labelled at the very least"):
        label(drawn_list.policy, drawn_list.path, tmp_path / "none", budget=5)


def test_limits_on_all_rows_say_what_rows_they_take_and_what_power_those_buy(tmp_path):
    text = POLICY.split("rules:", maxsplit=1)[0]
    rules = "[{metric: f1, max_drop: 0.1}, {metric: recall, at_least: 0.7}]"
    (tmp_path / "p.yaml").write_text(f"{text}rules: {rules}\n", encoding="utf-8")
    policy, path = read_policy(tmp_path / "p.yaml").policy, bare(tmp_path / "b.csv", drawn_rows())
    planned = label(policy, path, tmp_path / "planned")
    few = label(policy, path, tmp_path / "few", random=60)
    for enough, less in zip(planned.limits, few.limits, strict=True):
        assert enough.power is not None
        assert less.power is not None
        assert less.labels == 60 < enough.labels < enough.rows
        assert less.power < 0.9 < enough.power + 0.005
    lines = "\n".join(label_lines(planned, tmp_path / "planned"))
    assert "for models whose recall and precision are 85 %" in lines


def test_tasks_hold_the_text_or_the_picture_and_no_score(tmp_path, drawn_list):
    policy, drawn = drawn_list.policy, drawn_list.drawn
    first, second, *_ = (row["id"] for row in drawn.to_label)
    picture = tmp_path / "a.png"
    Image.new("RGB", (2, 2)).save(picture)
    contents = RowContents(pictures={second: picture}, texts={first: "what it says"})
    write_list(policy, drawn, tmp_path / "list", contents)
    tasks = json.loads((tmp_path / "list" / TASKS).read_text(encoding="utf-8"))
    assert tasks[0]["data"] == {**drawn.to_label[0], "text": "what it says"}
    assert tasks[1]["data"] == {**drawn.to_label[1], "image": str(picture)}
    assert tasks[2]["data"] == drawn.to_label[2]


@pytest.mark.parametrize("budget", [230, 320])
def test_a_budget_counts_a_row_that_samples_share_once(drawn_list, tmp_path, budget):
    policy, path = drawn_list.policy, drawn_list.path
    drawn = draw_labels(policy, [path], LabelRequest(budget=budget), seed=0, at=AT)
    table = with_labels(policy, open_unlabelled(policy, [path]), {})
    size = ListSize(places=slice_places(policy, table, 0))
    assert size.of(drawn.frame.slices) == len(drawn.frame.rows) <= budget
