"""``run`` on texts, several classes and language models: tiny stock models, judged whole.

Where the policy has no steps, the candidate is one made elsewhere: the baseline with noise on its
weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from tests.depth import at_length

from prunegate.data.labelled.rows import LabelledRows, select_rows
from prunegate.data.labelled.table import read_rows
from prunegate.errors import ContractError, ModelError, UnsupportedError
from prunegate.models.load import LoadedModel, load_model
from prunegate.pipeline.context import Settings, set_up
from prunegate.pipeline.run import run
from prunegate.policy.load import read_policy

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


def modern_classifier(labels: tuple[str, ...]) -> Any:
    from transformers import ModernBertConfig, ModernBertForSequenceClassification

    return ModernBertForSequenceClassification(
        ModernBertConfig(
            vocab_size=4 + len(WORDS),
            hidden_size=12,
            num_hidden_layers=3,
            num_attention_heads=3,
            intermediate_size=10,
            max_position_embeddings=12,
            local_attention=4,
            global_attn_every_n_layers=2,
            initializer_range=0.6,
            pad_token_id=0,
            cls_token_id=2,
            bos_token_id=2,
            sep_token_id=3,
            eos_token_id=3,
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
        place = len(lines)
        first, _, rest = text.partition(" ")
        content = f"{first if place % 3 else ''},{rest}"
        if kind != "language":
            content = f"{text},{LABELS[kind][place // 2 % len(LABELS[kind])]}"
        split = "gate" if place < 60 else "train" if place < 76 else "calibration"
        lines.append(
            f"r{place},{content},{('headline', 'e-mail')[place % 2]},p{place // 2},{split}"
        )
    (home / "data.csv").write_text("\n".join(lines) + "\n")


def write_policy(home: Path, kind: str, *more: str) -> None:
    made = any(line == "compress:" for line in more)
    (home / "policy.yaml").write_text(
        "\n".join(
            (
                "prunegate: 1",
                f"name: {kind}",
                f"task: {TASKS[kind]}",
                "slices: [{by: content_type, expect: [headline, e-mail]}]",
                f"rules: {RULES[kind]}",
                f"model: {{baseline: baseline{'' if made else ', candidate: candidate'}}}",
                "data: {table: data.csv}",
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
                classify = modern_classifier if model == "modernbert" else classifier
                module = classify(labels) if labels else language_model(model)
                write_model(tmp_path / name, module, noise=shake)
        write_data(tmp_path, kind)
        write_policy(tmp_path, kind, *more)
        return Case(home=tmp_path, kind=kind)

    yield write
    torch.set_num_threads(threads)


STEPS = (
    "compress:",
    "  - prune: {what: heads, amount: 0.34}",
    "  - prune: {what: neurons, amount: 0.3}",
    "  - finetune: {steps: 3, batch_size: 8, learning_rate: 0.001}",
)


def gate(rows: LabelledRows, values: Sequence[Any]) -> list[Any]:
    """The values of the gate split's rows."""
    return [values[row] for row in select_rows(rows, "gate")]


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_a_text_classifier_is_judged_as_transformers_runs_it(
    make: Callable[..., Case], kind: str
) -> None:
    from transformers import BertForSequenceClassification

    case = make(kind, noise=0.4 if kind == "binary" else 1.5)
    decision = case.run()
    table = pq.read_table(case.home / "out/predictions.parquet").to_pydict()
    rows = read_rows(read_policy(case.policy).policy, case.home)
    assert table["id"] == gate(rows, rows.ids)
    said = gate(rows, rows.texts)
    numbers = {word: number for number, word in enumerate(WORDS, start=4)}
    for name in ("baseline", "candidate"):
        module = BertForSequenceClassification.from_pretrained(case.home / name).eval()
        for row in (0, 7, 31):
            ids = [2, *(numbers[word] for word in said[row].split()), 3]
            with torch.inference_mode():
                shares = module(torch.tensor([ids])).logits[0].double().softmax(-1)
            if kind == "binary":
                assert table[name][row] == pytest.approx(float(shares[1]), abs=1e-6)
            else:
                assert table[name][row] == LABELS[kind][int(shares.argmax())]
    assert decision.record.findings
    assert {f.slice for f in decision.record.findings} >= {"content_type=headline"}
    assert decision.record.flips, "the noise is strong enough that some decisions change"
    texts = dict(zip(rows.ids, rows.texts, strict=True))
    assert all(flip.text == texts[flip.id] for flip in decision.record.flips)
    assert decision.pictures == {}
    assert decision.record.generations == ()


@pytest.mark.parametrize("model", ["gpt2", *at_length("llama")])
def test_a_language_model_is_judged_on_its_references(
    make: Callable[..., Case], model: str
) -> None:
    case = make("language", model=model)
    decision = case.run(generations=10, new_tokens=6)
    table = pq.read_table(case.home / "out/predictions.parquet").to_pydict()
    rows = read_rows(read_policy(case.policy).policy, case.home)
    assert set(table) == {"id", "baseline", "candidate", "tokens", "content_type"}
    module = load_model(case.home / "candidate").module
    numbers = {word: number for number, word in enumerate(WORDS, start=4)}
    prompts, references = gate(rows, rows.prompts), gate(rows, rows.references)
    for row in (0, 1, 2, 40):
        given = [numbers[word] for word in prompts[row].split()] or [2]
        said = [*(numbers[word] for word in references[row].split()), 3]
        ids = torch.tensor([given + said])
        with torch.inference_mode():
            shares = module(ids).logits[0, len(given) - 1 : -1].double().log_softmax(-1)
        expected = -float(shares.gather(1, ids[0, len(given) :, None]).sum())
        assert table["candidate"][row] == pytest.approx(expected, rel=1e-5)
        assert table["tokens"][row] == len(said)
    written = decision.record.generations
    assert len(written) == 10
    assert {one.slices for one in written} == {
        ("content_type=headline",),
        ("content_type=e-mail",),
    }
    by_id = {name: n for n, name in enumerate(rows.ids)}
    assert all(one.reference == rows.references[by_id[one.id]] for one in written)
    assert any(one.baseline != one.candidate for one in written)
    assert {w for one in written for w in one.candidate.split()} <= {*WORDS}
    assert all(flip.text == rows.references[by_id[flip.id]] for flip in decision.record.flips)
    again = case.run("again", generations=10, new_tokens=6)
    assert again.record.generations == written


def test_groups_are_handed_through(make: Callable[..., Case]) -> None:
    case = make("language", "group: post", "generate: {new_tokens: 3}")
    decision = case.run(generations=2)
    measured = decision.record.measurements
    assert measured is not None
    assert measured.generation is not None
    assert (measured.generation.new_tokens, measured.generation.prompt_tokens) == (3, 1)
    assert None not in (measured.baseline.tpot_ms, measured.candidate.ttft_ms)
    table = pq.read_table(case.home / "out/predictions.parquet").to_pydict()
    rows = read_rows(read_policy(case.policy).policy, case.home)
    assert table["post"] == gate(rows, rows.columns["post"])
    assert "Rows of one post may depend on each other, groups may not." in (
        decision.record.known_limits
    )


def test_models_that_cut_texts_differently_are_refused(make: Callable[..., Case]) -> None:
    case = make("language")
    write_tokenizer(case.home / "candidate", around=True)
    with pytest.raises(ModelError, match=r"tokenizer\.json differ from the baseline's"):
        case.run()


def test_a_model_of_another_kind_and_a_missing_tokenizer_are_refused(
    make: Callable[..., Case],
) -> None:
    case = make("language")
    write_model(case.home / "baseline", classifier(LABELS["binary"]), noise=0.0)
    with pytest.raises(UnsupportedError, match="asks for language models"):
        case.run()
    case = make("binary")
    (case.home / "baseline/tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer\.json is missing"):
        case.run("again")


def test_the_contract_comes_before_any_model(
    make: Callable[..., Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make("language")

    def never(_folder: Path) -> LoadedModel:
        raise AssertionError

    monkeypatch.setattr(import_module("prunegate.pipeline.context"), "load_model", never)
    lines = (case.home / "data.csv").read_text().splitlines()
    (case.home / "data.csv").write_text("\n".join([*lines, "x,,,headline,p,gate"]) + "\n")
    with pytest.raises(ContractError, match="without a value in column 'reference': 1"):
        case.run()


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("binary", "modernbert"),
        ("multiclass", ""),
        ("language", "llama"),
        *at_length(("binary", ""), ("language", "gpt2")),
    ],
)
def test_texts_are_ranked_cut_tuned_and_judged(
    make: Callable[..., Case], kind: str, model: str
) -> None:
    case = make(kind, *STEPS, model=model or "gpt2")
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
    again = load_model(case.home / "out/candidate")
    table = pq.read_table(case.home / "out/predictions.parquet")
    source = read_policy(case.policy)
    bench = set_up(source, Settings())
    found = bench.score(again, "candidate")
    expected = found.nll if kind == "language" else found
    assert list(expected) == table["candidate"].to_pylist()
    assert len(record.generations) == (6 if kind == "language" else 0)
    assert record.control is not None
