"""``run`` with ``quality:``: both models write, a scoring model rates, and the mean is judged.

Tiny stock models: a decoder that writes eight words, and an encoder that rates them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import torch
from tests.functional.test_run_texts import (
    LABELS,
    Case,
    classifier,
    language_model,
    write_data,
    write_model,
    write_policy,
    write_tokenizer,
)

import prunegate
from prunegate.errors import InputError
from prunegate.models.load import load_model
from prunegate.policy.load import read_policy
from prunegate.policy.schema import Policy

pytestmark = [pytest.mark.models, pytest.mark.slow]

RULES = "[{metric: mean_quality, slices: all, max_drop: 0.05, evidence: point}]"
QUALITY = "quality: {scorer: scorer, output: spam}"
LENGTHS = "generate: {new_tokens: 4}"


def regressor(outputs: int = 1, kind: str | None = "regression") -> Any:
    module = classifier(tuple(f"part-{n}" for n in range(outputs)))
    module.config.problem_type = kind
    return module


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A decoder, a candidate with noise on its weights, and a scorer with two classes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        for name, noise in (("baseline", 0.0), ("candidate", 0.3)):
            torch.manual_seed(1)
            write_model(tmp_path / name, language_model("gpt2"), noise=noise)
        torch.manual_seed(2)
        write_model(tmp_path / "scorer", classifier(LABELS["binary"]), noise=0.0)
    write_data(tmp_path, "language")
    write(tmp_path)
    yield tmp_path
    torch.set_num_threads(threads)


def write(home: Path, quality: str = QUALITY, lengths: str = LENGTHS, rules: str = RULES) -> None:
    write_policy(home, "language", quality, lengths)
    path = home / "policy.yaml"
    lines = path.read_text().splitlines()
    lines = [f"rules: {rules}" if line.startswith("rules:") else line for line in lines]
    path.write_text("\n".join(lines) + "\n")


def judged(home: Path, out: str = "out") -> Any:
    return Case(home=home, kind="language").run(out, generations=6)


def predicted(home: Path) -> pl.DataFrame:
    found = pl.from_arrow(pq.read_table(home / "out/predictions.parquet"))
    assert isinstance(found, pl.DataFrame)
    return found


def test_both_models_write_and_the_scorer_rates(home: Path) -> None:
    decision = judged(home)
    table = predicted(home)
    assert {"baseline_quality", "candidate_quality"} <= set(table.columns)
    written = decision.record.generations
    scorer = load_model(home / "scorer")
    for one in written[:4]:
        row = table.filter(pl.col("id") == one.id).to_dicts()[0]
        rated = (row["baseline_quality"], row["candidate_quality"])
        assert (one.baseline_quality, one.candidate_quality) == rated
        numbers = [
            4 + ["good", "bad", "shoes", "day", "run", "sold", "out", "now"].index(w)
            for w in one.candidate.split()
        ]
        with torch.inference_mode():
            logits = scorer.module(torch.tensor([[2, *numbers, 3]])).logits[0].double()
        assert float(logits.softmax(-1)[1]) == pytest.approx(rated[1], abs=1e-6)
    found = decision.record.scorer
    assert found is not None
    assert (found.output, found.new_tokens, found.digest) == ("spam", 4, scorer.digest)
    assert any(scorer.digest[:12] in limit for limit in decision.record.known_limits)
    overall = decision.verdict.findings[0]
    mean = table.select(pl.col("candidate_quality").mean()).item()
    assert overall.candidate == pytest.approx(mean, abs=1e-9)


def test_findings_are_those_of_the_same_ratings_as_scores(home: Path) -> None:
    decision = judged(home)
    again = prunegate.judge(read_policy(home / "policy.yaml").policy, predicted(home))
    slices = [{"by": "content_type", "expect": ["headline", "e-mail"]}]
    rule = {"metric": "mean_score", "slices": "all", "max_drop": 0.05, "evidence": "point"}
    task = {"kind": "score", "range": [0, 1]}
    asked = {"prunegate": 1, "name": "scores", "task": task, "slices": slices}
    scores = predicted(home).drop("baseline", "candidate", "tokens")
    plain = prunegate.judge(
        Policy.model_validate({**asked, "rules": [rule]}),
        scores.rename({"baseline_quality": "baseline", "candidate_quality": "candidate"}),
    )
    alike = ("slice", "status", "baseline", "candidate", "difference", "p_value", "ci_low", "n")
    rows = [
        [[getattr(one, name) for name in alike] for one in verdict.findings]
        for verdict in (decision.verdict, again, plain)
    ]
    assert rows[0] == rows[1] == rows[2]
    assert any(one.difference for one in plain.findings)


def test_a_model_writes_as_well_as_itself_and_pruning_is_seen(home: Path) -> None:
    lines = (home / "policy.yaml").read_text()
    (home / "policy.yaml").write_text(lines.replace("candidate: candidate", "candidate: baseline"))
    same = judged(home)
    assert {one.difference for one in same.verdict.findings} == {0.0}
    assert {one.status for one in same.verdict.findings} == {"pass"}
    better = "[{metric: mean_quality, min_gain: 0.5, evidence: point}]"
    write(home, rules=better)
    assert judged(home, "other").verdict.outcome == "reject"


def test_what_may_not_be_shown_is_not_in_the_record(home: Path) -> None:
    write(home, QUALITY + "\nreport: {examples: none}")
    decision = judged(home)
    assert decision.record.generations == ()
    assert decision.record.scorer is not None


def test_a_regressor_rates_within_its_range_and_reads_the_prompt(home: Path) -> None:
    write_model(home / "scorer", regressor(), noise=0.0)
    write(home, "quality: {scorer: scorer, range: [-50, 50], with_prompt: true}")
    judged(home)
    with_prompt = predicted(home)["baseline_quality"]
    assert with_prompt.n_unique() > 3
    write(home, "quality: {scorer: scorer, range: [0.5, 0.50001]}")
    with pytest.raises(InputError, match=r"rates texts from .* 'quality: range' says 0.5"):
        judged(home, "other")
    assert list((home / "other").iterdir()) == []


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        ("{scorer: scorer}", r"has 2 outputs \('ham', 'spam'\); say which one"),
        ("{scorer: scorer, output: good}", r"has no output 'good'; it has 'ham', 'spam'"),
        ("{scorer: scorer, output: spam, range: [0, 5]}", "remove 'range'"),
        ("{scorer: baseline}", "GPT2LMHeadModel rates no texts"),
        ("{scorer: nowhere}", "nowhere: no such folder"),
        ("{range: [0, 1]}", r"lacks what a run needs: quality: \{scorer: FOLDER\}"),
    ],
)
def test_a_scorer_that_cannot_rate_is_refused_before_any_work(
    home: Path, quality: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, f"quality: {quality}")
    refused(home, message, monkeypatch)


@pytest.mark.parametrize(
    ("kind", "outputs", "quality", "message"),
    [
        ("regression", 1, "", "answers with a number that nothing bounds"),
        (None, 1, "", "answers with a number that nothing bounds"),
        ("regression", 1, ", activation: softmax", "has one output, whose softmax is 1"),
        ("regression", 3, ", range: [0, 1]", "has 3 outputs"),
    ],
)
def test_numbers_without_bounds_are_refused(
    home: Path,
    kind: str | None,
    outputs: int,
    quality: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_model(home / "scorer", regressor(outputs, kind), noise=0.0)
    write(home, f"quality: {{scorer: scorer{quality}}}")
    refused(home, message, monkeypatch)


def test_a_scorer_without_its_tokenizer_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "scorer/tokenizer.json").unlink()
    refused(home, r"tokenizer\.json is missing", monkeypatch)


def refused(home: Path, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused by its descriptions: no data are read, no model is loaded, nothing is written."""

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("prunegate.pipeline.context.check_rows", never)
    with pytest.raises(InputError, match=message):
        judged(home)
    assert list((home / "out").iterdir()) == []


def test_a_text_of_nothing_needs_a_tokenizer_that_says_so(home: Path) -> None:
    write_tokenizer(home / "scorer", around=False)
    with torch.no_grad():
        module = load_model(home / "candidate").module
        module.transformer.wte.weight[3] += 100 * module.transformer.wte.weight[3].sign()
    module.save_pretrained(home / "candidate")
    with pytest.raises(InputError, match="makes no token of a text that a model wrote"):
        judged(home)
