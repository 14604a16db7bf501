"""Thumbnails: small pictures of single rows, for people to look at in a report."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from prunegate.data.labelled.image_files import open_image
from prunegate.errors import TableError

if TYPE_CHECKING:
    from PIL import Image

SIDE = 192
"""Longest side in pixels; smaller images stay as they are."""
LOOKED_AT = 1000
"""Longest side of a picture that somebody labels."""


def thumbnail(path: Path, *, blur: bool = False) -> bytes:
    """A PNG of an image file, at most ``SIDE`` pixels wide and high, without its metadata.

    Args:
        path: the image.
        blur: whether only shapes and colours are left, a sixteenth of the picture wide.

    Raises:
        TableError: the file is no readable image.
    """
    from PIL import ImageFilter

    small = _upright(path, SIDE)
    if blur:
        small = small.filter(ImageFilter.GaussianBlur(max(small.size) / 16))
    out = BytesIO()
    small.save(out, format="PNG", optimize=True)
    return out.getvalue()


def picture_to_label(path: Path) -> bytes:
    """A JPEG of an image file, large enough to label by, without its metadata.

    Raises:
        TableError: the file is no readable image.
    """
    out = BytesIO()
    _upright(path, LOOKED_AT).save(out, format="JPEG", quality=88)
    return out.getvalue()


def _upright(path: Path, side: int) -> Image.Image:
    """The picture as it was judged, no larger than ``side``."""
    from PIL import ImageOps

    try:
        with open_image(path) as image:
            small = ImageOps.exif_transpose(image).convert("RGB")
            small.thumbnail((side, side))
    except Exception as error:  # decoders raise many types on damaged files
        raise TableError(f"{path}: cannot be read as an image ({error})") from error
    small.info.clear()  # a colour profile of any size would be written along
    return small
