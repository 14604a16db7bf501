"""``run`` with ``quality:``: both models write, a scoring model rates, and the mean is judged.

Tiny stock models: a decoder that writes eight words, and an encoder that rates them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import torch
from prunegate_test_tiny import invoke, to_pickle
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


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A decoder, a candidate with noise on its weights, and a scorer with two classes."""
    home = tmp_path_factory.mktemp("material")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        for name, noise in (("baseline", 0.0), ("candidate", 0.3)):
            torch.manual_seed(1)
            write_model(home / name, language_model("gpt2"), noise=noise)
        torch.manual_seed(2)
        write_model(home / "scorer", classifier(LABELS["binary"]), noise=0.0)
    write_data(home, "language")
    write(home)
    yield home
    torch.set_num_threads(threads)


@pytest.fixture
def home(material: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copytree(material, tmp_path, dirs_exist_ok=True))


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A run, and where it ran."""

    home: Path
    decision: Any


@pytest.fixture(scope="module")
def usual(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Of the material as it is; nobody spoils it."""
    home = tmp_path_factory.mktemp("usual")
    shutil.copytree(material, home, dirs_exist_ok=True)
    return Ran(home=home, decision=judged(home))


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


def test_both_models_write_and_the_scorer_rates(usual: Ran) -> None:
    home, decision = usual.home, usual.decision
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


def test_findings_are_those_of_the_same_ratings_as_scores(usual: Ran) -> None:
    home, decision = usual.home, usual.decision
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


def test_a_model_writes_as_well_as_itself_and_pruning_is_seen(home: Path, usual: Ran) -> None:
    lines = (home / "policy.yaml").read_text()
    (home / "policy.yaml").write_text(lines.replace("candidate: candidate", "candidate: baseline"))
    same = judged(home)
    assert {one.difference for one in same.verdict.findings} == {0.0}
    assert {one.status for one in same.verdict.findings} == {"pass"}
    write(home, rules="[{metric: mean_quality, min_gain: 0.5, evidence: point}]")
    better = read_policy(home / "policy.yaml").policy
    assert prunegate.judge(better, predicted(usual.home)).outcome == "reject"


def test_a_scorer_in_a_pickle_rates_the_same(home: Path, usual: Ran) -> None:
    wanted = predicted(usual.home)
    to_pickle(home / "scorer")
    with pytest.raises(InputError, match=r"scorer: pytorch_model\.bin is a pickle.*--allow-pickle"):
        judged(home, "refused")
    assert list((home / "refused").iterdir()) == []
    decision = Case(home=home, kind="language").run("pickled", generations=6, pickles=True)
    found = pl.from_arrow(pq.read_table(home / "pickled/predictions.parquet"))
    assert isinstance(found, pl.DataFrame)
    assert found.equals(wanted)
    told = [one for one in decision.record.warnings if "read from a pickle" in one]
    assert len(told) == 1
    assert told[0].startswith("the scorer's weights were read from a pickle (pytorch_model.bin)")


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


def test_a_scorer_with_few_positions_reads_what_was_written_and_says_what_it_left(
    home: Path,
) -> None:
    """Of prompt and text it reads the end: were it the beginning, all would be rated alike."""
    module = classifier(LABELS["binary"])
    module.bert.embeddings.position_embeddings.weight.data = (
        module.bert.embeddings.position_embeddings.weight.data[:5]
    )
    module.config.max_position_embeddings = 5
    write_model(home / "scorer", module, noise=0.0)
    write(home, "quality: {scorer: scorer, output: spam, with_prompt: true}")
    decision = judged(home)
    assert predicted(home)["candidate_quality"].n_unique() > 3
    told = [one for one in decision.record.warnings if "the scorer takes" in one]
    assert told
    assert all("the 5 tokens" in one and "did not read their beginning" in one for one in told)
    one = next(each for each in decision.record.generations if len(each.baseline.split()) == 4)
    words = ["good", "bad", "shoes", "day", "run", "sold", "out", "now"]
    read = [4 + words.index(word) for word in one.baseline.split()[-3:]]
    with torch.inference_mode():
        shares = load_model(home / "scorer").module(torch.tensor([[2, *read, 3]])).logits[0]
    assert float(shares.double().softmax(-1)[1]) == pytest.approx(one.baseline_quality, abs=1e-6)


def test_a_candidate_that_writes_nothing_is_told_of(home: Path) -> None:
    module = load_model(home / "candidate").module
    with torch.no_grad():
        module.transformer.ln_f.weight.zero_()
        module.transformer.ln_f.bias.copy_(module.transformer.wte.weight[3])
        module.transformer.wte.weight[3] *= 9
    module.save_pretrained(home / "candidate")
    warnings = judged(home).record.warnings
    assert any(one.startswith("the candidate wrote nothing after 59 of 59") for one in warnings)


def test_a_decoder_without_a_pad_token_rates_one_text_at_a_time(home: Path) -> None:
    """transformers takes no batch of it; each rating is that of the text alone."""
    from transformers import GPT2Config, GPT2ForSequenceClassification

    torch.manual_seed(4)
    module = GPT2ForSequenceClassification(
        GPT2Config(
            vocab_size=12,
            n_positions=24,
            n_embd=12,
            n_layer=1,
            n_head=3,
            initializer_range=0.6,
            id2label={0: "ham", 1: "spam"},
            label2id={"ham": 0, "spam": 1},
            bos_token_id=2,
            eos_token_id=3,
        )
    )
    write_model(home / "scorer", module, noise=0.0)
    decision = judged(home)
    words = ["good", "bad", "shoes", "day", "run", "sold", "out", "now"]
    for one in decision.record.generations:
        ids = [2, *(4 + words.index(word) for word in one.candidate.split()), 3]
        with torch.inference_mode():
            share = module.eval()(torch.tensor([ids])).logits[0].double().softmax(-1)[1]
        assert float(share) == pytest.approx(one.candidate_quality, abs=1e-6)


@pytest.mark.usefixtures("quick")
def test_a_search_judges_what_its_attempts_write(home: Path) -> None:
    """Every attempt writes on the search split, and its ratings are what it is judged by."""
    steps = "compress: [{prune: {what: neurons, criterion: magnitude, amount: 0.3}}]"
    section = "search: {vary: [{step: 1, amount: [0.1, 0.6]}], attempts: 3, control: false}"
    lines = (home / "data.csv").read_text().splitlines()
    split = [
        line.replace(",gate", ",search") if n % 4 < 2 else line for n, line in enumerate(lines)
    ]
    (home / "data.csv").write_text("\n".join(split) + "\n")
    write(home)
    text = (home / "policy.yaml").read_text().replace(", candidate: candidate", "")
    (home / "policy.yaml").write_text(f"{text}{steps}\n{section}\n")
    result = invoke("search", home / "policy.yaml", "--out", home / "out", "--seconds", "1")
    assert result.exception is None, result.exception
    tried = json.loads((home / "out/attempts.json").read_text())["attempts"]
    assert len(tried) >= 2
    for one in tried:
        (finding, *_) = one["findings"]
        assert finding["metric"] == "mean_quality"
        assert (finding["status"] == "pass") == (finding["difference"] >= -0.05)
    assert len({one["findings"][0]["n"] for one in tried}) == 1
