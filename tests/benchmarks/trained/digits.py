"""scikit-learn's digits (1,797 scans of 8 x 8) and a small vision transformer that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from prunegate.compress.finetune import Schedule, finetune
from prunegate.models.batch import Batch
from prunegate.models.store import LoadedModel
from trained.fresh import fresh

TRAINING = 1_200
CONFIG = {
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


def digits(seed: int) -> tuple[Digits, Digits]:
    """Training and test scans, split by the seed."""
    found = load_digits()
    order = np.random.default_rng(seed).permutation(len(found.target))
    pixels = torch.from_numpy(found.images[order]).float().div(8).sub(1)[:, None]
    labels = torch.from_numpy(found.target[order])
    return Digits(pixels[:TRAINING], labels[:TRAINING]), Digits(
        pixels[TRAINING:], labels[TRAINING:]
    )


def untrained(seed: int, config: dict[str, Any] = CONFIG) -> LoadedModel:
    """A model with the initial weights of a seed."""
    return fresh(config, seed)


def train(
    model: LoadedModel, data: Digits, *, steps: int, rate: float = 2e-3, seed: int = 0
) -> None:
    """Train in place."""
    schedule = Schedule(steps=steps, learning_rate=rate, flip=False)
    finetune(model.module, data, schedule, seed=seed)


def accuracy(module: torch.nn.Module, data: Digits) -> float:
    """Share of scans that are read right."""
    with torch.inference_mode():
        answers: Any = module(pixel_values=data.pixels)
    return float((answers.logits.argmax(-1) == data.labels).float().mean())


def loss(module: torch.nn.Module, data: Digits) -> float:
    """Mean cross-entropy, nats."""
    with torch.inference_mode():
        answers: Any = module(pixel_values=data.pixels)
        return float(torch.nn.functional.cross_entropy(answers.logits, data.labels))
