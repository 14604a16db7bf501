"""What only transformers builds, by class or by precision, answers as it answers, as stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.functional.foreign import random_model, save_quietly

from prunegate.models.open_model import open_model

pytestmark = [pytest.mark.slow, pytest.mark.models]

BODY = {
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 8,
}
IMAGES = {**BODY, "image_size": 16, "patch_size": 8}
GATED = {name: value for name, value in IMAGES.items() if name != "intermediate_size"}
GATED["use_swiglu_ffn"] = True
TEXTS = {**BODY, "vocab_size": 30, "pad_token_id": 0, "max_position_embeddings": 32}
T5 = {"d_model": 12, "d_kv": 4, "d_ff": 8, "num_layers": 2, "num_heads": 3, "vocab_size": 30}
T5 |= {"decoder_start_token_id": 0}
TOKENS = dict.fromkeys(("eos_token_id", "bos_token_id", "cls_token_id", "sep_token_id"), 1)


@pytest.mark.parametrize(
    ("name", "config", "settings", "precision"),
    [
        ("BeitForImageClassification", "BeitConfig", IMAGES, torch.float16),
        ("DeiTForImageClassificationWithTeacher", "DeiTConfig", IMAGES, torch.float16),
        ("ViTForImageClassification", "ViTConfig", IMAGES, torch.bfloat16),
        (
            "SiglipForImageClassification",
            "SiglipConfig",
            {"vision_config": IMAGES, "text_config": {**BODY, "vocab_size": 30}},
            torch.bfloat16,
        ),
        ("Dinov2ForImageClassification", "Dinov2Config", GATED, torch.bfloat16),
        (
            "MobileNetV2ForImageClassification",
            "MobileNetV2Config",
            {"image_size": 32, "depth_multiplier": 0.2, "depth_divisible_by": 2, "min_depth": 2},
            torch.float32,
        ),
        ("T5ForSequenceClassification", "T5Config", {**T5, **TOKENS}, torch.float32),
        (
            "ModernBertForSequenceClassification",
            "ModernBertConfig",
            {**TEXTS, **TOKENS},
            torch.bfloat16,
        ),
        ("BertForSequenceClassification", "BertConfig", {**TEXTS, "num_labels": 1}, torch.float32),
        (
            "Qwen3ForCausalLM",
            "Qwen3Config",
            {**TEXTS, "num_key_value_heads": 3, "head_dim": 4},
            torch.float16,
        ),
    ],
)
def test_it_answers_as_transformers_does(
    tmp_path: Path, name: str, config: str, settings: dict[str, Any], precision: torch.dtype
) -> None:
    import transformers

    module = random_model(name, getattr(transformers, config)(**settings)).to(precision)
    found = open_model(save_quietly(module, tmp_path / "m", max_shard_size="10KB"))
    assert found.precision == str(precision).removeprefix("torch.")
    assert found.parameters == sum(weight.numel() for weight in module.parameters())
    assert found.activation == ("sigmoid" if settings.get("num_labels") == 1 else "softmax")
    given = found.family.example(found.config)
    computed = module.float() if found.warnings else module
    cast = {
        key: tensor.to(next(computed.parameters()).dtype) if tensor.is_floating_point() else tensor
        for key, tensor in given.items()
    }
    with torch.inference_mode():
        assert torch.equal(found.module(**given).logits, computed(**cast).logits)


def test_names_within_a_wrapper_are_told(tmp_path: Path) -> None:
    import safetensors.torch
    import transformers

    from prunegate.errors import ModelError

    module = random_model("BertForSequenceClassification", transformers.BertConfig(**TEXTS))
    save_quietly(module.to(torch.bfloat16), tmp_path / "m")
    stored = tmp_path / "m" / "model.safetensors"
    state = safetensors.torch.load_file(stored)
    safetensors.torch.save_file({f"net.{key}": one for key, one in state.items()}, stored)
    with pytest.raises(ModelError, match=r"begin with 'net\.'.*k\.removeprefix\('net\.'\)"):
        open_model(tmp_path / "m")
