"""Every family, by the same laws: what is cut equals what is gated, counted, stored and trained."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch as safetensors_torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.models.tiny import (
    CONFIGS,
    LANGUAGE,
    NAMES,
    TRANSFORMERS,
    Tiny,
    answers,
    config_of,
    counted,
    inputs_of,
    randomise,
    rows_of,
    surgery_of,
    tiny,
    write_baseline,
)

from prunegate.errors import ModelError, UnsupportedError

LAYERS = [[0, 2], [1], [1, 2]]


def subset(units: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(0, units - 1), min_size=1).map(lambda kept: tuple(sorted(kept)))


def some(model: Tiny, seed: int = 0) -> Any:
    """A plan that keeps about half of everything, and another half in every row."""
    generator = np.random.default_rng(seed)
    kept = model.whole
    for kind in sorted(kept.kinds, key=lambda kind: kind != "layers"):
        positions = [
            tuple(sorted(generator.choice(len(row), max(1, len(row) // 2), replace=False).tolist()))
            for row in kept.rows(kind)
        ]
        kept = kept.narrowed(kind, positions)
    return kept


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=4)
@given(data=st.data())
def test_a_pruned_model_equals_the_gated_one(name: str, data: st.DataObject) -> None:
    from prunegate.models.cut import cut
    from prunegate.models.gates import gated

    model = tiny(name, seed=data.draw(st.integers(0, 99)))
    if name in TRANSFORMERS:
        model.module.set_attn_implementation(data.draw(st.sampled_from(["sdpa", "eager"])))
    sites, masks, cuts = [], [], {}
    for kind in model.whole.kinds:
        if kind == "layers":
            continue
        cuts[kind] = []
        for site in model.family.sites(model.module, kind):
            left = data.draw(subset(site.units))
            mask = torch.zeros(site.units)
            mask[list(left)] = 1.0
            sites.append(site)
            masks.append(mask)
            cuts[kind].append(left)
    batch, length = data.draw(st.integers(1, 4)), data.draw(st.integers(3, 9))
    inputs = inputs_of(model, batch, length)
    with gated(sites, masks):
        expected = answers(model, model.module, inputs)
    for kind, keep in cuts.items():
        cut(model.family, model.module, kind, keep)
    pruned = answers(model, model.module, inputs)
    torch.testing.assert_close(pruned, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("keep", LAYERS)
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_dropped_layer_equals_one_that_is_passed_by(name: str, keep: list[int]) -> None:
    from prunegate.models.cut import cut
    from prunegate.models.gates import gated

    model = tiny(name)
    inputs = inputs_of(model)
    sites = model.family.sites(model.module, "layers")
    mask = torch.zeros(sites[0].units)
    mask[keep] = 1.0
    whole = answers(model, model.module, inputs)
    with gated(sites, [mask]):
        expected = answers(model, model.module, inputs)
    cut(model.family, model.module, "layers", [keep])
    dropped = answers(model, model.module, inputs)
    torch.testing.assert_close(dropped, expected, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(dropped, whole, atol=1e-3)
    assert model.module.config.num_hidden_layers == len(keep)


PUBLISHED = [
    # What the published checkpoints count, and by hand: embeddings, layers, head.
    (
        "BertForSequenceClassification",
        {},
        109_483_778,
        (30522 + 512 + 2 + 2) * 768
        + 12 * (4 * (768 * 768 + 768) + 2 * 768 * 3072 + 3072 + 768 + 4 * 768)
        + (768 * 768 + 768)
        + 2 * 769,
    ),
    (
        "RobertaForSequenceClassification",
        {"max_position_embeddings": 514, "type_vocab_size": 1},
        124_647_170,
        (50265 + 514 + 1 + 2) * 768 + 12 * 7_087_872 + (768 * 768 + 768) + 2 * 769,
    ),
    (
        "ElectraForSequenceClassification",
        {},
        13_549_314,
        (30522 + 512 + 2 + 2) * 128
        + 129 * 256
        + 12 * (4 * (256 * 256 + 256) + 2 * 256 * 1024 + 1024 + 256 + 4 * 256)
        + (256 * 256 + 256)
        + 2 * 257,
    ),
    (
        "DistilBertForSequenceClassification",
        {},
        66_955_010,
        (30522 + 512 + 2) * 768 + 6 * 7_087_872 + (768 * 768 + 768) + 2 * 769,
    ),
    ("GPT2LMHeadModel", {}, 124_439_808, (50257 + 1024 + 2) * 768 + 12 * 7_087_872),
    (
        "LlamaForCausalLM",  # Llama 3.2 1B: tied, 8 groups of 4 heads
        {
            "vocab_size": 128256,
            "hidden_size": 2048,
            "num_hidden_layers": 16,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "intermediate_size": 8192,
            "head_dim": 64,
            "tie_word_embeddings": True,
        },
        1_235_814_400,
        128256 * 2048 + 16 * (2 * 2048 * 2048 + 2 * 2048 * 512 + 3 * 2048 * 8192 + 2 * 2048) + 2048,
    ),
    (
        "LlamaForCausalLM",  # Llama 3 8B
        {
            "vocab_size": 128256,
            "num_key_value_heads": 8,
            "intermediate_size": 14336,
        },
        8_030_261_248,
        2 * 128256 * 4096
        + 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336 + 2 * 4096)
        + 4096,
    ),
    (
        "MistralForCausalLM",  # Mistral 7B
        {},
        7_241_732_096,
        2 * 32000 * 4096
        + 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336 + 2 * 4096)
        + 4096,
    ),
    (
        "Qwen2ForCausalLM",  # Qwen2 0.5B
        {
            "hidden_size": 896,
            "num_hidden_layers": 24,
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "intermediate_size": 4864,
            "tie_word_embeddings": True,
        },
        494_032_768,
        151936 * 896
        + 24 * (2 * 896 * 896 + 896 + 2 * (896 + 1) * 128 + 3 * 896 * 4864 + 2 * 896)
        + 896,
    ),
    (
        "ResNetForImageClassification",
        {"num_labels": 1000},
        25_557_032,
        23_508_032 + 2048 * 1000 + 1000,
    ),
    (
        "ResNetForImageClassification",  # ResNet-18
        {
            "num_labels": 1000,
            "hidden_sizes": [64, 128, 256, 512],
            "depths": [2, 2, 2, 2],
            "layer_type": "basic",
        },
        11_689_512,
        11_176_512 + 512 * 1000 + 1000,
    ),
]


@pytest.mark.parametrize(("architecture", "config", "published", "by_hand"), PUBLISHED)
def test_arithmetic_gives_the_published_sizes(
    architecture: str, config: dict[str, Any], published: int, by_hand: int
) -> None:
    from prunegate.models.family import family_of

    family = family_of(architecture)
    assert family.parameters(config, family.whole(config)) == published == by_hand


@pytest.mark.parametrize("name", NAMES)
def test_arithmetic_counts_what_is_left(name: str) -> None:
    from prunegate.models.cut import cut_whole

    for seed in range(3):
        model = tiny(name)
        kept = some(model, seed)
        cut_whole(model.family, model.module, kept)
        assert counted(model.module) == model.family.parameters(model.config, kept)
        assert counted(model.module) < model.family.parameters(model.config, model.whole)


def test_a_group_goes_with_all_of_its_heads() -> None:
    model = tiny("llama")
    kept = model.whole.narrowed("heads", [(0, 2), (1,), (0, 1, 2)])
    assert model.whole.counts("heads") == (3, 3, 3)
    assert model.family.active_heads(model.config, kept) == 12
    assert model.family.active_heads(model.config, model.whole) == 3 * 6
    from prunegate.models.cut import cut

    cut(model.family, model.module, "heads", [(0, 2), (1,), (0, 1, 2)])
    attention = [layer.self_attn for layer in model.module.model.layers]
    assert [one.k_proj.out_features // one.head_dim for one in attention] == [2, 1, 3]
    assert [one.q_proj.out_features // one.head_dim for one in attention] == [4, 2, 6]
    assert {one.num_key_value_groups for one in attention} == {2}


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_loaded_pruned_saved_and_reloaded_bit_exact(name: str, tmp_path: Path) -> None:
    from prunegate.models.cut import cut_whole
    from prunegate.models.save import save_candidate
    from prunegate.models.store import load_model

    model = tiny(name)
    baseline = load_model(write_baseline(model, tmp_path / "baseline"))
    inputs = inputs_of(model)
    assert same_weights(model.module, baseline.module)
    assert torch.equal(
        answers(model, model.module, inputs), answers(model, baseline.module, inputs)
    )
    assert baseline.active_heads == model.family.active_heads(model.config, model.whole)
    kept = some(model)
    cut_whole(baseline.family, baseline.module, kept)
    surgery = surgery_of(baseline, kept, baseline.module)
    save_candidate(baseline.module, surgery, tmp_path / "candidate", tmp_path / "baseline")
    again = load_model(tmp_path / "candidate")
    assert again.kept == kept
    assert again.active_heads == model.family.active_heads(model.config, kept)
    assert same_weights(again.module, baseline.module)
    assert torch.equal(
        answers(model, again.module, inputs), answers(model, baseline.module, inputs)
    )


def same_weights(one: Any, other: Any) -> bool:
    state, stated = one.state_dict(), other.state_dict()
    return list(state) == list(stated) and all(
        torch.equal(state[key], stated[key]) for key in state
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_from_pretrained_would_fill_with_random_numbers_is_refused(
    name: str, tmp_path: Path
) -> None:
    from prunegate.models.cut import cut
    from prunegate.models.store import load_model

    model = tiny(name)
    kind = "filters" if "filters" in model.whole.kinds else "heads"
    cut(model.family, model.module, kind, [(0,) for _ in model.whole.rows(kind)])
    folder = write_baseline(model, tmp_path / "lost")
    with pytest.raises(ModelError, match=r"shapes do not fit the config.*prunegate compress"):
        load_model(folder)


@pytest.mark.parametrize("name", NAMES)
def test_a_pruned_model_learns(name: str) -> None:
    from prunegate.compress.finetune import Schedule, finetune
    from prunegate.models.cut import cut_whole

    model = tiny(name)
    cut_whole(model.family, model.module, some(model))
    schedule = Schedule(steps=30, learning_rate=2e-2, batch_size=16, flip=False)
    losses = finetune(model.module, rows_of(model), schedule, seed=0)
    assert np.mean(losses[-3:]) < 0.8 * losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_criterion_ranks_every_kind(name: str) -> None:
    from prunegate.compress.criteria import CRITERIA, rank
    from prunegate.compress.subject import Subject

    model = tiny(name)
    subject = Subject(family=model.family, module=model.module, data=rows_of(model, 6))
    for kind in model.whole.kinds:
        for criterion in CRITERIA:
            scores = rank(criterion, subject, kind)
            assert tuple(len(row) for row in scores) == model.whole.counts(kind)
            assert all(row.std() > 0 for row in scores), (kind, criterion)


@pytest.mark.parametrize("name", ["gpt2", "llama", "resnet with bottlenecks"])
def test_gradients_match_finite_differences(name: str) -> None:
    from prunegate.compress.importance import gate_gradients
    from prunegate.compress.loss import cross_entropy
    from prunegate.models.gates import gated

    # Llama's norms compute in single precision whatever they are given.
    model, step = tiny(name), 1e-2 if name == "llama" else 1e-4
    model.module.double()
    rows = rows_of(model, 4)
    batch = rows.batch(np.arange(4))
    doubled = {
        key: value.double() if value.is_floating_point() else value
        for key, value in batch.inputs.items()
    }
    batch = type(batch)(inputs=doubled, labels=batch.labels)
    sites = [site for kind in model.whole.kinds for site in model.family.sites(model.module, kind)]
    gradients = gate_gradients(model.module, sites, batch)
    for index, site in enumerate(sites):
        unit = site.units - 1
        moved = []
        for change in (step, -step):
            gates = [torch.ones(one.units, dtype=torch.float64) for one in sites]
            gates[index][unit] += change
            with torch.no_grad(), gated(sites, gates):
                moved.append(float(cross_entropy(model.module, batch, reduction="sum")))
        difference = (moved[0] - moved[1]) / (2 * step)
        expected = float(gradients[index][:, unit].sum())
        assert expected == pytest.approx(difference, abs=1e-4, rel=2e-3), site.name


@pytest.mark.parametrize("name", LANGUAGE)
def test_generation_with_a_cache_is_generation_without(name: str) -> None:
    from prunegate.models.cut import cut_whole

    model = tiny(name)
    kept = model.whole.narrowed("layers", [(0, 2)])
    kept = kept.narrowed("heads", [(1,), (0, 2)]).narrowed("neurons", [(0, 3, 5), (7,)])
    cut_whole(model.family, model.module, kept)
    prompt = inputs_of(model, batch=1, length=5)
    prompt["attention_mask"][:] = 1
    prompt["input_ids"].clamp_(min=3)
    settings = {"max_new_tokens": 12, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    cached = model.module.generate(**prompt, use_cache=True, **settings)
    plain = model.module.generate(**prompt, use_cache=False, **settings)
    assert cached.shape == (1, 17)
    assert torch.equal(cached, plain)
    # Greedy tokens may repeat; any tokens, fed one by one, give the same logits too.
    tokens = torch.randint(3, 30, (2, 12), generator=torch.Generator().manual_seed(5))
    past, steps = None, []
    with torch.inference_mode():
        for position in range(tokens.shape[1]):
            one = tokens[:, position : position + 1]
            out = model.module(input_ids=one, past_key_values=past, use_cache=True)
            past = out.past_key_values
            steps.append(out.logits)
        together = model.module(input_ids=tokens).logits
    torch.testing.assert_close(torch.cat(steps, dim=1), together, atol=1e-5, rtol=1e-5)


OLD_NAMES = {
    "bert": [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")],
    "gpt2": [("transformer.", "")],
}
BUFFERS = {
    "bert": {"bert.embeddings.position_ids": torch.arange(20)[None]},
    "roberta": {"roberta.embeddings.position_ids": torch.arange(20)[None]},
    "electra": {"electra.embeddings.position_ids": torch.arange(20)[None]},
    "distilbert": {"distilbert.embeddings.position_ids": torch.arange(20)[None]},
    "gpt2": {
        "transformer.h.0.attn.bias": torch.ones(1, 1, 32, 32),
        "transformer.h.1.attn.masked_bias": torch.tensor(-1e4),
    },
    "llama": {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(2)},
}


@pytest.mark.parametrize("name", list(BUFFERS))
def test_files_of_earlier_releases_are_read(name: str, tmp_path: Path) -> None:
    from prunegate.models.store import load_baseline

    model = tiny(name)
    folder = write_baseline(model, tmp_path / "baseline")
    path = folder / "model.safetensors"
    state = {**safetensors_torch.load(path.read_bytes()), **BUFFERS[name]}
    for new, old in OLD_NAMES.get(name, []):
        assert any(new in key for key in state)
        state = {key.replace(new, old): tensor for key, tensor in state.items()}
    path.write_bytes(safetensors_torch.save(state))
    assert same_weights(load_baseline(folder).module, model.module)


@pytest.mark.parametrize("name", ["gpt2", "llama with biases, tied"])
def test_tied_weights_are_stored_once_and_stay_tied(name: str) -> None:
    from prunegate.models.weights import stored_once

    model = tiny(name)
    assert "lm_head.weight" not in stored_once(model.module)
    embeddings = model.module.get_input_embeddings().weight
    assert model.module.lm_head.weight is embeddings


@pytest.mark.parametrize(
    ("name", "kind", "has"),
    [("bert", "filters", "heads, neurons, layers"), ("resnet", "heads", "filters")],
)
def test_units_that_a_family_does_not_have_are_refused_with_those_it_has(
    name: str, kind: str, has: str
) -> None:
    from prunegate.compress.prune import Cut, prune
    from prunegate.compress.select import Amount
    from prunegate.compress.subject import Subject

    model = tiny(name)
    subject = Subject(family=model.family, module=model.module)
    wanted = Cut(what=kind, amount=Amount(keep=1), criterion="magnitude")  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match=f"has no {kind} that can be pruned; it has: {has}"):
        prune(subject, model.whole, wanted)


def test_a_family_that_is_not_known_is_refused_with_those_that_are() -> None:
    from prunegate.models.family import family_of

    with pytest.raises(UnsupportedError) as refused:
        family_of("T5ForConditionalGeneration")
    assert all(architecture in str(refused.value) for architecture, _ in CONFIGS.values())


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("bert", {"hidden_size": 13}, "not a multiple of num_attention_heads"),
        ("bert", {"add_cross_attention": True}, "transformers refuses"),
        ("bert", {"num_labels": 3, "id2label": {"0": "a", "1": "b"}}, "num_labels is 3"),
        ("bert", {"vocab_size": "30"}, "vocab_size"),
        ("distilbert", {"dim": 13}, "not a multiple of n_heads"),
        ("gpt2", {"n_embd": 13}, "not a multiple of n_head"),
        ("gpt2", {"add_cross_attention": True}, "contradicts itself"),
        ("gpt2", {"tie_word_embeddings": 1}, "tie_word_embeddings"),
        ("gpt2", {"hidden_size": 24}, "contradicts itself"),
        ("llama", {"num_key_value_heads": 4}, "not a multiple of num_key_value_heads"),
        ("qwen2", {"hidden_size": 13}, "not a multiple of num_attention_heads"),
        ("resnet", {"depths": [1]}, "2 hidden_sizes for 1 depths"),
        ("resnet", {"hidden_sizes": 8}, "expected a list of sizes"),
        ("resnet", {"hidden_sizes": [8, -1]}, "hidden_sizes"),
        ("resnet", {"layer_type": "other"}, "transformers refuses"),
        ("resnet with bottlenecks", {"hidden_sizes": [3, 16]}, "bottleneck"),
    ],
)
def test_a_config_that_lies_is_refused(name: str, changes: dict[str, Any], message: str) -> None:
    from prunegate.models.family import family_of

    config = config_of(name, **changes)
    family = family_of(config["architectures"][0])
    with pytest.raises(ModelError, match=message):
        family.skeleton(config, family.whole(config))


def test_decoders_and_other_problems_are_no_classifiers() -> None:
    from prunegate.models.family import family_of

    for changes, message in (
        ({"is_decoder": True}, "only encoders"),
        ({"problem_type": "regression"}, "softmax"),
        ({"quantization_config": {"bits": 4}}, "quantized"),
    ):
        config = config_of("bert", **changes)
        family = family_of(config["architectures"][0])
        with pytest.raises(UnsupportedError, match=message):
            family.skeleton(config, family.whole(config))


@pytest.mark.parametrize("name", ["gpt2", "distilbert"])
def test_second_names_of_sizes_are_understood(name: str) -> None:
    first = {"gpt2": ("n_embd", "n_layer", "n_head"), "distilbert": ("dim", "n_layers", "n_heads")}
    second = ("hidden_size", "num_hidden_layers", "num_attention_heads")
    config = config_of(name)
    renamed = dict(zip(first[name], second, strict=True))
    spoken = {renamed.get(key, key): value for key, value in config.items()}
    family = tiny(name).family
    assert family.whole(spoken) == family.whole(config)
    assert family.parameters(spoken, family.whole(spoken)) == counted(tiny(name).module)
    assert counted(family.skeleton(spoken, family.whole(spoken))) == counted(tiny(name).module)


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_recipe_is_carried_out(name: str, tmp_path: Path) -> None:
    from prunegate.compress.finetune import Schedule
    from prunegate.compress.prune import Cut
    from prunegate.compress.recipe import FinetuneStep, PruneStep
    from prunegate.compress.select import Amount
    from prunegate.compress.work import compress
    from prunegate.models.save import save_candidate
    from prunegate.models.store import load_model

    model = tiny(name)
    baseline = load_model(write_baseline(model, tmp_path / "baseline"))
    rows = rows_of(model, 8)
    steps: list[Any] = [
        PruneStep(cut=Cut(what=kind, amount=Amount(fraction=0.4)), data=rows)
        for kind in model.whole.kinds
    ]
    steps.append(FinetuneStep(data=rows, schedule=Schedule(steps=2, batch_size=8)))
    before = copy.deepcopy(baseline.module.state_dict())
    made = compress(baseline, steps)
    save_candidate(made.module, made.surgery, tmp_path / "candidate", tmp_path / "baseline")
    again = load_model(tmp_path / "candidate")
    assert same_weights(again.module, made.module)
    for kind in model.whole.kinds:
        assert again.kept.total(kind) < model.whole.total(kind)
    assert all(torch.equal(before[key], now) for key, now in baseline.module.state_dict().items())
    json.loads((tmp_path / "candidate" / "surgery.json").read_text())


def test_batch_norm_follows_its_filters() -> None:
    from prunegate.models.cut import cut

    model = tiny("resnet with bottlenecks")
    block = model.module.resnet.encoder.stages[1].layers[0]
    before = copy.deepcopy(block.layer[1].normalization)
    keep = [tuple(range(len(row))) for row in model.whole.rows("filters")]
    keep[3] = (1, 3)  # the second convolution of stage 1, block 0
    cut(model.family, model.module, "filters", keep)
    after = block.layer[1].normalization
    assert after.num_features == 2
    assert torch.equal(after.running_mean, before.running_mean[[1, 3]])
    assert torch.equal(after.running_var, before.running_var[[1, 3]])
    assert after.num_batches_tracked.dtype == torch.int64
    assert (block.layer[1].convolution.out_channels, block.layer[2].convolution.in_channels) == (
        2,
        2,
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", ["weights", "2:4"])
def test_single_weights_are_zeroed_in_layers_only(name: str, what: Any) -> None:
    from prunegate.compress.criteria import CRITERIA
    from prunegate.compress.select import Amount
    from prunegate.compress.sparsity import Thinning, thin
    from prunegate.compress.subject import Subject
    from prunegate.models.sparse import prunable

    for criterion in CRITERIA:
        model = tiny(name)
        subject = Subject(family=model.family, module=model.module, data=rows_of(model, 4))
        tensors = prunable(model.module, model.family)
        total = sum(weight.numel() for weight in tensors.values())
        amount = None if what == "2:4" else Amount(fraction=0.5)
        wanted = Thinning(what=what, amount=amount, criterion=criterion, scope="per_layer")
        zeros = thin(subject, wanted)
        assert zeros == total // 2
        for key, weight in model.module.named_parameters():
            if key not in tensors:
                assert bool((weight != 0).all()), key
        logits = model.module(**inputs_of(model)).logits
        assert bool(torch.isfinite(logits).all())


@pytest.mark.parametrize("name", ["gpt2", "llama", "resnet"])
def test_two_of_four_run_along_the_input(name: str) -> None:
    """Hardware multiplies four inputs of one output at a time; for a convolution, four channels."""
    from prunegate.compress.sparsity import Thinning, thin
    from prunegate.compress.subject import Subject
    from prunegate.models.sparse import prunable

    model = tiny(name)
    thin(Subject(family=model.family, module=model.module), Thinning(what="2:4"))
    transposed = name == "gpt2"
    for key, weight in prunable(model.module, model.family).items():
        inputs_last = weight.t() if transposed else weight.movedim(1, -1)
        fours = inputs_last.reshape(-1, 4) != 0
        assert bool((fours.sum(dim=1) == 2).all()), key
    assert any(weight.dim() == 4 for weight in prunable(model.module, model.family).values()) == (
        name == "resnet"
    )


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("electra", {"embedding_size": 12}),
        ("bert", {"num_labels": 5, "classifier_dropout": 0.2}),
        ("gpt2", {"n_inner": None}),
        ("llama", {"head_dim": 6, "num_key_value_heads": None}),
        ("llama", {"num_key_value_heads": 1}),
        ("llama", {"rope_theta": 5e5, "rope_scaling": {"rope_type": "linear", "factor": 2.0}}),
        ("mistral", {"sliding_window": None}),
        ("qwen2", {"num_key_value_heads": None}),
        ("resnet", {"downsample_in_first_stage": True, "num_channels": 1}),
        ("resnet with bottlenecks", {"downsample_in_bottleneck": True}),
    ],
)
def test_what_configs_may_say_is_counted(name: str, changes: dict[str, Any]) -> None:
    config = config_of(name, **changes)
    family = tiny(name).family
    module = family.skeleton(config, family.whole(config))
    assert counted(module) == family.parameters(config, family.whole(config))
    logits = module(**family.example(config)).logits
    assert len(logits) == 2


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("bert", {"num_hidden_layers": 1 << 20, "intermediate_size": 1 << 20}),
        ("vit", {"num_hidden_layers": 1 << 20, "intermediate_size": 1 << 20}),
        ("resnet", {"hidden_sizes": [1 << 20], "depths": [9999]}),
    ],
)
def test_a_config_with_more_units_than_memory_is_refused(
    name: str, changes: dict[str, Any]
) -> None:
    family = tiny(name).family
    with pytest.raises(ModelError, match="units; at most"):
        family.whole(config_of(name, **changes))


@pytest.mark.parametrize("name", ["resnet", "resnet with bottlenecks"])
def test_tracing_finds_the_filters_that_the_family_knows(name: str) -> None:
    pytest.importorskip("torch_pruning")
    from prunegate.models.cnn_graph import filter_sites

    class Logits(torch.nn.Module):
        def __init__(self, module: Any) -> None:
            super().__init__()
            self.module = module

        def forward(self, pixels: Any) -> Any:
            return self.module(pixels).logits

    def described(site: Any) -> set[Any]:
        return {
            (id(part.owner), part.name, part.axis, tuple(part.places.flatten().tolist()))
            for part in site.parts
        }

    model = tiny(name)
    traced = filter_sites(Logits(model.module), torch.zeros(2, 3, 32, 32))
    found = [described(site) for site in traced]
    known = [described(site) for site in model.family.sites(model.module, "filters")]
    assert all(parts in found for parts in known)
    assert len(found) > len(known)  # residual streams, which the family leaves whole


def test_a_single_row_left_over_is_refused_where_batch_norm_needs_two() -> None:
    from prunegate.compress.finetune import Schedule, finetune

    model = tiny("resnet", depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 8, 8])
    rows = rows_of(model, 5)
    schedule = Schedule(epochs=1, batch_size=4, flip=False)
    with pytest.raises(ModelError, match="batch_size that leaves no single row over"):
        finetune(model.module, rows, schedule)


def test_randomised_models_differ() -> None:
    model = tiny("bert")
    before = copy.deepcopy(model.module.state_dict())
    randomise(model.module, 1)
    assert not torch.equal(before["classifier.weight"], model.module.classifier.weight)
