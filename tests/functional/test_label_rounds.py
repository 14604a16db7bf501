"""Labels in rounds (docs/guides/label.md): nested lists, shares of alpha, no look past the last."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.audit.ledger import Look, Past, Tried, look_of
from prunegate.cli.gate import command as gate_command
from prunegate.cli.label import command as label_command
from prunegate.counting.labelled_part import read_frame
from prunegate.counting.labelling import frame_digest
from prunegate.errors import InputError
from prunegate.policy.load import read_policy

pytestmark = pytest.mark.slow

POLICY = """prunegate: 1
name: moderation
task: {kind: binary, positive: unsafe, threshold: 0.5}
evidence: {looks: 2, reference: off}
rules: [{metric: recall, max_drop: 0.06}]
"""


def rows(n: int = 2000) -> list[list[str]]:
    random = np.random.default_rng(4)
    positive = random.random(n) < 0.3
    baseline = np.where(positive, random.random(n) < 0.9, random.random(n) < 0.05)
    candidate = np.where(random.random(n) < 0.02, ~baseline, baseline)
    scores = [np.where(one, "0.9", "0.1") for one in (baseline, candidate)]
    labels = np.where(positive, "unsafe", "safe")
    return [[f"r{i}", labels[i], scores[0][i], scores[1][i]] for i in range(n)]


def write_bare(table: list[list[str]]) -> None:
    with Path("bare.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(("id", "baseline", "candidate"))
        csv.writer(file).writerows([key, b, c] for key, _, b, c in table)


def write_full(table: list[list[str]]) -> None:
    with Path("full.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "label", "baseline", "candidate"), *table])


def run(command, *words: object):
    return CliRunner().invoke(command, list(map(str, words)), standalone_mode=False)


def fill(folder: Path, truth: dict[str, str]) -> Path:
    with (folder / "to-label.csv").open(encoding="utf-8", newline="") as file:
        head, *listed = csv.reader(file)
    path = folder / "filled.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *([key, truth[key]] for key, *_ in listed)])
    return path


def test_two_looks_and_no_third(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = rows()
    truth = {key: label for key, label, *_ in table}
    write_bare(table)
    Path("policy.yaml").write_text(POLICY, encoding="utf-8")
    words = ("policy.yaml", "--predictions", "bare.csv")
    first, second = Path("list"), Path("list/round-2")
    assert run(label_command, *words, "-o", first).return_value == 0
    judged = (*words, "--labels", fill(first, truth))
    look = run(gate_command, *judged, "--labelling", first / "labelling.json", "--out", "one")
    assert look.exception is None, look.exception
    one = json.loads(Path("one/record.json").read_text())
    assert (one["attempt"]["look"], one["attempt"]["alpha"]) == (1, 0.025)
    assert "This is look 1 of 2, each tested at 2.5 %" in one["statement"]
    chosen = run(label_command, *words, "-o", first, "--more", "--budget", "9")
    assert "leave --budget out" in str(chosen.exception)
    early = run(label_command, *words, "-o", first, "--more")
    assert "rows of the rounds so far have no label yet" in str(early.exception)
    assert not second.exists()
    told = run(label_command, *words, "-o", first, "--more", "--labels", first / "filled.csv")
    assert told.exception is None, told.exception
    assert f"--labels {first}/filled.csv --labels {second}/to-label.csv" in told.output
    frames = [read_frame(folder / "labelling.json") for folder in (first, second)]
    lists = [{row.id for row in frame.rows} for frame in frames]
    assert lists[0] < lists[1]
    assert frames[1].earlier == (frame_digest(frames[0]),)
    judged = (*judged, "--labels", fill(second, truth))
    look = run(gate_command, *judged, "--labelling", second / "labelling.json", "--out", "two")
    two = json.loads(Path("two/record.json").read_text())
    assert look.return_value == 0
    assert (two["attempt"]["number"], two["attempt"]["look"]) == (1, 2)
    assert two["labelling"]["earlier"] == list(frames[1].earlier)
    third = run(label_command, *words, "-o", first, "--more")
    assert "round 2 was the last that the policy allows" in str(third.exception)
    run(label_command, *words, "-o", "other", "--seed", "7")
    judged = (*words, "--labels", fill(Path("other"), truth))
    look = run(gate_command, *judged, "--labelling", "other/labelling.json", "--out", "three")
    assert "looked at 2 times on this gate set" in str(look.exception)
    write_full(table)
    full = run(gate_command, "policy.yaml", "--predictions", "full.csv", "--out", "three")
    assert "looked at 2 times on this gate set" in str(full.exception)
    assert not Path("three").exists()


def test_a_list_redrawn_and_labels_of_every_row_are_further_attempts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = rows()
    truth = {key: label for key, label, *_ in table}
    write_bare(table)
    write_full(table)
    Path("policy.yaml").write_text(POLICY.replace("looks: 2, ", ""), encoding="utf-8")
    numbers = []
    for out, seed in (("a", 1), ("b", 2), ("again", 1)):
        words = ("policy.yaml", "--predictions", "bare.csv")
        assert run(label_command, *words, "-o", out, "--seed", seed).exception is None
        files = ("--labels", fill(Path(out), truth), "--labelling", Path(out, "labelling.json"))
        judged = run(gate_command, *words, *files, "--out", f"verdict-{out}")
        assert judged.exception is None, judged.exception
        numbers.append(json.loads(Path(f"verdict-{out}/record.json").read_text())["attempt"])
    words = ("policy.yaml", "--predictions", "full.csv", "--out", "verdict-full")
    assert run(gate_command, *words).exception is None
    numbers.append(json.loads(Path("verdict-full/record.json").read_text())["attempt"])
    assert [one["number"] for one in numbers] == [1, 2, 1, 3]
    assert numbers[0]["alpha"] == numbers[2]["alpha"] == 0.05
    assert numbers[3]["alpha"] < numbers[1]["alpha"] < 0.01
    assert len({one["ids"] for one in numbers}) == 1
    assert numbers[0]["gate_set"] != numbers[3]["gate_set"]


def test_labels_of_every_row_are_a_look_and_the_same_again_are_the_same_look():
    def tried(of: str | None, candidate: str = "c", number: int = 1) -> Tried:
        common = {"contents": "g", "baseline": ("b",), "rules": "r", "ids": "i", "in_looks": True}
        own = {"gate_set": "labels" if of is None else "i", "round": number if of else None}
        return Tried(**common, **own, candidate=(candidate,), list=of)

    past = [Past(tried=tried(of), number=1) for of in ("x", None, "y", "x")]
    looks = [look_of(past, tried(of), 4) for of in ("x", None, "y", "z")]
    assert [one.number for one in looks if one] == [1, 2, 3, 4]
    assert look_of(past, tried("z", "another"), 2) == Look(number=1)
    assert look_of(past, tried("z"), 1) is None
    for spent, new in ((past, "z"), (past[:1] + past[2:], None)):
        with pytest.raises(InputError, match=r"looked at [23] times") as told:
            look_of(spent, tried(new), 2 + (new is not None))
        assert str(told.value).endswith("what they found stands; label a fresh gate set")
    later = [Past(tried=tried("w", number=3), number=1)]
    with pytest.raises(InputError, match=r"round 3 .* before round 2: rounds are judged in order"):
        look_of(later, tried("v", number=2), 4)
    assert look_of(later, tried("w", number=3), 4) == Look(number=1, unjudged=(1, 2))


@settings(max_examples=60, deadline=None)
@given(
    rounds=st.lists(st.sampled_from([None, 1, 2, 3, 4, 5]), max_size=9),
    looks=st.integers(min_value=2, max_value=5),
)
def test_no_more_looks_than_allowed_and_a_round_passed_over_uses_its_look_up(rounds, looks):
    past, given_out = [], {}
    for number in rounds:
        of = "every row" if number is None else str(number)
        one = Tried(
            gate_set=of,
            contents="g",
            candidate=("c",),
            baseline=("b",),
            rules="r",
            ids="i",
            in_looks=True,
            list=None if number is None else of,
            round=number,
        )
        if number is not None and number > looks:
            continue  # refused where the list is read
        try:
            look = look_of(past, one, looks)
        except InputError:
            continue
        assert look.number >= (number or 1)
        judged = {p.tried.round for p in past}
        assert look.unjudged == tuple(n for n in range(1, number or 1) if n not in judged)
        assert given_out.setdefault(of, look.number) == look.number
        past.append(Past(tried=one, number=1, look=look.number))
    assert len(set(given_out.values())) == len(given_out)
    assert all(1 <= number <= looks for number in given_out.values())


def test_the_shares_of_all_looks_are_alpha(tmp_path):
    path = tmp_path / "policy.yaml"
    for looks in (1, 3, 4, 7):
        path.write_text(POLICY.replace("looks: 2", f"looks: {looks}"), encoding="utf-8")
        policy = read_policy(path).policy
        assert policy.evidence.alpha * looks <= 0.05 + 1e-11
        assert policy.at_level(0.01).evidence.alpha == 0.01
