"""The baseline of the demo: a small vision transformer trained on rendered creatives.

A stock Hugging Face ``ViTForImageClassification`` with random initial weights, saved as a stock
folder: nothing is downloaded and nothing about it is special to prunegate. The folder appears whole
or not at all. The same seed, library versions and thread count give the same weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil
from transformers.utils import logging

from prunegate.errors import InputError, InternalError
from prunegate.io.atomic import whole_folder
from prunegate.io.progress import Progress, silent

WARM_UP = 0.05  # share of the steps over which the learning rate rises


@dataclass(frozen=True, kw_only=True)
class Training:
    """How the baseline is trained."""

    epochs: int = 4  # passes over the images
    batch: int = 64  # images per step
    rate: float = 2e-3  # highest learning rate


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A trained baseline."""

    folder: Path  # Hugging Face folder: config, weights, preprocessor
    parameters: int  # number of weights
    losses: tuple[float, ...]  # mean cross-entropy of each epoch while training, nats


def config() -> ViTConfig:
    """3 layers of 4 heads, width 64, 8 x 8 patches: 114,178 parameters with its two labels.

    The wide initial weights matter: with the usual 0.02 a model this small stays at chance long.
    Attention written out is the faster one on a processor without vector units.
    """
    return ViTConfig(
        image_size=32,
        patch_size=8,
        hidden_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=128,
        initializer_range=0.1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        id2label={0: "safe", 1: "unsafe"},
        label2id={"safe": 0, "unsafe": 1},
        attn_implementation="eager",
    )


def as_input(pixels: NDArray[np.uint8]) -> Tensor:
    """RGB bytes [N, 32, 32, 3] as the model wants them: float32 [N, 3, 32, 32] from -1 to 1."""
    planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    return planes.float().div_(127.5).sub_(1.0)


def train(
    pixels: NDArray[np.uint8],
    unsafe: NDArray[np.bool_],
    folder: Path,
    *,
    seed: int,
    training: Training = Training(),
    progress: Progress = silent,
) -> Baseline:
    """Train a baseline and save it as a Hugging Face folder.

    Args:
        pixels: RGB bytes [N, 32, 32, 3].
        unsafe: labels [N].
        folder: where to save; must not exist.
        seed: decides initial weights, order and flips.
        training: epochs, batch size, learning rate.
        progress: called after each step with ("train", steps done, steps in all).

    Raises:
        InputError: pixels and labels do not fit, or ``folder`` exists.
        InternalError: the loss stopped being a number.
    """
    _check(pixels, unsafe, folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ViTForImageClassification(config())
        losses = _fit(model, pixels, unsafe, training, progress)
    _save(model, folder)
    return Baseline(folder=folder, parameters=model.num_parameters(), losses=losses)


def _check(pixels: NDArray[np.uint8], unsafe: NDArray[np.bool_], folder: Path) -> None:
    if pixels.dtype != np.uint8 or pixels.shape != (len(unsafe), 32, 32, 3) or not len(unsafe):
        raise InputError(
            f"cannot train on pixels {pixels.dtype} {pixels.shape} with {len(unsafe)} labels: "
            "give uint8 [N, 32, 32, 3] and N labels, at least one"
        )
    if folder.exists():
        raise InputError(f"{folder} exists already: name a new folder for the baseline")


def _fit(
    model: Any,
    pixels: NDArray[np.uint8],
    unsafe: NDArray[np.bool_],
    training: Training,
    progress: Progress,
) -> tuple[float, ...]:
    """Train in place; the mean loss of each epoch. Draws from torch's global generator."""
    images, labels = as_input(pixels), torch.from_numpy(unsafe.astype(np.int64))
    per_epoch = math.ceil(len(labels) / training.batch)
    total = per_epoch * training.epochs
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=training.rate, weight_decay=0.01, fused=True
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, total))
    losses = []
    model.train()
    for epoch in range(training.epochs):
        seen = 0.0
        for step, rows in enumerate(torch.split(torch.randperm(len(labels)), training.batch), 1):
            loss = model(pixel_values=_flip(images[rows]), labels=labels[rows]).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            seen += loss.item() * len(rows)
            progress("train", epoch * per_epoch + step, total)
        losses.append(seen / len(labels))
    model.eval()
    if not all(math.isfinite(loss) for loss in losses):
        raise InternalError(f"training diverged: losses per epoch {losses}; try another seed")
    return tuple(losses)


def _rate(step: int, total: int) -> float:
    """Learning rate as a share of the highest: a short rise, then half a cosine down to zero."""
    rise = max(1, round(WARM_UP * total))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, total - rise)))


def _flip(images: Tensor) -> Tensor:
    """Mirror about half of the images."""
    mirrored = torch.rand(len(images), 1, 1, 1) < 0.5
    return torch.where(mirrored, images.flip(-1), images)


def _save(model: Any, folder: Path) -> None:
    """Write the whole folder beside its place, then move it there."""
    half = [0.5, 0.5, 0.5]
    size = {"height": 32, "width": 32}
    processor = ViTImageProcessorPil(do_resize=False, size=size, image_mean=half, image_std=half)
    with whole_folder(folder) as making:
        with _no_bars():
            model.save_pretrained(making)
        processor.save_pretrained(making)


@contextmanager
def _no_bars() -> Iterator[None]:
    """Keep transformers from drawing bars of its own: progress is the caller's to show."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
