"""What happens to an image before a model sees it, read from preprocessor_config.json.

Equals transformers' image processors for ViT, DeiT and ConvNeXT (their PIL variants; the others
need torchvision), of which the last is what ResNets are published with: convert to RGB, resize and
crop with Pillow, rescale, normalise. A pixel has 256 values, so rescaling and normalising are one
table look-up with the library's own results. Settings that this does not do (padding, another
processor) are refused, because ignoring one would change every score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prunegate.errors import ModelError, UnsupportedError
from prunegate.predict.framing import MOST_PIXELS, Framing

_VIT, _DEIT, _CONVNEXT = "ViTImageProcessor", "DeiTImageProcessor", "ConvNextImageProcessor"
_COMMON = {
    "do_resize": True,
    "do_center_crop": False,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],  # IMAGENET_STANDARD_MEAN and _STD
    "image_std": [0.5, 0.5, 0.5],
    "default_to_square": True,
}
# What a setting that is left out means to each processor; null switches off, as false does.
_DEFAULTS: dict[str, dict[str, Any]] = {
    _VIT: {**_COMMON, "size": {"height": 224, "width": 224}, "resample": 2},
    _DEIT: {
        **_COMMON,
        "size": {"height": 256, "width": 256},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
    },
    _CONVNEXT: {
        **_COMMON,
        "size": {"shortest_edge": 384},
        "resample": 3,
        "default_to_square": False,
        "crop_pct": 224 / 256,
    },
}
_UNNAMED = {"resnet": _CONVNEXT}  # by model_type, for files older than the name; others: ViT
_DONE = {"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb"}
_WARPED = 384  # from this size on, ConvNeXT's processor resizes to a square instead of cropping


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Settings of an image processor."""

    framing: Framing
    """Resizing and cropping."""
    scale: float | None
    """Factor on 0..255; None leaves them."""
    mean: tuple[float, ...] | None
    """Per channel, subtracted after scaling; None: not normalised."""
    std: tuple[float, ...] | None
    """Per channel, divided by."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any], model_type: str | None = None) -> Preprocessing:
        """Read the content of a preprocessor_config.json.

        Args:
            config: The content.
            model_type: Of the model's config.json; tells the processor where the file does not.

        Raises:
            ModelError: a setting has the wrong type or range.
            UnsupportedError: a processor or setting that is not done here.
        """
        processor = _processor(config, model_type)
        settings = {**_DEFAULTS[processor], **config}
        _refuse_others(settings)
        normalise = _flag(settings, "do_normalize")
        return cls(
            framing=_framing(settings, processor),
            scale=_scale(settings) if _flag(settings, "do_rescale") else None,
            mean=_channels(settings, "image_mean") if normalise else None,
            std=_channels(settings, "image_std", positive=True) if normalise else None,
        )

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


def processor_name(config: Mapping[str, Any]) -> str | None:
    """The processor that a file names, without its variant; None: it names none."""
    named = config.get("image_processor_type") or config.get("feature_extractor_type")
    if named is None:
        return None
    name = str(named).removesuffix("Fast").removesuffix("Pil")
    return name.replace("FeatureExtractor", "ImageProcessor")


def understands(config: Mapping[str, Any], model_type: str | None) -> bool:
    """Whether the processor is one of those that are done here."""
    name = processor_name(config)
    return (_UNNAMED.get(model_type or "", _VIT) if name is None else name) in _DEFAULTS


def _processor(config: Mapping[str, Any], model_type: str | None) -> str:
    """Find the processor's name as transformers' AutoImageProcessor does."""
    name = processor_name(config)
    if name is None:
        return _UNNAMED.get(model_type or "", _VIT)
    if name not in _DEFAULTS:
        raise UnsupportedError(
            f"preprocessor {name!r} is not supported; this version does: "
            f"{', '.join(sorted(_DEFAULTS))}."
        )
    return name


def _refuse_others(settings: Mapping[str, Any]) -> None:
    asked = sorted(n for n, v in settings.items() if n.startswith("do_") and v and n not in _DONE)
    if asked:
        raise UnsupportedError(
            f"preprocessor: {', '.join(asked)} is not supported; only resizing, cropping the "
            "middle, rescaling and normalising are done. Prepare the images and switch it off."
        )


def _framing(settings: Mapping[str, Any], processor: str) -> Framing:
    size: tuple[int, int] | int | None = None
    crops: list[tuple[int, int]] = []
    if _flag(settings, "do_resize"):
        size = _size(settings, "size", square=_flag(settings, "default_to_square"))
        if processor == _CONVNEXT:
            size, crops = _of_convnext(size, settings)
    if _flag(settings, "do_center_crop"):
        crop = _size(settings, "crop_size", square=True)
        if isinstance(crop, int):
            raise UnsupportedError("preprocessor: crop_size: give height and width.")
        crops.append(crop)
    return Framing(size=size, resample=_resample(settings["resample"]), crops=tuple(crops))


def _of_convnext(
    size: tuple[int, int] | int, settings: Mapping[str, Any]
) -> tuple[tuple[int, int] | int, list[tuple[int, int]]]:
    """Resize and crop in one: a larger image whose middle is of the size asked for."""
    if not isinstance(size, int):
        raise UnsupportedError(
            f"preprocessor: size {settings['size']!r} is not supported; {_CONVNEXT} takes "
            "shortest_edge."
        )
    if size >= _WARPED:
        return (size, size), []
    share = _number(settings["crop_pct"], "crop_pct", positive=True)
    edge = size / share  # may be infinite
    if not 1 <= edge <= MOST_PIXELS:
        raise ModelError(
            f"preprocessor: crop_pct is {share!r}, which resizes {size} pixels to {edge:g}; "
            f"expected 1 to {MOST_PIXELS}."
        )
    return int(edge), [(size, size)]


def _flag(settings: Mapping[str, Any], name: str) -> bool:
    value = settings[name]
    if value is not None and not isinstance(value, bool):
        raise ModelError(f"preprocessor: {name} is {value!r}; expected true or false.")
    return bool(value)


def _size(settings: Mapping[str, Any], name: str, *, square: bool) -> tuple[int, int] | int:
    """Read height and width, or the shorter edge where the shape is to be kept."""
    value = settings.get(name)
    if isinstance(value, Mapping):
        if set(value) == {"shortest_edge"}:
            return _pixels([value["shortest_edge"]], name, value)[0]
        if set(value) != {"height", "width"}:
            raise UnsupportedError(
                f"preprocessor: {name} {dict(value)!r} is not supported; give height and width, "
                "or shortest_edge."
            )
        height, width = _pixels([value["height"], value["width"]], name, value)
    elif isinstance(value, list | tuple) and len(value) == 2:
        height, width = _pixels(value, name, value)
    else:  # one number, as in files before transformers 4.26
        (height,) = (width,) = _pixels([value], name, value)
        if not square:
            return height
    return height, width


def _pixels(sides: Sequence[object], name: str, value: object) -> list[int]:
    found = [side for side in sides if type(side) is int and 0 < side <= MOST_PIXELS]
    if len(found) != len(sides):
        raise ModelError(
            f"preprocessor: {name} is {value!r}; expected pixels from 1 to {MOST_PIXELS}."
        )
    return found


def _resample(value: object) -> int:
    if type(value) is not int or not 0 <= value <= 5:
        raise ModelError(f"preprocessor: resample is {value!r}; expected 0 to 5, as in Pillow.")
    return value


def _scale(settings: Mapping[str, Any]) -> float:
    return _number(settings["rescale_factor"], "rescale_factor", positive=True)


def _channels(
    settings: Mapping[str, Any], name: str, *, positive: bool = False
) -> tuple[float, ...]:
    values = settings[name]
    if isinstance(values, int | float):
        values = [values] * 3
    if not isinstance(values, list | tuple) or len(values) != 3:
        raise ModelError(f"preprocessor: {name} is {values!r}; expected three numbers.")
    return tuple(_number(value, name, positive=positive) for value in values)


def _number(value: object, name: str, *, positive: bool) -> float:
    numeric = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    number = float(numeric)
    if not math.isfinite(number) or (positive and number <= 0):
        raise ModelError(f"preprocessor: {name} holds {value!r}; expected a finite number.")
    return number
