"""Parameters from the config alone: the published sizes, what is left, and configs that lie."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.models.tiny import NAMES, config_of, counted, some, tiny

from prunegate.errors import ModelError, UnsupportedError

pytestmark = pytest.mark.models

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
        "Qwen3ForCausalLM",  # Qwen3 0.6B
        {
            "hidden_size": 1024,
            "num_hidden_layers": 28,
            "num_attention_heads": 16,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "intermediate_size": 3072,
            "tie_word_embeddings": True,
        },
        596_049_920,
        151936 * 1024
        + 28 * (2 * 1024 * 2048 + 2 * 1024 * 1024 + 3 * 1024 * 3072 + 2 * 1024 + 2 * 128)
        + 1024,
    ),
    (
        "Gemma3ForCausalLM",  # Gemma 3 1B
        {
            "hidden_size": 1152,
            "num_attention_heads": 4,
            "num_key_value_heads": 1,
            "intermediate_size": 6912,
            "vocab_size": 262144,
        },
        999_885_952,
        262144 * 1152
        + 26 * (2 * 1152 * 1024 + 2 * 1152 * 256 + 3 * 1152 * 6912 + 4 * 1152 + 2 * 256)
        + 1152,
    ),
    (
        "Dinov2ForImageClassification",  # the backbone of DINOv2 base is 86,580,480
        {"image_size": 518, "num_labels": 1000},
        88_117_480,
        86_580_480 + 1000 * (2 * 768 + 1),
    ),
    (
        "Dinov2ForImageClassification",  # the backbone of DINOv2 giant is 1,136,480,768
        {
            "hidden_size": 1536,
            "num_hidden_layers": 40,
            "num_attention_heads": 24,
            "image_size": 518,
            "use_swiglu_ffn": True,
            "num_labels": 1000,
        },
        1_139_553_768,
        1_136_480_768 + 1000 * (2 * 1536 + 1),
    ),
    (
        "DeiTForImageClassificationWithTeacher",  # deit-base-distilled
        {"num_labels": 1000},
        87_338_192,
        86_569_192 + 1000 * 769,
    ),
    (
        "SwinForImageClassification",  # Swin tiny
        {"num_labels": 1000},
        28_288_354,
        49 * 96
        + 2 * 96
        + sum(
            depth * (12 * width**2 + 13 * width + heads * 13**2)
            for width, depth, heads in ((96, 2, 3), (192, 2, 6), (384, 6, 12), (768, 2, 24))
        )
        + sum(8 * width**2 + 8 * width for width in (96, 192, 384))
        + 2 * 768
        + 1000 * 769,
    ),
    (
        "Swinv2ForImageClassification",  # Swin V2 tiny
        {"num_labels": 1000, "image_size": 256, "window_size": 8},
        28_347_154,
        49 * 96
        + 2 * 96
        + sum(
            depth * (12 * width**2 + 12 * width + 3 * 512 + heads * 513)
            for width, depth, heads in ((96, 2, 3), (192, 2, 6), (384, 6, 12), (768, 2, 24))
        )
        + sum(8 * width**2 + 4 * width for width in (96, 192, 384))
        + 2 * 768
        + 1000 * 769,
    ),
    (
        "ModernBertForSequenceClassification",  # the encoder of ModernBERT base is 149,014,272
        {},
        149_606_402,
        50368 * 768
        + 22 * (4 * 768 * 768 + 3 * 768 * 1152 + 2 * 768)
        + 768  # the last norm; the first layer has one, that of the embeddings, less
        + (768 * 768 + 768)
        + 2 * 769,
    ),
    (
        "DeiTForImageClassification",  # ViT-B/16 and the teacher's token with its position
        {"num_labels": 1000},
        86_569_192,
        86_567_656 + 2 * 768,
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


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "config", "published", "by_hand"), PUBLISHED)
def test_arithmetic_gives_the_published_sizes(
    architecture: str, config: dict[str, Any], published: int, by_hand: int
) -> None:
    from prunegate.models.family import family_of

    family = family_of(architecture)
    assert family.parameters(config, family.whole(config)) == published == by_hand


@pytest.mark.slow
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
        ("qwen2", {"hidden_size": 13, "head_dim": 0}, "head_dim is 0"),
        ("dinov2", {"hidden_size": 13}, "not a multiple of num_attention_heads"),
        ("dinov2", {"mlp_ratio": "4"}, "mlp_ratio"),
        ("swin", {"depths": [1]}, "2 num_heads for 1 depths"),
        ("swin", {"depths": [0, 0]}, "1 to 10000 layers"),
        ("swin", {"num_heads": [2, 3]}, "width of 16 is not a multiple of 3 heads"),
        ("swin", {"num_heads": 2}, "expected a list"),
        ("swin", {"num_heads": [0, 4]}, "num_heads is 0"),
        ("swin", {"depths": [True, 1]}, "depths is True"),
        ("swin", {"window_size": 200, "image_size": 400}, "pairs of positions"),
        ("swinv2", {"window_size": 1 << 20, "image_size": 1 << 20}, "pairs of positions"),
        ("swin", {"image_size": 12}, "window_size 4: a stage has 3 x 3 tokens only"),
        ("swin", {"patch_size": [2, 2, 2]}, r"one size or \[height, width\]"),
        ("swinv2", {"use_mask_token": True, "embed_dim": 9}, "not a multiple of 2 heads"),
        ("modernbert", {"hidden_size": 13}, "not a multiple of num_attention_heads"),
        ("modernbert", {"norm_bias": 1}, "norm_bias"),
        ("modernbert", {"layer_types": ["full_attention"]}, "transformers refuses"),
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
        ({"problem_type": "ranking"}, "softmax"),
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


@pytest.mark.slow
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
        ("swin", {"depths": [0, 2], "image_size": [16, 22], "mlp_ratio": 2.5}),
        ("swin", {"num_channels": 1, "patch_size": [2, 1], "num_labels": 5}),
        ("swinv2", {"window_size": 7, "pretrained_window_sizes": [3, 3], "qkv_bias": False}),
        ("modernbert", {"layer_types": ["sliding_attention"] * 3, "num_hidden_layers": 3}),
        ("modernbert", {"classifier_bias": True, "num_labels": 5}),
        ("dinov2, gated", {"mlp_ratio": 3, "use_mask_token": False}),
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
        ("swin", {"depths": [9999, 1], "mlp_ratio": 1 << 12}),
        ("modernbert", {"num_hidden_layers": 1 << 20, "intermediate_size": 1 << 20}),
        ("resnet", {"hidden_sizes": [1 << 20], "depths": [9999]}),
    ],
)
def test_a_config_with_more_units_than_memory_is_refused(
    name: str, changes: dict[str, Any]
) -> None:
    family = tiny(name).family
    with pytest.raises(ModelError, match="units; at most"):
        family.whole(config_of(name, **changes))


def test_classes_of_a_model_that_knows_none_cost_nothing() -> None:
    model = tiny("gpt2", num_labels=10**9)
    assert len(model.module.config.id2label) < 10
