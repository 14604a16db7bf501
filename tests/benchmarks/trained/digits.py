"""scikit-learn's digits (1,797 scans of 8 x 8), and small models that read or write them.

A vision transformer and a convolutional network read them; a decoder writes them, grey level after
grey level, from the digit that it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from prunegate.compress.finetune import finetune
from prunegate.compress.loss import batch_loss
from prunegate.models.batch import NOT_COUNTED, Batch
from prunegate.models.load import LoadedModel
from prunegate.policy.steps import Finetune
from trained.fresh import fresh

TRAINING = 1_200
VIT = {
    "architectures": ["ViTForImageClassification"],
    "image_size": 8,
    "patch_size": 2,
    "num_channels": 1,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": 0.06,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "id2label": {str(digit): str(digit) for digit in range(10)},
}
RESNET = {
    "architectures": ["ResNetForImageClassification"],
    "num_channels": 1,
    "embedding_size": 16,
    "hidden_sizes": [16, 32],
    "depths": [2, 2],
    "layer_type": "basic",
    "id2label": VIT["id2label"],
}
LEVELS = 5
"""Grey levels that the decoder writes; the ten digits are further tokens."""
GPT2 = {
    "architectures": ["GPT2LMHeadModel"],
    "vocab_size": LEVELS + 10,
    "n_positions": 65,
    "n_embd": 32,
    "n_layer": 3,
    "n_head": 4,
    "n_inner": 64,
    "resid_pdrop": 0.0,
    "embd_pdrop": 0.0,
    "attn_pdrop": 0.0,
    "bos_token_id": 0,
    "eos_token_id": 0,
}


@dataclass(frozen=True)
class Digits:
    """Some scans with their digits; satisfies ``compress.examples.Examples``."""

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, rows: np.ndarray) -> Batch:
        chosen = torch.from_numpy(np.asarray(rows))
        return Batch(inputs={"pixel_values": self.pixels[chosen]}, labels=self.labels[chosen])


@dataclass(frozen=True)
class Written:
    """The same scans as texts: a digit's token, then 64 grey levels."""

    tokens: Tensor

    @classmethod
    def of(cls, scans: Digits) -> Written:
        levels = ((scans.pixels.flatten(1) + 1) / 2 * (LEVELS - 1)).round().long()
        return cls(torch.cat([scans.labels[:, None] + LEVELS, levels], dim=1))

    def __len__(self) -> int:
        return len(self.tokens)

    def batch(self, rows: np.ndarray) -> Batch:
        chosen = self.tokens[torch.from_numpy(np.asarray(rows))]
        labels = chosen.clone()
        labels[:, 0] = NOT_COUNTED
        return Batch(
            inputs={"input_ids": chosen, "attention_mask": torch.ones_like(chosen)}, labels=labels
        )


def digits(seed: int) -> tuple[Digits, Digits]:
    """Training and test scans, split by the seed."""
    found = load_digits()
    order = np.random.default_rng(seed).permutation(len(found.target))
    pixels = torch.from_numpy(found.images[order]).float().div(8).sub(1)[:, None]
    labels = torch.from_numpy(found.target[order])
    return Digits(pixels[:TRAINING], labels[:TRAINING]), Digits(
        pixels[TRAINING:], labels[TRAINING:]
    )


def untrained(seed: int, config: dict[str, Any] = VIT) -> LoadedModel:
    """A model with the initial weights of a seed."""
    return fresh(config, seed)


def train(
    model: LoadedModel,
    data: Any,
    *,
    steps: int,
    rate: float = 2e-3,
    batch_size: int = 64,
    seed: int = 0,
) -> None:
    """Train in place."""
    schedule = Finetune(steps=steps, learning_rate=rate, batch_size=batch_size, flips=False)
    finetune(model.module, data, schedule, seed=seed)


def accuracy(module: torch.nn.Module, data: Digits) -> float:
    """Share of scans that are read right."""
    with torch.inference_mode():
        answers: Any = module(pixel_values=data.pixels)
    return float((answers.logits.argmax(-1) == data.labels).float().mean())


def loss(module: torch.nn.Module, data: Digits | Written) -> float:
    """Mean cross-entropy per scan, or per token of a scan, nats."""
    with torch.inference_mode():
        total = batch_loss(module, data.batch(np.arange(len(data))), reduction="sum")
    return float(total) / len(data)
