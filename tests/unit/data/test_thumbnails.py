"""Thumbnails: bounded, faithful where nothing has to shrink, and without what travels in a file."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin
from tests.depth import times

from prunegate.data.labelled.thumbnails import SIDE, thumbnail
from prunegate.errors import TableError


def opened(png: bytes) -> Image.Image:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return Image.open(BytesIO(png))


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.slow
@given(width=st.integers(1, 900), height=st.integers(1, 900))
@settings(max_examples=25)
def test_a_thumbnail_is_bounded_and_keeps_its_shape(
    width: int, height: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("images") / "x.png"
    Image.new("RGB", (width, height), (10, 200, 30)).save(path)
    small = opened(thumbnail(path))
    assert max(small.size) == min(SIDE, max(width, height))
    assert min(small.size) >= 1
    assert small.mode == "RGB"
    if max(small.size) == SIDE:
        expected = SIDE * min(width, height) / max(width, height)
        assert abs(min(small.size) - expected) <= 1


def test_a_small_image_stays_as_it_is(tmp_path: Path) -> None:
    image = noise(SIDE, 40)
    image.save(tmp_path / "x.png")
    assert np.array_equal(np.asarray(opened(thumbnail(tmp_path / "x.png"))), np.asarray(image))


@pytest.mark.slow
def test_even_noise_stays_small(tmp_path: Path) -> None:
    noise(2000, 2000).save(tmp_path / "x.png")
    assert len(thumbnail(tmp_path / "x.png")) < 3 * SIDE * SIDE + 2_000


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "tiff"])
def test_nothing_but_pixels_is_kept(tmp_path: Path, kind: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010E] = "taken at a secret place"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "taken at a secret place")
    path = tmp_path / f"x.{kind}"
    noise(30, 20).save(path, icc_profile=profile, exif=exif, pnginfo=text, dpi=(72, 72))
    assert b"secret" in path.read_bytes()
    png = thumbnail(path)
    assert b"secret" not in png
    names = [name for name in (b"iCCP", b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"pHYs") if name in png]
    assert names == []


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.tiff" if mode == "CMYK" else "x.png")
    noise(30, 20).convert(mode).save(path)
    assert opened(thumbnail(path)).mode == "RGB"


@given(cut=st.integers(0, 400), byte=st.integers(0, 255))
@settings(max_examples=times(24, thorough=120))
def test_a_damaged_file_is_bad_input_or_a_picture(
    cut: int, byte: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("images") / "x.png"
    noise(12, 9).save(path)
    raw = bytearray(path.read_bytes())
    raw[cut % len(raw)] = byte
    path.write_bytes(raw)
    with suppress(TableError):  # and no other error
        assert opened(thumbnail(path)).size == (12, 9) or cut < 33  # the header tells the size


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("text")
    for name in ("x.png", "absent.png"):
        with pytest.raises(TableError, match=rf"{name}: cannot be read as an image"):
            thumbnail(tmp_path / name)


def test_a_decompression_bomb_is_bad_input(tmp_path: Path) -> None:
    """A file of few bytes that says it is 60,000 x 60,000 pixels is refused by its header."""
    noise(12, 9).save(tmp_path / "x.png")
    raw = bytearray((tmp_path / "x.png").read_bytes())
    raw[16:24] = (60_000).to_bytes(4, "big") * 2
    raw[29:33] = zlib.crc32(raw[12:29]).to_bytes(4, "big")
    (tmp_path / "x.png").write_bytes(raw)
    with pytest.raises(TableError, match="cannot be read as an image"):
        thumbnail(tmp_path / "x.png")


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    """Orientation 6: the camera was held upright, so the first row is the right side."""
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20), "red").save(path, exif=exif)
    assert Image.open(BytesIO(thumbnail(path))).size == (20, 40)


def test_only_formats_that_decode_by_themselves_are_opened(tmp_path: Path) -> None:
    """EPS starts Ghostscript, a pipe waits for ever, a header may claim any size."""
    (tmp_path / "x.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n")
    os.mkfifo(tmp_path / "pipe.png")
    Image.new("1", (13_000, 13_000)).save(tmp_path / "bomb.png")
    for name in ("x.png", "pipe.png", "bomb.png"):
        with pytest.raises(TableError, match="cannot be read as an image"):
            thumbnail(tmp_path / name)
