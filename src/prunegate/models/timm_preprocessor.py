"""What timm does to an image in evaluation, as a preprocessor of transformers.

timm resizes the shorter edge to the model's size divided by crop_pct, rounded down, and cuts the
middle out. Where a margin is odd it rounds the half and transformers rounds it down: the middle
may lie one pixel further up or left than timm's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from prunegate.errors import ModelError, UnsupportedError

# Pillow's numbers for timm's names.
_FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}


def preprocessor(stored: Mapping[str, Any], image_size: object) -> dict[str, Any]:
    """Return the content of preprocessor_config.json.

    Args:
        stored: timm's pretrained_cfg.
        image_size: The model's, in pixels: one number, or height and width.

    Raises:
        UnsupportedError: another way of cropping or resizing, or images that are not square.
        ModelError: a setting is missing or out of range.
    """
    for name in ("mean", "std"):
        if not isinstance(stored.get(name), list):
            raise ModelError(f"config: pretrained_cfg: {name} is missing; timm normalises with it.")
    # What is left out means to timm what it means here.
    mode, interpolation = stored.get("crop_mode", "center"), stored.get("interpolation", "bicubic")
    if mode != "center":
        raise UnsupportedError(
            f"config: pretrained_cfg: crop_mode is {mode!r}; only 'center' can be converted."
        )
    if not isinstance(interpolation, str) or interpolation not in _FILTERS:
        raise UnsupportedError(
            f"config: pretrained_cfg: interpolation is {interpolation!r}; one of "
            f"{', '.join(_FILTERS)} can be converted."
        )
    side = _side(image_size)
    return {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"shortest_edge": _edge(side, stored.get("crop_pct", 0.875))},
        "resample": _FILTERS[interpolation],
        "do_center_crop": True,
        "crop_size": {"height": side, "width": side},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": stored["mean"],
        "image_std": stored["std"],
    }


def _side(image_size: object) -> int:
    sides: list[Any] = (
        list(image_size) if isinstance(image_size, list | tuple) else [image_size] * 2
    )
    if len(sides) != 2 or not all(type(side) is int and side > 0 for side in sides):
        raise ModelError(f"config: the images' size is {image_size!r}; expected pixels.")
    if sides[0] != sides[1]:
        raise UnsupportedError(
            f"config: images of {sides[0]} x {sides[1]} pixels; only ViTs of square images can be "
            "converted."
        )
    return int(sides[0])


def _edge(side: int, crop_pct: object) -> int:
    """Return the shorter edge of the image whose middle is cut out."""
    share = crop_pct if isinstance(crop_pct, int | float) and crop_pct is not True else 0
    if not 0 < share <= 1:
        raise ModelError(
            f"config: pretrained_cfg: crop_pct is {crop_pct!r}; expected more than 0, at most 1."
        )
    return math.floor(side / share)
