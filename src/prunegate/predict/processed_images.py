"""Images as an image processor of transformers prepares them, where ours does not know it.

Slower than ``images.py``, which does the common ones: every image is decoded and prepared anew for
each batch, by the library's own code. The processor is one of the library's classes, found by the
name in preprocessor_config.json; no code of the model's folder is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ImageOps
from torch import Tensor

from prunegate.data.labelled.image_files import open_image
from prunegate.errors import ModelError, TableError, UnsupportedError
from prunegate.predict.preprocessing import processor_name

_NOT_OURS = ("auto_map", "image_processor_type", "feature_extractor_type", "processor_class")


@dataclass(frozen=True, kw_only=True)
class ProcessedImages:
    """Images that the library prepares; satisfies ``Inputs``."""

    noun: ClassVar[str] = "images"

    processor: Any
    """An image processor of transformers."""
    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def inputs(self, rows: NDArray[np.integer]) -> dict[str, Tensor]:
        """Return pixel_values, float32 [B, 3, H, W].

        Raises:
            TableError: an image cannot be decoded, or the processor leaves several sizes.
        """
        pixels = [self._prepared(self.paths[row]) for row in rows.tolist()]
        if len({one.shape for one in pixels}) > 1:
            raise TableError(
                "images differ in size after the preprocessor; set its size to height and width in "
                "preprocessor_config.json, or resize the files."
            )
        return {"pixel_values": torch.from_numpy(np.stack(pixels))}

    def batches(self, size: int) -> Iterator[NDArray[np.int64]]:
        """Yield row numbers in their order, ``size`` at a time."""
        for start in range(0, len(self), size):
            yield np.arange(start, min(start + size, len(self)))

    def typical(self, count: int) -> NDArray[np.int64]:
        """Return the first ``count`` rows."""
        return np.arange(count) % len(self)

    def subset(self, rows: NDArray[np.integer]) -> ProcessedImages:
        """Return some of the images, in the order given."""
        return replace(self, paths=tuple(self.paths[row] for row in rows.tolist()))

    def _prepared(self, path: Path) -> NDArray[np.float32]:
        try:
            with open_image(path) as image:
                rgb = ImageOps.exif_transpose(image).convert("RGB")
            made = self.processor(images=rgb, return_tensors="np")["pixel_values"]
        except Exception as error:  # decoders raise many types on damaged files
            raise TableError(
                f"{path}: cannot be read as an image ({error}); replace it or take out its row"
            ) from error
        prepared: NDArray[np.float32] = np.asarray(made, dtype=np.float32)[0]
        return prepared


def processed_images(
    paths: Sequence[Path], config: Mapping[str, Any], folder: Path
) -> ProcessedImages:
    """Find the library's processor for some images.

    Args:
        paths: image files.
        config: the content of preprocessor_config.json.
        folder: the model's, for messages.

    Raises:
        UnsupportedError: transformers has no such processor that works with Pillow.
        ModelError: the processor refuses its settings.
    """
    import transformers

    if not paths:
        raise TableError("no images; the table has to list at least one.")
    name = processor_name(config)
    found = getattr(transformers, f"{name}Pil", None)
    if not isinstance(found, type) or not name or not name.endswith("ImageProcessor"):
        raise UnsupportedError(
            f"{folder}: preprocessor {name!r} is not supported: transformers "
            f"{transformers.__version__} has none of that name that works with Pillow. Prepare the "
            "predictions elsewhere and judge them with 'prunegate gate'."
        )
    settings = {key: value for key, value in config.items() if key not in _NOT_OURS}
    try:
        processor = found(**settings)
    except Exception as error:  # the library's own types
        raise ModelError(f"{folder}: its preprocessor's settings are refused ({error})") from error
    return ProcessedImages(processor=processor, paths=tuple(paths))
