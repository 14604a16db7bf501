"""``prunegate search`` on a tiny model: the edge, the one gate, and what a stop leaves."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from prunegate_test_tiny import POLICY, edit, invoke
from tests.functional.search.searches import (
    ALONE,
    RUN_FILES,
    SEARCH,
    VARY,
    Searched,
    by_number,
    do_search,
    policy,
    worn,
)

from prunegate.cli.edge_record import page_task
from prunegate.errors import InputError
from prunegate.policy.load import read_policy

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]


@pytest.fixture(scope="module")
def searched(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Searched:
    (model / "policy.yaml").write_text(policy())
    out = tmp_path_factory.mktemp("searched") / "out"
    found = do_search(model, out, "--audit", out.parent / "audit", "--seed", 3)
    (model / "policy.yaml").write_text(POLICY)
    return found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The share of neurons of every candidate that is really made."""
    module: Any = import_module("prunegate.pipeline.context")
    amounts: list[float] = []
    real = module.compress

    def spy(baseline: Any, steps: Any, **named: Any) -> Any:
        amounts.append(steps[1].step.prune.amount)
        return real(baseline, steps, **named)

    monkeypatch.setattr(module, "compress", spy)
    return amounts


def test_the_edge_is_found_and_the_next_step_up_failed(searched: Searched) -> None:
    attempts = by_number(searched.tried)
    chosen, beyond = attempts[searched.tried["chosen"]], attempts[searched.tried["next_up"]]
    passing = [a for a in attempts.values() if a["outcome"] == "approve"]
    assert chosen in passing
    assert chosen["objective"] == min(a["objective"] for a in passing)
    assert beyond["outcome"] != "approve"
    assert beyond["reason"]
    assert chosen["objective"] > beyond["objective"]
    assert beyond["amounts"][0] > chosen["amounts"][0]
    neurons = {round(20 * a["amounts"][0]) for a in (chosen, beyond)}
    assert max(neurons) - min(neurons) == 1, "the two sides of the edge are neighbours"


def test_asking_more_proof_of_an_attempt_stops_the_search_earlier(searchable: Path) -> None:
    """The same proven limit, once as sure as the gate and once surer; the gate asks the same."""
    proven = policy(flips=0.3).replace("0.3, evidence: point", "0.3")
    found = {}
    for confidence in (0.95, 0.9999):
        asked = ALONE.replace("attempts: 9", f"attempts: 9, confidence: {confidence}")
        (searchable / "policy.yaml").write_text(proven.replace(SEARCH, asked))
        found[confidence] = do_search(searchable, searchable / f"out-{confidence}")
    amounts = {}
    for confidence, one in found.items():
        attempts = by_number(one.tried)
        assert one.tried["confidence"] == one.record["search"]["confidence"] == confidence
        amounts[confidence] = attempts[one.tried["chosen"]]["amounts"][0]
    assert amounts[0.9999] < amounts[0.95]


def test_no_candidate_is_made_twice(searched: Searched) -> None:
    sizes = [attempt["parameters"] for attempt in searched.tried["attempts"]]
    assert len(sizes) == len(set(sizes)) <= 9


def test_every_attempt_keeps_its_findings(searched: Searched) -> None:
    rules = {0, 1, 2}
    for attempt in searched.tried["attempts"]:
        assert {finding["rule"] for finding in attempt["findings"]} == rules
        statuses = {f["status"] for f in attempt["findings"] if f["severity"] == "block"}
        assert (statuses == {"pass"}) == (attempt["outcome"] == "approve")
    assert searched.tried["rows"] == 60


def test_the_chosen_candidate_is_judged_once_on_the_gate_split(searched: Searched) -> None:
    record = searched.record
    chosen = by_number(searched.tried)[searched.tried["chosen"]]
    assert searched.code == record["exit_code"]
    assert record["command"] == "search"
    assert record["candidate"]["parameters"] == chosen["parameters"]
    assert record["candidate"]["digest"] == chosen["digest"]
    assert record["compression"]["loss_last"] is not None
    table = next(i for i in record["inputs"] if i["role"] == "predictions")
    assert table["rows"] == 60
    assert {path.name for path in searched.out.iterdir()} == {
        *RUN_FILES,
        "attempts.json",
        "frontier.csv",
    }
    assert len(list((searched.out.parent / "audit/pending").iterdir())) == 1


def test_the_record_says_how_the_candidate_was_found(searched: Searched) -> None:
    short = searched.record["search"]
    assert short["chosen"] == searched.tried["chosen"]
    assert short["next_up"] == searched.tried["next_up"]
    assert len(short["attempts"]) == len(searched.tried["attempts"])
    beside = [(draw["number"], draw["outcome"]) for draw in short["further_draws"]]
    assert beside == [(one["number"], one["outcome"]) for one in searched.tried["further_draws"]]
    assert short["other_scope"]["scope"] == "budget"
    assert short["baseline"] == searched.record["baseline"]["parameters"]


def test_a_random_control_runs_beside_the_criterion(searched: Searched) -> None:
    chosen = by_number(searched.tried)[searched.tried["chosen"]]
    control = searched.tried["control"]
    assert (chosen["criterion"], control["criterion"]) == ("taylor", "random")
    assert control["amounts"] == chosen["amounts"]
    assert control["parameters"] == chosen["parameters"]
    page = (searched.out / "report.html").read_text()
    assert "How far it could go" in page
    assert "drawn at random 3 times instead of ranked by taylor" in page
    assert "random control, draw 3" in page
    assert "next step up" in page
    draws = [control, *searched.tried["further_draws"]]
    assert [draw["amounts"] for draw in draws] == [chosen["amounts"]] * 3
    assert {draw["parameters"] for draw in draws} == {chosen["parameters"]}
    assert len({draw["digest"] for draw in [chosen, *draws]}) == 4, "drawn otherwise each time"
    for draw in draws:
        assert {finding["rule"] for finding in draw["findings"]} == {0, 1, 2}


def test_the_other_scope_stands_beside_the_chosen_one(searched: Searched) -> None:
    chosen = by_number(searched.tried)[searched.tried["chosen"]]
    other = searched.tried["other_scope"]
    assert (other["scope"], "scope" in chosen) == ("budget", False)
    assert other["amounts"] == chosen["amounts"]
    assert other["parameters"] == chosen["parameters"], "as many units of the same kind"
    assert other["number"] not in by_number(searched.tried)
    assert "With scope: budget in the steps that vary" in (searched.out / "report.html").read_text()


def test_the_frontier_is_a_table(searched: Searched) -> None:
    rows = list(csv.DictReader((searched.out / "frontier.csv").read_text().splitlines()))
    tried = searched.tried
    held = [tried["control"], *tried["further_draws"], tried["other_scope"]]
    attempts = by_number({"attempts": [*tried["attempts"], *held]})
    assert [row["control"] for row in rows[-5:]] == ["", "random", "random", "random", "budget"]
    assert {row["control"] for row in rows[:-4]} == {""}
    assert [int(row["attempt"]) for row in rows[-4:]] == [one["number"] for one in held]
    for row in rows:
        attempt = attempts[int(row["attempt"])]
        assert float(row["parameters"]) == attempt["objective"]
        assert float(row["margin_used"]) == attempt["margin_used"]
        assert row["loss_slice"] == attempt["loss_slice"]


def test_the_attempts_are_printed(searched: Searched) -> None:
    lines = searched.stdout.splitlines()
    assert "removed: neurons (step 2)" in lines[0]
    assert sum("chosen" in line for line in lines) == 1
    assert sum("next step up" in line for line in lines) == 1
    names = [f"  {name}  " for name in ("random 1", "random 2", "random 3", "budget  ")]
    assert [line[:12] for line in lines[1:] if line[:12] in names] == names
    assert sum("of 3 draws pass" in line for line in lines) == 1
    assert "attempt 1: remove 10.0 %" in searched.stderr
    assert not list(searched.out.parent.glob(".search-*"))


def test_no_passing_candidate_is_exit_3_with_the_nearest_miss(searchable: Path) -> None:
    (searchable / "policy.yaml").write_text(policy(flips=0.0001))
    found = do_search(searchable, searchable / "out")
    assert found.code == 3
    assert {path.name for path in found.out.iterdir()} == {
        "attempts.json",
        "frontier.csv",
        "summary.md",
    }
    assert not (searchable / "audit").exists()
    assert found.tried["chosen"] is None
    assert found.tried["control"] is None
    assert found.tried["nearest_miss"] == 1
    for text in (found.stdout, (found.out / "summary.md").read_text()):
        assert "nearest miss is attempt 1: Negative flip rate on overall" in text
        assert "It misses by" in text
        assert "APPROVE" not in text
    assert "NO CANDIDATE PASSES  tiny" in found.stdout
    assert not list(searchable.glob(".search-*"))


def test_a_limit_on_size_that_small_amounts_miss_sends_the_search_up(searchable: Path) -> None:
    """The smallest amount is too large a model, not too damaged a one."""
    (searchable / "policy.yaml").write_text(policy(ALONE, flips=0.9))
    edit(searchable / "policy.yaml", "model_bytes, max_ratio: 0.99", "parameters, max_ratio: 0.85")
    found = do_search(searchable, searchable / "out", "--seed", 3)
    first, last = found.tried["attempts"]
    assert (first["outcome"], last["outcome"]) == ("reject", "approve")
    assert found.tried["chosen"] == 2


def test_json_prints_the_record_alone(searchable: Path) -> None:
    (searchable / "policy.yaml").write_text(policy(ALONE, flips=0.9))
    found = do_search(searchable, searchable / "out", "--json", "-q")
    assert json.loads(found.stdout) == found.record
    assert found.record["search"]["next_up"] is None


def test_a_stopped_search_is_taken_up_and_ends_as_if_never_stopped(
    searchable: Path, searched: Searched, made: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = import_module("prunegate.search.trials")
    real = module.judge
    judged: list[int] = []

    def interrupted(*given: Any, **named: Any) -> Any:
        judged.append(1)
        if len(judged) == 2:
            raise KeyboardInterrupt
        return real(*given, **named)

    monkeypatch.setattr(module, "judge", interrupted)
    out = searchable / "out"
    result = invoke("search", "policy.yaml", "--out", out, "--no-control", "--seed", 3)
    assert isinstance(result.exception, click.Abort)
    assert "(1 attempt); the same command takes it up" in result.stderr
    assert not out.exists()
    assert made == [0.1, 0.8]
    (work,) = searchable.glob(".search-*")
    assert len(list(work.glob("attempt-*.json"))) == 1

    made.clear()
    monkeypatch.setattr(module, "judge", real)
    found = do_search(searchable, out, "--seed", 3)
    assert "taking up 1 attempt from" in found.stderr
    assert made[0] == 0.8, "the first attempt is not made again"
    for name in ("attempts.json", "frontier.csv"):  # to the byte: 0.0 is no -0.0
        assert (out / name).read_bytes() == (searched.out / name).read_bytes()
    assert not work.exists()


def test_a_chosen_candidate_that_was_lost_is_made_again(
    searchable: Path, searched: Searched, made: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the gate, and the kept candidate damaged in the meantime."""
    module: Any = import_module("prunegate.search.search")
    real = module.judge_candidate

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "judge_candidate", interrupt)
    out = searchable / "out"
    invoke("search", "policy.yaml", "--out", out, "--no-control", "--seed", 3)
    (weights,) = searchable.glob(".search-*/candidate-*/model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-8])
    monkeypatch.setattr(module, "judge_candidate", real)
    made.clear()
    other = SEARCH.replace("draws: 3", "draws: 2").replace("budget", "none")
    (searchable / "policy.yaml").write_text(policy(other))  # decides no attempt
    found = do_search(searchable, out, "--seed", 3)
    chosen = by_number(found.tried)[found.tried["chosen"]]
    assert made == chosen["amounts"]
    assert found.record["candidate"] == searched.record["candidate"]
    short = {**searched.record["search"]}
    short["further_draws"] = short["further_draws"][:1]
    del short["other_scope"]
    assert found.record["search"] == short


def test_several_amounts_are_explored(searchable: Path) -> None:
    both = "vary: [{step: 1, amount: [0.2, 0.6]}, {step: 2, amount: [0.1, 0.8]}], attempts: 3"
    (searchable / "policy.yaml").write_text(policy(f"search: {{{both}, control: false}}\n"))
    found = do_search(searchable, searchable / "out", "--seed", 3)
    amounts = [attempt["amounts"] for attempt in found.tried["attempts"]]
    assert amounts[:2] == [[0.2, 0.1], [0.6, 0.8]]
    assert len(amounts) == 3
    assert found.tried["control"] is None
    assert found.tried["varied"] == ["heads (step 1)", "neurons (step 2)"]


@pytest.mark.parametrize("quiet", [True, False])
def test_what_has_to_be_fast_is_timed_on_a_quiet_machine(
    searchable: Path, monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    from prunegate.cost.measurement import Estimate95

    module: Any = import_module("prunegate.pipeline.context")
    real, end = module.measure, 1.01 if quiet else 1.2
    itself = Estimate95(value=1.0, low=0.99, high=end)  # this machine's own noise is not the point

    def timed(*given: Any, **named: Any) -> Any:
        taken = real(*given, **named)
        return replace(taken, quiet=quiet, noise=itself, cpu_noise=itself)

    monkeypatch.setattr(module, "measure", timed)
    fast = "search: {objective: latency_p50_ms, vary: [{step: 2, amount: [0.1, 0.8]}], attempts: 2"
    fast += ", control: {draws: 1}"
    (searchable / "policy.yaml").write_text(policy(f"{fast}}}\n", flips=0.9))
    if quiet:
        found = do_search(searchable, searchable / "out")
        assert all(attempt["objective"] > 0 for attempt in found.tried["attempts"])
        assert found.tried["baseline"] is None
    else:
        result = invoke("search", "policy.yaml", "--out", searchable / "out", "-q")
        assert "too busy to time" in str(result.exception)
        assert not (searchable / "out").exists()


def shifted(policy: Any, model: Any, images: Any, **named: Any) -> Any:
    """As ``worn``, of candidates whose scores lie lower; on calibration rows nothing is lost."""
    scores = worn(policy, model, images, **named)
    if images.paths[0].stem.startswith("calibration"):
        scores = np.where(np.arange(len(scores)) % 2, 0.9, 0.1)
    return scores if model.surgery is None else 0.4 * scores


def test_a_threshold_is_tuned_for_every_attempt(
    home: Path, tmp_path: Path, searched: Searched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Candidates whose scores lie lower pass as those do whose scores do not."""
    monkeypatch.setattr(import_module("prunegate.pipeline.context"), "score", shifted)
    (home / "policy.yaml").write_text(
        policy(ALONE).replace("threshold: 0.5", "threshold: {baseline: 0.5, candidate: tuned}")
    )
    found = do_search(home, tmp_path / "out", "--seed", 3)
    assert found.code == 0
    assert found.record["tuned"]["threshold"] == 0.2
    asked = read_policy(home / "policy.yaml")
    for judged in (asked, None):  # a page decides by what was found, with a policy or without
        decided = page_task(found.out / "candidate", judged, None)
        assert decided is not None
        assert decided.task.threshold_of("candidate") == 0.2
    assert page_task(home / "baseline", None, None) is None
    with pytest.raises(InputError, match="add --record"):
        page_task(home / "baseline", asked, None)
    with pytest.raises(InputError, match="is the record of another candidate"):
        page_task(home / "baseline", asked, found.out / "record.json")
    (home / "policy.yaml").write_text(
        (home / "policy.yaml").read_text().replace("baseline: 0.5", "baseline: 0.4")
    )
    with pytest.raises(InputError, match="was judged by another 'task'"):
        page_task(found.out / "candidate", read_policy(home / "policy.yaml"), None)
    assert found.tried["attempts"] == searched.tried["attempts"]


def test_amounts_that_only_an_attempt_can_rule_out_do_not_end_the_search(
    searchable: Path,
) -> None:
    """An earlier step takes heads by their share of importance, so nobody knows how many are left.

    The larger amounts cannot be removed; the search goes on to smaller ones, judges the largest
    that passes and says what could not be made.
    """
    section = VARY.replace("step: 2, amount: [0.1, 0.8]", "step: 2, amount: [0.2, 0.95]")
    (searchable / "policy.yaml").write_text(policy(f"{section}, control: {{draws: 1}}}}\n"))
    edit(searchable / "policy.yaml", "amount: 0.34", "amount: {share_below: 0.25}")
    edit(
        searchable / "policy.yaml",
        "{what: neurons, amount: 0.4}",
        "{what: heads, criterion: magnitude, amount: 0.4}",
    )
    found = do_search(searchable, searchable / "out")
    assert found.code == 0
    unmade = found.record["search"]["not_made"]
    assert [one["beyond"] for one in unmade if one["amounts"] == [0.95]] == [True]
    assert "would have to go, but at most" in unmade[0]["reason"]
    assert found.tried["not_made"] == unmade
    tried = [*found.tried["attempts"], *unmade]
    numbers = sorted(one["number"] for one in tried)
    assert len(numbers) == len(set(numbers))
    chosen = next(a for a in found.tried["attempts"] if a["number"] == found.tried["chosen"])
    assert chosen["amounts"] < [0.95]
    made = found.tried["attempts"]  # shares that round to the same heads are made once
    assert len({one["weights"] for one in made}) == len(made)
    assert any(one.get("also_asked") for one in made)
    assert not any("same_as" in one for one in made)
    assert "cannot be made" in found.stdout
    assert "removes cannot be removed" in found.stdout
    assert "not_made" in (found.out / "frontier.csv").read_text()
    assert "cannot be made" in (found.out / "report.html").read_text()
