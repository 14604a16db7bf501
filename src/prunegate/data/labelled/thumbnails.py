"""Thumbnails: small pictures of single rows, for people to look at in a report."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from prunegate.data.labelled.image_files import open_image
from prunegate.errors import TableError

SIDE = 192
"""Longest side in pixels; smaller images stay as they are."""


def thumbnail(path: Path, *, blur: bool = False) -> bytes:
    """A PNG of an image file, at most ``SIDE`` pixels wide and high, without its metadata.

    Args:
        path: the image.
        blur: whether only shapes and colours are left, a sixteenth of the picture wide.

    Raises:
        TableError: the file is no readable image.
    """
    from PIL import ImageFilter, ImageOps

    try:
        with open_image(path) as image:
            small = ImageOps.exif_transpose(image).convert("RGB")  # upright, as it was judged
            small.thumbnail((SIDE, SIDE))
    except Exception as error:  # decoders raise many types on damaged files
        raise TableError(f"{path}: cannot be read as an image ({error})") from error
    if blur:
        small = small.filter(ImageFilter.GaussianBlur(max(small.size) / 16))
    small.info.clear()  # a colour profile of any size would be written along
    out = BytesIO()
    small.save(out, format="PNG", optimize=True)
    return out.getvalue()
