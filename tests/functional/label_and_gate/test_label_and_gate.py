"""From predictions without labels to a verdict (docs/guides/label.md).

Laws: with every row on the list and labelled, the partial gate finds what the full gate finds;
adding labels never turns an honest frame into bad input; the order of rows changes nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.functional.label_and_gate.lists import (
    POLICY,
    bare,
    drawn_rows,
    fill,
    findings,
    label,
    part,
    table,
)

from prunegate.audit.labelling_record import labelling_of, partial_slices
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.audit.read import kept_form
from prunegate.audit.replay import replay
from prunegate.cli.audit_replay import command as replay_command
from prunegate.cli.gate import command as gate_command
from prunegate.cli.label import command as label_command
from prunegate.cli.label_words import label_lines
from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.labelled_part import LabelledPart
from prunegate.errors import EvidenceError, InputError
from prunegate.outputs.label_list import FRAME, TO_LABEL
from prunegate.policy.load import read_policy
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import BEATS_CONSTANT

pytestmark = pytest.mark.slow


def full(policy, path: Path):
    return findings(policy, count_table(policy, open_predictions(policy, [path], with_ids=True)))


def test_the_whole_way(tmp_path, source, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = drawn_rows(3000)
    path, out = bare(tmp_path / "bare.csv", rows), tmp_path / "list"
    run = CliRunner().invoke
    words = [str(source.path), "--predictions", str(path)]
    drew = run(label_command, [*words, "-o", str(out)], standalone_mode=False)
    assert drew.return_value == 0, drew
    assert "recall max_drop on kind=video" in drew.output
    labels = fill(out, rows)
    told = ["--labels", str(labels), "--labelling", str(out / FRAME)]
    judged = run(gate_command, [*words, *told, "--out", "verdict"], standalone_mode=False)
    assert judged.return_value == 0, judged
    record = json.loads(Path("verdict/record.json").read_text())
    listed = json.loads((out / FRAME).read_text())["rows"]
    assert record["outcome"] == "approve"
    assert record["labelling"]["labelled"] == len(listed) < 1200
    assert f"Labels of {len(listed):,} of 3,000 rows" in record["statement"]
    page = Path("verdict/report.html").read_text()
    assert record["statement"].split(" This is")[0] in page
    assert "Both values are upper bounds" in page
    assert "Values are estimates" in page
    _bounds_are_told(record, page, judged.output)
    estimated = {f["metric"] for f in record["findings"] if "values_estimated" in f}
    assert estimated == {"precision"}
    assert [item["role"] for item in record["inputs"]] == ["predictions", "label_list", "labelling"]
    again = ["verdict/record.json", "--predictions", str(path)]
    assert run(replay_command, [*again, *told], standalone_mode=False).return_value == 0
    with pytest.raises(EvidenceError, match="give the filled-in"):
        run(replay_command, again, standalone_mode=False, catch_exceptions=False)
    stored = kept_form(Path("verdict/record.json").read_bytes())
    part = LabelledPart(predictions=[path], labels=(labels,), frame=out / FRAME)
    other = replace(stored.record.labelling, labelled=len(listed) - 1)
    claimed = replace(stored, record=replace(stored.record, labelling=other))
    with pytest.raises(EvidenceError, match="these labels and this list do not give the record's"):
        replay(claimed, part)


def _bounds_are_told(record, page: str, console: str) -> None:
    """Every place that tells a value of some labels says that it is a bound."""
    words = re.sub(r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]+>", " ", page, flags=re.S))
    labelled = record["labelling"]["labelled"]
    told = f"{labelled:,} of 3,000 rows are labelled"
    summary, junit = (Path("verdict", name).read_text() for name in ("summary.md", "junit.xml"))
    assert told in console
    assert told in summary
    assert told in junit
    assert f"on 3,000 items, {labelled:,} of them labelled" in words
    assert f"at least {record['slices'][0]['positives']:,} (" in words
    first = words.partition("For engineers")[0]  # what goes wrong is bounded the other way
    bounded = [f["candidate"] for f in record["findings"] if f.get("values_at_most")]
    assert any(f"at least {100 - round(100 * value, 1):.1f}" in first for value in bounded)
    for finding in (one for one in record["findings"] if one["baseline"] is not None):
        kappa, bound = finding["check"] == BEATS_CONSTANT, finding.get("values_at_most")
        assert kappa == bool(finding.get("values_at_least"))
        shown = f"{finding['baseline']:.3f}" if kappa else f"{100 * finding['baseline']:.1f}"
        if bound or kappa:
            assert f"{'at most' if bound else 'at least'} {shown}" in words
        if kappa:
            assert f"Kappa at least {shown}" in junit


def test_a_rate_that_is_better_when_low_is_bounded_from_below(tmp_path, drawn_list):
    rule = "{metric: specificity, max_drop: 0.03}"
    other = "{metric: false_positive_rate, max_rise: 0.03}"
    (tmp_path / "policy.yaml").write_text(POLICY.replace(rule, other), encoding="utf-8")
    policy = read_policy(tmp_path / "policy.yaml").policy
    found = (
        findings(policy, drawn_list.partial.counted),
        full(policy, table(tmp_path / "full.csv", drawn_list.rows)),
    )
    partial, whole = ({f.metric: f for f in one if f.slice == "overall"} for one in found)
    bounds = {name: partial[name].values_are for name in ("recall", "accuracy", "reference")}
    assert bounds == {"recall": "at_most", "accuracy": "at_most", "reference": "at_least"}
    assert partial["false_positive_rate"].values_are == "at_least"
    for name, bound in {**bounds, "false_positive_rate": "at_least"}.items():
        above = partial[name].baseline - whole[name].baseline
        assert above >= 0 if bound == "at_most" else above <= 0
    assert {one.values_are for one in whole.values()} == {None}


@pytest.mark.parametrize("looks", [1, 3])
def test_nobody_is_told_to_label_more_rows_than_have_no_label(tmp_path, drawn_list, looks):
    text = POLICY.replace("max_drop: 0.10}", "max_drop: 0.011}")
    (tmp_path / "policy.yaml").write_text(f"{text}evidence: {{looks: {looks}}}\n", encoding="utf-8")
    policy = read_policy(tmp_path / "policy.yaml").policy
    counted = drawn_list.partial.counted
    tallies = {s.name: s.tally for s in counted.slices}
    left = {n: t.decided[3] - t.cells[3] - t.cells[7] for n, t in tallies.items()}
    still_open = [f for f in findings(policy, counted) if f.metric == "recall"]
    assert still_open
    for one in still_open:
        enough = one.open_because == "some labels"
        said = f"{left[one.slice]:,} rows that both models decide so"
        assert (one.needed is None) == enough
        assert f"{'label more' if enough else 'labels'} of the {said}" in one.note
        assert ("--more" in one.note) == (enough and looks > 1)
    whole = full(policy, table(tmp_path / "full.csv", drawn_list.rows))
    assert all(f.open_because != "some labels" for f in whole)


def test_every_row_labelled_is_the_full_gate(tmp_path):
    rows = drawn_rows(200)
    path, out = tmp_path / "policy.yaml", tmp_path / "list"
    path.write_text(POLICY + "  - {metric: f1, slices: all, at_least: 0.5}\n", encoding="utf-8")
    policy = read_policy(path).policy  # F1 asks for a random sample: here of all rows
    label(policy, bare(tmp_path / "bare.csv", rows), out, random=200)
    partial = part(policy, tmp_path / "bare.csv", out, fill(out, rows))
    assert partial.looked_at == 200
    assert findings(policy, partial.counted) == full(policy, table(tmp_path / "full.csv", rows))


def test_what_is_exact_is_what_all_labels_say(tmp_path, drawn_list):
    told = findings(drawn_list.policy, drawn_list.partial.counted)
    known = full(drawn_list.policy, table(tmp_path / "full.csv", drawn_list.rows))
    for part_of, whole in zip(told, known, strict=True):
        assert (part_of.metric, part_of.slice) == (whole.metric, whole.slice)
        if part_of.metric in ("accuracy", "negative_flip_rate", "churn"):
            assert part_of.p_value == whole.p_value
        else:
            assert (part_of.lost, part_of.gained) == (whole.lost, whole.gained)
            assert part_of.p_value >= whole.p_value - 1e-9


def test_labels_that_are_there_are_used_and_never_bad_input(tmp_path, drawn_list):
    rows, policy = drawn_list.rows, drawn_list.policy
    some = [[*row[:2], row[2] if int(row[0][1:]) % 3 else "", *row[3:]] for row in rows]
    path, out = table(tmp_path / "some.csv", some), tmp_path / "list"
    drawn = label(policy, path, out)
    known = {row[0] for row in some if row[2]}
    listed = {row.id for row in drawn.frame.rows}
    assert {row.id for row in drawn.frame.rows if row.labelled} == known & listed
    assert part(policy, path, out, fill(out, rows)).looked_at == len(known | listed)
    more = table(tmp_path / "more.csv", rows)  # somebody labelled all the others meanwhile
    assert findings(policy, part(policy, more, out, fill(out, rows)).counted) == full(policy, more)


def test_the_order_of_rows_changes_nothing(tmp_path, drawn_list):
    turned = bare(tmp_path / "turned.csv", drawn_list.rows[::-1])
    assert drawn_list.judged(path=turned).counted == drawn_list.partial.counted


def test_the_verdict_follows_from_what_the_record_keeps(drawn_list):
    partial = drawn_list.partial
    verdict = decide(drawn_list.policy, partial.counted.slices)
    kept = labelling_of(partial)
    assert decide(drawn_list.policy, partial_slices(verdict.slices, kept)) == verdict
    with pytest.raises(InputError, match="entries for"):
        partial_slices(verdict.slices, replace(kept, slices=kept.slices[1:]))


def test_a_row_that_nobody_can_label_counts_against_whatever_it_helps(tmp_path, drawn_list):
    every = drawn_list.partial.looked_at
    differing = sorted(row.id for row in drawn_list.drawn.frame.rows if "differs" in row.why)
    sampled = sorted(row.id for row in drawn_list.drawn.frame.rows if "differs" not in row.why)
    doubted = {*differing[:2], *sampled[:3]}
    truth = [[*row[:2], "unsure" if row[0] in doubted else row[2]] for row in drawn_list.rows]
    labels = fill(drawn_list.out, truth).rename(tmp_path / "unsure.csv")
    partial = drawn_list.judged(labels)
    told = decide(drawn_list.policy, partial.counted.slices)
    second_opinion(drawn_list.policy, told)
    assert partial.counted.slices[0].tally.labelled == every - len(doubted)
    kept = labelling_of(partial)
    assert decide(drawn_list.policy, partial_slices(told.slices, kept)) == told
    for both in ("safe", "unsafe"):
        settled = [[*row[:2], both if row[0] in doubted else row[2]] for row in drawn_list.rows]
        path = fill(drawn_list.out, settled).rename(tmp_path / f"{both}.csv")
        known = findings(drawn_list.policy, drawn_list.judged(path).counted)
        for one, other in zip(told.findings, known, strict=True):
            assert _p(one.p_value) >= _p(other.p_value) - 1e-9
            assert _p(one.p_harm) >= _p(other.p_harm) - 1e-9
            assert one.status != "pass" or other.status == "pass"
    fill(drawn_list.out, drawn_list.rows)


def _p(value: float | None) -> float:
    return 1.0 if value is None else value


def test_a_list_of_rows_that_all_have_their_label_asks_for_none_and_is_judged(tmp_path, drawn_list):
    path, out = table(tmp_path / "full.csv", drawn_list.rows), tmp_path / "list"
    drawn = label(drawn_list.policy, path, out)
    assert (out / TO_LABEL).read_text(encoding="utf-8") == "id,kind,label\n"
    assert "nothing is left to label; judge with" in label_lines(drawn, out)
    counted = part(drawn_list.policy, path, out, out / TO_LABEL).counted
    full = count_table(drawn_list.policy, open_predictions(drawn_list.policy, path))
    assert findings(drawn_list.policy, counted) == findings(drawn_list.policy, full)
