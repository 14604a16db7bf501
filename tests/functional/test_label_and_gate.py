"""From predictions without labels to a verdict (docs/guides/label.md), and what is refused.

Laws: with every row on the list and labelled, the partial gate finds what the full gate finds;
adding labels never turns an honest frame into bad input; the order of rows changes nothing.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from prunegate.audit.labelling_record import labelling_of, partial_slices
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.audit.read import kept_form
from prunegate.audit.replay import replay
from prunegate.cli.audit_replay import command as replay_command
from prunegate.cli.gate import command as gate_command
from prunegate.cli.label import command as label_command
from prunegate.cli.label_words import label_lines
from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.labelled_part import LabelledPart, count_part
from prunegate.counting.labelling import slice_places
from prunegate.counting.list_size import ListSize
from prunegate.counting.partial_counting import open_unlabelled, with_labels
from prunegate.data.labelled.contents import RowContents
from prunegate.errors import EvidenceError, InputError, UnsupportedError
from prunegate.outputs.label_list import FRAME, TASKS, TO_LABEL, write_list
from prunegate.planning.label_draw import DrawnLabels, draw_labels
from prunegate.planning.label_plan import LabelRequest
from prunegate.policy.load import read_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import BEATS_CONSTANT

pytestmark = pytest.mark.slow

POLICY = """prunegate: 1
name: moderation
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [text, video]}]
rules:
  - {metric: recall, slices: all, max_drop: 0.10}
  - {metric: accuracy, slices: all, max_drop: 0.05}
  - {metric: specificity, max_drop: 0.03}
  - {metric: precision, slices: all, max_drop: 0.12}
  - {metric: negative_flip_rate, at_most: 0.05}
  - {metric: churn, at_most: 0.08}
"""
AT = "2026-01-31T12:00:00Z"
HEAD = ("id", "kind", "label", "baseline", "candidate")
Rows = list[list[str]]


def drawn_rows(n: int = 1200, seed: int = 3) -> Rows:
    random = np.random.default_rng(seed)
    positive = random.random(n) < 0.3
    baseline = np.where(positive, random.random(n) < 0.9, random.random(n) < 0.05)
    candidate = np.where(random.random(n) < 0.02, ~baseline, baseline)
    kinds = random.choice(["text", "video"], n)
    scores = [np.where(d, 0.9, 0.1) for d in (baseline, candidate)]
    return [
        [f"r{i}", kinds[i], "unsafe" if positive[i] else "safe", scores[0][i], scores[1][i]]
        for i in range(n)
    ]


def table(path: Path, rows: Rows, *, head: tuple[str, ...] = HEAD) -> Path:
    places = [HEAD.index(name) for name in head]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows([row[place] for place in places] for row in rows)
    return path


def bare(path: Path, rows: Rows) -> Path:
    return table(path, rows, head=tuple(name for name in HEAD if name != "label"))


def lines(out: Path) -> Rows:
    return list(csv.reader((out / TO_LABEL).read_text(encoding="utf-8").splitlines()))


def fill(out: Path, rows: Rows, *, without: int = 0, more: Rows | None = None) -> Path:
    truth = {row[0]: row[2] for row in rows}
    listed = lines(out)
    done = [[row[0], row[1], truth[row[0]]] for row in listed[1 : len(listed) - without]]
    done += [[row[0], row[1], row[2]] for row in more or []]
    path = out.parent / f"{out.name}-filled.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([listed[0], *done])
    return path


@pytest.fixture(name="source")
def _source(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return read_policy(path)


@dataclass(frozen=True, kw_only=True)
class DrawnList:
    """One list for the tests that only read it."""

    rows: Rows
    path: Path
    out: Path
    drawn: DrawnLabels
    policy: Policy
    labels: Path

    def judged(self, labels: Path | None = None, path: Path | None = None):
        return part(self.policy, path or self.path, self.out, labels or self.labels)

    @cached_property
    def partial(self):
        """The labelled part that several tests look at; none of them changes it."""
        return self.judged()


@pytest.fixture(name="drawn_list", scope="module")
def _drawn_list(tmp_path_factory):
    folder = tmp_path_factory.mktemp("label")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    policy = read_policy(folder / "policy.yaml").policy
    rows = drawn_rows()
    path, out = bare(folder / "bare.csv", rows), folder / "list"
    drawn = label(policy, path, out)
    labels = fill(out, rows)
    return DrawnList(rows=rows, path=path, out=out, drawn=drawn, policy=policy, labels=labels)


def label(policy, predictions: Path, out: Path, seed: int = 0, **wanted):
    drawn = draw_labels(policy, [predictions], LabelRequest(**wanted), seed=seed, at=AT)
    write_list(policy, drawn, out)
    return drawn


def part(policy, predictions: Path, out: Path, labels: Path):
    return count_part(
        policy, LabelledPart(predictions=[predictions], labels=(labels,), frame=out / FRAME)
    )


def findings(policy, counted):
    return decide(policy, counted.slices).findings


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


def test_a_list_costs_no_more_than_its_budget(tmp_path, drawn_list):
    tight = label(drawn_list.policy, drawn_list.path, tmp_path / "tight", budget=230)
    assert len(tight.frame.rows) <= 230 < len(drawn_list.drawn.frame.rows)
    with pytest.raises(InputError, match="have to be labelled at the very least"):
        label(drawn_list.policy, drawn_list.path, tmp_path / "none", budget=5)


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


def test_a_list_of_rows_that_all_have_their_label_asks_for_none_and_is_judged(tmp_path, drawn_list):
    path, out = table(tmp_path / "full.csv", drawn_list.rows), tmp_path / "list"
    drawn = label(drawn_list.policy, path, out)
    assert (out / TO_LABEL).read_text(encoding="utf-8") == "id,kind,label\n"
    assert "nothing is left to label; judge with" in label_lines(drawn, out)
    counted = part(drawn_list.policy, path, out, out / TO_LABEL).counted
    full = count_table(drawn_list.policy, open_predictions(drawn_list.policy, path))
    assert findings(drawn_list.policy, counted) == findings(drawn_list.policy, full)


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


def test_values_that_look_alike_are_told_before_anybody_labels(tmp_path, source):
    rows = drawn_rows(300)
    rows[0][1] = "Text"
    drawn = label(source.policy, bare(tmp_path / "b.csv", rows), tmp_path / "list", random=30)
    told = [line for line in label_lines(drawn, tmp_path) if line.startswith("note: ")]
    assert len(told) == 1
    assert "In slicing key 'kind' the values 'Text' and 'text' differ in blanks, case" in told[0]
