"""Parameter arithmetic without weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.errors import ModelError
from prunegate.models.vit_geometry import ViTGeometry, vit_parameters

B16 = {"num_labels": 1000}  # ViTConfig's defaults are ViT-B/16


def test_the_published_size_of_a_vit_b16_and_of_its_parts() -> None:
    geometry = ViTGeometry.from_config(B16)
    assert vit_parameters(B16, [12] * 12, [3072] * 12) == 86_567_656
    assert geometry.head_parameters == 196_800
    assert geometry.neuron_parameters == 1_537


def test_64_of_144_heads_leave_70_8_million_not_61() -> None:
    kept = [6] * 4 + [5] * 8
    assert sum(kept) == 64
    assert vit_parameters(B16, kept, [3072] * 12) == 70_823_656
    assert vit_parameters(B16, kept, [2539] * 12) == 60_993_004


def test_a_two_class_head_changes_the_counts() -> None:
    two = {"id2label": {"0": "safe", "1": "unsafe"}}
    assert vit_parameters(two, [12] * 12, [3072] * 12) == 85_800_194
    assert vit_parameters(two, [6] * 4 + [5] * 8, [3072] * 12) == 70_056_194


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_arithmetic_equals_the_built_module(
    data: st.DataObject, make_vit: Callable[..., tuple[Any, dict[str, Any]]]
) -> None:
    from prunegate.models.kept_units import KeptUnits
    from prunegate.models.vit import FAMILY

    layers, heads = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4))
    neurons = data.draw(st.integers(1, 9))
    _, config = make_vit(
        hidden_size=heads * data.draw(st.integers(1, 4)),
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=neurons,
        image_size=data.draw(st.sampled_from([8, 16, [8, 16]])),
        patch_size=data.draw(st.sampled_from([4, 8])),
        num_channels=data.draw(st.sampled_from([1, 3])),
        qkv_bias=data.draw(st.booleans()),
        id2label={str(index): f"c{index}" for index in range(data.draw(st.integers(2, 5)))},
    )
    kept = KeptUnits.whole(
        {
            "heads": [data.draw(st.integers(1, heads)) for _ in range(layers)],
            "neurons": [data.draw(st.integers(1, neurons)) for _ in range(layers)],
            "layers": [layers],
        }
    )
    module = FAMILY.skeleton(config, kept)
    counted = sum(parameter.numel() for parameter in module.parameters())
    assert vit_parameters(config, kept.counts("heads"), kept.counts("neurons")) == counted


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"hidden_size": 10, "num_attention_heads": 3}, "not a multiple"),
        ({"hidden_size": True}, "hidden_size is True"),
        ({"hidden_size": "768"}, "hidden_size is '768'"),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0"),
        ({"intermediate_size": 10**12}, "intermediate_size"),
        ({"image_size": [224]}, "image_size"),
        ({"patch_size": [16, 1.5]}, "patch_size"),
        ({"qkv_bias": 1}, "qkv_bias"),
        ({"id2label": ["a"]}, "id2label"),
        ({"id2label": {"1": "a", "2": "b"}}, "classes 0 to 1"),
        ({"id2label": {}}, "id2label"),
        ({"id2label": {"0": "a", "1": "b"}, "num_labels": 3}, "num_labels is 3"),
    ],
)
def test_sizes_that_make_no_model_are_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        vit_parameters(config, [12] * 12, [3072] * 12)


@pytest.mark.parametrize(
    ("heads", "neurons"),
    [([12] * 11, [1] * 12), ([0, *[12] * 11], [1] * 12), ([13] * 12, [1] * 12)],
)
def test_counts_that_the_model_cannot_have_are_refused(
    heads: list[int], neurons: list[int]
) -> None:
    with pytest.raises(ModelError, match="heads"):
        vit_parameters(B16, heads, neurons)
