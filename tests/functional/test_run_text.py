"""``run`` on texts, several classes and language models: tiny stock models, judged whole.

Heads and neurons are ranked, cut and fine-tuned on texts; the candidate is loaded again and judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from prunegate.models.store import load_candidate
from prunegate.policy.load import read_policy
from prunegate.run import Settings, run
from prunegate.workbench import set_up

pytestmark = pytest.mark.slow

RULES = {
    "binary": "[{metric: recall, slices: all, max_drop: 0.9, evidence: point}]",
    "multiclass": "[{metric: accuracy, slices: all, max_drop: 0.9, evidence: point}]",
    "language": "[{metric: nll_per_token, slices: all, max_rise: 9, evidence: point}]",
}
TASKS = {
    "binary": "{kind: binary, positive: spam, threshold: 0.5}",
    "multiclass": "{kind: multiclass}",
    "language": "{kind: language}",
}
LABELS = {"binary": ("ham", "spam"), "multiclass": ("ads", "news", "sport")}
WORDS = ("good", "bad", "shoes", "day", "run", "sold", "out", "now")


@dataclass(frozen=True)
class Case:
    """A folder with models, data and a policy."""

    home: Path
    kind: str

    @property
    def policy(self) -> Path:
        return self.home / "policy.yaml"

    def run(self, out: str = "out", **settings: Any) -> Any:
        (self.home / out).mkdir()
        return run(read_policy(self.policy), self.home / out, Settings(seconds=0.05, **settings))


def classifier(labels: tuple[str, ...]) -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    return BertForSequenceClassification(
        BertConfig(
            vocab_size=4 + len(WORDS),
            hidden_size=12,
            num_hidden_layers=2,
            num_attention_heads=3,
            intermediate_size=10,
            max_position_embeddings=12,
            initializer_range=0.6,
            id2label=dict(enumerate(labels)),
            label2id={name: number for number, name in enumerate(labels)},
        )
    )


def language_model(kind: str) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    size = {"vocab_size": 4 + len(WORDS), "bos_token_id": 2, "eos_token_id": 3}
    if kind == "gpt2":
        shape = {"n_positions": 24, "n_embd": 12, "n_layer": 2, "n_head": 3}
        return GPT2LMHeadModel(GPT2Config(**size, **shape, initializer_range=0.4))
    return LlamaForCausalLM(
        LlamaConfig(
            **size,
            hidden_size=16,
            intermediate_size=20,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=24,
            initializer_range=0.4,
        )
    )


def write_tokenizer(folder: Path, *, around: bool) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
    vocabulary = {word: number for number, word in enumerate(words)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106  # no password
    made.add_special_tokens(words[:4])
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    if around:
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    made.save(str(folder / "tokenizer.json"))


def write_model(folder: Path, module: Any, *, noise: float) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(noise * torch.randn_like(parameter))
    module.save_pretrained(folder)
    write_tokenizer(folder, around="Sequence" in type(module).__name__)


def write_data(home: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    contents = "prompt,reference" if kind == "language" else "text,label"
    lines = [f"id,{contents},content_type,post,split"]
    seen = set()
    while len(lines) < 91:
        text = " ".join(rng.choice(WORDS, rng.integers(2, 8)))
        if text in seen:
            continue
        seen.add(text)
        split = "gate" if len(lines) <= 60 else "train" if len(lines) <= 76 else "calibration"
        place = len(lines)
        first, _, rest = text.partition(" ")
        content = f"{first if place % 3 else ''},{rest}"
        if kind != "language":
            content = f"{text},{LABELS[kind][place // 2 % len(LABELS[kind])]}"
        lines.append(
            f"r{place},{content},{('headline', 'e-mail')[place % 2]},p{place // 2},{split}"
        )
    (home / "data.csv").write_text("\n".join(lines) + "\n")


def write_policy(home: Path, kind: str, *more: str) -> None:
    (home / "policy.yaml").write_text(
        "\n".join(
            (
                "prunegate: 1",
                f"name: {kind}",
                f"task: {TASKS[kind]}",
                "slices: [{by: content_type, expect: [headline, e-mail]}]",
                f"rules: {RULES[kind]}",
                "model: {baseline: baseline}",
                "data: {table: data.csv}",
                "compress:",
                "  - prune: {what: heads, amount: 0.34}",
                "  - prune: {what: neurons, amount: 0.3}",
                "  - finetune: {steps: 3, batch_size: 8, learning_rate: 0.001}",
                *more,
                "",
            )
        )
    )


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Case]]:
    """Write a case; stock folders, loaded as users load them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def write(kind: str, *more: str, model: str = "gpt2", noise: float = 0.05) -> Case:
        labels = LABELS.get(kind)
        for name, shake in (("baseline", 0.0), ("candidate", noise)):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(1)
                module = classifier(labels) if labels else language_model(model)
                write_model(tmp_path / name, module, noise=shake)
        write_data(tmp_path, kind)
        write_policy(tmp_path, kind, *more)
        return Case(home=tmp_path, kind=kind)

    yield write
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("kind", "model"),
    [("binary", ""), ("multiclass", ""), ("language", "gpt2"), ("language", "llama")],
)
def test_texts_are_ranked_cut_tuned_and_judged(
    make: Callable[..., Case], kind: str, model: str
) -> None:
    case = make(kind, model=model or "gpt2")
    decision = case.run(generations=6, new_tokens=5)
    record = decision.record
    assert record.baseline is not None
    assert record.candidate is not None
    assert record.candidate.parameters < record.baseline.parameters
    assert record.compression is not None
    assert [step["step"] for step in record.compression.recipe] == ["prune", "prune", "finetune"]
    assert (case.home / "out/candidate/tokenizer.json").read_bytes() == (
        case.home / "baseline/tokenizer.json"
    ).read_bytes()
    again = load_candidate(case.home / "out/candidate")
    table = pq.read_table(case.home / "out/predictions.parquet")
    source = read_policy(case.policy)
    bench = set_up(source, Settings())
    found = bench.score(again, "candidate")
    expected = found.nll if kind == "language" else found
    assert list(expected) == table["candidate"].to_pylist()
    assert len(record.generations) == (6 if kind == "language" else 0)
    assert record.control is not None
