"""Image files of strangers: the formats that decode by themselves, and no more pixels than fit.

Pillow also opens formats that start other programs (EPS), blocks on a named pipe, and decodes
whatever size a header claims. Every image that prunegate opens is opened here.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MOST_PIXELS = 89_000_000
"""Pillow's own limit against decompression bombs."""


def open_image(path: Path) -> Image.Image:
    """Open an image file and look at its header; pixels are not decoded yet.

    Raises:
        ValueError: no regular file, or too many pixels.
        OSError: not there, or in none of ``FORMATS``.
    """
    from PIL import Image

    if not stat.S_ISREG(path.stat().st_mode):  # a named pipe would block for ever
        raise ValueError("not a file")
    image = Image.open(path, formats=FORMATS)
    if image.width * image.height > MOST_PIXELS:
        image.close()
        raise ValueError(f"{image.width} x {image.height} pixels, more than are decoded")
    return image
