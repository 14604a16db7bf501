"""Surgery on a ViT: the pruned model is the gated model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.kept_units import IN_LAYERS, KeptUnits, Kind

pytestmark = pytest.mark.models

MakeVit = Callable[..., tuple[Any, dict[str, Any]]]


def subsets(units: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(0, units - 1), min_size=1).map(lambda kept: tuple(sorted(kept)))


def pixels(config: dict[str, Any], batch: int = 3) -> Any:
    generator = torch.Generator().manual_seed(1)
    side = config["image_size"]
    return torch.randn(batch, 3, side, side, generator=generator)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_pruned_model_equals_the_gated_one(data: st.DataObject, make_vit: MakeVit) -> None:
    from prunegate.models.cut import cut
    from prunegate.models.gates import gated
    from prunegate.models.vit import FAMILY

    layers, heads = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4))
    neurons = data.draw(st.integers(1, 8))
    module, config = make_vit(
        seed=data.draw(st.integers(0, 99)),
        hidden_size=heads * data.draw(st.sampled_from([2, 4])),
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=neurons,
        qkv_bias=data.draw(st.booleans()),
    )
    module.set_attn_implementation(data.draw(st.sampled_from(["sdpa", "eager"])))
    kept: dict[Kind, list[tuple[int, ...]]] = {
        "heads": [data.draw(subsets(heads)) for _ in range(layers)],
        "neurons": [data.draw(subsets(neurons)) for _ in range(layers)],
    }
    sites, masks = [], []
    for kind in IN_LAYERS:
        for site, left in zip(FAMILY.sites(module, kind), kept[kind], strict=True):
            mask = torch.zeros(site.units)
            mask[list(left)] = 1.0
            sites.append(site)
            masks.append(mask)
    inputs = pixels(config)
    with torch.inference_mode():
        with gated(sites, masks):
            expected = module(inputs).logits
        for kind in IN_LAYERS:
            cut(FAMILY, module, kind, kept[kind])
        pruned = module(inputs).logits
    torch.testing.assert_close(pruned, expected, atol=1e-5, rtol=1e-5)


def test_gates_are_gone_after_the_context_even_when_it_fails(make_vit: MakeVit) -> None:
    from prunegate.models.gates import gated
    from prunegate.models.vit import FAMILY

    module, config = make_vit()
    before = module(pixels(config)).logits
    sites = FAMILY.sites(module, "heads")
    with gated(sites, [torch.zeros(site.units) for site in sites]):
        assert not torch.equal(module(pixels(config)).logits, before)
    with pytest.raises(ValueError, match="shorter"), gated(sites, [torch.zeros(3)]):
        pass
    assert torch.equal(module(pixels(config)).logits, before)


def test_two_cuts_are_one(make_vit: MakeVit) -> None:
    from prunegate.models.cut import cut
    from prunegate.models.vit import FAMILY

    twice, config = make_vit()
    once, _ = make_vit()
    kept = FAMILY.whole(config)
    for positions in ([(0, 3, 4, 9), (1, 2, 3)], [(1, 3), (0, 2)]):
        kept = kept.narrowed("neurons", positions)
        cut(FAMILY, twice, "neurons", positions)
    assert kept.of("neurons") == ((3, 9), (1, 3))
    cut(FAMILY, once, "neurons", kept.of("neurons"))
    for name, tensor in once.state_dict().items():
        assert torch.equal(tensor, twice.state_dict()[name]), name


def test_attributes_follow_the_shapes(make_vit: MakeVit) -> None:
    from prunegate.models.cut import cut
    from prunegate.models.vit import FAMILY

    module, _ = make_vit()
    cut(FAMILY, module, "heads", [(0,), (0, 2)])
    attention = module.vit.layers[0].attention
    assert attention.num_attention_heads == 1
    assert (attention.q_proj.out_features, attention.o_proj.in_features) == (4, 4)
    assert [site.units for site in FAMILY.sites(module, "heads")] == [1, 2]


@pytest.mark.parametrize("keep", [[(), (0,)], [(0, 0), (0,)], [(2, 1), (0,)], [(3,), (0,)], [(0,)]])
def test_a_cut_that_cannot_be_is_refused_and_changes_nothing(
    make_vit: MakeVit, keep: list[tuple[int, ...]]
) -> None:
    from prunegate.models.cut import cut
    from prunegate.models.vit import FAMILY

    module, _ = make_vit()
    before = sum(parameter.numel() for parameter in module.parameters())
    with pytest.raises(ModelError, match="surgery"):
        cut(FAMILY, module, "heads", keep)
    assert sum(parameter.numel() for parameter in module.parameters()) == before


def test_building_leaves_the_callers_random_numbers_alone(make_vit: MakeVit) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    make_vit()
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"problem_type": "ranking"}, UnsupportedError, "softmax"),
        ({"quantization_config": {"bits": 4}}, UnsupportedError, "quantized"),
        ({"hidden_act": "no_such_function"}, ModelError, "transformers refuses"),
        ({"layer_norm_eps": "small"}, ModelError, "transformers refuses"),
    ],
)
def test_configs_that_mean_something_else_are_refused(
    make_config: Callable[..., dict[str, Any]],
    changes: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    from prunegate.models.vit import FAMILY

    config = make_config(**changes)
    with pytest.raises(error, match=message):
        FAMILY.skeleton(config, FAMILY.whole(config))


def test_a_release_that_moves_the_modules_is_noticed(
    make_config: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from prunegate.models import vit

    def moved(settings: Any) -> Any:
        module = original(settings)
        module.vit.encoder = module.vit.layers
        del module.vit.layers
        return module

    original = vit.ViTForImageClassification
    monkeypatch.setattr(vit.ViT, "model_class", staticmethod(moved))
    config = make_config()
    with pytest.raises(ModelError, match="this transformers release"):
        vit.FAMILY.skeleton(config, vit.FAMILY.whole(config))


def test_a_class_that_is_not_on_the_list_is_refused_with_the_list() -> None:
    from prunegate.models.family import family_of

    with pytest.raises(UnsupportedError, match=r"'os\.system'.*ViTForImageClassification"):
        family_of("os.system")


@pytest.mark.slow
def test_a_real_vit_b16_is_cut_to_the_published_size() -> None:
    from prunegate.models.cut import cut
    from prunegate.models.vit import FAMILY

    config = {"num_labels": 1000}
    module = FAMILY.skeleton(config, FAMILY.whole(config))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.02)
    assert sum(parameter.numel() for parameter in module.parameters()) == 86_567_656
    keep = [tuple(range(6 if layer < 4 else 5)) for layer in range(12)]
    cut(FAMILY, module, "heads", keep)
    assert sum(parameter.numel() for parameter in module.parameters()) == 70_823_656
    with torch.inference_mode():
        assert torch.isfinite(module(torch.zeros(1, 3, 224, 224)).logits).all()


def test_kept_counts_and_narrows_in_original_numbers() -> None:
    kept = KeptUnits.whole({"heads": [3, 3], "neurons": [4, 4]}).narrowed("heads", [(0, 2), (1,)])
    assert kept.of("heads") == ((0, 2), (1,))
    assert kept.narrowed("heads", [(1,), (0,)]).of("heads") == ((2,), (1,))
    assert kept.counts("neurons") == (4, 4)
    assert kept.active_heads == 3
