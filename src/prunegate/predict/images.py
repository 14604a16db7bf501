"""Images on disk or in memory, as the pixel values a model takes.

Decoded pixels are kept as bytes (a quarter of float32) while they fit in the memory given, else
they are decoded again for each batch. Files that cannot be read are reported together, before a
model sees any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from prunegate.data.labelled.image_files import open_image
from prunegate.errors import TableError
from prunegate.predict.preprocessing import Preprocessing

_EIGHT_BIT = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """Images of one size."""

    noun: ClassVar[str] = "images"

    preprocessing: Preprocessing
    paths: tuple[Path, ...] = ()
    """Empty when the images came as an array."""
    pixels: NDArray[np.uint8] | None = None
    """Decoded, resized and cropped, uint8 [N, 3, H, W]; None: decoded when asked for."""
    size: tuple[int, int] | None = None
    """Height and width that images decoded when asked for have to end at."""

    @property
    def height_width(self) -> tuple[int, int] | None:
        """Height and width that all images end at, in pixels; None where that is not known."""
        if self.pixels is None:
            return self.size
        _, _, height, width = self.pixels.shape
        return height, width

    def __len__(self) -> int:
        return len(self.paths) if self.pixels is None else len(self.pixels)

    def pixel_values(self, rows: NDArray[np.integer]) -> Tensor:
        """Return what the model takes: float32 [B, 3, H, W], contiguous, on the CPU.

        Raises:
            TableError: an image cannot be decoded, or images differ in size.
        """
        if self.pixels is not None:
            chosen = self.pixels[rows]
        else:
            chosen = _decode([self.paths[row] for row in rows], self.preprocessing, self.size)
        table = self.preprocessing.table()
        values = np.empty(chosen.shape, dtype=np.float32)
        for channel in range(3):
            np.take(table[channel], chosen[:, channel], out=values[:, channel])
        return torch.from_numpy(values)

    def inputs(self, rows: NDArray[np.integer]) -> dict[str, Tensor]:
        """Return pixel_values, as ``pixel_values`` does."""
        return {"pixel_values": self.pixel_values(rows)}

    def batches(self, size: int) -> Iterator[NDArray[np.int64]]:
        """Yield row numbers in their order, ``size`` at a time; the last batch is smaller."""
        for start in range(0, len(self), size):
            yield np.arange(start, min(start + size, len(self)))

    def typical(self, count: int) -> NDArray[np.int64]:
        """Return the first ``count`` rows: all images of a model are of one size."""
        return np.arange(count) % len(self)

    def subset(self, rows: NDArray[np.integer]) -> ImageSet:
        """Return some of the images, in the order given."""
        return replace(
            self,
            paths=tuple(self.paths[row] for row in rows.tolist()) if self.paths else (),
            pixels=None if self.pixels is None else self.pixels[rows],
        )


def open_images(
    paths: Iterable[Path], preprocessing: Preprocessing, *, memory: int = 2 << 30
) -> ImageSet:
    """Open image files.

    Args:
        paths: PNG, JPEG, WebP, GIF (first frame), BMP or TIFF files.
        preprocessing: Of the model.
        memory: Bytes that decoded pixels may take; more than that is decoded per batch.

    Raises:
        TableError: files that are not readable images (all of them are named), or of several
            sizes where the preprocessing leaves them so.
    """
    files = tuple(paths)
    if not files:
        raise TableError("no images; the table has to list at least one.")
    # The first image tells the size that all have to end at.
    one = _decode(files[:1], preprocessing)
    if one.nbytes * len(files) <= memory:
        return ImageSet(
            preprocessing=preprocessing, paths=files, pixels=_decode(files, preprocessing)
        )
    _refuse(_headers(files))
    height, width = one.shape[2:]
    return ImageSet(preprocessing=preprocessing, paths=files, size=(height, width))


def from_array(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> ImageSet:
    """Take images that are in memory.

    Args:
        pixels: uint8 [N, H, W, 3], RGB.
        preprocessing: Of the model.

    Raises:
        TableError: another type or shape.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[-1] != 3 or not len(pixels):
        raise TableError(
            f"images have to be uint8 [N, H, W, 3], got {pixels.dtype} {list(pixels.shape)}."
        )
    framing, (height, width) = preprocessing.framing, pixels.shape[1:3]
    if not framing.leaves(height, width):
        pixels = np.stack([np.asarray(framing.applied(Image.fromarray(one))) for one in pixels])
    channels_first = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    return ImageSet(preprocessing=preprocessing, pixels=channels_first)


def _decode(
    paths: Sequence[Path], preprocessing: Preprocessing, size: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """Decode, resize and crop files to uint8 [N, 3, H, W], of the size given or of any one size."""
    decoded: list[NDArray[np.uint8]] = []
    problems: list[str] = []
    for path in paths:
        try:
            with _opened(path) as image:
                # Processors do not turn and not always convert; transformers' pipelines do both
                # on loading.
                ImageOps.exif_transpose(image, in_place=True)
                rgb = image if image.mode == "RGB" else image.convert("RGB")
                decoded.append(np.asarray(preprocessing.framing.applied(rgb)))
        except Exception as error:  # decoders raise many types on damaged files
            problems.append(f"{path}: {error}")
    _refuse(problems)
    sizes = {image.shape[:2] for image in decoded} | ({size} if size else set())
    if len(sizes) > 1:
        raise TableError(
            f"images differ in size ({len(sizes)} sizes) and the preprocessor leaves them so; set "
            "size to height and width, or do_center_crop and crop_size, in "
            "preprocessor_config.json, or resize the files."
        )
    return np.ascontiguousarray(np.stack(decoded).transpose(0, 3, 1, 2))


def _headers(paths: Sequence[Path]) -> list[str]:
    """Name the files whose header alone shows that they cannot be used."""
    problems = []
    for path in paths:
        try:
            _opened(path).close()
        except Exception as error:  # as above
            problems.append(f"{path}: {error}")
    return problems


def _opened(path: Path) -> Image.Image:
    """Open an image file and check its header; pixels are not decoded yet."""
    image = open_image(path)
    if image.mode not in _EIGHT_BIT:
        image.close()
        raise ValueError(f"mode {image.mode}; only 8 bits per channel are supported")
    return image


def _refuse(problems: Sequence[str]) -> None:
    if not problems:
        return
    shown = "\n".join(f"  {problem}" for problem in problems[:10])
    more = f"\n  and {len(problems) - 10} more" if len(problems) > 10 else ""
    noun = "image" if len(problems) == 1 else "images"
    raise TableError(
        f"{len(problems)} {noun} cannot be read; replace them or take out their rows:\n"
        f"{shown}{more}"
    )
