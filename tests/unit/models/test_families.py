"""Every family, by the same laws: what is cut equals what is gated, counted, stored and trained."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.models.tiny import (
    CONFIGS,
    LANGUAGE,
    NAMES,
    TEXT_CLASSIFIERS,
    TRANSFORMERS,
    answers,
    inputs_of,
    rows_of,
    some,
    tiny,
)

from prunegate.errors import ModelError, UnsupportedError
from prunegate.policy.steps import Finetune, Keep, Prune

pytestmark = pytest.mark.slow

LAYERS = [[0, 2], [1], [1, 2]]


HUB = {
    ("images", "classes"): "image-classification",
    ("texts", "classes"): "text-classification",
    ("texts", "next token"): "text-generation",
}


def test_no_architecture_escapes_these_laws() -> None:
    """One that is new has a tiny model in ``tiny.py``, and the Hub's word on its card."""
    from prunegate.models.family import architectures, family_of
    from prunegate.outputs.model_card import TASK_TYPES

    families = {name: family_of(name) for name in architectures()}
    assert {CONFIGS[name][0] for name in NAMES} == set(families)
    words = {name: HUB[one.reads, one.answers] for name, one in families.items()}
    assert words == TASK_TYPES


def subset(units: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(0, units - 1), min_size=1).map(lambda kept: tuple(sorted(kept)))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=4)
@given(data=st.data())
def test_a_pruned_model_equals_the_gated_one(name: str, data: st.DataObject) -> None:
    from prunegate.models.cut import cut
    from prunegate.models.gates import gated

    model = tiny(name, seed=data.draw(st.integers(0, 99)))
    if name in TRANSFORMERS:
        kernels = dict.fromkeys((model.family.attention, "eager"))
        model.module.set_attn_implementation(data.draw(st.sampled_from(list(kernels))))
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
    said = model.module.config.to_dict()
    assert model.family.whole(said).total("layers") == len(keep)


@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
@pytest.mark.parametrize("name", TEXT_CLASSIFIERS)
def test_a_text_is_answered_the_same_with_padding_and_without(name: str, kernel: str) -> None:
    from prunegate.models.cut import cut_whole

    model = tiny(name)
    cut_whole(model.family, model.module, some(model))
    model.module.set_attn_implementation(kernel)
    inputs = inputs_of(model, batch=5, length=12)
    together = answers(model, model.module, inputs)
    for row, mask in enumerate(inputs["attention_mask"]):
        alone = {key: value[row : row + 1, : mask.sum()] for key, value in inputs.items()}
        torch.testing.assert_close(
            answers(model, model.module, alone)[0], together[row], atol=1e-5, rtol=1e-5
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_pruned_model_learns(name: str) -> None:
    from prunegate.compress.finetune import finetune
    from prunegate.models.cut import cut_whole

    model = tiny(name)
    cut_whole(model.family, model.module, some(model))
    schedule = Finetune(steps=30, learning_rate=2e-2, batch_size=16, flips=False)
    losses = finetune(model.module, rows_of(model), schedule, seed=0)
    assert np.mean(losses[-3:]) < 0.8 * losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_criterion_ranks_every_kind(name: str) -> None:
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.scoring.by_criterion import rank
    from prunegate.criteria import CRITERIA

    model = tiny(name)
    ranked = RankingInput(family=model.family, module=model.module, data=rows_of(model, 6))
    for kind in model.whole.kinds:
        for criterion in CRITERIA:
            scores = rank(criterion, ranked, kind)
            assert tuple(len(row) for row in scores) == model.whole.counts(kind)
            assert all(row.std() > 0 for row in scores), (kind, criterion)


@pytest.mark.parametrize("name", ["gpt2", "llama", "swin", "resnet with bottlenecks"])
def test_gradients_match_finite_differences(name: str) -> None:
    from prunegate.compress.loss import batch_loss
    from prunegate.compress.scoring.taylor import gate_gradients
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
                moved.append(float(batch_loss(model.module, batch, reduction="sum")))
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


@pytest.mark.parametrize(
    ("name", "kind", "has"),
    [("bert", "filters", "heads, neurons, layers"), ("resnet", "heads", "filters")],
)
def test_units_that_a_family_does_not_have_are_refused_with_those_it_has(
    name: str, kind: str, has: str
) -> None:
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.structured import prune

    model = tiny(name)
    ranked = RankingInput(family=model.family, module=model.module)
    wanted = Prune(what=kind, amount=Keep(keep=1), criterion="magnitude")  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match=f"has no {kind} that can be pruned; it has: {has}"):
        prune(ranked, model.whole, wanted)


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
    from prunegate.compress.finetune import finetune

    model = tiny("resnet", depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 8, 8])
    rows = rows_of(model, 5)
    schedule = Finetune(epochs=1, batch_size=4, flips=False)
    with pytest.raises(ModelError, match="batch_size that leaves no single row over"):
        finetune(model.module, rows, schedule)
