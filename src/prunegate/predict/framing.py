"""Which part of an image a model sees, and in how many pixels: resize, then cut out the middle.

Equals what transformers' processors do with Pillow, to the byte: where the shape is kept, the long
edge is rounded down; a margin of an odd number of pixels gives the smaller half to the top and
left; and what is cut beyond an image is black, before normalising.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from prunegate.errors import TableError

MOST_PIXELS = 1 << 14
"""Longest side of a size that can be asked for."""


@dataclass(frozen=True, kw_only=True)
class Framing:
    """From any image to the part that a model sees."""

    size: tuple[int, int] | int | None
    """Height and width to resize to; one number: that of the shorter edge, the shape is kept;
    None: images stay as they are."""
    resample: int
    """Pillow's number: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming."""
    crops: tuple[tuple[int, int], ...] = ()
    """Heights and widths of the middles that are cut out, one after the other."""

    def leaves(self, height: int, width: int) -> bool:
        """Tell whether an image of this size stays as it is."""
        wanted = (self._resized(height, width), *self.crops)
        return all(size == (height, width) for size in wanted)

    def applied(self, image: Image.Image) -> Image.Image:
        """Resize and crop an RGB image.

        Raises:
            TableError: a sliver that keeping its shape would blow up beyond any memory.
        """
        height, width = self._resized(image.height, image.width)
        if height * width > MOST_PIXELS**2:
            raise TableError(
                f"{image.width} x {image.height} pixels would be resized to {width} x {height}, "
                "which is too large; cut it to a shape nearer to a square"
            )
        if image.size != (width, height):
            image = image.resize((width, height), resample=Image.Resampling(self.resample))
        for crop in self.crops:
            image = _middle(image, *crop)
        return image

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        if self.size is None:
            return height, width
        if isinstance(self.size, tuple):
            return self.size
        # As transformers' get_resize_output_image_size, floating point included.
        longer = int(self.size * max(height, width) / min(height, width))
        return (longer, self.size) if width <= height else (self.size, longer)


def _middle(image: Image.Image, height: int, width: int) -> Image.Image:
    if image.size == (width, height):
        return image
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
