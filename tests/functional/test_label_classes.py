"""Several classes with labels for some rows: the whole way, and the laws of labels for some rows.

Changes of accuracy and flips need the rows that differ; one class by itself is a yes/no task; what
is known of neither rests on a random sample.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from prunegate.audit.labelling_record import labelling_of, partial_slices
from prunegate.cli.audit_replay import command as replay_command
from prunegate.cli.gate import command as gate_command
from prunegate.cli.label import command as label_command
from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.labelled_part import LabelledPart, count_part
from prunegate.errors import InputError, UnsupportedError
from prunegate.outputs.label_list import FRAME, TO_LABEL, write_list
from prunegate.planning.label_draw import draw_labels, draw_more
from prunegate.planning.label_plan import LabelRequest
from prunegate.policy.load import read_policy
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import BEATS_CONSTANT

pytestmark = pytest.mark.slow

POLICY = """prunegate: 1
name: species
task: {kind: multiclass}
slices: [{by: place, expect: [lake, shore]}]
evidence: {minimum: {positives: 20}, looks: LOOKS}
rules:
  - {metric: accuracy, slices: all, max_drop: 0.06}
  - {metric: negative_flip_rate, slices: all, at_most: 0.06}
  - {metric: churn, at_most: 0.10}
"""
CLASSES = np.array(["duck", "goose", "heron", "swan"])
AT = "2026-01-31T12:00:00Z"
Rows = list[list[str]]


def drawn_rows(n: int = 800, seed: int = 3, right: float = 0.9, changed: float = 0.02) -> Rows:
    """Id, place, label and both models' labels."""
    random = np.random.default_rng(seed)
    label = random.choice(4, n, p=[0.5, 0.25, 0.15, 0.1])
    baseline = np.where(random.random(n) < right, label, random.integers(0, 4, n))
    candidate = np.where(random.random(n) < changed, random.integers(0, 4, n), baseline)
    place = random.choice(["lake", "shore"], n)
    columns = (CLASSES[label], CLASSES[baseline], CLASSES[candidate])
    return [[f"r{i}", str(place[i]), *(str(one[i]) for one in columns)] for i in range(n)]


def policy_of(folder: Path, rules: str = "", looks: int = 1):
    path = folder / "policy.yaml"
    path.write_text(POLICY.replace("LOOKS", str(looks)) + rules, encoding="utf-8")
    return read_policy(path).policy


def table(path: Path, rows: Rows, *, labels: bool = False) -> Path:
    head = ["id", "place", "label", "baseline", "candidate"]
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = [head, *rows]
        csv.writer(file).writerows(x if labels else [*x[:2], *x[3:]] for x in lines)
    return path


def fill(out: Path, rows: Rows, **instead: str) -> Path:
    truth = {row[0]: row[2] for row in rows} | instead
    listed = list(csv.reader((out / TO_LABEL).read_text(encoding="utf-8").splitlines()))
    path = out / "filled.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        head, *lines = listed
        csv.writer(file).writerows([head, *([*one[:2], truth[one[0]]] for one in lines)])
    return path


def draw(policy, path: Path, out: Path, **wanted):
    drawn = draw_labels(policy, [path], LabelRequest(**wanted), seed=0, at=AT)
    write_list(policy, drawn, out)
    return drawn


def judged(policy, path: Path, labels: Path, out: Path):
    found = count_part(
        policy, LabelledPart(predictions=[path], labels=(labels,), frame=out / FRAME)
    )
    return found, decide(policy, found.counted.slices)


def full(policy, path: Path):
    counted = count_table(policy, open_predictions(policy, [path], with_ids=True))
    return decide(policy, counted.slices)


def test_what_differs_decides_as_all_labels_do(tmp_path):
    policy, rows = policy_of(tmp_path), drawn_rows(1200)
    path, out = table(tmp_path / "bare.csv", rows), tmp_path / "list"
    drawn = draw(policy, path, out)
    found, verdict = judged(policy, path, fill(out, rows), out)
    known = full(policy, table(tmp_path / "full.csv", rows, labels=True))
    assert verdict.outcome == known.outcome == "approve"
    assert {row[0] for row in rows if row[3] != row[4]} <= {row.id for row in drawn.frame.rows}
    assert found.looked_at == len(drawn.frame.rows) < 500
    for one, other in zip(verdict.findings, known.findings, strict=True):
        assert (one.metric, one.slice, one.status) == (other.metric, other.slice, other.status)
        if one.check != BEATS_CONSTANT:
            assert (one.p_value, one.p_harm) == (other.p_value, other.p_harm)
            assert (one.lost, one.gained, one.n) == (other.lost, other.gained, other.n)
    assert decide(policy, partial_slices(verdict.slices, labelling_of(found))) == verdict
    turned = table(tmp_path / "turned.csv", rows[::-1])
    assert judged(policy, turned, out / "filled.csv", out)[1] == verdict


def test_every_row_labelled_is_the_full_gate(tmp_path):
    rules = "  - {metric: recall, classes: each, max_drop: 0.2}\n  - {metric: f1, at_least: 0.5}\n"
    policy, rows = policy_of(tmp_path, rules), drawn_rows(300)
    path, out = table(tmp_path / "bare.csv", rows), tmp_path / "list"
    draw(policy, path, out, random=300)
    found, verdict = judged(policy, path, fill(out, rows), out)
    whole = table(tmp_path / "full.csv", rows, labels=True)
    assert found.looked_at == 300
    assert verdict.findings == full(policy, whole).findings
    again = judged(policy, whole, out / "filled.csv", out)[1]  # labels that are there anyway
    assert again.findings == verdict.findings


@pytest.mark.parametrize("rule", ["recall", "precision"])
def test_one_class_by_itself_is_a_yes_no_task(tmp_path, rule):
    limit = f"  - {{metric: {rule}, classes: [heron], max_drop: 0.1}}\n"
    policy, rows = policy_of(tmp_path, limit), drawn_rows(1500)
    path, out = table(tmp_path / "bare.csv", rows), tmp_path / "list"
    drawn = draw(policy, path, out)
    told = next(one for one in drawn.limits if one.metric == rule)
    assert told.class_label == "heron"
    _, verdict = judged(policy, path, fill(out, rows), out)
    known = full(policy, table(tmp_path / "full.csv", rows, labels=True))
    one, other = (
        next(f for f in v.findings if f.metric == rule and f.slice == "overall")
        for v in (verdict, known)
    )
    assert one.class_label == "heron"
    assert (one.lost, one.gained) == (other.lost, other.gained)
    assert one.p_value == pytest.approx(other.p_value) or one.p_value > other.p_value
    assert one.status == "pass"


def test_a_reference_that_knows_nothing_is_held_up(tmp_path):
    policy, rows = policy_of(tmp_path), drawn_rows()
    labels = np.random.default_rng(5).permutation([row[2] for row in rows])
    coins = [[*row[:2], str(one), *row[3:]] for row, one in zip(rows, labels, strict=True)]
    path, out = table(tmp_path / "bare.csv", rows), tmp_path / "list"
    draw(policy, path, out)
    _, verdict = judged(policy, path, fill(out, coins), out)
    held_up = [f for f in verdict.findings if f.check == BEATS_CONSTANT]
    assert verdict.outcome != "approve"
    assert {f.status for f in held_up} == {"inconclusive"}
    swapped = {"goose": "heron", "heron": "swan", "swan": "goose"}
    names = [[*row[:2], swapped.get(row[2], row[2]), *row[3:]] for row in drawn_rows(right=1.0)]
    only = [row for row in names if row[2] != "duck"]
    path, out = table(tmp_path / "names.csv", only), tmp_path / "names"
    draw(policy, path, out)
    assert judged(policy, path, fill(out, only), out)[1].outcome != "approve"


def test_a_row_that_nobody_can_label_counts_against_whatever_it_helps(tmp_path):
    policy, rows = policy_of(tmp_path), drawn_rows()
    path, out = table(tmp_path / "bare.csv", rows), tmp_path / "list"
    drawn = draw(policy, path, out)
    apart = {row.id for row in drawn.frame.rows if "differs" in row.why}
    alike = sorted({row.id for row in drawn.frame.rows} - apart)
    doubted = [*sorted(apart)[:2], *alike[:2]]
    found, told = judged(policy, path, fill(out, rows, **dict.fromkeys(doubted, "unsure")), out)
    assert decide(policy, partial_slices(told.slices, labelling_of(found))) == told
    decided = {row[0]: row[3:] for row in rows}
    for place in (0, 1):
        settled = {one: decided[one][place] for one in doubted}
        known = judged(policy, path, fill(out, rows, **settled), out)[1]
        for one, other in zip(told.findings, known.findings, strict=True):
            assert (one.p_value or 0) >= (other.p_value or 0) - 1e-12
            assert one.status != "pass" or other.status == "pass"


def test_the_whole_way_in_rounds_and_its_record(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    policy_of(tmp_path, looks=2)
    rows = drawn_rows(2000)
    table(Path("bare.csv"), rows)
    run, words = CliRunner().invoke, ["policy.yaml", "--predictions", "bare.csv"]
    drew = run(label_command, [*words, "-o", "list"], standalone_mode=False)
    assert drew.return_value == 0, drew
    assert "accuracy max_drop on place=lake" in drew.output
    assert "to which both give duck" in drew.output
    labels = fill(Path("list"), rows)
    told = ["--labels", str(labels), "--labelling", f"list/{FRAME}"]
    done = run(gate_command, [*words, *told, "--out", "verdict"], standalone_mode=False)
    assert done.return_value == 0, done
    record = json.loads(Path("verdict/record.json").read_text())
    assert record["outcome"] == "approve"
    again = ["verdict/record.json", "--predictions", "bare.csv", *told]
    assert run(replay_command, again, standalone_mode=False).return_value == 0
    more = run(
        label_command,
        [*words, "-o", "list", "--more", "--labels", str(labels)],
        standalone_mode=False,
    )
    assert more.return_value == 0, more
    further = fill(Path("list/round-2"), rows)
    told = ["--labels", str(labels), "--labels", str(further)]
    told += ["--labelling", f"list/round-2/{FRAME}", "--out", "verdict-2"]
    assert run(gate_command, [*words, *told], standalone_mode=False).return_value == 0


def test_the_page_offers_every_class(tmp_path):
    policy, rows = policy_of(tmp_path), drawn_rows(400)
    drawn = draw(policy, table(tmp_path / "bare.csv", rows), tmp_path / "list", budget=380)
    assert drawn.labels == tuple(CLASSES)
    assert len(drawn.frame.rows) <= 380
    page = (tmp_path / "list" / "label.html").read_text()
    assert all(f'"shown": "{name}"' in page for name in CLASSES)


def test_what_does_not_fit_is_bad_input(tmp_path):
    policy, rows = policy_of(tmp_path), drawn_rows(400)
    path, out = table(tmp_path / "bare.csv", rows), tmp_path / "list"
    drawn = draw(policy, path, out)
    some = drawn.frame.rows[0].id
    with pytest.raises(InputError, match="1 row with no label, though it had to be labelled"):
        judged(policy, path, fill(out, rows, **{some: ""}), out)
    with pytest.raises(InputError, match="was the last that the policy allows"):
        draw_more(policy, [path], drawn.frame, answered=(), at=AT)
    rules = "  - {metric: f1, classes: macro, max_drop: 0.1}\n"
    with pytest.raises(UnsupportedError, match="give --random N"):
        draw(policy_of(tmp_path, rules), path, tmp_path / "other")
