"""Tiny models of every family with random weights, data for them, and folders as they are saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

# Two threads that wait for each other are slow on a shared machine, and tiny models gain nothing.
torch.set_num_threads(1)

_BERT = {
    "hidden_size": 12,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 8,
    "vocab_size": 30,
    "max_position_embeddings": 20,
    "type_vocab_size": 2,
}
_LLAMA = {
    "hidden_size": 12,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 4,
    "intermediate_size": 8,
    "vocab_size": 30,
    "max_position_embeddings": 32,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_QWEN2 = {name: value for name, value in _LLAMA.items() if name != "head_dim"}
_VIT = {
    "image_size": 16,
    "patch_size": 8,
    "hidden_size": 12,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 8,
}
_SWIN = {
    "image_size": 16,
    "patch_size": 2,
    "embed_dim": 8,
    "depths": [2, 1],  # the second layer looks at shifted windows
    "num_heads": [2, 4],
    "window_size": 4,
    "mlp_ratio": 1.0,
}
_MODERNBERT = {
    "hidden_size": 12,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 8,
    "vocab_size": 30,
    "max_position_embeddings": 32,
    "local_attention": 4,
    "global_attn_every_n_layers": 2,
    **dict.fromkeys(("pad_token_id", "eos_token_id", "bos_token_id", "cls_token_id"), 0),
    "sep_token_id": 0,
}
_GPT2 = {
    "n_embd": 12,
    "n_layer": 3,
    "n_head": 3,
    "n_inner": 8,
    "vocab_size": 30,
    "n_positions": 32,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "vit": ("ViTForImageClassification", _VIT),
    "deit": ("DeiTForImageClassification", _VIT),
    "deit with teacher": ("DeiTForImageClassificationWithTeacher", _VIT),
    "dinov2": ("Dinov2ForImageClassification", {**_VIT, "mlp_ratio": 1, "intermediate_size": 12}),
    "dinov2, gated": (
        "Dinov2ForImageClassification",
        {**_VIT, "mlp_ratio": 1, "intermediate_size": 12, "use_swiglu_ffn": True},
    ),
    "swin": ("SwinForImageClassification", _SWIN),
    "swin, windows that do not fit": (
        "SwinForImageClassification",
        {
            **_SWIN,
            "image_size": 14,
            "window_size": 3,
            "use_absolute_embeddings": True,
            "qkv_bias": False,
        },
    ),
    "swinv2": ("Swinv2ForImageClassification", _SWIN),
    "bert": ("BertForSequenceClassification", _BERT),
    "roberta": ("RobertaForSequenceClassification", _BERT),
    "electra": ("ElectraForSequenceClassification", {**_BERT, "embedding_size": 6}),
    "modernbert": ("ModernBertForSequenceClassification", _MODERNBERT),
    "modernbert with biases": (
        "ModernBertForSequenceClassification",
        {
            **_MODERNBERT,
            **dict.fromkeys(("norm_bias", "attention_bias", "mlp_bias", "classifier_bias"), True),
            "classifier_pooling": "mean",
        },
    ),
    "distilbert": (
        "DistilBertForSequenceClassification",
        {
            "dim": 12,
            "n_layers": 3,
            "n_heads": 3,
            "hidden_dim": 8,
            "vocab_size": 30,
            "max_position_embeddings": 20,
        },
    ),
    "gpt2": ("GPT2LMHeadModel", _GPT2),
    "gpt2 untied": (
        "GPT2LMHeadModel",
        {**_GPT2, "tie_word_embeddings": False, "scale_attn_by_inverse_layer_idx": True},
    ),
    "llama": ("LlamaForCausalLM", _LLAMA),
    "llama with biases, tied": (
        "LlamaForCausalLM",
        {**_LLAMA, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True},
    ),
    "mistral": ("MistralForCausalLM", {**_LLAMA, "sliding_window": 4}),
    "qwen2": (
        "Qwen2ForCausalLM",
        {**_QWEN2, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
    ),
    "qwen3": ("Qwen3ForCausalLM", {**_LLAMA, "attention_bias": True}),
    "gemma3": (
        "Gemma3ForCausalLM",
        {**_LLAMA, "sliding_window": 4, "query_pre_attn_scalar": 4, "sliding_window_pattern": 2},
    ),
    "resnet": (
        "ResNetForImageClassification",
        {"embedding_size": 4, "hidden_sizes": [8, 12], "depths": [2, 1], "layer_type": "basic"},
    ),
    "resnet with bottlenecks": (
        "ResNetForImageClassification",
        {"embedding_size": 8, "hidden_sizes": [16, 32], "depths": [1, 2]},
    ),
}
NAMES = list(CONFIGS)
TRANSFORMERS = [name for name in NAMES if not name.startswith("resnet")]
TEXT_CLASSIFIERS = [name for name in NAMES if "SequenceClassification" in CONFIGS[name][0]]
LANGUAGE = [
    name
    for name in NAMES
    if CONFIGS[name][0] in ("GPT2LMHeadModel",) or "Causal" in CONFIGS[name][0]
]
MODEL_TYPES = {
    "ViTForImageClassification": "vit",
    "DeiTForImageClassification": "deit",
    "DeiTForImageClassificationWithTeacher": "deit",
    "Dinov2ForImageClassification": "dinov2",
    "SwinForImageClassification": "swin",
    "Swinv2ForImageClassification": "swinv2",
    "ModernBertForSequenceClassification": "modernbert",
    "BertForSequenceClassification": "bert",
    "RobertaForSequenceClassification": "roberta",
    "ElectraForSequenceClassification": "electra",
    "DistilBertForSequenceClassification": "distilbert",
    "GPT2LMHeadModel": "gpt2",
    "LlamaForCausalLM": "llama",
    "MistralForCausalLM": "mistral",
    "Qwen2ForCausalLM": "qwen2",
    "Qwen3ForCausalLM": "qwen3",
    "Gemma3ForCausalLM": "gemma3_text",
    "ResNetForImageClassification": "resnet",
}


@dataclass(frozen=True)
class Tiny:
    """A model of a family, in memory."""

    family: Any
    module: Any
    config: dict[str, Any]

    @property
    def whole(self) -> Any:
        return self.family.whole(self.config)


def config_of(name: str, **changes: Any) -> dict[str, Any]:
    architecture, sizes = CONFIGS[name]
    return {
        "architectures": [architecture],
        "model_type": MODEL_TYPES[architecture],
        **sizes,
        **changes,
    }


def tiny(name: str, seed: int = 0, **changes: Any) -> Tiny:
    """A model whose every weight matters: biases, norms and running statistics too."""
    from prunegate.models.family import family_of

    config = config_of(name, **changes)
    family = family_of(config["architectures"][0])
    module = family.skeleton(config, family.whole(config))
    randomise(module, seed)
    return Tiny(family=family, module=module, config=config)


def randomise(module: Any, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in [*module.parameters(), *module.buffers()]:
            if tensor.is_floating_point() and tensor.requires_grad:
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.4)
        for part in module.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.weight.abs_().add_(0.5)  # few channels that a ReLU shuts for good
                part.running_mean.copy_(torch.randn(part.num_features, generator=generator))
                part.running_var.copy_(torch.rand(part.num_features, generator=generator) + 0.5)


def inputs_of(model: Tiny, batch: int = 3, length: int = 7, seed: int = 1) -> dict[str, Any]:
    """Inputs of that many rows; texts are padded to different lengths."""
    generator = torch.Generator().manual_seed(seed)
    if model.family.reads == "images":
        side = model.config.get("image_size", 32)
        return {"pixel_values": torch.randn(batch, 3, side, side, generator=generator)}
    ids = torch.randint(3, 30, (batch, length), generator=generator)
    lengths = length - torch.arange(batch) % (length - 1)
    mask = (torch.arange(length)[None] < lengths[:, None]).long()
    return {"input_ids": torch.where(mask == 1, ids, 0), "attention_mask": mask}


def counted(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def answers(model: Any, module: Any, inputs: Mapping[str, Any]) -> Any:
    """The logits that count: not those of padding, where attention may be to nothing."""
    with torch.inference_mode():
        logits = module(**inputs).logits
    if model.family.answers == "next token":
        return logits[inputs["attention_mask"] == 1]
    return logits


@dataclass(frozen=True)
class Rows:
    """Labelled examples in memory."""

    inputs: dict[str, Any]
    labels: Any

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, rows: np.ndarray) -> Any:
        from prunegate.models.batch import Batch

        inputs = {name: tensor[rows] for name, tensor in self.inputs.items()}
        return Batch(inputs=inputs, labels=self.labels[rows])


def rows_of(model: Tiny, count: int = 16) -> Rows:
    """Something to learn: two classes, or the tokens themselves."""
    from prunegate.models.batch import NOT_COUNTED

    inputs = inputs_of(model, batch=count)
    if model.family.answers == "next token":
        labels = torch.where(inputs["attention_mask"] == 1, inputs["input_ids"], NOT_COUNTED)
    else:
        labels = torch.arange(count) % 2
    return Rows(inputs=inputs, labels=labels)


def write_baseline(model: Tiny, folder: Path) -> Path:
    """Save a model as its users do."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model.module.save_pretrained(folder)
    logging.enable_progress_bar()
    if model.family.reads == "images":
        (folder / "preprocessor_config.json").write_text(
            json.dumps({"do_resize": False, "image_mean": [0.5] * 3, "image_std": [0.5] * 3})
        )
    else:
        (folder / "tokenizer.json").write_text("{}")
    return folder


def surgery_of(model: Any, kept: Any, module: Any) -> Any:
    from prunegate.models.surgery import Surgery
    from prunegate.models.weights import weights_sha256

    return Surgery(
        architecture=model.family.architecture,
        config=model.config,
        kept=kept,
        parameters=counted(module),
        weights_sha256=weights_sha256(module),
        baseline_digest="0" * 64,
        recipe=({"step": "prune"},),
        seed=0,
    )


def some(model: Any, seed: int = 0) -> Any:
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


def same_weights(one: Any, other: Any) -> bool:
    state, stated = one.state_dict(), other.state_dict()
    return list(state) == list(stated) and all(
        torch.equal(state[key], stated[key]) for key in state
    )
