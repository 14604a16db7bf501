"""What happens to an image before a model sees it, read from preprocessor_config.json.

Equals transformers' ``ViTImageProcessor`` (its PIL variant; the other needs torchvision): convert
to RGB, resize with Pillow, rescale, normalise. A pixel has 256 values, so rescaling and
normalising are one table look-up with the library's own results. Settings that this does not do
(cropping, padding, another processor) are refused, because ignoring one would change every score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from prunegate.errors import ModelError, UnsupportedError

_PROCESSORS = {
    "ViTImageProcessor",
    "ViTImageProcessorFast",
    "ViTImageProcessorPil",
    "ViTFeatureExtractor",
}
_NOT_DONE = ("do_center_crop", "do_pad", "do_reduce_labels", "do_flip_channel_order")
_IMAGENET = [0.5, 0.5, 0.5]  # IMAGENET_STANDARD_MEAN and _STD, the processor's defaults


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Settings of an image processor."""

    size: tuple[int, int] | None
    """Height and width to resize to; None leaves images as they are."""
    resample: int
    """Pillow's number: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming."""
    scale: float | None
    """Factor on 0..255; None leaves them."""
    mean: tuple[float, ...] | None
    """Per channel, subtracted after scaling; None: not normalised."""
    std: tuple[float, ...] | None
    """Per channel, divided by."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Preprocessing:
        """Read the content of a preprocessor_config.json.

        Raises:
            ModelError: a setting has the wrong type or range.
            UnsupportedError: a processor or setting that is not done here.
        """
        _refuse_others(config)
        normalise = _flag(config, "do_normalize")
        return cls(
            size=_size(config.get("size", 224)) if _flag(config, "do_resize") else None,
            resample=_resample(config.get("resample", 2)),
            scale=_scale(config) if _flag(config, "do_rescale") else None,
            mean=_channels(config, "image_mean") if normalise else None,
            std=_channels(config, "image_std", positive=True) if normalise else None,
        )

    def resized(self, image: Image.Image) -> Image.Image:
        """Resize an RGB image to the processor's size."""
        if self.size is None or image.size == (self.size[1], self.size[0]):
            return image
        return image.resize((self.size[1], self.size[0]), resample=Image.Resampling(self.resample))

    def table(self) -> NDArray[np.float32]:
        """Return what becomes of each pixel value: float32 [3, 256]."""
        values = np.arange(256, dtype=np.uint8)
        if self.scale is not None:
            scaled = (values.astype(np.float64) * self.scale).astype(np.float32)
        else:
            scaled = values.astype(np.float32)
        if self.mean is None or self.std is None:
            return np.stack([scaled] * 3)
        mean = np.array(self.mean, dtype=np.float32)[:, None]
        std = np.array(self.std, dtype=np.float32)[:, None]
        table: NDArray[np.float32] = ((scaled - mean) / std).astype(np.float32)
        return table


def _refuse_others(config: Mapping[str, Any]) -> None:
    named = config.get("image_processor_type", config.get("feature_extractor_type"))
    if named is not None and named not in _PROCESSORS:
        raise UnsupportedError(
            f"preprocessor {named!r} is not supported; this version does: "
            f"{', '.join(sorted(_PROCESSORS))}."
        )
    asked = [name for name in _NOT_DONE if config.get(name)]
    if asked:
        raise UnsupportedError(
            f"preprocessor: {', '.join(asked)} is not supported; only resizing, rescaling and "
            "normalising are done. Prepare the images and switch it off."
        )


def _flag(config: Mapping[str, Any], name: str) -> bool:
    value = config.get(name, True)
    if value is not None and not isinstance(value, bool):
        raise ModelError(f"preprocessor: {name} is {value!r}; expected true or false.")
    return bool(value)


def _size(value: object) -> tuple[int, int]:
    if isinstance(value, Mapping):
        if set(value) != {"height", "width"}:
            raise UnsupportedError(
                f"preprocessor: size {dict(value)!r} is not supported; give height and width."
            )
        pair = (value["height"], value["width"])
    else:
        pair = (value, value)  # configs before transformers 4.26: one number, square
    if not all(type(side) is int and 0 < side <= 1 << 14 for side in pair):
        raise ModelError(f"preprocessor: size is {value!r}; expected pixels from 1 to {1 << 14}.")
    return pair


def _resample(value: object) -> int:
    if type(value) is not int or not 0 <= value <= 5:
        raise ModelError(f"preprocessor: resample is {value!r}; expected 0 to 5, as in Pillow.")
    return value


def _scale(config: Mapping[str, Any]) -> float:
    return _number(config.get("rescale_factor", 1 / 255), "rescale_factor", positive=True)


def _channels(config: Mapping[str, Any], name: str, *, positive: bool = False) -> tuple[float, ...]:
    values = config.get(name, _IMAGENET)
    if isinstance(values, int | float):
        values = [values] * 3
    if not isinstance(values, list | tuple) or len(values) != 3:
        raise ModelError(f"preprocessor: {name} is {values!r}; expected three numbers.")
    return tuple(_number(value, name, positive=positive) for value in values)


def _number(value: object, name: str, *, positive: bool) -> float:
    number = float(value) if type(value) in (int, float) else math.nan  # type: ignore[arg-type] # an int or float
    if not math.isfinite(number) or (positive and number <= 0):
        raise ModelError(f"preprocessor: {name} holds {value!r}; expected a finite number.")
    return number
