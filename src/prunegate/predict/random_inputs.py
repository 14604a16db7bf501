"""Inputs to time a model on where there are no data: the right form, random content.

How long a dense network takes does not depend on what it sees, only on how much of it. Pixels are
standard normal, as normalised images roughly are; texts are random tokens without padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from prunegate.errors import InputError
from prunegate.models.arithmetic import positive
from prunegate.models.config_json import longest_text
from prunegate.models.foreign_onnx import ForeignOnnx
from prunegate.models.load import LoadedModel
from prunegate.predict.preprocessing import Preprocessing, understands

TOKENS = 128
"""Length of a text where none is asked for and the model takes as many."""
_TOKENS_OF_ANY = 100
"""Token numbers that any vocabulary has."""
_NUMBERED_AFTER_PADDING = "roberta"


def random_inputs(
    model: LoadedModel, rows: int, *, tokens: int | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """Make inputs for a model.

    Args:
        model: Tells the form.
        rows: How many.
        tokens: Length of every text; None: 128, or as many as the model takes.
        seed: The same seed gives the same inputs.

    Raises:
        InputError: more tokens than the model takes, or tokens for a model of images.
        UnsupportedError: the model's inputs are not known.
    """
    generator = torch.Generator().manual_seed(seed)
    if model.family.reads == "texts":
        fixed = model.module.interface.length if isinstance(model.module, ForeignOnnx) else None
        shape = (rows, fixed or _length(model.config, tokens))
        named = model.config.get("vocab_size", _TOKENS_OF_ANY if model.graph else None)
        known = positive(named, "vocab_size")
        return {
            "input_ids": torch.randint(0, known, shape, generator=generator),
            "attention_mask": torch.ones(shape, dtype=torch.int64),
        }
    if tokens is not None:
        raise InputError(f"{model.folder}: reads {model.family.reads}, which have no tokens")
    pixels = torch.randn(rows, *_image(model), generator=generator)
    return {"pixel_values": pixels}


def inputs_in_words(inputs: Mapping[str, Tensor]) -> str:
    """Say what a row of the inputs is, in a few words."""
    if "input_ids" in inputs:
        return f"random texts of {inputs['input_ids'].shape[1]} tokens"
    channels, height, width = inputs["pixel_values"].shape[1:]
    return f"random images of {channels} x {height} x {width}"


def _image(model: LoadedModel) -> tuple[int, int, int]:
    """Channels, height and width: what a ViT takes, or what a ResNet's preprocessor makes."""
    example = model.family.example(model.config)["pixel_values"]
    channels, height, width = example.shape[1:]
    if isinstance(model.module, ForeignOnnx) and model.module.interface.size is not None:
        return channels, height, width
    if not understands(model.preprocessor, model.config.get("model_type")):
        return channels, height, width
    if model.config.get("model_type") == "vit" or "image_size" in model.config:
        return channels, height, width
    read: Any = Preprocessing.from_config(model.preprocessor, model.config.get("model_type"))
    blank = Image.new("RGB", (width, height))
    made = read.framing.applied(blank)
    return channels, made.height, made.width


def vocabulary_of(config: Mapping[str, Any]) -> int:
    """Token numbers that a model knows."""
    return positive(config.get("vocab_size"), "vocab_size")


def _length(config: Mapping[str, Any], tokens: int | None) -> int:
    most = longest_text(config) or TOKENS
    if config.get("model_type") == _NUMBERED_AFTER_PADDING:
        most -= (config.get("pad_token_id") or 0) + 1
    if tokens is None:
        return max(1, min(TOKENS, most))
    if tokens > most:
        raise InputError(f"{tokens} tokens are more than the model takes; give --tokens {most}")
    return tokens
