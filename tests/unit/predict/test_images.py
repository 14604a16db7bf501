"""Images: the library's own numbers, and one message for all that cannot be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from prunegate.errors import TableError
from prunegate.predict.images import from_array, open_images
from prunegate.predict.preprocessing import Preprocessing

pytestmark = pytest.mark.models

AS_THEY_ARE = Preprocessing.from_config({"do_resize": False})


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write(folder: Path, pixels: np.ndarray) -> list[Path]:
    paths = [folder / f"{index}.png" for index in range(len(pixels))]
    for path, image in zip(paths, pixels, strict=True):
        Image.fromarray(image).save(path)
    return paths


def test_files_arrays_and_lazy_reading_agree(tmp_path: Path) -> None:
    pixels = noise(7, 10, 12, 3)
    paths = write(tmp_path, pixels)
    rows = np.array([5, 0, 5, 6])
    in_memory = open_images(paths, AS_THEY_ARE)
    lazy = open_images(paths, AS_THEY_ARE, memory=10)
    assert in_memory.pixels is not None
    assert lazy.pixels is None
    assert len(in_memory) == len(lazy) == 7
    expected = from_array(pixels, AS_THEY_ARE).pixel_values(rows)
    assert expected.shape == (4, 3, 10, 12)
    assert expected.is_contiguous()
    np.testing.assert_array_equal(in_memory.pixel_values(rows).numpy(), expected.numpy())
    np.testing.assert_array_equal(lazy.pixel_values(rows).numpy(), expected.numpy())


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_other_modes_are_converted_as_transformers_pipelines_do(tmp_path: Path, mode: str) -> None:
    from transformers.image_utils import load_image

    suffix = "jpg" if mode == "CMYK" else "png"
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(noise(8, 8, 3)).convert(mode).save(path)
    ours = open_images([path], AS_THEY_ARE).pixels
    assert ours is not None
    expected = np.asarray(load_image(str(path)))
    np.testing.assert_array_equal(ours[0].transpose(1, 2, 0), expected)


def test_photographs_are_turned_upright_as_transformers_pipelines_do(tmp_path: Path) -> None:
    from transformers.image_utils import load_image

    path, exif = tmp_path / "image.jpg", Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    Image.fromarray(noise(8, 12, 3)).save(path, exif=exif)
    ours = open_images([path], AS_THEY_ARE).pixels
    assert ours is not None
    assert ours.shape == (1, 3, 12, 8)
    np.testing.assert_array_equal(ours[0].transpose(1, 2, 0), np.asarray(load_image(str(path))))


@pytest.mark.parametrize("memory", [1 << 30, 0])
def test_all_unreadable_files_are_named_together(tmp_path: Path, memory: int) -> None:
    paths = write(tmp_path, noise(6, 8, 8, 3))
    paths[1].write_bytes(b"not an image")
    paths[2].unlink()
    paths[3].unlink()
    os.mkfifo(paths[3])
    paths[4].write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n")
    Image.fromarray(np.zeros((8, 8), dtype=np.uint16)).save(paths[5])
    with pytest.raises(TableError, match="5 images cannot be read") as refusal:
        open_images(paths, AS_THEY_ARE, memory=memory)
    for path in paths[1:]:
        assert str(path) in str(refusal.value)
    assert str(paths[0]) not in str(refusal.value)


def test_a_truncated_file_is_refused_at_the_latest_when_it_is_decoded(tmp_path: Path) -> None:
    paths = write(tmp_path, noise(3, 64, 64, 3))
    paths[1].write_bytes(paths[1].read_bytes()[:3000])
    with pytest.raises(TableError, match=r"1\.png"):
        open_images(paths, AS_THEY_ARE)
    lazy = open_images(paths, AS_THEY_ARE, memory=0)
    with pytest.raises(TableError, match=r"1\.png"):
        lazy.pixel_values(np.arange(3))


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "gif", "bmp", "tiff", "mpo"])
def test_every_format_that_is_named_is_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"one.{kind}"
    Image.new("RGB", (8, 8), (255, 255, 255)).save(path)
    (pixels,) = open_images([path], AS_THEY_ARE).pixel_values(np.arange(1))
    assert pixels.shape == (3, 8, 8)
    assert float(pixels.min()) == float(pixels.max())


def test_an_image_of_too_many_pixels_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prunegate.data.labelled import image_files

    paths = write(tmp_path, noise(1, 8, 8, 3))
    monkeypatch.setattr(image_files, "MOST_PIXELS", 63)
    with pytest.raises(TableError, match="8 x 8 pixels"):
        open_images(paths, AS_THEY_ARE)


def test_images_of_several_sizes_need_resizing(tmp_path: Path) -> None:
    paths = write(tmp_path, noise(1, 8, 8, 3))
    Image.fromarray(noise(9, 9, 3)).save(tmp_path / "other.png")
    paths.append(tmp_path / "other.png")
    with pytest.raises(TableError, match="differ in size"):
        open_images(paths, AS_THEY_ARE)
    lazy = open_images(paths, AS_THEY_ARE, memory=0)
    with pytest.raises(TableError, match="differ in size"):
        lazy.pixel_values(np.array([1]))  # the model might take it: alone it is of one size
    for config in ({"size": 6}, {"size": {"shortest_edge": 7}, "do_center_crop": True}):
        read = Preprocessing.from_config({**config, "crop_size": 6})
        assert open_images(paths, read).pixel_values(np.arange(2)).shape == (2, 3, 6, 6)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 8, 8, 3), np.uint8),
        np.zeros((2, 8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((2, 8, 8, 3), np.float32),
    ],
)
def test_arrays_of_another_kind_are_refused(pixels: Any) -> None:
    with pytest.raises(TableError, match="uint8"):
        from_array(pixels, AS_THEY_ARE)
    with pytest.raises(TableError, match="no images"):
        open_images([], AS_THEY_ARE)
